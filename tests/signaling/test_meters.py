"""Meters: who sees which, and what the worker is told to measure."""

import asyncio
from typing import Any

import msgspec
import pytest

from rooms.models import RoomSettings
from tests.support.front import Client, RunningFront
from tests.support.patience import PATIENCE_S
from webrtc.control.messages import Meters, StripMeters, StripSpectrum, WatchMeters
from webrtc.signaling.messages_parts import MAX_WATCHED


def strip(name: str, level_db: float = -20.0) -> StripMeters:
    rest = [level_db - 3, level_db, level_db - 3, 0.0, -2.5, 0.0, 4.0, -3.0, -23.0]
    return StripMeters(name, level_db, *rest, voice=True)  # type: ignore[arg-type]


def told(front: RunningFront) -> WatchMeters | None:
    """Return what the worker measures of the room, by its latest order."""
    orders = [one for one in front.worker.handled if isinstance(one, WatchMeters)]
    return orders[-1] if orders else None


async def told_to_watch(front: RunningFront, strips: set[str], spectra: set[str]) -> None:
    def is_so(_: object) -> bool:
        order = told(front)
        return order is not None and (set(order.strips), set(order.spectra)) == (strips, spectra)

    await front.worker.wait_until(is_so)


async def people(front: RunningFront, *names: str) -> list[tuple[Client, str]]:
    """Let people join the room, the first of them its host; return clients and ids."""
    joined = [await front.joined(name=name) for name in names]
    return [(client, ack["participant_id"]) for client, ack in joined]


def shown(event: Any) -> set[str]:
    return {one["participant_id"] for one in event["meters"]}


async def test_a_page_sees_what_it_asked_for_and_nothing_else(front: RunningFront) -> None:
    (host, his), (anna, hers), (ben, bens) = await people(front, "host", "Anna", "Ben")
    answer = await host.ok("watch_meters", {"participants": [hers, his], "spectrum": hers})
    assert answer["participants"] == sorted([hers, his])
    assert answer["spectrum"] == hers
    await anna.ok("watch_meters", {"participants": [hers]})
    await told_to_watch(front, {his, hers}, {hers})
    spectrum = StripSpectrum(hers, list(range(-120, 0)), 0.5, -3.2)
    limiters = {"room": -2.5, "another": -9.0}
    front.worker.send(Meters([strip(hers), strip(his), strip(bens)], [spectrum], limiters))
    event = await host.event("meters")
    assert event["limiter_db"] == -2.5
    assert shown(event) == {hers, his}
    assert event["spectrum"] == msgspec.to_builtins(spectrum)
    first = next(one for one in event["meters"] if one["participant_id"] == hers)
    assert (first["in_peak_db"], first["comp_db"], first["voice"]) == (-20.0, -2.5, True)
    assert set(first) == set(StripMeters.__struct_fields__)
    event = await anna.event("meters")
    assert (shown(event), event["spectrum"]) == ({hers}, None)
    assert ben.heard("meters") == []


async def test_who_may_not_edit_a_strip_may_not_watch_it(front: RunningFront) -> None:
    (_, his), (anna, hers) = await people(front, "host", "Anna")
    listener, own = await front.joined(role="subscriber")
    for wanted in ({"participants": [hers, his]}, {"spectrum": his}):
        assert await anna.refused("watch_meters", wanted) == "forbidden"
    for name in (own["participant_id"], hers):
        assert await listener.refused("watch_meters", {"participants": [name]}) == "forbidden"
    assert told(front) is None


async def test_nobody_elsewhere_is_watched_and_not_too_many(front: RunningFront) -> None:
    ((host, his),) = await people(front, "host")
    _, other = await front.joined("another")
    for name in ("nobody", other["participant_id"]):
        wanted = {"participants": [name]}
        assert await host.refused("watch_meters", wanted) == "participant_not_found"
    many = {"participants": [his] * (MAX_WATCHED + 1)}
    assert await host.refused("watch_meters", many) == "bad_message"
    assert await host.refused("watch_meters", {"everything": True}) == "bad_message"
    assert told(front) is None


async def test_nothing_is_measured_any_more_when_nobody_looks(front: RunningFront) -> None:
    (host, his), (anna, hers) = await people(front, "host", "Anna")
    await host.ok("watch_meters", {"participants": [his, hers], "spectrum": his})
    await anna.ok("watch_meters", {"participants": [hers]})
    await host.ok("watch_meters", {})
    await told_to_watch(front, {hers}, set())
    await anna.ok("watch_meters", {"participants": []})
    await told_to_watch(front, set(), set())
    front.worker.send(Meters([strip(his), strip(hers)]))
    await anna.ok("set_muted", False)
    assert host.heard("meters") == anna.heard("meters") == []


async def test_a_hidden_page_costs_nothing_until_it_is_looked_at_again(front: RunningFront) -> None:
    ((host, his),) = await people(front, "host")
    await host.ok("watch_meters", {"participants": [his]})
    await host.ok("set_visibility", False)
    await told_to_watch(front, set(), set())
    await host.ok("set_visibility", True)
    await told_to_watch(front, {his}, set())
    front.worker.send(Meters([strip(his)]))
    assert shown(await host.event("meters")) == {his}


async def test_who_is_gone_is_forgotten_with_the_next_meters(front: RunningFront) -> None:
    (host, his), (anna, hers) = await people(front, "host", "Anna")
    await host.ok("watch_meters", {"participants": [his]})
    await anna.ok("watch_meters", {"participants": [hers]})
    await told_to_watch(front, {his, hers}, set())
    await anna.lose_socket()
    async with asyncio.timeout(PATIENCE_S):
        while told(front) == WatchMeters("room", sorted([his, hers])):
            front.worker.send(Meters([strip(his), strip(hers)]))
            await host.event("meters")
    await told_to_watch(front, {his}, set())


async def test_a_worker_that_is_back_is_told_again(front: RunningFront) -> None:
    ((host, his),) = await people(front, "host")
    await host.ok("watch_meters", {"participants": [his], "spectrum": his})
    await told_to_watch(front, {his}, {his})
    await front.worker.die_and_return()
    await told_to_watch(front, {his}, {his})


async def test_who_lags_behind_misses_meters(
    front: RunningFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((host, his),) = await people(front, "host")
    await host.ok("watch_meters", {"participants": [his]})
    lossy = []
    seat = front.front.desk.presence.seat(his)
    assert seat is not None
    assert seat.connection is not None
    monkeypatch.setattr(type(seat.connection.socket), "write_lossy", lambda _, it: lossy.append(it))
    front.front.desk.on_meters(Meters([strip(his)]))
    assert len(lossy) == 1


async def test_the_sound_of_the_room_is_for_engineers_to_set(front: RunningFront) -> None:
    (host, _), (anna, _) = await people(front, "host", "Anna")
    wanted = {"automix": True, "ducking_db": 12, "target_lufs": -18}
    assert await anna.refused("set_room", wanted) == "forbidden"
    settings = (await host.ok("set_room", wanted))["settings"]
    assert settings == {**msgspec.to_builtins(RoomSettings()), **wanted}
    assert await anna.event("room_updated") == {"settings": settings}
    await front.worker.wait_until(lambda it: it.rooms["room"].target_lufs == -18)
    put = front.worker.rooms["room"]
    assert (put.automix, put.ducking_db) == (True, 12)
    assert (await host.ok("set_room", {"target_lufs": None}))["settings"]["target_lufs"] is None
    for wrong in ({"ducking_db": 41}, {"target_lufs": -9}, {"automix": 1}):
        assert await host.refused("set_room", wrong) == "bad_message"


async def test_solo_is_part_of_ones_own_mix(front: RunningFront) -> None:
    (host, his), (_, hers) = await people(front, "host", "Anna")
    answer = await host.ok("set_listener_mix", {"participant_id": hers, "solo": True})
    assert answer["mix"]["solo"] is True
    await front.worker.wait_until(lambda it: it.participants[his].mix[hers].solo)
    await host.ok("set_listener_mix", {"participant_id": hers, "solo": False})
    await front.worker.wait_until(lambda it: not it.participants[his].mix)
