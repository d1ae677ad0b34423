"""What hosts do: lock, admit, mute, put out, keep out; and that nobody else can."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rooms.models import Room
from rooms.store import RoomMissingError
from tests.support.fake_worker import FakeWorker
from tests.support.front import Client, RunningFront, running_front
from tests.support.passes import SECRET, token
from webrtc.signaling import waiting_room


async def with_host(front: RunningFront) -> tuple[Client, dict[str, Any]]:
    """Return the host of a room and the acknowledgement, with the host key."""
    return await front.joined(name="Host")


async def test_a_locked_room_lets_in_nobody_but_hosts(front: RunningFront) -> None:
    host, ack = await with_host(front)
    inside, mine = await front.joined()
    assert ack["door"] == {"locked": False, "waiting": False, "bans": 0}
    done = await host.ok("set_door", {"locked": True})
    assert done["door"] == {"locked": True, "waiting": False, "bans": 0}
    assert (await inside.event("door_changed"))["locked"]
    stranger = await front.client()
    assert await stranger.refused("join_room", "room") == "room_locked"
    await inside.lose_socket()
    back = await front.client()
    await back.ok("join_room", {"resume_token": mine["resume_token"]})
    await stranger.ok("join_room", {"room_id": "room", "host_key": ack["host_key"]})
    await host.ok("set_door", {"locked": False})
    await (await front.client()).ok("join_room", "room")


async def test_guests_wait_until_a_host_answers(front: RunningFront) -> None:
    host, _ = await with_host(front)
    await host.ok("set_door", {"waiting": True})
    ada, eve = await front.client(), await front.client()
    request = {"room_id": "room", "name": "Ada"}
    assert await ada.refused("join_room", request) == "waiting"
    assert await ada.refused("join_room", request) == "waiting", "and is not listed twice"
    assert await eve.refused("join_room", {**request, "name": "Eve"}) == "waiting"
    told = await host.event("guests_waiting", lambda it: len(it["guests"]) == 2)
    (first, second) = told["guests"]
    assert (first["name"], second["name"]) == ("Ada", "Eve")
    await host.ok("admit", {"guest_id": first["guest_id"]})
    assert await ada.event("admission") == {"room_id": "room", "admitted": True}
    await ada.ok("join_room", request)
    await host.ok("admit", {"guest_id": second["guest_id"], "admit": False})
    assert await eve.event("admission") == {"room_id": "room", "admitted": False}
    assert await eve.refused("join_room", "room") == "denied"
    nobody = {"guest_id": first["guest_id"]}
    assert await host.refused("admit", nobody) == "participant_not_found"
    assert await ada.refused("admit", nobody) == "forbidden"
    await ada.ok("leave_room")
    assert await ada.refused("join_room", request) == "waiting", "let in once is not for ever"


async def test_a_guest_who_goes_is_waited_for_no_more(front: RunningFront) -> None:
    host, ack = await with_host(front)
    await host.ok("set_door", {"waiting": True})
    guest = await front.client()
    assert await guest.refused("join_room", "room") == "waiting"
    await host.event("guests_waiting", lambda it: len(it["guests"]) == 1)
    second, _ = await front.joined(host_key=ack["host_key"])
    assert len((await second.event("guests_waiting"))["guests"]) == 1
    await guest.lose_socket()
    await host.event("guests_waiting", lambda it: it["guests"] == [])

    other = await front.client()
    assert await other.refused("join_room", "room") == "waiting"
    await host.event("guests_waiting", lambda it: len(it["guests"]) == 1)
    await other.ok("join_room", "elsewhere")
    await host.event("guests_waiting", lambda it: it["guests"] == [])


async def test_nobody_waits_at_two_doors(front: RunningFront) -> None:
    first, _ = await with_host(front)
    second, _ = await front.joined("another", name="Host")
    for host in (first, second):
        await host.ok("set_door", {"waiting": True})
    guest = await front.client()
    assert await guest.refused("join_room", "room") == "waiting"
    told = await first.event("guests_waiting", lambda it: it["guests"])
    assert await guest.refused("join_room", "another") == "waiting"
    await first.event("guests_waiting", lambda it: it["guests"] == [])
    gone = {"guest_id": told["guests"][0]["guest_id"]}
    assert await first.refused("admit", gone) == "participant_not_found"
    told = await second.event("guests_waiting", lambda it: it["guests"])
    await second.ok("admit", {"guest_id": told["guests"][0]["guest_id"]})
    await guest.ok("join_room", "another")


async def test_opening_the_door_lets_everybody_in(front: RunningFront) -> None:
    host, _ = await with_host(front)
    await host.ok("set_door", {"waiting": True})
    guest = await front.client()
    assert await guest.refused("join_room", "room") == "waiting"
    await host.ok("set_door", {"waiting": False})
    assert (await guest.event("admission"))["admitted"]


async def test_guests_of_a_room_that_closes_are_sent_away(front: RunningFront) -> None:
    host, _ = await with_host(front)
    await host.ok("set_door", {"waiting": True})
    guest = await front.client()
    assert await guest.refused("join_room", "room") == "waiting"
    await host.ok("leave_room")
    assert await guest.event("room_closed") == {"reason": "empty"}


async def test_who_was_let_into_a_room_was_not_into_the_next_one_of_its_name(
    front: RunningFront,
) -> None:
    """Else one could let oneself into a room before others make it."""
    host, _ = await with_host(front)
    await host.ok("set_door", {"waiting": True})
    admitted, denied = await front.client(), await front.client()
    for guest, admit in ((admitted, True), (denied, False)):
        assert await guest.refused("join_room", "room") == "waiting"
        told = await host.event("guests_waiting", lambda it: it["guests"])
        await host.ok("admit", {"guest_id": told["guests"][0]["guest_id"], "admit": admit})
        await guest.event("admission")
    await host.ok("leave_room")
    later, _ = await with_host(front)
    await later.ok("set_door", {"locked": True, "waiting": True})
    assert await admitted.refused("join_room", "room") == "room_locked"
    await later.ok("set_door", {"locked": False})
    assert await admitted.refused("join_room", "room") == "waiting"
    assert await denied.refused("join_room", "room") == "waiting"


async def test_the_door_holds_so_many_and_no_more(
    front: RunningFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_room, "MAX_GUESTS", 1)
    host, _ = await with_host(front)
    await host.ok("set_door", {"waiting": True})
    first, second = await front.client(), await front.client()
    assert await first.refused("join_room", "room") == "waiting"
    assert await second.refused("join_room", "room") == "room_full"


async def test_a_muted_microphone_is_let_go_by_its_owner(front: RunningFront) -> None:
    host, _ = await with_host(front)
    ada, ack = await front.joined(name="Ada")
    hers = ack["participant_id"]
    await host.ok("mute_participant", {"participant_id": hers})
    assert (await ada.event("participant_updated"))["muted"]
    await front.worker.wait_until(lambda it: it.participants[hers].muted)
    await ada.ok("set_muted", False)
    await front.worker.wait_until(lambda it: not it.participants[hers].muted)
    someone = {"participant_id": hers}
    assert await ada.refused("mute_participant", someone) == "forbidden"
    assert await ada.refused("remove_participant", someone) == "forbidden"
    assert await ada.refused("set_door", {"locked": True}) == "forbidden"


async def test_who_is_removed_may_come_back_and_who_is_banned_may_not(front: RunningFront) -> None:
    host, ack = await with_host(front)
    eve, hers = await front.joined()
    await host.ok("remove_participant", {"participant_id": hers["participant_id"]})
    assert await eve.event("room_closed") == {"reason": "removed"}
    left = await host.event("participant_left")
    assert left == {"participant_id": hers["participant_id"], "reason": "removed"}
    await front.worker.wait_until(lambda it: hers["participant_id"] not in it.participants)
    again = await eve.ok("join_room", "room")
    banned = {"participant_id": again["participant_id"], "ban": True}
    await host.ok("remove_participant", banned)
    assert await eve.event("room_closed") == {"reason": "banned"}
    assert await eve.refused("join_room", "room") == "banned"
    other_socket = await front.client()
    assert await other_socket.refused("join_room", "room") == "banned", "by its address"
    await other_socket.ok("join_room", {"room_id": "room", "host_key": ack["host_key"]})
    assert (await host.ok("set_door", {"lift_bans": True}))["door"]["bans"] == 0
    await eve.ok("join_room", "room")


async def test_a_door_of_a_room_that_is_gone_meanwhile(
    front: RunningFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, _ = await with_host(front)

    async def is_gone(room_id: str, _: object) -> Room:
        raise RoomMissingError(room_id)

    monkeypatch.setattr(front.front.desk.conference.store, "update_room", is_gone)
    assert await host.refused("set_door", {"locked": True}) == "room_not_found"


async def test_a_host_stays(front: RunningFront) -> None:
    host, ack = await with_host(front)
    _, other = await front.joined(host_key=ack["host_key"])
    put_out = {"participant_id": other["participant_id"], "ban": True}
    assert await host.refused("remove_participant", put_out) == "forbidden"
    nobody = {"participant_id": "nobody"}
    assert await host.refused("remove_participant", nobody) == "participant_not_found"


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[RunningFront]:
    async with running_front(tmp_path, auth_secret=SECRET) as front:
        yield front


async def test_with_tokens_it_is_the_subject_that_is_kept_out(guarded: RunningFront) -> None:
    host, _ = await guarded.joined(token=token("host", sub="host"))
    eve, hers = await guarded.joined(token=token("publish", sub="eve"))
    await host.ok("remove_participant", {"participant_id": hers["participant_id"], "ban": True})
    fresh = {"room_id": "room", "token": token("publish", sub="eve", jti="another")}
    assert await eve.refused("join_room", fresh) == "banned"
    ada = {"room_id": "room", "token": token("publish", sub="ada")}
    await (await guarded.client()).ok("join_room", ada)


async def test_engineers_need_not_wait(guarded: RunningFront) -> None:
    host, _ = await guarded.joined(token=token("host"))
    await host.ok("set_door", {"waiting": True})
    await guarded.joined(token=token("engineer"))
    guest = await guarded.client()
    request = {"room_id": "room", "token": token("publish")}
    assert await guest.refused("join_room", request) == "waiting"


async def test_who_came_before_the_front_process_was_restarted_is_banned_by_address(
    tmp_path: Path,
) -> None:
    worker = FakeWorker(tmp_path / "worker-0.sock")
    await worker.start()
    async with running_front(tmp_path, [worker]) as front:
        _, ack = await with_host(front)
        _, hers = await front.joined()
    async with running_front(tmp_path, [worker]) as front:
        host = await front.client()
        await host.ok("join_room", {"resume_token": ack["resume_token"]})
        banned = {"participant_id": hers["participant_id"], "ban": True}
        await host.ok("remove_participant", banned)
        assert await (await front.client()).refused("join_room", "room") == "banned"
    await worker.stop()


async def test_the_door_outlives_the_front_process(tmp_path: Path) -> None:
    worker = FakeWorker(tmp_path / "worker-0.sock")
    await worker.start()
    async with running_front(tmp_path, [worker]) as front:
        host, ack = await with_host(front)
        await host.ok("set_door", {"locked": True})
    async with running_front(tmp_path, [worker]) as front:
        stranger = await front.client()
        assert await stranger.refused("join_room", "room") == "room_locked"
        back = await stranger.ok("join_room", {"resume_token": ack["resume_token"]})
        assert back["door"]["locked"]
    await worker.stop()
