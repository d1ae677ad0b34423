"""The mix of a real room as HLS, which FFmpeg plays through a worker's end, and to the room's."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from tests.support.front import Client
from tests.support.hls import Playlist, level, played
from tests.support.http_peers import Peer
from tests.support.patience import PATIENCE_S
from tests.support.server import LiveServer

ADA, GRACE = 440, 1000
WHERE = "/api/rooms/studio/broadcast"

pytestmark = pytest.mark.server


async def until_played(url: str, pitch_hz: int, other_hz: int) -> None:
    """Play the present end of a broadcast until it holds one pitch and not the other."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            heard = await asyncio.to_thread(played, url, 0.8)
            if level(heard, pitch_hz) > 0.1 and level(heard, other_hz) < 0.01:
                return
            await asyncio.sleep(0.5)  # there is a limit of requests


async def joined_again(url: str) -> Peer:
    """Join as soon as the room has a worker again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            peer = Peer(url, "/whip/studio?name=Grace", GRACE)
            try:
                return await peer.__aenter__()
            except AssertionError:  # 503
                await peer.connection.close()
                await asyncio.sleep(0.2)


async def test_players_hear_the_room_through_a_workers_end(
    start_server: Callable[..., Awaitable[LiveServer]],
) -> None:
    server = await start_server(WEBRTC_HLS_BROADCASTS="1")
    async with aiohttp.ClientSession(server.api_url) as http:
        host = Client()  # whose seat keeps the room while its worker is away
        await host.connect(server.api_url)
        ack = await host.ok("join_room", {"room_id": "studio", "role": "subscriber"})
        key = {"Authorization": f"Bearer {ack['host_key']}"}
        async with http.put(WHERE, json={"state": "live"}, headers=key) as response:
            assert response.status == 200, await response.text()
            path = (await response.json())["broadcast"]["url"]
        url = server.api_url + path
        async with Peer(server.api_url, "/whip/studio?name=Ada", ADA):
            async with asyncio.timeout(PATIENCE_S):
                while (await http.get(path)).status != 200:
                    await asyncio.sleep(0.2)
            await until_played(url, ADA, GRACE)
            os.kill(server.worker_pid(0), signal.SIGKILL)
            await server.program.line_with("media worker 0 ended: killed by SIGKILL")
        grace = await joined_again(server.api_url)
        await until_played(url, GRACE, ADA)
        await grace.__aexit__(None, None, None)
        async with http.delete("/api/rooms/studio", headers=key) as response:
            assert response.status == 204
        async with asyncio.timeout(PATIENCE_S):
            while not Playlist.parse(await (await http.get(path)).text()).has_ended:
                await asyncio.sleep(0.2)
        await host.sio.disconnect()
