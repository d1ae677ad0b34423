"""Objects of the front process, counted: whoever left, or never came back, has taken them along."""

import asyncio
import gc
import heapq
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load.doors import SocketIoConnection
from tests.support.front import RunningFront, running_front
from tests.support.patience import PATIENCE_S
from webrtc.front_limits import FrontLimits

_PEOPLE = 40
_CHANCE = 10  # objects that come and go by themselves


@pytest.mark.slow
@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "loses the socket"])
async def test_objects_are_as_many_as_before(tmp_path: Path, leaves: bool) -> None:
    async with running_front(tmp_path, limits=FrontLimits(resume_window_s=0.1)) as front:
        # Counted once in vain: looking at every object fills caches too.
        _, before, after = [await counted_after(front, leaves) for _ in range(3)]
    grown = {kind: after[kind] - before[kind] for kind in after}
    assert {kind: more for kind, more in grown.items() if more > _CHANCE} == {}


async def come_and_go(front: RunningFront, leaves: bool) -> None:
    """Let people join a room, change what can be changed, and go."""
    neighbour: str | None = None
    neighbours_client: SocketIoConnection | None = None
    for number in range(_PEOPLE):
        # A client whose addresses are always the same: what caches keep of them does not grow.
        client = await SocketIoConnection.connect(front.url)
        join = {"room_id": "room", "name": f"Guest {number}"}
        joined = await client.call("join_room", join)
        answers = [
            joined,
            await client.call("offer", {"type": "offer", "sdp": "v=0"}),
            await client.call("audio_stream_metadata", {"genre": "jazz"}),
        ]
        if neighbour is not None:
            mix = {"participant_id": neighbour, "gain_db": -6}
            answers.append(await client.call("set_listener_mix", mix))
        if leaves and number % 2:  # the others are there for a neighbour until the end
            answers.append(await client.call("leave_room"))
            client.close()
        else:  # who loses the socket stays until the next has asked for a mix with them
            if neighbours_client is not None:
                neighbours_client.close()
            neighbour, neighbours_client = joined["participant_id"], client
        assert all(answer["ok"] for answer in answers), answers
    if neighbours_client is not None:
        neighbours_client.close()
    async with asyncio.timeout(PATIENCE_S):
        while front.worker.rooms:
            await asyncio.sleep(0.02)
    front.worker.handled.clear()


async def counted_after(front: RunningFront, leaves: bool) -> Counter[str]:
    """Count objects by type once people have gone and what goes on by itself has ended."""
    await come_and_go(front, leaves)
    await asyncio.sleep(0.5)  # sockets that close, timers of a tenth of a second
    forget_cancelled_timers()
    gc.collect()
    return Counter(str(type(each)) for each in gc.get_objects())


def forget_cancelled_timers() -> None:
    """Have the loop let go of timers that were cancelled, which it does when they are many."""
    loop: Any = asyncio.get_running_loop()
    loop._scheduled = [timer for timer in loop._scheduled if not timer.cancelled()]
    heapq.heapify(loop._scheduled)
    loop._timer_cancelled_count = 0
