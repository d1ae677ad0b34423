"""People join, are connected, and leave, over and over, as the benchmarks' load client does it."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from benchmarks.load.doors import SocketIoConnection, SocketIoDoor
from benchmarks.load.swarm import Swarm
from tests.support.holdings import Holdings
from tests.support.server import LiveServer

_HELD = ("rooms", "participants", "peers")
_ROUNDS = 5
_ROOMS = 10
_JOINS = 200  # each round
_QUIET_S = 20.0

# A connection that is kept costs its worker 40 KB and more; a heap breathes by a few.
_WORKER_KB_PER_JOIN = 10.0
# Engine.IO keeps 3 KB of a closed socket until its next ping would be due, 25 s.
_FRONT_KB_PER_JOIN = 8.0


async def test_a_thousand_joins_leave_nothing_behind(
    start_server: Callable[..., Awaitable[LiveServer]],
) -> None:
    server = await start_server(WEBRTC_MEDIA_WORKERS="1")
    await come_and_go(server)  # whatever is made once, is made now
    pids = server.front_pid(), server.worker_pid(0)
    front, worker = map(Holdings.of, pids)
    for _ in range(_ROUNDS):
        await come_and_go(server)
    assert (server.front_pid(), server.worker_pid(0)) == pids, "a part was restarted"
    for pid, before in zip(pids, (front, worker), strict=True):
        await holds_no_more(pid, before)
    front_after, worker_after = map(Holdings.of, pids)
    joins = _ROUNDS * _JOINS
    assert (worker_after.memory_kb - worker.memory_kb) / joins < _WORKER_KB_PER_JOIN
    assert (front_after.memory_kb - front.memory_kb) / joins < _FRONT_KB_PER_JOIN


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


async def holds_no_more(pid: int, before: Holdings) -> None:
    """Wait until a process has no more files and threads than before."""
    async with asyncio.timeout(_QUIET_S):
        while True:
            now = Holdings.of(pid)
            if now.files <= before.files and now.threads <= before.threads:
                return
            await asyncio.sleep(0.1)
