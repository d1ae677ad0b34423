"""Scenes, by socket and by REST."""

from typing import Any

import pytest

from rooms.scenes import MAX_SCENES
from tests.support.fake_worker import FakeWorker
from tests.support.front import RunningFront, running_front
from webrtc.front_limits import FrontLimits


def bearer(ack: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {ack['host_key']}"}


async def test_a_scene_brings_back_strips_and_room(front: RunningFront) -> None:
    host, ack = await front.joined(name="host")
    anna, other = await front.joined(name="Anna")
    hers = other["participant_id"]
    assert ack["scenes"] == []
    await anna.ok("audio_stream_metadata", {"inputTrim": -6, "compRatio": 4})
    await host.ok("set_room", {"automix": True})
    (stored,) = (await host.ok("store_scene", {"name": "Evening"}))["scenes"]
    assert (stored["name"], stored["strips"]) == ("Evening", 2)
    assert stored["saved_at"] > 0
    assert await anna.event("scenes_changed") == {"scenes": [stored]}
    _, late = await front.joined()
    assert late["scenes"] == [stored]

    await anna.ok("audio_stream_metadata", {"inputTrim": 3, "compRatio": 1, "pan": 1})
    await host.ok("set_room", {"automix": False, "max_speakers": 2})
    recalled = await host.ok("recall_scene", {"name": "Evening", "fade_ms": 1500})
    assert set(recalled["participants"]) == {ack["participant_id"], hers}
    assert (recalled["settings"]["automix"], recalled["settings"]["max_speakers"]) == (True, 6)
    told = await anna.event("participant_updated", lambda it: it["settings"]["inputTrim"] == -6)
    assert (told["settings"]["compRatio"], told["settings"]["pan"]) == (4, 0)
    await host.event("room_updated", lambda it: it["settings"]["automix"])
    await front.worker.wait_until(lambda it: it.rooms["room"].automix)
    put = front.worker.participants[hers]
    assert (put.strip["inputTrim"], put.ramp_ms) == (-6, 1500)


async def test_a_scene_is_replaced_and_deleted(front: RunningFront) -> None:
    host, _ = await front.joined()
    for name in ("Evening", "Morning", "Evening"):
        answer = await host.ok("store_scene", {"name": name})
    assert [one["name"] for one in answer["scenes"]] == ["Morning", "Evening"]
    assert (await host.ok("delete_scene", {"name": "Morning"}))["scenes"][0]["name"] == "Evening"
    for event in ("delete_scene", "recall_scene"):
        assert await host.refused(event, {"name": "Morning"}) == "scene_not_found"


async def test_scenes_are_for_engineers_and_not_without_end(tmp_path: Any) -> None:
    async with running_front(tmp_path, limits=FrontLimits(event_burst=5000)) as front:
        host, _ = await front.joined()
        anna, _ = await front.joined()
        for event in ("store_scene", "recall_scene", "delete_scene"):
            assert await anna.refused(event, {"name": "Evening"}) == "forbidden"
            for name in ("", "x" * 65, "a\nb", 3):
                assert await host.refused(event, {"name": name}) == "bad_message"
        for number in range(MAX_SCENES):
            await host.ok("store_scene", {"name": f"{number}"})
        assert await host.refused("store_scene", {"name": "one more"}) == "too_many_scenes"
        assert await host.refused("recall_scene", {"name": "0", "fade_ms": 10_001}) == "bad_message"
        await host.ok("recall_scene", {"name": "0", "fade_ms": 0})


@pytest.mark.parametrize(
    ("event", "payload", "times"),
    [
        ("set_room", {"automix": True}, 4),
        ("store_scene", {"name": "Evening"}, 4),
        ("delete_scene", {"name": "never stored"}, 4),
        ("recall_scene", {"name": "never stored"}, 1),
    ],
)
async def test_what_goes_round_the_whole_room_counts_as_many_events(
    tmp_path: Any, event: str, payload: dict[str, Any], times: int
) -> None:
    limits = FrontLimits(event_rate_per_s=0.001, event_burst=100)
    async with running_front(tmp_path, limits=limits) as front:
        host, _ = await front.joined()  # counts as 20
        for _ in range(times):
            ack = await host.call(event, payload)
            assert ack["ok"] or ack["error"]["reason"] == "scene_not_found"
        assert await host.refused(event, payload) == "rate_limited"


async def test_scenes_survive_a_restart_of_the_front_process(tmp_path: Any) -> None:
    worker = FakeWorker(tmp_path / "worker-0.sock")
    await worker.start()
    async with running_front(tmp_path, [worker]) as front:
        host, ack = await front.joined()
        await host.ok("audio_stream_metadata", {"fader": -3})
        await host.ok("store_scene", {"name": "Evening"})
        await worker.wait_until(lambda it: b"Evening" in it.rooms["room"].state)
    async with running_front(tmp_path, [worker]) as front:
        client = await front.client()
        back = await client.ok("join_room", {"resume_token": ack["resume_token"]})
        assert [one["name"] for one in back["scenes"]] == ["Evening"]
        await client.ok("audio_stream_metadata", {"fader": 0})
        await client.ok("recall_scene", {"name": "Evening"})
        told = await client.event("participant_updated", lambda it: it["settings"]["fader"] == -3)
        assert told["participant_id"] == ack["participant_id"]
    await worker.stop()


async def test_scenes_by_rest(front: RunningFront) -> None:
    host, ack = await front.joined(name="host")
    key, scenes = bearer(ack), "/api/rooms/room/scenes"
    async with front.http.put(f"{scenes}/First%20act", headers=key) as response:
        assert response.status == 200
        (stored,) = (await response.json())["scenes"]
    assert stored["name"] == "First act"
    async with front.http.get(scenes) as response:
        assert await response.json() == {"scenes": [stored]}
    await host.ok("audio_stream_metadata", {"inputTrim": 3})
    async with front.http.post(f"{scenes}/First%20act/recall", headers=key, json={}) as response:
        assert response.status == 200
        assert (await response.json())["participants"] == [ack["participant_id"]]
    assert front.worker.participants[ack["participant_id"]].strip["inputTrim"] == 0
    async with front.http.delete(f"{scenes}/First%20act", headers=key) as response:
        assert response.status == 204
    assert (await host.event("scenes_changed", lambda it: not it["scenes"])) == {"scenes": []}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "room/scenes/Act", 401),
        ("POST", "room/scenes/Act/recall", 401),
        ("DELETE", "room/scenes/Act", 401),
        ("GET", "nowhere/scenes", 404),
        ("PUT", "nowhere/scenes/Act", 404),
    ],
)
async def test_rest_without_key_or_room_is_refused(
    front: RunningFront, method: str, path: str, status: int
) -> None:
    await front.joined()
    async with front.http.request(method, f"/api/rooms/{path}") as response:
        assert response.status == status
        assert response.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "missing/recall", 404),
        ("DELETE", "missing", 404),
        ("PUT", "x" * 65, 400),
        ("PUT", "a%0Ab", 400),
    ],
)
async def test_rest_with_a_wrong_name_is_refused(
    front: RunningFront, method: str, path: str, status: int
) -> None:
    _, ack = await front.joined()
    url = f"/api/rooms/room/scenes/{path}"
    async with front.http.request(method, url, headers=bearer(ack)) as response:
        assert response.status == status
