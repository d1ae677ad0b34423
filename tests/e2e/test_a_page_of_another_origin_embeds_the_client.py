"""`WEBRTC_CORS_ORIGINS` in a real browser: a page of somebody else's server, and one not listed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import expect

from tests.support.chromium import Chromium
from tests.support.patience import PATIENCE_MS, PATIENCE_S
from tests.support.server import LiveServer

PAGE = (Path(__file__).parents[2] / "docs" / "embed.html").read_text("utf-8")
ROOMS = """async (api) => {
  const { rooms } = await (await fetch(`${api}/api/rooms`)).json();
  return rooms.map((room) => [room.room_id, room.participants]);
}"""

EMBED = """async (api) => {
  const { AudioStreamingClient } = await import(`${api}/webrtc_client.js`);
  const client = new AudioStreamingClient(api);
  await client.connect();
  await client.joinRoom('embedded');
  await client.startPublishing();
  await client.startSubscribing();
  window.client = client;
}"""

REFUSED = """async (api) => {
  await import(`${api}/webrtc_client.js`);
  const rest = await fetch(`${api}/api/rooms`).then(() => 'answered', (error) => error.name);
  const socket = await new Promise((resolve) => {
    const url = `${api.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const websocket = new WebSocket(url);
    websocket.onmessage = () => resolve('answered');
    websocket.onclose = (event) => resolve(event.code);
  });
  return [rest, socket];
}"""

StartServer = Callable[..., Awaitable[LiveServer]]


@pytest.fixture
async def elsewhere() -> AsyncIterator[str]:
    """The origin of a server that has nothing to do with ours."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", show)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def test_a_listed_page_joins_speaks_and_asks(
    start_server: StartServer, chromium: Chromium, elsewhere: str, tone: Callable[[int], Any]
) -> None:
    server = await start_server(WEBRTC_CORS_ORIGINS=elsewhere, WEBRTC_MEDIA_WORKERS="1")
    page = await chromium.page(elsewhere, tone(440))
    await page.get_by_label("Server").fill(server.api_url)
    await page.get_by_label("Room").fill("embedded")
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("status")).to_have_text("connected", timeout=PATIENCE_MS)
    guest = page.get_by_role("list", name="People").get_by_role("listitem")
    await expect(guest).to_have_text("Guest, speaking", timeout=PATIENCE_MS)
    assert await page.evaluate(ROOMS, server.api_url) == [["embedded", 1]]
    async with asyncio.timeout(PATIENCE_S):
        while await packets_received(server) < 20:
            await asyncio.sleep(0.2)
    await page.get_by_role("button", name="Mute").click()
    await expect(page.get_by_role("button", name="Mute", pressed=True)).to_be_visible()
    await expect(guest).to_have_text("Guest", timeout=PATIENCE_MS)


async def packets_received(server: LiveServer) -> int:
    """Return how many packets the server has from whoever speaks."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.api_url}/api/stats") as got,
    ):
        stats = await got.json()
    rooms = [room for worker in stats["workers"] for room in worker["rooms"]]
    media = [person["media"] for room in rooms for person in room["participants"]]
    return sum(one["packets_received"] for one in media if one is not None)


async def test_a_listed_page_hears_on_our_own_playout_path(
    start_server: StartServer, chromium: Chromium, elsewhere: str, tone: Callable[[int], Any]
) -> None:
    server = await start_server(WEBRTC_CORS_ORIGINS=elsewhere, WEBRTC_MEDIA_WORKERS="1")
    pages = [await chromium.page(elsewhere, tone(pitch_hz)) for pitch_hz in (440, 1000)]
    for page in pages:
        await page.evaluate(EMBED, server.api_url)
        await page.evaluate("window.client.setPlayout('low-latency')")
    for page in pages:
        await page.wait_for_function(
            "() => window.client.playout.path === 'low-latency'", timeout=30_000
        )


async def test_a_page_that_is_not_listed_gets_neither_answers_nor_a_socket(
    start_server: StartServer, chromium: Chromium, elsewhere: str
) -> None:
    server = await start_server(
        WEBRTC_CORS_ORIGINS="https://listed.example", WEBRTC_MEDIA_WORKERS="1"
    )
    page = await chromium.page(elsewhere)
    assert await page.evaluate(REFUSED, server.api_url) == ["TypeError", 1006]
