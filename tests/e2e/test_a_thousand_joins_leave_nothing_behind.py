"""People join, are connected, and leave, over and over, as the benchmarks' load client does it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from benchmarks.load.doors import SocketIoConnection, SocketIoDoor
from benchmarks.load.swarm import Swarm
from tests.support.holdings import Holdings
from tests.support.server import LiveServer

_HELD = ("rooms", "participants", "peers")
_FIRST_ROUNDS = 2
_ROUNDS = 3
_ROOMS = 10
_JOINS = 200  # each round
_QUIET_S = 20.0

# What a thousand joins may add. Caches that still fill add 70 KB of heap and 2,000 blocks, and the
# heap's own gaps 1,500 KB of memory; both come to an end.
_MOST = {
    "files": 0,
    "threads": 0,
    "tasks": 0,
    "objects": 50,
    "blocks": 5_000,
    "heap_kb": 500,
    "memory_kb": 6_000,
}


async def test_a_thousand_joins_leave_nothing_behind(
    start_server: Callable[..., Awaitable[LiveServer]], tmp_path: Path
) -> None:
    server = await start_server(WEBRTC_MEDIA_WORKERS="1", **Holdings.telling(tmp_path))
    for _ in range(_FIRST_ROUNDS):  # whatever is made once, is made now
        await come_and_go(server)
    pids = server.front_pid(), server.worker_pid(0)
    before = [await Holdings.at_rest(pid, tmp_path) for pid in pids]
    for _ in range(_ROUNDS):
        await come_and_go(server)
    assert (server.front_pid(), server.worker_pid(0)) == pids, "a part was restarted"
    for pid, held in zip(pids, before, strict=True):
        await holds_no_more(pid, held, tmp_path)


async def come_and_go(server: LiveServer) -> None:
    """Let people join some rooms, leave them all, and wait until nothing is left."""
    url = server.api_url.replace("localhost", "127.0.0.1")
    async with Swarm(SocketIoDoor(url)) as swarm:
        people = []
        for number in range(_ROOMS):
            people += await swarm.join_all(f"room-{number}", "sendrecv", _JOINS // _ROOMS)
        leaving = []
        for person in people:
            assert isinstance(person.signaling, SocketIoConnection)
            leaving.append(person.signaling.call("leave_room"))
        assert all(answer["ok"] for answer in await asyncio.gather(*leaving))
    await empty(url)


async def empty(url: str) -> None:
    """Wait until the server says that nobody is there: no room, seat, socket or connection."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(_QUIET_S):
        while True:
            async with session.get(f"{url}/api/stats") as answer:
                stats = await answer.json()
            figures = stats["workers"][0]["figures"]
            if not any([*stats["front"].values(), *(figures[name] for name in _HELD)]):
                return
            await asyncio.sleep(0.1)


async def holds_no_more(pid: int, before: Holdings, folder: Path) -> None:
    """Wait until a process holds hardly more than before."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _QUIET_S
    while grown := (await Holdings.of(pid, folder)).beyond(before, _MOST):
        assert loop.time() < end, f"process {pid} holds more by {grown}"
        await asyncio.sleep(0.1)
