import asyncio
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.front import RunningFront, running_front
from tests.support.patience import PATIENCE_S
from webrtc.control.messages import SourceLevel
from webrtc.front_limits import FrontLimits
from webrtc.signaling.levels import RoomLevels
from webrtc.signaling.socketio_adapter import LOSSY_LIMIT_BYTES, UNSENT_LIMIT_BYTES
from webrtc.signaling.wire import event_frame

PERIOD_S = 0.3
updates = st.lists(
    st.builds(SourceLevel, st.sampled_from("abc"), st.integers(0, 127), st.booleans()), max_size=5
)


@pytest.mark.parametrize("publishers", [True, False])
@given(steps=st.lists(st.tuples(st.floats(0, 1), updates), max_size=30))
def test_everybody_knows_everything_in_the_end_and_is_never_told_too_often(
    publishers: bool, steps: list[tuple[float, list[SourceLevel]]]
) -> None:
    room = RoomLevels(PERIOD_S, 2 * PERIOD_S)
    pending, period_s = room.listeners, 2 * PERIOD_S
    if publishers:
        pending, period_s = room.publishers, PERIOD_S
    known: dict[str, tuple[int, int]] = {}
    truth: dict[str, tuple[int, int]] = {}
    now = 0.0
    told_at: list[float] = []
    for pause_s, levels in [*steps, (0.0, [])]:
        now += pause_s
        room.update(levels)
        truth.update({one.participant_id: (one.level_dbov, one.speaking) for one in levels})
        wait_s = pending.wait_s(now)
        assert 0 <= wait_s <= period_s + 1e-9
        now += wait_s
        event = pending.take(now)
        if event is not None:
            told_at.append(now)
            known.update({name: (level, speaks) for name, level, speaks in event.levels})
        assert known == truth
    gaps = [late - early for early, late in pairwise(told_at)]
    assert all(gap >= period_s - 1e-9 for gap in gaps)
    assert {name: (level, speaks) for name, level, speaks in room.everything().levels} == truth


@given(st.lists(updates, max_size=20))
def test_speakers_are_listed_loudest_first_and_only_when_that_changes(
    steps: list[list[SourceLevel]],
) -> None:
    room = RoomLevels(PERIOD_S, PERIOD_S)
    truth: dict[str, SourceLevel] = {}
    told: list[str] = []
    for levels in steps:
        truth.update({one.participant_id: one for one in levels})
        speaking = {name for name, one in truth.items() if one.speaking}
        assert room.update(levels) is (speaking != set(told))
        event = room.take_speakers()
        if event is not None:
            assert event.participants != told
            told = event.participants
        assert set(told) == speaking
        loudness = [truth[name].level_dbov for name in told]
        assert loudness == sorted(loudness)


def test_who_left_is_forgotten() -> None:
    room = RoomLevels(PERIOD_S, PERIOD_S)
    room.update([SourceLevel("a", 10, True), SourceLevel("b", 20, False)])
    assert room.speaking("a")
    assert room.forget("a") is True
    assert room.forget("b") is False
    assert room.forget("c") is False
    assert not room.speaking("a")
    assert room.publishers.take(0) is room.listeners.take(0) is None
    assert room.everything().levels == []


async def test_what_comes_within_a_period_is_one_message_and_listeners_wait_longer(
    tmp_path: Path,
) -> None:
    limits = FrontLimits(publisher_levels_period_s=0.1, listener_levels_period_s=0.2)
    async with running_front(tmp_path, limits=limits) as front:
        alice, ack = await front.joined()
        bob, _ = await front.joined(role="subscriber")
        me = ack["participant_id"]
        front.worker.send_levels("room", (me, 30, False))
        assert (await bob.event("levels"))["levels"] == [[me, 30, 0]]
        for level in (20, 10):
            front.worker.send_levels("room", (me, level, False))
        assert (await bob.event("levels"))["levels"] == [[me, 10, 0]]
        assert [one["levels"][0][1] for one in alice.heard("levels")] == [30, 10]


async def test_a_message_is_encoded_once_for_all_who_get_it(
    front: RunningFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[str] = []

    def counted(event: str, payload: msgspec.Struct) -> bytes:
        encoded.append(event)
        return event_frame(event, payload)

    people = [await front.joined() for _ in range(3)]
    people += [await front.joined(role="subscriber") for _ in range(4)]
    monkeypatch.setattr("webrtc.signaling.levels.event_frame", counted)
    front.worker.send_levels("room", (people[0][1]["participant_id"], 20, True))
    for client, _ in people:
        await client.event("levels")
    assert sorted(encoded) == ["active_speakers", "levels", "levels"]  # who speaks, who listens


async def test_levels_stay_in_their_room_and_strangers_are_ignored(front: RunningFront) -> None:
    alice, ack = await front.joined("one")
    bob, _ = await front.joined("two")
    me = ack["participant_id"]
    front.worker.send_levels("one", (me, 30, False), ("stranger", 1, True))
    assert (await alice.event("levels"))["levels"] == [[me, 30, 0]]
    front.worker.send_levels("nowhere", ("stranger", 1, True))
    await bob.ok("offer", {"type": "offer", "sdp": "v=0"})
    assert bob.events == []


async def test_a_hidden_page_gets_no_levels_and_all_of_them_when_it_is_shown(
    front: RunningFront,
) -> None:
    alice, ack = await front.joined()
    bob, other = await front.joined()
    me, him = ack["participant_id"], other["participant_id"]
    await bob.ok("set_visibility", False)
    front.worker.send_levels("room", (me, 30, False))
    front.worker.send_levels("room", (him, 40, False))
    await alice.event("levels", lambda it: it["levels"] == [[him, 40, 0]])
    assert bob.heard("levels") == []
    await bob.ok("set_visibility", True)
    assert sorted((await bob.event("levels"))["levels"]) == sorted([[me, 30, 0], [him, 40, 0]])


async def test_someone_who_is_back_gets_all_levels(front: RunningFront) -> None:
    alice, ack = await front.joined()
    me = ack["participant_id"]
    front.worker.send_levels("room", (me, 30, True))
    await alice.event("levels")
    await alice.lose_socket()
    alice = await front.client()
    back = await alice.ok("join_room", {"resume_token": ack["resume_token"]})
    assert back["participants"][0]["speaking"] is True
    assert (await alice.event("levels"))["levels"] == [[me, 30, 1]]


async def test_a_page_that_was_hidden_is_taken_for_visible_when_it_is_back(
    front: RunningFront,
) -> None:
    alice, ack = await front.joined()
    await alice.ok("set_visibility", False)
    await alice.lose_socket()
    alice = await front.client()
    await alice.ok("join_room", {"resume_token": ack["resume_token"]})
    front.worker.send_levels("room", (ack["participant_id"], 30, False))
    assert (await alice.event("levels"))["levels"] == [[ack["participant_id"], 30, 0]]


async def test_active_speakers_change_with_who_speaks_and_who_leaves(front: RunningFront) -> None:
    alice, ack = await front.joined()
    bob, other = await front.joined()
    me, him = ack["participant_id"], other["participant_id"]
    front.worker.send_levels("room", (me, 30, True), (him, 20, True))
    assert await alice.event("active_speakers") == {"participants": [him, me]}
    _, shown = await front.joined()
    assert [one["speaking"] for one in shown["participants"]] == [True, True, False]
    await bob.ok("leave_room")
    assert await alice.event("active_speakers") == {"participants": [me]}
    front.worker.send_levels("room", (me, 60, False))
    assert await alice.event("active_speakers") == {"participants": []}


async def test_a_hidden_page_is_told_who_speaks_when_it_is_shown(front: RunningFront) -> None:
    alice, ack = await front.joined()
    bob, other = await front.joined()
    me, him = ack["participant_id"], other["participant_id"]
    front.worker.send_levels("room", (him, 20, True))
    await bob.event("active_speakers")
    await bob.ok("set_visibility", False)
    front.worker.send_levels("room", (me, 30, True))
    await alice.event("active_speakers", lambda it: it == {"participants": [him, me]})
    front.worker.send_levels("room", (me, 60, False), (him, 60, False))
    await alice.event("active_speakers", lambda it: it == {"participants": []})
    await bob.ok("set_muted", False)  # what was sent before its answer has come
    assert bob.heard("active_speakers") == []
    await bob.ok("set_visibility", True)
    assert await bob.event("active_speakers") == {"participants": []}


def transport_of(front: RunningFront, participant_id: str) -> asyncio.Transport:
    """Return the server's end of a participant's connection."""
    seat = front.front.desk.presence.seat(participant_id)
    assert seat is not None
    assert seat.connection is not None
    transport: asyncio.Transport = seat.connection.socket._transport  # type: ignore[attr-defined]
    return transport


def fill(transport: asyncio.Transport, limit_bytes: int) -> None:
    """Write Engine.IO no-ops until more than `limit_bytes` wait to be read."""
    while transport.get_write_buffer_size() <= limit_bytes:
        transport.write(b"\x81\x7e\x20\x00" + b"6" * 0x2000)


async def test_a_listener_that_does_not_read_loses_levels_and_nothing_else(
    front: RunningFront,
) -> None:
    alice, ack = await front.joined()
    bob, _ = await front.joined()
    transport = transport_of(front, ack["participant_id"])
    alice.sio.eio.ws._response.connection.transport.pause_reading()
    fill(transport, LOSSY_LIMIT_BYTES)
    waiting = transport.get_write_buffer_size()
    front.worker.send_levels("room", (ack["participant_id"], 30, False))
    await bob.event("levels")
    assert transport.get_write_buffer_size() <= waiting
    assert front.front.signaling.dropped_levels == 1
    await bob.ok("set_muted", True)
    alice.sio.eio.ws._response.connection.transport.resume_reading()
    await alice.event("participant_updated")
    assert alice.heard("levels") == []


@pytest.mark.slow
async def test_a_client_that_never_reads_is_disconnected(front: RunningFront) -> None:
    alice, ack = await front.joined()
    bob, _ = await front.joined()
    transport = transport_of(front, ack["participant_id"])
    alice.sio.eio.ws._response.connection.transport.pause_reading()
    fill(transport, UNSENT_LIMIT_BYTES)
    await bob.ok("set_muted", True)
    async with asyncio.timeout(PATIENCE_S):
        while transport_is_held(front, ack["participant_id"]):
            await asyncio.sleep(0)
    assert front.front.signaling.slow_sockets == 1
    assert bob.heard("participant_left") == [], "the seat is kept"


def transport_is_held(front: RunningFront, participant_id: str) -> bool:
    """Return whether a socket holds the participant's seat."""
    seat = front.front.desk.presence.seat(participant_id)
    return seat is not None and seat.connection is not None
