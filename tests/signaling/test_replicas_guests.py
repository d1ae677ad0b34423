"""Guests wait at whichever replica they came to, and hosts wherever they are let them in."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from rooms.models import Waiter
from rooms.replicas import number_of
from tests.support.front import Client, RunningFront
from tests.support.redis_server import RedisServer
from tests.support.replicas import MakeReplica, until
from webrtc.signaling import waiting_room


def names(*wanted: str) -> Callable[[Any], bool]:
    return lambda it: sorted(one["name"] for one in it["guests"]) == sorted(wanted)


async def with_guest(fronts: list[RunningFront], name: str = "Ada") -> tuple[Client, Client]:
    """Return a host at the first replica whose room has people wait, and a guest at the second."""
    host, _ = await fronts[0].joined("studio")
    await host.ok("set_door", {"waiting": True})
    shared = fronts[1].front.desk.shared
    await until(lambda: shared.known("studio") and shared.known("studio").door.waiting)
    guest = await fronts[1].client()
    request = {"room_id": "studio", "name": name}
    assert await guest.refused("join_room", request) == "waiting"
    return host, guest


@pytest.mark.parametrize("admit", [True, False])
async def test_a_host_answers_a_guest_of_another_replica(
    both: list[RunningFront], admit: bool
) -> None:
    host, guest = await with_guest(both)
    told = await host.event("guests_waiting", names("Ada"))
    await host.ok("admit", {"guest_id": told["guests"][0]["guest_id"], "admit": admit})
    assert await guest.event("admission") == {"room_id": "studio", "admitted": admit}
    await host.event("guests_waiting", names())
    if admit:
        await guest.ok("join_room", "studio")
    else:
        assert await guest.refused("join_room", "studio") == "denied"
    for front in both:
        await until(lambda front=front: front.front.desk.shared.known("studio").guests == ())
    nobody = {"guest_id": told["guests"][0]["guest_id"]}
    assert await host.refused("admit", nobody) == "participant_not_found"


async def test_hosts_everywhere_see_all_guests_and_who_goes(replica: MakeReplica) -> None:
    fronts = [await replica(name) for name in ("anna", "bert", "carl")]
    host, ada = await with_guest(fronts)
    await host.event("guests_waiting", names("Ada"))
    eve = await fronts[0].client()
    assert await eve.refused("join_room", {"room_id": "studio", "name": "Eve"}) == "waiting"
    await host.event("guests_waiting", names("Ada", "Eve"))
    shared = fronts[2].front.desk.shared
    await until(lambda: len(shared.known("studio").guests) == 2)
    await ada.lose_socket()
    await host.event("guests_waiting", names("Eve"))
    await host.ok("set_door", {"waiting": False})
    assert (await eve.event("admission"))["admitted"]
    await host.event("guests_waiting", names())


async def test_a_host_who_comes_later_sees_guests_of_another_replica(
    replica: MakeReplica,
) -> None:
    fronts = [await replica(name) for name in ("anna", "bert", "carl")]
    first, ack = await fronts[0].joined("studio")
    await first.ok("set_door", {"waiting": True})
    shared = fronts[1].front.desk.shared
    await until(lambda: shared.known("studio") and shared.known("studio").door.waiting)
    guest = await fronts[1].client()
    assert await guest.refused("join_room", {"room_id": "studio", "name": "Ada"}) == "waiting"
    await until(lambda: fronts[2].front.desk.shared.known("studio").guests)
    host, _ = await fronts[2].joined("studio", host_key=ack["host_key"])
    await host.event("guests_waiting", names("Ada"))


async def test_a_guest_waits_on_when_the_last_one_at_their_replica_leaves(
    both: list[RunningFront],
) -> None:
    host, _ = await both[0].joined("studio")
    resident, _ = await both[1].joined("studio")
    await host.ok("set_door", {"waiting": True})
    await resident.event("door_changed")
    guest = await both[1].client()
    request = {"room_id": "studio", "name": "Ada"}
    assert await guest.refused("join_room", request) == "waiting"
    told = await host.event("guests_waiting", names("Ada"))
    await resident.ok("leave_room")
    await host.event("participant_left")
    await host.ok("admit", {"guest_id": told["guests"][0]["guest_id"]})
    assert (await guest.event("admission"))["admitted"]
    assert guest.heard("room_closed") == []
    await guest.ok("join_room", "studio")


async def test_guests_of_a_room_that_ends_elsewhere_are_sent_away(both: list[RunningFront]) -> None:
    host, guest = await with_guest(both)
    await host.event("guests_waiting", names("Ada"))
    await host.ok("leave_room")
    assert await guest.event("room_closed") == {"reason": "empty"}


async def test_the_door_holds_as_many_as_it_may_on_all_replicas_together(
    both: list[RunningFront], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_room, "MAX_GUESTS", 1)
    await with_guest(both)
    await until(lambda: both[0].front.desk.shared.known("studio").guests)
    other = await both[0].client()
    assert await other.refused("join_room", "studio") == "room_full"


async def test_guests_of_a_dead_replica_are_not_shown(both: list[RunningFront]) -> None:
    host, guest = await with_guest(both)
    await host.event("guests_waiting", names("Ada"))
    shared = both[1].front.desk.shared
    await shared.close()
    await host.event("guests_waiting", names())
    await until(lambda: both[0].front.desk.shared.known("studio").guests == ())
    assert not guest.gone.is_set()


async def test_guests_are_seen_again_after_redis_was_away(
    both: list[RunningFront], server: RedisServer
) -> None:
    host, guest = await with_guest(both)
    await host.event("guests_waiting", names("Ada"))
    await server.kill()
    await host.event("guests_waiting", names())
    late = await both[1].client()
    await until(lambda: not both[1].front.desk.shared.is_there)
    assert await late.refused("join_room", {"room_id": "studio", "name": "Late"}) == "waiting"
    await host.ok("set_room", {"automix": True})
    await server.start()
    told = await host.event("guests_waiting", names("Ada", "Late"))
    for one in told["guests"]:
        await host.ok("admit", {"guest_id": one["guest_id"]})
    for client in (guest, late):
        assert (await client.event("admission"))["admitted"]


async def test_who_waited_at_a_replica_that_was_restarted_is_forgotten(
    replica: MakeReplica,
) -> None:
    anna = await replica("anna")
    await anna.joined("studio")
    left = Waiter("left", "Ada", number_of("bert"))

    def with_waiter(room: Any) -> Any:
        return msgspec.structs.replace(room, guests=(left,))

    await anna.front.desk.shared.update_room("studio", with_waiter)
    await replica("bert")
    await until(lambda: anna.front.desk.shared.known("studio").guests == ())
