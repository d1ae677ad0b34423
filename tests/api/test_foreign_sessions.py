"""Sessions that another program wrote to Redis, for the operator."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from archive.encodings import ENCODINGS
from archive.samples import encode
from rooms.redis_connection import RedisAddress, connect
from tests.archive.test_guess import speech_like
from tests.support.front import RunningFront, running_front
from tests.support.redis_server import RedisServer

OPERATOR = "o" * 32
HEADERS = {"Authorization": f"Bearer {OPERATOR}"}


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningFront]:
    """A front process beside a Redis that other programs have written to."""
    async with RedisServer() as server:
        redis = connect(RedisAddress.parse(server.url))
        sounds = {
            "session:speech": encode(speech_like(16_000), ENCODINGS["s16le"]),
            "session:noise": np.random.default_rng(1).bytes(50_000),
            "secret:thing": encode(speech_like(8000), ENCODINGS["s16le"]),
        }
        for key, sound in sounds.items():
            text = base64.b64encode(sound).decode()
            await redis.hset(key, mapping={"audio_buffer": text, "name": key, "created_at": "99"})
        await redis.hset("session:broken", mapping={"audio_buffer": "*** no base64 ***"})
        await redis.hset("session:silent", mapping={"name": "without sound"})
        await redis.set("session:text", "another type")
        await redis.aclose()
        async with running_front(
            tmp_path,
            redis_url=server.url,
            replica="one",
            operator_token=OPERATOR,
            foreign_sessions="session:*",
        ) as front:
            yield front


async def shown(front: RunningFront) -> dict[str, str]:
    async with front.http.get("/api/sessions", headers=HEADERS) as response:
        assert response.status == 200, await response.text()
        page = await response.json()
    assert page["may_delete"] is False
    return {one["name"]: one["session_id"] for one in page["sessions"]}


async def test_foreign_sessions_are_recognised_and_handed_out(front: RunningFront) -> None:
    sessions = await shown(front)
    assert sessions.keys() == {"session:speech", "session:noise", "session:broken"}
    one = f"/api/session/{sessions['session:speech']}"
    async with front.http.get(one + "/info", headers=HEADERS) as response:
        info = await response.json()
    assert info["guess"]["garbage"] is False
    assert info["format"]["encoding"] == "s16le"
    assert info["format"]["channels"] == 1
    async with front.http.get(one + "/download", headers=HEADERS) as response:
        assert response.status == 200
        assert (await response.read())[:4] == b"RIFF"
    async with front.http.get(one + "/info?choice=1", headers=HEADERS) as response:
        assert (await response.json())["format"] == info["guess"]["candidates"][1]["format"]
    async with front.http.get(one + "/info?choice=99", headers=HEADERS) as response:
        assert response.status == 400
    async with front.http.post(one + "/play", headers=HEADERS, json={}) as response:
        url = (await response.json())["url"]
    async with front.http.get(url) as response:
        assert response.status == 200
    async with front.http.delete(one, headers=HEADERS) as response:
        assert response.status == 403


async def test_garbage_is_called_garbage(front: RunningFront) -> None:
    sessions = await shown(front)
    for name in ("session:noise", "session:broken"):
        one = f"/api/session/{sessions[name]}"
        async with front.http.get(one + "/info", headers=HEADERS) as response:
            info = await response.json()
        assert info["guess"]["garbage"] is True
        async with front.http.get(one + "/download", headers=HEADERS) as response:
            assert response.status == 409


async def test_no_other_key_can_be_read_and_nobody_else_reads(front: RunningFront) -> None:
    for key in ("secret:thing", "session:text", "session:nothing", "ag06:rooms"):
        made_up = "x-" + base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
        async with front.http.get(f"/api/session/{made_up}/info", headers=HEADERS) as response:
            assert response.status == 404, key
    sessions = await shown(front)
    _, ack = await front.joined("studio")
    one = f"/api/session/{sessions['session:speech']}/info"
    for token in (ack["host_key"], ack["resume_token"]):
        headers = {"Authorization": f"Bearer {token}"}
        async with front.http.get(one, headers=headers) as response:
            assert response.status == 404
