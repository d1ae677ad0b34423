"""Rooms of several replicas are recorded and broadcast as if there were one; fake media workers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.front import RunningFront
from tests.support.patience import PATIENCE_S
from tests.support.replicas import ANNA, BERT, CARL, MakeReplica, until
from webrtc.broadcast.broadcaster import LIVE
from webrtc.front_limits import FrontLimits

pytestmark = pytest.mark.slow  # starts processes

ONE, MANY = "/api/rooms/studio/recording", "/api/rooms/studio/recordings"
BROADCAST = "/api/rooms/studio/broadcast"


async def ask(
    front: RunningFront, method: str, where: str, key: str, body: Any = None
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {key}"}
    async with front.http.request(method, where, json=body, headers=headers) as response:
        if response.content_type in ("application/json", "application/problem+json"):
            return response.status, await response.json()
        return response.status, await response.read()


async def put(front: RunningFront, key: str, state: str, where: str = ONE) -> tuple[int, Any]:
    return await ask(front, "PUT", where, key, {"state": state})


async def listed(front: RunningFront, key: str) -> list[Any]:
    status, told = await ask(front, "GET", MANY, key)
    assert status == 200
    return list(told["recordings"])


async def ended(front: RunningFront, key: str) -> Any:
    """Return the only recording once its process has ended."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            (one,) = await listed(front, key)
            if one["state"] not in ("recording", "paused"):
                return one
            await asyncio.sleep(0.05)


def order_of(front: RunningFront) -> Any:
    room = front.worker.rooms.get("studio")
    return None if room is None else room.recording


async def test_whoever_may_record_does_so_from_any_replica(both: list[RunningFront]) -> None:
    anna, bert = both
    host, ack = await anna.joined("studio", name="Ada")
    key = ack["host_key"]
    guest, _ = await bert.joined("studio", name="Bob")
    assert (await put(bert, key, "recording"))[0] == 200  # so it is Bert's to do
    for page in (host, guest):
        lit = await page.event("room_updated", lambda one: "recording" in one)
        assert lit["recording"]["state"] == "recording"
    _, late = await anna.joined("studio", name="Late")
    assert late["recording"]["state"] == "recording"
    order = order_of(bert)
    assert order.mix_by == BERT
    assert list(order.rings) == [BERT]
    assert not list((Path(anna.front.recordings._root)).glob("*/*"))

    for state in ("paused", "recording"):
        assert (await put(anna, key, state))[1]["recording"]["state"] == state
        for page in (host, guest):
            await page.event("room_updated", lambda one, s=state: one["recording"]["state"] == s)
    assert len(order_of(bert).spans) == 2
    assert (await ask(anna, "POST", ONE + "/marks", key, {"label": "Two"}))[0] == 201
    status, told = await ask(anna, "GET", ONE, key)
    assert (status, told["duration_s"]) == (200, 0.0)
    assert (await ask(anna, "POST", ONE + "/marks", "wrong", {"label": "Two"}))[0] == 401
    assert (await put(anna, ack["resume_token"], "stopped"))[1]["recording"] is None
    for page in (host, guest):
        await page.event("room_updated", lambda one: "recording" not in one)

    for front in both:  # the same list everywhere, and the same files
        one = await ended(front, key)
        assert [mark["label"] for mark in one["chapters"]] == ["Two"]
        people = (await ask(front, "GET", f"{MANY}/{one['recording_id']}/recording.rpp", key))[1]
        assert b"MARKER 1" in people
        status, archive = await ask(front, "GET", one["zip_url"], "")
        assert (status, archive[:2]) == (200, b"PK")
    where = f"{MANY}/{one['recording_id']}"
    assert (await ask(anna, "GET", where + "/recording.zip", "wrong"))[0] == 401
    assert (await ask(anna, "DELETE", where, key))[0] == 204
    assert await listed(bert, key) == []
    assert (await ask(anna, "DELETE", where, key))[0] == 404


async def test_a_recording_goes_on_where_nobody_of_the_room_is_left(
    replica: MakeReplica, both: list[RunningFront]
) -> None:
    anna, bert = both
    _, ack = await anna.joined("studio", name="Ada")
    key = ack["host_key"]
    bob, _ = await bert.joined("studio", name="Bob")
    await put(bert, key, "recording")
    await bob.ok("leave_room")
    await until(lambda: not bert.worker.participants)
    for front in both:  # sound still goes where it is recorded
        await until(lambda one=front: one.worker.rooms["studio"].workers == sorted([ANNA, BERT]))
    assert order_of(bert) is not None
    await put(anna, key, "stopped")
    await until(lambda: "studio" not in bert.worker.rooms)
    await until(lambda: anna.worker.rooms["studio"].workers == [])
    carl = await replica("carl")  # where nobody ever was
    await until(lambda: carl.front.desk.shared.members("studio"))
    await put(carl, key, "recording")
    await until(lambda: anna.worker.rooms["studio"].workers == sorted([ANNA, CARL]))
    assert order_of(carl).mix_by == CARL


async def test_what_one_replica_has_let_pass_another_does_not_count(replica: MakeReplica) -> None:
    """Else all whose requests are passed on were one address."""
    anna = await replica("anna")
    strict = await replica("bert", limits=FrontLimits(request_rate_per_s=0.1, request_burst=3))
    _, ack = await strict.joined("studio")
    await put(strict, ack["host_key"], "recording")
    await until(lambda: anna.front.desk.shared.members("studio"))
    asked = [await ask(anna, "GET", ONE, "") for _ in range(6)]
    assert [status for status, _ in asked] == [200] * 6
    asked = [await ask(strict, "GET", ONE, "") for _ in range(3)]
    assert [status for status, _ in asked] == [200, 200, 429]


async def test_of_two_who_begin_at_once_one_records(both: list[RunningFront]) -> None:
    anna, bert = both
    _, ack = await anna.joined("studio")
    key = ack["host_key"]
    await bert.joined("studio")
    told = await asyncio.gather(*(put(front, key, "recording") for front in both))
    assert [status for status, _ in told] == [200, 200]
    kept = {one["recording"]["recording_id"] for _, one in told}
    assert len(kept) == 1
    await until(lambda: sum(len(one.front.recordings._live) for one in both) == 1)
    assert [one["recording_id"] for one in await listed(anna, key)] == list(kept)
    assert (await put(anna, key, "stopped"))[1]["recording"] is None


async def test_the_light_goes_out_when_the_replica_that_records_dies_and_on_again_if_it_does_not(
    both: list[RunningFront], replica: MakeReplica
) -> None:
    anna, bert = both
    host, ack = await anna.joined("studio")
    await bert.joined("studio")
    await put(bert, ack["host_key"], "recording")
    await host.event("room_updated", lambda one: "recording" in one)
    shared = bert.front.desk.shared
    assert shared is not None
    shared._log._line.reconnect()  # type: ignore[union-attr]
    said = shared._log.beat  # type: ignore[union-attr]

    async def silent(lease_ms: int, url: str) -> dict[int, str]:
        return dict(shared.leases.urls)

    shared._log.beat = silent  # type: ignore[union-attr, method-assign]
    await host.event("room_updated", lambda one: "recording" not in one)
    assert (await put(anna, ack["host_key"], "paused"))[0] == 409
    shared._log.beat = said  # type: ignore[union-attr, method-assign]
    lit = await host.event("room_updated", lambda one: "recording" in one)
    assert lit["recording"]["state"] == "recording"


async def test_a_room_is_broadcast_from_any_replica_and_heard_at_any(
    both: list[RunningFront],
) -> None:
    anna, bert = both
    host, ack = await anna.joined("studio")
    key = ack["host_key"]
    await bert.joined("studio")
    assert (await put(bert, key, "live", BROADCAST))[0] == 200
    url = (await host.event("room_updated", lambda one: "broadcast" in one))["broadcast"]["url"]
    folder = Path(bert.front.broadcasts._folder) / url.split("/")[2]
    (folder / "7.m4s").write_bytes(b"sound" * 100_000)
    for front in both:
        assert await ask(front, "GET", url.replace("index.m3u8", "7.m4s"), "") == (
            200,
            b"sound" * 100_000,
        )
        assert (await ask(front, "GET", url.replace("index.m3u8", "8.m4s"), ""))[0] == 404
    assert (await put(anna, key, "live", BROADCAST))[1]["broadcast"]["url"] == url
    assert (await put(anna, key, "stopped", BROADCAST))[1]["broadcast"] is None
    await host.event("room_updated", lambda one: "broadcast" not in one)
    assert (await ask(anna, "GET", url.replace("index.m3u8", "7.m4s"), ""))[0] in (200, 404)


async def test_a_broadcast_ends_with_its_room_whoever_has_its_id_next(
    both: list[RunningFront],
) -> None:
    anna, bert = both
    _, ack = await anna.joined("studio")
    guest, _ = await bert.joined("studio")
    assert (await put(bert, ack["host_key"], "live", BROADCAST))[0] == 200
    url = (await guest.event("room_updated", lambda one: "broadcast" in one))["broadcast"]["url"]
    live = Path(bert.front.broadcasts._folder) / url.split("/")[2] / LIVE
    assert live.exists()
    assert (await ask(anna, "DELETE", "/api/rooms/studio", ack["host_key"]))[0] == 204
    # Others meet there before anybody has looked after it, and nothing goes out of what they say.
    host, later = await anna.joined("studio")
    await bert.joined("studio")
    assert later.get("broadcast") is None
    await until(lambda: not live.exists())
    assert not any("broadcast" in one for one in host.heard("room_updated"))
    assert (await ask(bert, "GET", BROADCAST, later["host_key"]))[1]["broadcast"] is None


async def test_whoever_has_a_rooms_id_next_may_broadcast_at_once(both: list[RunningFront]) -> None:
    anna, bert = both
    _, ack = await anna.joined("studio")
    await bert.joined("studio")
    former = (await put(bert, ack["host_key"], "live", BROADCAST))[1]["broadcast"]["url"]
    assert (await ask(anna, "DELETE", "/api/rooms/studio", ack["host_key"]))[0] == 204
    _, later = await bert.joined("studio")
    status, told = await put(bert, later["host_key"], "live", BROADCAST)
    assert (status, told["broadcast"]["url"] != former) == (200, True)
    assert not (Path(bert.front.broadcasts._folder) / former.split("/")[2] / LIVE).exists()
