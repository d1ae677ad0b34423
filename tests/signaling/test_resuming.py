import asyncio
from pathlib import Path

import pytest

from tests.support.front import RunningFront, running_front
from tests.support.patience import PATIENCE_S
from webrtc.control.messages import ServerOffer
from webrtc.front_limits import FrontLimits


async def test_a_lost_socket_keeps_the_seat_and_everything_on_it(front: RunningFront) -> None:
    alice, ack = await front.joined("studio", name="Alice")
    bob, other = await front.joined("studio", name="Bob")
    await alice.ok("set_muted", True)
    await alice.ok("audio_stream_metadata", {"genre": "jazz", "gateThreshold": -35})
    await alice.ok("set_listener_mix", {"participant_id": other["participant_id"], "gain_db": -6})
    before = front.worker.participants[ack["participant_id"]]
    await alice.lose_socket()

    alice = await front.client()
    back = await alice.ok("join_room", {"resume_token": ack["resume_token"]})
    assert back["resumed"] is True
    assert back["participant_id"] == ack["participant_id"]
    assert back["resume_token"] == ack["resume_token"]
    assert back["settings"]["genre"] == "jazz"
    assert back["settings"]["gateThreshold"] == -35
    mix = {"gain_db": -6, "pan": 0, "muted": False, "solo": False}
    assert back["listener_mix"] == {other["participant_id"]: mix}
    me = next(one for one in back["participants"] if one["name"] == "Alice")
    assert me["muted"] is True
    assert me["csrc"] == ack["participants"][0]["csrc"]
    assert back["rights"] == ack["rights"]
    assert "host_key" not in back
    assert bob.heard("participant_left") == []
    assert len(bob.heard("participant_joined")) == 0
    assert front.worker.participants[ack["participant_id"]].strip["genre"] == "jazz"
    assert front.worker.participants[ack["participant_id"]].csrc == before.csrc


async def test_even_a_socket_that_was_closed_on_purpose_may_come_back(
    front: RunningFront,
) -> None:
    alice, ack = await front.joined("studio")
    await alice.sio.disconnect()
    alice = await front.client()
    assert (await alice.ok("join_room", {"resume_token": ack["resume_token"]}))["resumed"]


async def test_a_seat_that_nobody_comes_back_to_is_given_up(tmp_path: Path) -> None:
    async with running_front(tmp_path, limits=FrontLimits(resume_window_s=0.05)) as front:
        alice, ack = await front.joined("studio")
        bob, _ = await front.joined("studio")
        await alice.lose_socket()
        left = {"participant_id": ack["participant_id"], "reason": "timeout"}
        assert await bob.event("participant_left") == left
        late = await front.client()
        assert await late.refused("join_room", {"resume_token": ack["resume_token"]}) == (
            "resume_failed"
        )
        await front.worker.wait_until(lambda it: ack["participant_id"] not in it.participants)
        await bob.lose_socket()
        await front.worker.wait_until(lambda it: not it.rooms)


async def test_a_seat_is_gone_the_moment_its_time_is_over(front: RunningFront) -> None:
    alice, ack = await front.joined("studio")
    await alice.lose_socket()
    desk = front.front.desk
    seat = desk.presence.seat(ack["participant_id"])
    assert seat is not None
    desk.entrance.expire(seat)
    assert desk.presence.seat(ack["participant_id"]) is None, "no token can come in between"


async def test_a_seat_that_was_left_cannot_be_resumed(front: RunningFront) -> None:
    alice, ack = await front.joined("studio")
    await alice.ok("leave_room")
    assert await alice.refused("join_room", {"resume_token": ack["resume_token"]}) == (
        "resume_failed"
    )


async def test_a_newer_socket_takes_the_seat_and_the_older_is_closed(front: RunningFront) -> None:
    older, ack = await front.joined("studio")
    newer = await front.client()
    back = await newer.ok("join_room", {"resume_token": ack["resume_token"]})
    assert back["participant_id"] == ack["participant_id"]
    async with asyncio.timeout(PATIENCE_S):
        await older.gone.wait()
    await newer.ok("set_muted", True)
    assert (await newer.event("participant_updated"))["muted"] is True


@pytest.mark.parametrize("forge", ["{id}", "{id}.", "{id}.wrong", ".", "", "{token}x"])
async def test_an_id_or_a_forged_token_never_gives_a_seat(front: RunningFront, forge: str) -> None:
    alice, ack = await front.joined("studio")
    await alice.lose_socket()
    thief = await front.client()
    token = forge.format(id=ack["participant_id"], token=ack["resume_token"])
    assert await thief.refused("join_room", {"resume_token": token}) == "resume_failed"
    assert (await thief.ok("join_room", "studio"))["participant_id"] != ack["participant_id"]


async def test_an_open_offer_of_the_server_is_repeated(front: RunningFront) -> None:
    alice, ack = await front.joined("studio")
    front.worker.send(ServerOffer(ack["participant_id"], "v=0 server"))
    await alice.event("offer")
    await alice.lose_socket()
    alice = await front.client()
    await alice.ok("join_room", {"resume_token": ack["resume_token"]})
    assert await alice.event("offer") == {"type": "offer", "sdp": "v=0 server"}
