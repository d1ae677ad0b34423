"""Each request has an id, told in its answer and in the log, here and where it is passed on to."""

import io
import json
from typing import Any

import pytest

from tests.support.front import RunningFront
from webrtc.control.messages import Offer
from webrtc.logs import writing


def lines_about(stream: io.StringIO, request: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in lines if line.get("request") == request]


async def test_a_request_has_an_id_its_own_or_a_new_one(front: RunningFront) -> None:
    sent = {"X-Request-Id": "0af76519-16cd-43dd-8448-eb211c80319c"}
    async with front.http.get("/health", headers=sent) as response:
        assert response.headers["X-Request-Id"] == "0af76519-16cd-43dd-8448-eb211c80319c"
    told = set()
    for path in ("/health", "/nowhere", "/api/rooms/none"):
        for bad in ("", "0af7 6519", "a" * 65, "Ada-Lovelace"):
            async with front.http.get(path, headers={"X-Request-Id": bad}) as response:
                told.add(response.headers["X-Request-Id"])
    assert len(told) == 12
    assert all(len(one) == 32 for one in told)


async def test_the_log_says_what_came_of_a_change_and_never_what_a_client_made_up(
    front: RunningFront,
) -> None:
    stream = io.StringIO()
    with writing("front", "DEBUG", stream, "json"):
        made = {"room_id": "studio"}
        async with front.http.post("/api/rooms", json=made) as response:
            assert response.status == 201
            request_id = response.headers["X-Request-Id"]
        async with front.http.delete("/api/rooms/secret-words") as response:
            assert response.status >= 400
        async with front.http.get("/api/rooms/studio") as response:
            assert response.status == 200
    (line,) = lines_about(stream, "POST /api/rooms")
    assert (line["request_id"], line["outcome"]) == (request_id, "201")
    (refused,) = lines_about(stream, "DELETE /api/rooms/{room_id}")
    assert "room_id" not in refused
    assert "secret-words" not in stream.getvalue()
    (read,) = lines_about(stream, "GET /api/rooms/{room_id}")
    assert read["room_id"] == "studio"
    assert [one["level"] for one in (line, refused, read)] == ["INFO", "DEBUG", "DEBUG"]


async def test_an_event_is_followed_into_the_media_worker(front: RunningFront) -> None:
    stream = io.StringIO()
    with writing("front", "DEBUG", stream, "json"):
        client, joined = await front.joined()
        await client.ok("offer", {"type": "offer", "sdp": "v=0"})
        assert "participant" in await client.refused("admit", {"guest_id": "g", "admit": True})
    (join,) = lines_about(stream, "join_room")
    (offer,) = lines_about(stream, "offer")
    (admit,) = lines_about(stream, "admit")
    outcomes = [(one["level"], one["outcome"]) for one in (join, offer, admit)]
    assert outcomes == [("INFO", "ok"), ("DEBUG", "ok"), ("DEBUG", "participant_not_found")]
    for one in (join, offer, admit):
        assert one["participant_id"] == joined["participant_id"]
        assert one["room_id"] == joined["room_id"]
    assert len({one["request_id"] for one in (join, offer, admit)}) == 3
    (asked,) = [one for one in front.worker.handled if isinstance(one, Offer)]
    assert asked.request_id == offer["request_id"]


async def test_an_expectation_that_nobody_meets_is_refused_without_a_traceback(
    front: RunningFront, caplog: pytest.LogCaptureFixture
) -> None:
    async with front.http.post("/api/rooms", json={}, headers={"Expect": "cake"}) as response:
        assert response.status == 417
    assert not [one for one in caplog.records if one.exc_info]
