"""A recording of a real room: tracks and mix, aligned, and there when all is killed."""

import asyncio
import io
import time
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import pytest
import soundfile

from tests.support.http_peers import Peer
from tests.support.patience import PATIENCE_S
from tests.support.server import LiveServer

ADA, GRACE = PITCHES = 440, 1000
ONE, MANY = "/api/rooms/studio/recording", "/api/rooms/studio/recordings"

pytestmark = pytest.mark.server


def level(sound: np.ndarray, pitch_hz: int) -> float:
    window = np.blackman(len(sound))
    turns = np.exp(-2j * np.pi * pitch_hz * np.arange(len(sound)) / 48_000)
    return float(2 * abs((sound * window) @ turns) / window.sum())


async def until_recorded(http: aiohttp.ClientSession, seconds: float) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with http.get(ONE) as response:
                if (await response.json()).get("duration_s", 0) >= seconds:
                    return
            await asyncio.sleep(0.1)


async def test_tracks_add_up_to_the_mix_and_survive_a_kill_of_everything(tmp_path: Path) -> None:
    server = await LiveServer.start(
        WEBRTC_HOST="127.0.0.1",
        WEBRTC_RECORDINGS_DIR=str(tmp_path),
        WEBRTC_RECORDINGS_MIN_FREE_MB="0",
    )
    try:
        begun_s = await record(server.api_url)
        lasted_s = time.monotonic() - begun_s
    finally:
        await server.program.end()  # kills every process, the recorder too
    newest = max(tmp_path.glob("studio/*"), key=lambda folder: folder.stat().st_ctime_ns)
    for path in newest.glob("*.flac"):
        with av.open(str(path)) as container:
            samples = sum(frame.samples for frame in container.decode(audio=0))
        assert samples / 48_000 > lasted_s - 1.0, path.name
    assert len(list(newest.glob("*.flac"))) == 5


async def test_listeners_by_http_and_the_recorder_get_a_mix_of_a_room_that_forwards(
    start_server: Callable[..., Awaitable[LiveServer]], tmp_path: Path
) -> None:
    server = await start_server(
        WEBRTC_RECORDINGS_DIR=str(tmp_path), WEBRTC_RECORDINGS_MIN_FREE_MB="0"
    )
    async with aiohttp.ClientSession(server.api_url) as http:
        room = {"room_id": "studio", "mode": "forward"}
        async with http.post("/api/rooms", json=room) as response:
            key = {"Authorization": f"Bearer {(await response.json())['host_key']}"}
        async with (
            Peer(server.api_url, "/whip/studio?name=Ada", ADA),
            Peer(server.api_url, "/whip/studio?name=Grace", GRACE),
            Peer(server.api_url, "/whep/studio") as ear,
        ):
            await ear.hears(ADA, GRACE, of=PITCHES)
            for state in ("recording", "stopped"):
                async with http.put(ONE, json={"state": state}, headers=key) as response:
                    assert response.status == 200, await response.text()
                if state == "recording":
                    await until_recorded(http, 2.0)
            async with http.get("/api/rooms/studio") as response:
                assert (await response.json())["settings"]["mode"] == "forward"
            (mix,) = (await fetched(http, key)).values()
    for pitch_hz in PITCHES:
        assert level(mix[-48_000:, 0], pitch_hz) > 0.01


async def test_a_full_disk_ends_the_recording_which_says_why_and_the_sound_goes_on(
    start_server: Callable[..., Awaitable[LiveServer]], tmp_path: Path
) -> None:
    server = await start_server(
        WEBRTC_RECORDINGS_DIR=str(tmp_path),
        WEBRTC_RECORDINGS_MIN_FREE_MB="0",
        WEBRTC_RECORDINGS_MAX_MB="1",  # some five seconds
    )
    async with aiohttp.ClientSession(server.api_url) as http:
        async with http.post("/api/rooms", json={"room_id": "studio"}) as response:
            key = {"Authorization": f"Bearer {(await response.json())['host_key']}"}
        wanted = {"state": "recording", "format": "wav", "tracks": []}
        async with (
            Peer(server.api_url, "/whip/studio?name=Ada", ADA),
            Peer(server.api_url, "/whep/studio") as ear,
        ):
            async with http.put(ONE, json=wanted, headers=key) as response:
                assert response.status == 200, await response.text()
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    async with http.get(ONE) as response:
                        if (await response.json())["recording"] is None:
                            break
                    await asyncio.sleep(0.1)
            await ear.hears(ADA, of=PITCHES)
            async with http.get(MANY, headers=key) as response:
                (told,) = (await response.json())["recordings"]
            assert told["state"] == "disk_full"
            assert told["duration_s"] > 1
            async with http.put(ONE, json=wanted, headers=key) as response:
                assert (response.status, (await response.json())["reason"]) == (507, "disk_full")
            await ear.hears(ADA, of=PITCHES)
    (mix,) = tmp_path.glob("studio/*/mix.wav")
    assert level(soundfile.read(mix)[0][-48_000:, 0], ADA) > 0.01


async def record(url: str) -> float:
    """Record a room twice; return when the second recording began, which goes on."""
    async with aiohttp.ClientSession(url) as http:
        async with http.post("/api/rooms", json={"room_id": "studio"}) as response:
            key = {"Authorization": f"Bearer {(await response.json())['host_key']}"}

        async def put(state: str) -> None:
            wanted = {"state": state, "tracks": ["dry", "processed"]}
            async with http.put(ONE, json=wanted, headers=key) as response:
                assert response.status == 200, await response.text()

        async with (
            Peer(url, "/whip/studio?name=Ada", ADA),
            Peer(url, "/whip/studio?name=Grace", GRACE),
            Peer(url, "/whep/studio") as ear,
        ):
            await put("recording")
            await ear.hears(ADA, GRACE, of=PITCHES)
            await until_recorded(http, 2.0)
            await put("paused")
            await ear.hears(ADA, GRACE, of=PITCHES)
            await put("recording")
            await until_recorded(http, 4.0)
            await put("stopped")
            check(await fetched(http, key))
            await put("recording")
            begun_s = time.monotonic()
            await until_recorded(http, 3.0)
            return begun_s


async def fetched(http: aiohttp.ClientSession, key: dict[str, str]) -> dict[str, Any]:
    """Return the samples of every track, by kind and participant, from the recording's begin on."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with http.get(MANY, headers=key) as response:
                (told,) = (await response.json())["recordings"]
            if told["state"] == "stopped":
                break
            await asyncio.sleep(0.1)
    assert told["dropped_ms"] == 0
    async with http.get(told["zip_url"]) as response:
        archive = zipfile.ZipFile(io.BytesIO(await response.read()))
    tracks = {}
    for one in told["files"]:
        with archive.open(f"{told['recording_id']}/{one['file']}") as file:
            sound, _ = soundfile.read(io.BytesIO(file.read()))
        silence = np.zeros((one["offset_samples"], 2))
        tracks[one["kind"], one["participant"]] = np.concatenate([silence, sound])
    return tracks


def check(tracks: dict[str, Any]) -> None:
    assert tracks.keys() == {
        ("mix", ""),
        *((kind, name) for kind in ("dry", "processed") for name in ("Ada", "Grace")),
    }
    shortest = min(map(len, tracks.values()))
    cut = {key: sound[:shortest] for key, sound in tracks.items()}
    mix = cut["mix", ""]
    difference = mix - cut["processed", "Ada"] - cut["processed", "Grace"]
    assert 20 * np.log10(np.abs(difference).max() / np.abs(mix).max()) < -80
    end = cut["dry", "Ada"][-24_000:, 0]
    assert level(end, ADA) > 0.2
    assert level(end, GRACE) < 0.001
    assert np.allclose(end, cut["processed", "Ada"][-24_000:, 0], atol=1e-5), "its strip is flat"
