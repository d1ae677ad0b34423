import asyncio
from pathlib import Path

import aiohttp
import pytest

from rooms.strip import DEFAULT_STRIP, to_wire
from tests.support.front import RunningFront, running_front
from tests.support.raw_socket import SOCKETIO_URL
from webrtc.front_limits import FrontLimits
from webrtc.settings_texts import IceServer


async def test_the_creator_gets_everything_that_the_contract_lists(front: RunningFront) -> None:
    alice = await front.client()
    ack = await alice.ok("join_room", {"room_id": "studio", "name": "Alice"})
    me = ack["participant_id"]
    assert set(ack) == {
        "ok",
        "room_id",
        "participant_id",
        "resume_token",
        "resumed",
        "host_key",
        "role",
        "rights",
        "participants",
        "settings",
        "listener_mix",
        "room_settings",
        "ice_servers",
        "protocol",
        "scenes",
        "door",
        "recording",
        "broadcast",
        "network",
        "simulates",
    }
    assert ack["room_id"] == "studio"
    assert ack["resumed"] is False
    assert ack["role"] == "both"
    assert "close_room" in ack["rights"]
    assert ack["settings"] == to_wire(DEFAULT_STRIP)
    assert ack["listener_mix"] == {}
    assert ack["protocol"] == 1
    (shown,) = ack["participants"]
    csrc, joined_at = shown.pop("csrc"), shown.pop("joined_at")
    assert 0 < csrc < 2**32
    assert joined_at > 1_600_000_000
    assert shown == {
        "participant_id": me,
        "name": "Alice",
        "role": "both",
        "rights": ack["rights"],
        "kind": "webrtc",
        "muted": False,
        "deafened": False,
        "priority": False,
        "pinned": False,
        "speaking": False,
        "genre": None,
        "confidence": 0.0,
        "network": None,
        "tracks": [{"kind": "audio"}],
        "settings": to_wire(DEFAULT_STRIP),
    }


async def test_a_room_id_alone_is_enough(front: RunningFront) -> None:
    alice = await front.client()
    assert (await alice.ok("join_room", "studio"))["room_id"] == "studio"


@pytest.mark.parametrize("request_", ["", {}, {"room_id": ""}, {"room_id": None}])
async def test_no_room_id_makes_a_new_room(front: RunningFront, request_: object) -> None:
    first, second = await front.client(), await front.client()
    one = await first.ok("join_room", request_)
    other = await second.ok("join_room", request_)
    assert one["room_id"] != other["room_id"]
    assert one["host_key"] != other["host_key"]


async def test_the_others_are_told_and_the_newcomer_is_shown_everyone(
    front: RunningFront,
) -> None:
    alice, first = await front.joined("studio", name="Alice")
    bob, second = await front.joined("studio", name="Bob", role="subscriber")
    told = await alice.event("participant_joined")
    assert told == second["participants"][1]
    assert told["name"] == "Bob"
    assert told["tracks"] == []
    assert "settings" not in told
    assert second["participants"][0] == first["participants"][0]
    assert "host_key" not in second
    await bob.ok("set_deafened", True)
    assert bob.heard("participant_joined") == []


async def test_rooms_do_not_hear_of_each_other(front: RunningFront) -> None:
    alice, _ = await front.joined("one")
    bob, _ = await front.joined("two")
    await bob.ok("set_muted", True)
    await bob.event("participant_updated")
    assert alice.events == []


async def test_the_worker_is_told_who_is_there_and_who_is_not(front: RunningFront) -> None:
    alice, ack = await front.joined("studio", role="publisher")
    _, other = await front.joined("studio", role="subscriber")
    await front.worker.wait_until(lambda it: len(it.participants) == 2)
    put = front.worker.participants[ack["participant_id"]]
    assert (put.room_id, put.publishes, put.subscribes) == ("studio", True, False)
    assert put.csrc == ack["participants"][0]["csrc"]
    assert put.strip == ack["settings"]
    listener = front.worker.participants[other["participant_id"]]
    assert (listener.publishes, listener.subscribes, listener.strip) == (False, True, {})

    await alice.ok("leave_room")
    await front.worker.wait_until(lambda it: list(it.participants) == [other["participant_id"]])


async def test_leaving_tells_the_others_and_lets_one_join_again(front: RunningFront) -> None:
    alice, _ = await front.joined("studio")
    bob, ack = await front.joined("studio")
    await bob.ok("leave_room")
    left = {"participant_id": ack["participant_id"], "reason": "left"}
    assert await alice.event("participant_left") == left
    assert await bob.refused("leave_room") == "not_joined"
    again = await bob.ok("join_room", "studio")
    assert again["participant_id"] != ack["participant_id"]


async def test_a_room_is_gone_with_its_last_participant(front: RunningFront) -> None:
    alice, first = await front.joined("studio")
    await alice.ok("leave_room")
    await front.worker.wait_until(lambda it: not it.rooms)
    again = await alice.ok("join_room", "studio")
    assert again["host_key"] != first["host_key"]


async def test_the_host_key_makes_a_host_and_a_wrong_one_does_not(front: RunningFront) -> None:
    _, creator = await front.joined("studio")
    _, host = await front.joined("studio", host_key=creator["host_key"], role="subscriber")
    assert host["rights"] == creator["rights"]
    assert "host_key" not in host
    _, guest = await front.joined("studio", host_key="wrong")
    assert "close_room" not in guest["rights"]


async def test_roles_come_with_their_rights(front: RunningFront) -> None:
    await front.joined("studio")
    _, speaker = await front.joined("studio", role="both")
    _, listener = await front.joined("studio", role="subscriber")
    assert speaker["rights"] == ["edit_own_strip", "publish", "subscribe"]
    assert listener["rights"] == ["subscribe"]


async def test_one_seat_per_socket(front: RunningFront) -> None:
    alice, _ = await front.joined("studio")
    assert await alice.refused("join_room", "another") == "already_joined"


async def test_every_csrc_of_a_room_is_different(front: RunningFront) -> None:
    acks = [(await front.joined("studio"))[1] for _ in range(5)]
    csrcs = [one["csrc"] for one in acks[-1]["participants"]]
    assert len(set(csrcs)) == 5


async def test_full_rooms_and_servers_say_so(tmp_path: Path) -> None:
    limits = FrontLimits(max_rooms=1, max_participants_per_room=2, max_sockets=4)
    async with running_front(tmp_path, limits=limits) as front:
        await front.joined("studio")
        await front.joined("studio")
        carol = await front.client()
        assert await carol.refused("join_room", "studio") == "room_full"
        assert await carol.refused("join_room", "another") == "server_full"
        await front.client()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await front.http.ws_connect(SOCKETIO_URL)
        assert refusal.value.status == 503


async def test_many_who_make_the_same_room_at_once_end_up_in_one(front: RunningFront) -> None:
    clients = [await front.client() for _ in range(8)]
    acks = await asyncio.gather(*(one.ok("join_room", "studio") for one in clients))
    assert len({ack["participant_id"] for ack in acks}) == 8
    assert sum("host_key" in ack for ack in acks) == 1
    assert len(front.worker.rooms) == 1


async def test_ice_servers_of_the_operator_are_handed_out(tmp_path: Path) -> None:
    servers = (IceServer(("turn:turn.example.org",), "user", "secret"),)
    async with running_front(tmp_path, ice_servers=servers) as front:
        _, ack = await front.joined()
        assert ack["ice_servers"] == [servers[0].as_json()]


async def test_rooms_are_spread_over_the_workers(tmp_path: Path) -> None:
    async with running_front(tmp_path, workers=2) as front:
        for index in range(4):
            await front.joined(f"room-{index}")
        for worker in front.workers:
            await worker.wait_until(lambda it: len(it.participants) == 2)


async def test_people_of_a_closed_room_burden_no_worker(tmp_path: Path) -> None:
    async with running_front(tmp_path, workers=2) as front:
        await front.joined("stays")
        _, ack = await front.joined("closed")
        await front.joined("closed")
        bearer = {"Authorization": f"Bearer {ack['host_key']}"}
        async with front.http.delete("/api/rooms/closed", headers=bearer) as response:
            assert response.status == 204
        await front.joined("new")
        await front.workers[1].wait_until(lambda it: list(it.rooms) == ["new"])


async def test_a_new_room_avoids_a_worker_that_is_away(tmp_path: Path) -> None:
    async with running_front(tmp_path, workers=2) as front:
        away, there = front.workers
        await away.stop()
        for index in range(2):
            await front.joined(f"room-{index}")
        await there.wait_until(lambda it: len(it.participants) == 2)
        await away.start()
