"""Rooms that forward, as clients and workers see the front process."""

import msgspec

from rooms.models import RoomSettings
from tests.support.front import RunningFront
from webrtc.control.messages import TrackGroup, TracksAssigned

FORWARD = msgspec.to_builtins(RoomSettings(mode="forward"))


async def test_who_makes_a_room_says_how_it_works_and_who_comes_later_does_not(
    front: RunningFront,
) -> None:
    alice, bert = await front.client(), await front.client()
    ack = await alice.ok("join_room", {"room_id": "r", "mode": "forward", "max_speakers": 3})
    assert ack["room_settings"] == {**FORWARD, "max_speakers": 3}
    ack = await bert.ok("join_room", {"room_id": "r", "mode": "mix", "max_speakers": 9})
    assert ack["room_settings"] == {**FORWARD, "max_speakers": 3}
    put = front.worker.rooms["r"]
    assert (put.mode, put.selection.max_speakers) == ("forward", 3)
    assert await alice.refused("set_room", {"mode": "both"}) == "bad_message"


async def test_the_host_changes_the_mode_live_and_everybody_is_told(front: RunningFront) -> None:
    alice, bert = await front.client(), await front.client()
    await alice.ok("join_room", {"room_id": "r"})
    await bert.ok("join_room", {"room_id": "r"})
    ack = await alice.ok("set_room", {"mode": "forward"})
    assert ack["settings"] == FORWARD
    assert (await bert.event("room_updated"))["settings"] == FORWARD
    await front.worker.wait_until(lambda it: it.rooms["r"].mode == "forward")
    assert await bert.refused("set_room", {"mode": "mix"}) == "forbidden"


async def test_the_worker_hears_who_takes_tracks(front: RunningFront) -> None:
    alice, bert = await front.client(), await front.client()
    mine = await alice.ok("join_room", {"room_id": "r", "capabilities": ["tracks", "more"]})
    other = await bert.ok("join_room", {"room_id": "r", "capabilities": ["more"]})
    people = front.worker.participants
    assert people[mine["participant_id"]].takes_tracks
    assert not people[other["participant_id"]].takes_tracks


async def test_who_is_on_my_tracks_is_told_to_me_alone_and_again_when_i_come_back(
    front: RunningFront,
) -> None:
    alice, ack = await front.joined()
    me, room = ack["participant_id"], ack["room_id"]
    tracks = {"track1": "somebody", "track2": None}
    front.worker.send(TracksAssigned(room, [TrackGroup([me, "nobody"], dict(tracks))]))
    told = {
        "tracks": [
            {"mid": "track1", "participant_id": "somebody"},
            {"mid": "track2", "participant_id": None},
        ]
    }
    assert await alice.event("track_assignments") == told
    await alice.lose_socket()
    alice = await front.client()
    await alice.ok("join_room", {"resume_token": ack["resume_token"]})
    assert await alice.event("track_assignments") == told
