"""A small driver of stock Firefox over WebDriver BiDi: no driver program, one websocket.

Protocol: https://www.w3.org/TR/webdriver-bidi/. Firefox hides its addresses behind mDNS names and
never sends from loopback, as on a user's machine; its microphone is a built-in tone of 1000 Hz.
"""

import asyncio
import contextlib
import itertools
import json
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.support.programs import require

_PREFERENCES: dict[str, bool | int | str] = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    # No sound card is needed: without one, no AudioContext of Firefox ever runs.
    "media.cubeb.force_mock_context": True,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.active-protocols": 1,  # WebDriver BiDi only
    "toolkit.telemetry.enabled": False,
}
_START_S = 30.0
_COMMAND_S = 60.0
_END_S = 5.0


class FirefoxError(Exception):
    """Firefox refused a command, or a script in the page threw."""


class Firefox:
    """One Firefox with one tab; an async context manager.

    Attributes:
        log: texts of the page's console messages and uncaught errors.
    """

    def __init__(self, preferences: dict[str, bool | int | str] | None = None) -> None:
        self.log: list[str] = []
        self._program = require("firefox-esr")
        self._preferences = {**_PREFERENCES, **(preferences or {})}
        self._cleanup = AsyncExitStack()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._line: aiohttp.ClientWebSocketResponse
        self._tab: str

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._cleanup.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._cleanup.aclose()

    async def goto(self, url: str) -> None:
        """Open an address and wait until it has loaded."""
        await self.command("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    async def evaluate(self, expression: str, *, gesture: bool = False) -> Any:
        """Return the JSON value of a JavaScript expression; a promise is awaited.

        Args:
            expression: JavaScript, evaluated in the tab.
            gesture: whether the page takes it for a user's doing (sound may start then).

        Raises:
            FirefoxError: the expression threw.
        """
        answer = await self.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})) ?? 'null')()",
            target={"context": self._tab},
            awaitPromise=True,
            userActivation=gesture,
        )
        if answer["type"] == "exception":
            raise FirefoxError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    async def click(self, selector: str) -> None:
        """Click an element with a real pointer.

        Raises:
            FirefoxError: no element matches the CSS selector.
        """
        found = await self.command(
            "browsingContext.locateNodes",
            context=self._tab,
            locator={"type": "css", "value": selector},
        )
        if not found["nodes"]:
            raise FirefoxError(f"no element matches {selector}")
        origin = {"type": "element", "element": {"sharedId": found["nodes"][0]["sharedId"]}}
        actions: list[dict[str, Any]] = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        pointer = {"type": "pointer", "id": "mouse", "actions": actions}
        await self.command("input.performActions", context=self._tab, actions=[pointer])

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one BiDi command and return its result.

        Raises:
            FirefoxError: Firefox answered with an error, or is gone.
        """
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._line.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(_COMMAND_S):
            message = await answer
        if message["type"] == "error":
            raise FirefoxError(f"{method}: {message['error']}: {message['message']}")
        result: dict[str, Any] = message["result"]
        return result

    async def _start(self) -> None:
        profile = Path(tempfile.mkdtemp(prefix="firefox-profile-"))
        self._cleanup.callback(shutil.rmtree, profile, ignore_errors=True)
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in self._preferences.items()
        ]
        (profile / "user.js").write_text("".join(lines), "utf-8")
        process = await asyncio.create_subprocess_exec(
            self._program,
            "--headless",
            "--no-remote",
            "--profile",
            str(profile),
            "--remote-debugging-port=0",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        self._cleanup.push_async_callback(_end, process)
        async with asyncio.timeout(_START_S):
            assert process.stderr is not None
            address = await _listening_address(process.stderr)
            # Firefox goes on printing, and would stall if nobody read.
            drain = asyncio.create_task(_discard(process.stderr), name="discard Firefox output")
            self._cleanup.callback(drain.cancel)
            session = await self._cleanup.enter_async_context(aiohttp.ClientSession())
            self._line = await session.ws_connect(f"{address}/session", max_msg_size=0)
            reader = asyncio.create_task(self._read(), name="read from Firefox")
            self._cleanup.callback(reader.cancel)
            self._cleanup.push_async_callback(self._quit)
            await self.command("session.new", capabilities={})
            await self.command("session.subscribe", events=["log.entryAdded"])
            tree = await self.command("browsingContext.getTree")
            self._tab = tree["contexts"][0]["context"]

    async def _read(self) -> None:
        async for message in self._line:
            told = json.loads(message.data)
            answer = self._answers.pop(told.get("id"), None)
            if answer is not None and not answer.done():
                answer.set_result(told)
            elif told.get("method") == "log.entryAdded":
                self.log.append(str(told["params"].get("text")))
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(FirefoxError("Firefox closed the connection"))

    async def _quit(self) -> None:
        with contextlib.suppress(FirefoxError, TimeoutError, ConnectionError):
            async with asyncio.timeout(_END_S):
                await self.command("browser.close")


async def _listening_address(stderr: asyncio.StreamReader) -> str:
    """Return the websocket address that Firefox prints once it listens on a free port."""
    printed = []
    async for raw in stderr:
        printed.append(raw.decode(errors="replace"))
        _, found, address = printed[-1].partition("WebDriver BiDi listening on ")
        if found:
            return address.strip()
    raise FirefoxError("Firefox did not start: " + "".join(printed[-5:]))


async def _discard(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(_END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
