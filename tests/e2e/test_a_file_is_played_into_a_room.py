"""A file that somebody plays into a room is heard there, pauses, goes on and ends."""

import asyncio
import io
from collections.abc import Awaitable, Callable

import aiohttp
import numpy as np
import pytest
import soundfile

from tests.support.http_peers import Peer
from tests.support.patience import PATIENCE_S
from tests.support.server import LiveServer

ADA, SONG = PITCHES = 440, 1000

pytestmark = pytest.mark.server


def song(seconds: float) -> bytes:
    buffer = io.BytesIO()
    sine = 0.25 * np.sin(2 * np.pi * SONG * np.arange(round(seconds * 44_100)) / 44_100)
    soundfile.write(buffer, sine, 44_100, format="FLAC")
    return buffer.getvalue()


async def test_a_file_is_heard_and_steered(
    start_server: Callable[..., Awaitable[LiveServer]],
) -> None:
    server = await start_server(WEBRTC_HOST="127.0.0.1")
    async with aiohttp.ClientSession(server.api_url) as http:
        async with http.post("/api/rooms", json={"room_id": "studio"}) as response:
            key = {"Authorization": f"Bearer {(await response.json())['host_key']}"}
        async with (
            Peer(server.api_url, "/whip/studio", ADA),
            Peer(server.api_url, "/whep/studio") as ear,
        ):
            await ear.hears(ADA, of=PITCHES)
            where = "/api/rooms/studio/playbacks"
            async with http.post(where, data=song(600), headers=key) as response:
                assert response.status == 201
                one = response.headers["Location"]
            await ear.hears(ADA, SONG, of=PITCHES)
            for change, pitches in (
                ({"state": "paused"}, (ADA,)),
                ({"state": "playing", "position_s": 300}, PITCHES),
            ):
                async with http.patch(one, json=change, headers=key) as response:
                    assert response.status == 200
                await ear.hears(*pitches, of=PITCHES)
            async with http.patch(one, json={"position_s": 599}, headers=key) as response:
                assert response.status == 200
            await ear.hears(ADA, of=PITCHES)
            async with asyncio.timeout(PATIENCE_S):  # what is over leaves by itself
                while True:
                    async with http.get(where) as response:
                        if not (await response.json())["playbacks"]:
                            break
                    await asyncio.sleep(0.1)
