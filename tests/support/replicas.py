"""Replicas of a server with one Redis, each a front process with a fake media worker."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from rooms.redis_connection import RedisAddress
from rooms.replicas import number_of, worker_number
from rooms.shared_store import SharedRoomStore
from rooms.shared_times import SharedTimes
from tests.support.front import RunningFront, running_front
from tests.support.patience import PATIENCE_S
from tests.support.redis_server import RedisServer

TIMES: Final = SharedTimes(beat_s=0.05, lease_s=2.5, keep_s=60.0, start_s=5.0)
"""A lease outlives a halt of the machine, so that nobody is dead but who is meant to be."""
ANNA, BERT, CARL = (worker_number(number_of(name), 0) for name in ("anna", "bert", "carl"))

MakeReplica = Callable[..., Awaitable[RunningFront]]


class Replicas:
    """An async context manager that starts replicas, and stops all of them."""

    def __init__(self, server: RedisServer, folder: Path) -> None:
        """Prepare for replicas that share `server`, each with a folder of its name in `folder`."""
        self._server = server
        self._folder = folder
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start none yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop them, the latest first."""
        await self._running.__aexit__(kind, error, trace)

    async def start(self, name: str, **settings: Any) -> RunningFront:
        """Start the replica of a name; `settings` as of `running_front`."""
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        front = running_front(
            folder,
            store=store_of(name, self._server),
            replica=name,
            recordings_dir=str(folder / "recordings"),
            recordings_min_free_mb=0,
            hls_broadcasts=1,
            **settings,
        )
        return await self._running.enter_async_context(front)


def store_of(name: str, server: RedisServer) -> SharedRoomStore:
    """Return the room store of a replica."""
    return SharedRoomStore(RedisAddress.parse(server.url), number_of(name), times=TIMES)


async def until(condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)
