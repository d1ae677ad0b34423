import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from rooms.models import RoomSettings
from tests.support.front import RunningFront

ROOM = msgspec.to_builtins(RoomSettings())


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_a_room_is_made_shown_used_and_deleted(front: RunningFront) -> None:
    async with front.http.post("/api/rooms", json={"room_id": "studio"}) as response:
        assert response.status == 201
        assert response.headers["Location"] == "/api/rooms/studio"
        created = await response.json()
    assert created["room_id"] == "studio"
    async with front.http.get("/api/rooms/studio") as response:
        assert await response.json() == {
            "room_id": "studio",
            "created_at": created["created_at"],
            "settings": {**ROOM, "max_speakers": 6},
            "participants": [],
        }
    host, ack = await front.joined("studio", host_key=created["host_key"], name="Alice")
    assert "close_room" in ack["rights"]
    async with front.http.get("/api/rooms") as response:
        assert (await response.json())["rooms"] == [
            {"room_id": "studio", "created_at": created["created_at"], "participants": 1}
        ]
    async with front.http.get("/api/rooms/studio") as response:
        assert (await response.json())["participants"] == ack["participants"]
    async with front.http.delete(
        "/api/rooms/studio", headers=bearer(created["host_key"])
    ) as response:
        assert response.status == 204
    assert await host.event("room_closed") == {"reason": "deleted"}
    assert await host.refused("set_muted", True) == "not_joined"
    assert await host.refused("join_room", {"resume_token": ack["resume_token"]}) == (
        "resume_failed"
    )
    await front.worker.wait_until(lambda it: not it.rooms and not it.participants)
    async with front.http.get("/api/rooms/studio") as response:
        assert response.status == 404
    assert (await host.ok("join_room", "studio"))["host_key"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"room_id":""}'])
async def test_without_an_id_a_room_gets_one(front: RunningFront, body: bytes) -> None:
    async with front.http.post("/api/rooms", data=body) as response:
        assert response.status == 201
        assert (await response.json())["room_id"]


async def test_an_id_is_taken_once(front: RunningFront) -> None:
    await front.joined("studio")
    async with front.http.post("/api/rooms", json={"room_id": "studio"}) as response:
        assert response.status == 409
        assert (await response.json())["reason"] == "room_exists"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("wrong"),
        bearer(""),
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer \udcff"},
    ],
)
async def test_only_the_host_key_deletes(front: RunningFront, headers: dict[str, str]) -> None:
    alice, _ = await front.joined("studio")
    async with front.http.delete("/api/rooms/studio", headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert (await response.json())["reason"] == "unauthorized"
    await alice.ok("set_muted", True)


async def test_the_host_key_counts_as_a_bearer_token_only(front: RunningFront) -> None:
    _, ack = await front.joined("studio")
    basic = {"Authorization": f"Basic {ack['host_key']}"}
    async with front.http.delete("/api/rooms/studio", headers=basic) as response:
        assert response.status == 401


async def test_deleting_a_room_that_is_not_there(front: RunningFront) -> None:
    async with front.http.delete("/api/rooms/studio", headers=bearer("x")) as response:
        assert response.status == 404
        assert (await response.json())["reason"] == "room_not_found"


async def test_a_room_is_made_and_changed_with_settings(front: RunningFront) -> None:
    wanted = {"room_id": "studio", "max_speakers": 2, "mode": "forward"}
    async with front.http.post("/api/rooms", json=wanted) as response:
        created = await response.json()
    assert created["settings"] == {**ROOM, "max_speakers": 2, "mode": "forward"}
    await front.worker.wait_until(lambda it: it.rooms["studio"].selection.max_speakers == 2)
    alice, ack = await front.joined("studio")
    assert ack["room_settings"] == {**ROOM, "max_speakers": 2, "mode": "forward"}
    key = bearer(created["host_key"])
    async with front.http.patch(
        "/api/rooms/studio", json={"max_speakers": 9, "mode": "mix"}, headers=key
    ) as it:
        assert it.status == 200
        changed = await it.json()
    assert changed["settings"] == {**ROOM, "max_speakers": 9}
    assert changed["participants"] == ack["participants"]
    assert await alice.event("room_updated") == {"settings": {**ROOM, "max_speakers": 9}}
    await front.worker.wait_until(lambda it: it.rooms["studio"].selection.max_speakers == 9)


@pytest.mark.parametrize("count", [0, 16, "2", 1.5, None])
async def test_settings_out_of_range_are_refused(front: RunningFront, count: object) -> None:
    _, ack = await front.joined("studio")
    async with front.http.post("/api/rooms", json={"max_speakers": count}) as response:
        assert response.status == 400
    async with front.http.patch(
        "/api/rooms/studio", json={"max_speakers": count}, headers=bearer(ack["host_key"])
    ) as response:
        assert (response.status, (await response.json())["reason"]) == (400, "bad_message")
    assert front.worker.rooms["studio"].selection.max_speakers == 6


async def test_the_rules_of_the_choice_are_set_by_rest_as_well(front: RunningFront) -> None:
    wanted = {"speaker_hysteresis_db": 4.0, "speaker_timeout_ms": 900.0}
    new = {"room_id": "studio", **wanted}
    async with front.http.post("/api/rooms", json=new) as response:
        created = await response.json()
    assert created["settings"] == {**ROOM, **wanted}
    async with front.http.patch(
        "/api/rooms/studio", json={"speaker_hold_ms": 0}, headers=bearer(created["host_key"])
    ) as response:
        assert (await response.json())["settings"] == {**ROOM, **wanted, "speaker_hold_ms": 0.0}
    async with front.http.patch(
        "/api/rooms/studio", json={"speaker_hold_ms": -1}, headers=bearer(created["host_key"])
    ) as response:
        assert (response.status, (await response.json())["reason"]) == (400, "bad_message")


async def test_only_the_host_key_changes_a_room(front: RunningFront) -> None:
    await front.joined("studio")
    for headers in ({}, bearer("wrong")):
        async with front.http.patch(
            "/api/rooms/studio", json={"max_speakers": 1}, headers=headers
        ) as response:
            assert response.status == 401
    assert front.worker.rooms["studio"].selection.max_speakers == 6


async def test_no_new_room_while_draining(front: RunningFront) -> None:
    front.front.desk.drain()
    async with front.http.post("/api/rooms") as response:
        assert response.status == 503
        assert response.headers["Retry-After"] == "2"


async def test_rights_are_those_of_the_time_when_the_body_has_come(front: RunningFront) -> None:
    """Else a host of before could change the next room of the same name, half a minute later."""
    former, ack = await front.joined()
    key = {"Authorization": f"Bearer {ack['host_key']}"}
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"automix":'
        begun.set()
        await goes_on.wait()
        yield b" true}"

    async def change() -> int:
        sent = front.http.patch("/api/rooms/room", data=slowly(), headers=key)
        async with sent as response:
            return response.status

    changing = asyncio.create_task(change())
    await begun.wait()
    async with front.http.get("/api/rooms/room") as response:  # meanwhile the other one is there
        assert response.status == 200
    await former.ok("leave_room")
    _, later = await front.joined()
    goes_on.set()
    assert await changing == 401
    assert later["room_settings"]["automix"] is False
    async with front.http.get("/api/rooms/room") as response:
        assert (await response.json())["settings"]["automix"] is False
