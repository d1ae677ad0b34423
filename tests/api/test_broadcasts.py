"""Broadcasting rooms as REST, sockets and players see it; the media worker is a fake."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.front import RunningFront, running_front
from tests.support.hls import Playlist
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.slow  # starts processes

WHERE = "/api/rooms/studio/broadcast"


@pytest.fixture
async def on_air(tmp_path: Path) -> AsyncIterator[RunningFront]:
    async with running_front(tmp_path, hls_broadcasts=1) as front:
        yield front


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def put(
    front: RunningFront, key: str, state: str, room: str = "studio"
) -> tuple[int, dict[str, Any]]:
    url, body = f"/api/rooms/{room}/broadcast", {"state": state}
    async with front.http.put(url, json=body, headers=bearer(key)) as response:
        return response.status, await response.json()


async def playlist(front: RunningFront, url: str, *, ended: bool = False) -> Playlist:
    """Return the playlist once it names segments, or says that nothing follows."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with front.http.get(url) as response:
                if response.status == 200:
                    found = Playlist.parse(await response.text())
                    if found.segments and found.has_ended is ended:
                        return found
            await asyncio.sleep(0.1)


async def test_a_host_broadcasts_and_any_cache_may_stand_between(on_air: RunningFront) -> None:
    front = on_air
    host, ack = await front.joined("studio")
    guest, _ = await front.joined("studio")
    key = ack["host_key"]
    assert "broadcast" in ack["rights"]
    assert ack["broadcast"] is None
    status, told = await put(front, key, "live")
    assert status == 200
    url = told["broadcast"]["url"]
    for page in (host, guest):
        event = await page.event("room_updated", lambda one: "broadcast" in one)
        assert event["broadcast"]["url"] == url
    order = front.worker.rooms["studio"].broadcast
    assert order is not None
    assert (order.mix_by, order.dry, order.processed) == (0, False, False)
    _, late = await front.joined("studio")
    assert late["broadcast"]["url"] == url
    assert (await put(front, key, "live"))[1]["broadcast"]["url"] == url, "it goes on as it is"
    now = await playlist(front, url)
    headers = {"Origin": "https://players.example"}
    for name, content_type, caching in [
        ("index.m3u8", "application/vnd.apple.mpegurl", "public, max-age=1"),
        ("init.mp4", "audio/mp4", "public, max-age=3600, immutable"),
        (now.segments[0], "audio/mp4", "public, max-age=3600, immutable"),
    ]:
        address = url.replace("index.m3u8", name)
        async with front.http.get(address, headers=headers) as response:
            assert response.status == 200, name
            assert response.content_type == content_type
            assert response.headers["Cache-Control"] == caching
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "Vary" not in response.headers
            assert len(await response.read()) > 100
    assert (await put(front, key, "stopped"))[1]["broadcast"] is None
    await host.event("room_updated", lambda one: "broadcast" not in one)
    assert (await playlist(front, url, ended=True)).has_ended
    assert (await put(front, key, "stopped"))[0] == 200, "there was nothing to stop"


async def test_only_hosts_broadcast_and_no_address_leads_elsewhere(on_air: RunningFront) -> None:
    front = on_air
    _, host = await front.joined("studio")
    _, guest = await front.joined("studio")
    for key, status in ((guest["resume_token"], 403), ("wrong", 401), ("", 401)):
        assert (await put(front, key, "live"))[0] == status
        async with front.http.get(WHERE, headers=bearer(key)) as response:
            assert response.status == status
    _, told = await put(front, host["resume_token"], "live")
    url = told["broadcast"]["url"]
    await playlist(front, url)
    for name in ("live", "..%2f..%2flock", "index.m3u8.tmp", "-1.m4s", "99999.m4s", ".", "%00"):
        async with front.http.get(url.replace("index.m3u8", name)) as response:
            assert response.status == 404, name
            assert response.headers.get("Cache-Control") != "public, max-age=1"
    for folder in ("x" * 32, "..", "%2e%2e%2f%2e%2e", "."):
        async with front.http.get(f"/hls/{folder}/index.m3u8") as response:
            assert response.status == 404, folder
    _, other = await front.joined("second")
    status, problem = await put(front, other["host_key"], "live", "second")
    assert (status, problem["reason"]) == (503, "server_full")


async def test_nothing_is_broadcast_unless_the_operator_says_so(front: RunningFront) -> None:
    _, ack = await front.joined("studio")
    status, problem = await put(front, ack["host_key"], "live")
    assert (status, problem["reason"]) == (503, "broadcast_unavailable")
    async with front.http.get(WHERE, headers=bearer(ack["host_key"])) as response:
        assert await response.json() == {"is_available": False, "broadcast": None}


async def test_a_closed_room_ends_its_broadcast(on_air: RunningFront) -> None:
    front = on_air
    _, ack = await front.joined("studio")
    _, told = await put(front, ack["host_key"], "live")
    await playlist(front, told["broadcast"]["url"])
    async with front.http.delete("/api/rooms/studio", headers=bearer(ack["host_key"])) as response:
        assert response.status == 204
    assert (await playlist(front, told["broadcast"]["url"], ended=True)).has_ended


async def test_a_broadcast_outlives_the_front_process_and_its_own_death_is_told(
    tmp_path: Path,
) -> None:
    async with running_front(tmp_path, hls_broadcasts=1) as first:
        _, ack = await first.joined("studio")
        _, told = await put(first, ack["host_key"], "live")
        (process,) = first.front.broadcasts._processes.values()
        first.front.broadcasts._processes.clear()  # as after a crash: nobody ends it
        await first.close_clients()
        await first.front.stop()
        async with running_front(tmp_path, first.workers, hls_broadcasts=1) as second:
            await playlist(second, told["broadcast"]["url"])
            async with asyncio.timeout(PATIENCE_S):
                while "studio" not in second.front.broadcasts._live:
                    await asyncio.sleep(0.05)
            process.kill()
            async with asyncio.timeout(PATIENCE_S):
                while second.worker.rooms["studio"].broadcast is not None:
                    await asyncio.sleep(0.05)
            assert not list((tmp_path / "hls").iterdir())
            await process.wait()
