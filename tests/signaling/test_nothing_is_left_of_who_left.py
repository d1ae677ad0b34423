"""Objects of the front process, counted: whoever left, or never came back, has taken them along."""

import asyncio
import gc
from collections import Counter
from pathlib import Path

import pytest

from tests.support.front import RunningFront, running_front
from webrtc.front_limits import FrontLimits
from webrtc.signaling import socketio_adapter

_PEOPLE = 40
_CHANCE = 20  # what caches keep; a leak shows once for each of them at least


@pytest.mark.parametrize("ending", ["leave", "lose the socket"])
async def test_objects_are_as_many_as_before(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Engine.IO keeps a closed socket until its next ping would be due.
    monkeypatch.setattr(socketio_adapter, "PING_INTERVAL_S", 0.2)
    limits = FrontLimits(resume_window_s=0.1)
    async with running_front(tmp_path, limits=limits) as front:
        await come_and_go(front, ending)
        before = await objects(front)
        await come_and_go(front, ending)
        after = await objects(front)
    grown = {kind: after[kind] - before[kind] for kind in after}
    assert {kind: more for kind, more in grown.items() if more > _CHANCE} == {}


async def come_and_go(front: RunningFront, ending: str) -> None:
    """Let people join rooms, change what can be changed, and go in one of two ways."""
    neighbour = ""
    for number in range(_PEOPLE):
        client, joined = await front.joined("room", name=f"Guest {number}")
        await client.ok("offer", {"type": "offer", "sdp": "v=0"})
        await client.ok("audio_stream_metadata", {"genre": "jazz"})
        if neighbour and ending != "leave":
            await client.ok("set_listener_mix", {"participant_id": neighbour, "gain_db": -6})
        neighbour = joined["participant_id"]
        if ending == "leave":
            await client.ok("leave_room")
            await client.sio.disconnect()
        else:
            await client.lose_socket()
    front.clients.clear()
    async with asyncio.timeout(10):
        while front.worker.rooms:
            await asyncio.sleep(0.02)
    front.worker.handled.clear()


async def objects(front: RunningFront) -> Counter[str]:
    """Count objects by type once everything that goes on by itself has ended."""
    await asyncio.sleep(0.5)  # Engine.IO's pings
    gc.collect()
    return Counter(str(type(each)) for each in gc.get_objects())
