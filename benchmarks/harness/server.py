"""Our own server as a child process, started as an operator would start it."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.harness.processes import Usage, usage

_ROOT = Path(__file__).resolve().parents[2]
_READY = re.compile(r"AG06 Mixer is ready: (http://\S+)")
_START_TIMEOUT_S = 180.0  # a first start compiles the audio kernels
_STOP_TIMEOUT_S = 10.0


class ServerError(Exception):
    """The server did not start, or died while it was measured."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs.

    Attributes:
        name: for tables.
        base_url: where its signaling listens.
        pid: the process whose whole family is measured.
    """

    name: str
    base_url: str
    pid: int

    def usage(self, *, with_memory: bool = False) -> Usage:
        """Return what all its processes cost so far."""
        return usage([self.pid], with_memory=with_memory)

    async def get(self, path: str) -> Any:
        """Return the JSON of a resource of its REST interface."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.base_url + path) as response,
        ):
            response.raise_for_status()
            return await response.json()

    async def worker_stats(self) -> list[dict[str, Any]]:
        """Return each media worker's figures from /api/stats; workers report once a second."""
        stats = await self.get("/api/stats")
        return [worker["figures"] for worker in stats["workers"] if worker["figures"]]


@asynccontextmanager
async def our_server(environment: Mapping[str, str] | None = None) -> AsyncIterator[Server]:
    """Run `start_webrtc.py` on free ports with default settings but for `environment`.

    Raises:
        ServerError: it did not become ready, or was not there any more at the end.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WEBRTC_", "REDIS_"))
    }
    ports = {
        "WEBRTC_SIGNALING_PORT": "0",
        "WEBRTC_STATIC_PORT": "0",
        "WEBRTC_MEDIA_PORT": "0",
        "LOG_LEVEL": "WARNING",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(_ROOT / "start_webrtc.py"),
        stdout=PIPE,
        env={**inherited, **ports, **(environment or {})},
        cwd=_ROOT,
        start_new_session=True,
    )
    try:
        base_url = await _wait_until_ready(process)
        drain = asyncio.create_task(_discard(process), name="server output")
        yield Server("AG06 Mixer", base_url, process.pid)
        if process.returncode is not None:
            raise ServerError(f"the server ended by itself with status {process.returncode}")
        drain.cancel()
    finally:
        await stop(process)


async def stop(process: Process) -> None:
    """End a child process, by force if it does not follow."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _wait_until_ready(process: Process) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            async for line in process.stdout:
                found = _READY.search(line.decode(errors="replace"))
                if found:
                    return found.group(1).replace("localhost", "127.0.0.1").rstrip("/")
    except TimeoutError:
        raise ServerError(f"the server was not ready after {_START_TIMEOUT_S:.0f} s") from None
    raise ServerError(f"the server ended with status {await process.wait()}")


async def _discard(process: Process) -> None:
    assert process.stdout is not None
    async for _ in process.stdout:
        pass
