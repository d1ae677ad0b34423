"""Chromium with a tab that can be hidden for real, over the DevTools protocol: one websocket.

Playwright makes every page believe that it is seen, and switches off what Chromium does to hidden
ones; a tab of this browser is treated as a user's is. Protocol:
https://chromedevtools.github.io/devtools-protocol/.
"""

import asyncio
import itertools
import json
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.support.programs import require

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root, which Chromium's sandbox refuses
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--remote-debugging-port=0",
)
_START_S = 45.0
_COMMAND_S = 60.0
_END_S = 5.0


class ChromiumError(Exception):
    """Chromium refused a command, or a script in the page threw."""


class HiddenChromium:
    """One Chromium with a tab of ours, shown until `hide`; an async context manager."""

    def __init__(self) -> None:
        self._program = require("chromium")
        self._cleanup = AsyncExitStack()
        self._numbers: Iterator[int] = itertools.count(1)
        self._line: aiohttp.ClientWebSocketResponse
        self._tab: str

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(_START_S):
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

    async def run_first(self, script: str) -> None:
        """Run a script in every page before its own."""
        await self._of_tab("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def goto(self, url: str) -> None:
        """Open an address and wait until it has loaded."""
        before = await self.evaluate("performance.timeOrigin")
        await self._of_tab("Page.navigate", url=url)
        loaded = f"performance.timeOrigin > {before} && document.readyState === 'complete'"
        async with asyncio.timeout(_COMMAND_S):
            while not await self._is(loaded):
                await asyncio.sleep(0.05)

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; a promise is awaited, a gesture assumed.

        Raises:
            ChromiumError: the expression threw.
        """
        answer = await self._of_tab(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            raise ChromiumError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    async def hide(self) -> None:
        """Put another tab in front."""
        await self._command("Target.createTarget", url="about:blank")
        async with asyncio.timeout(_COMMAND_S):
            while await self.evaluate("document.visibilityState") != "hidden":
                await asyncio.sleep(0.05)

    async def _is(self, condition: str) -> bool:
        try:
            return await self.evaluate(condition) is True
        except ChromiumError:
            return False  # one page makes way for another

    async def _start(self) -> None:
        profile = self._cleanup.enter_context(
            tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        )
        process = await asyncio.create_subprocess_exec(
            self._program,
            *_FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._cleanup.push_async_callback(_end, process)
        address = Path(profile, "DevToolsActivePort")
        while not address.exists() or address.read_text("ascii").count("\n") < 1:
            await asyncio.sleep(0.05)
        port, path = address.read_text("ascii").split()
        session = await self._cleanup.enter_async_context(aiohttp.ClientSession())
        self._line = await session.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=0)
        made = await self._command("Target.createTarget", url="about:blank")
        attached = await self._command(
            "Target.attachToTarget", targetId=made["targetId"], flatten=True
        )
        self._tab = attached["sessionId"]
        await self._of_tab("Page.enable")

    async def _of_tab(self, method: str, **parameters: Any) -> dict[str, Any]:
        return await self._command(method, self._tab, **parameters)

    async def _command(
        self, method: str, session: str | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Send one command and return its result; one at a time."""
        number = next(self._numbers)
        addressed = {} if session is None else {"sessionId": session}
        await self._line.send_json(
            {"id": number, "method": method, "params": parameters, **addressed}
        )
        async with asyncio.timeout(_COMMAND_S):
            while True:
                message = json.loads(await self._line.receive_str())
                if message.get("id") == number:
                    break
        if "error" in message:
            raise ChromiumError(f"{method}: {message['error']}")
        result: dict[str, Any] = message["result"]
        return result


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
