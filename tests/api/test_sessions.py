"""Sessions through REST and Socket.IO, with a worker that hands sound over as a real one does."""

import asyncio
import io
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from archive.samples import decode
from archive.wav import read_wav
from archive.wire import PIECE_FRAMES, Piece, write_piece
from tests.support.front import Client, RunningFront, running_front
from tests.support.patience import PATIENCE_S
from webrtc.runtime_dir import archive_path
from webrtc.sessions.intake import Intake

SECONDS = 3


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def tone(seconds: float = SECONDS) -> np.ndarray:
    line = 8000 * np.sin(2 * np.pi * 440 * np.arange(round(48_000 * seconds)) / 48_000)
    return np.repeat(line.astype(np.int16)[:, None], 2, axis=1)


class Studio:
    """A room with its archive on, and somebody in it who can speak."""

    def __init__(self, front: RunningFront, folder: Path) -> None:
        self.front = front
        self._path = str(archive_path(folder))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.host: Client
        self.key = self.host_id = self.session_id = self.host_token = ""

    async def open(self) -> None:
        self.host, ack = await self.front.joined("studio", name="Alice")
        self.key, self.host_id = ack["host_key"], ack["participant_id"]
        self.host_token = ack["resume_token"]
        await self.host.ok("watch_sessions", {"token": self.key})
        await self.host.ok("set_room", {"archive": True})
        self.front.worker.send_media(self.host_id, "connected")
        event = await self.host.event("session_updated")
        self.session_id = event["session_id"]
        await self._until(lambda: self.host_id in self.intake()._sources)

    def intake(self):
        intake = self.front.front.desk.sessions.intake
        assert intake is not None
        return intake

    async def speak(self, sound: np.ndarray, begin: int = 0) -> None:
        chunks = self.front.front.desk.sessions.keeper.counters
        before = chunks["chunks_kept"]
        for at in range(0, len(sound), PIECE_FRAMES):
            piece = Piece(self.host_id, begin + at, sound[at : at + PIECE_FRAMES])
            self._socket.sendto(write_piece(piece), self._path)
        whole = -(-len(sound) // 48_000)
        await self._until(lambda: chunks["chunks_kept"] >= before + whole)

    async def get(self, path: str, token: str | None = None, **headers: str):
        url = f"/api/session/{self.session_id}{path}"
        return await self.front.http.get(url, headers={**bearer(token or self.key), **headers})

    async def post(self, path: str, token: str | None = None, json: object = None):
        url = f"/api/session/{self.session_id}{path}"
        return await self.front.http.post(url, headers=bearer(token or self.key), json=json)

    async def _until(self, condition) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.01)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
async def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Studio]:
    monkeypatch.setattr("webrtc.sessions.keeper.LOOK_EVERY_S", 0.02)
    async with running_front(tmp_path, archive_playbacks=1) as front:
        studio = Studio(front, tmp_path)
        await studio.open()
        yield studio
        studio.close()


async def test_a_session_lives_is_heard_and_ends(studio: Studio) -> None:
    await studio.speak(tone())
    async with studio.front.http.get("/api/sessions", headers=bearer(studio.key)) as response:
        page = await response.json()
    [listed] = page["sessions"]
    assert listed["state"] == "live"
    assert (listed["name"], listed["room_id"], listed["kind"]) == ("Alice", "studio", "webrtc")
    assert page["may_delete"] is True
    async with await studio.get("/info") as response:
        info = await response.json()
    assert info["kept"]["to_s"] - info["kept"]["from_s"] == pytest.approx(SECONDS)
    assert info["format"] == {"encoding": "opus", "sample_rate_hz": 48000, "channels": 2}
    analysis = info["analysis"]
    assert analysis["duration_s"] == pytest.approx(SECONDS)
    assert analysis["peak_dbfs"] == pytest.approx(-12.2, abs=1)
    assert analysis["loudness_lufs"] == pytest.approx(-12.9, abs=1.5)
    assert analysis["clipped_samples"] == 0
    assert 20 * 2 ** (int(np.argmax(analysis["spectrum_db"])) / 12) == pytest.approx(440, rel=0.06)
    await studio.host.ok("set_room", {"archive": False})
    event = await studio.host.event("session_updated", lambda it: it["state"] == "ended")
    assert event["session_id"] == studio.session_id
    assert studio.front.worker.rooms["studio"].archive is False
    async with await studio.get("/info") as response:
        assert (await response.json())["session"]["state"] == "ended"


async def test_the_download_is_the_sound_from_any_byte_on(studio: Studio) -> None:
    await studio.speak(tone())
    async with await studio.get("/download") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "audio/wav"
        assert "attachment" in response.headers["Content-Disposition"]
        whole = await response.read()
    found = read_wav(whole)
    begin, end = found.samples_in(len(whole))
    assert end == len(whole)
    sound = decode(whole[begin:], found.format)
    assert len(sound) == 48_000 * SECONDS
    wanted = tone().astype(np.float32) / 32768
    lag = 312  # of the codec
    error = sound[lag + 4800 : -4800] - wanted[4800 : len(wanted) - lag - 4800]
    assert np.abs(error).max() < 0.05
    for first, last in ((0, 43), (10, 60), (44, 47), (200_001, 300_002), (len(whole) - 5, "")):
        async with await studio.get("/download", Range=f"bytes={first}-{last}") as response:
            assert response.status == 206
            part = await response.read()
            stop = len(whole) if last == "" else int(last) + 1
            assert part == whole[int(first) : stop]
            assert response.headers["Content-Range"] == f"bytes {first}-{stop - 1}/{len(whole)}"
    async with await studio.get("/download", Range="bytes=-100") as response:
        assert await response.read() == whole[-100:]
    async with await studio.get("/download", Range=f"bytes={len(whole)}-") as response:
        assert response.status == 416


@pytest.mark.parametrize("form", ["flac", "opus"])
async def test_other_formats_hold_the_same_sound(studio: Studio, form: str) -> None:
    await studio.speak(tone())
    async with await studio.get(f"/download?format={form}") as response:
        assert response.status == 200
        blob = await response.read()
    with av.open(io.BytesIO(blob)) as file:
        stream = file.streams.audio[0]
        assert stream.codec_context.name == {"flac": "flac", "opus": "opus"}[form]
        frames = [frame.to_ndarray() for frame in file.decode(audio=0)]
    count = sum(frame.size for frame in frames) // 2
    assert count == pytest.approx(48_000 * SECONDS, abs=1000)
    if form == "flac":
        async with await studio.get("/download") as response:
            wav, _ = soundfile.read(io.BytesIO(await response.read()), dtype="int16")
        flac, _ = soundfile.read(io.BytesIO(blob), dtype="int16")
        assert np.abs(wav.astype(int) - flac.astype(int)).max() <= 1


async def test_a_player_gets_an_address_of_its_own_and_one_at_a_time(studio: Studio) -> None:
    await studio.speak(tone())
    async with await studio.post("/play", json={"position_s": 1.5}) as response:
        assert response.status == 200
        started = await response.json()
    assert (started["position_s"], started["duration_s"]) == (1.5, pytest.approx(SECONDS))
    assert await studio.host.event("session_updated", lambda it: it["playing"])
    async with studio.front.http.get(started["url"]) as response:  # players send no token
        assert response.status == 200
        streamed = await response.read()
    async with await studio.get("/download") as response:
        assert await response.read() == streamed
    async with await studio.post("/play") as response:
        assert response.status == 409
        assert (await response.json())["reason"] == "already_playing"
    async with await studio.post("/stop") as response:
        assert response.status == 204
    async with studio.front.http.get(started["url"]) as response:
        assert response.status == 404
    wrong = started["url"][:-4] + "AAAA"
    async with await studio.post("/play") as response:
        assert response.status == 200
    async with studio.front.http.get(wrong) as response:
        assert response.status == 404


async def test_no_more_play_than_may(studio: Studio) -> None:
    await studio.speak(tone(1))
    first = studio.session_id
    await studio.host.ok("set_room", {"archive": False})
    await studio.host.event("session_updated", lambda it: it["state"] == "ended")
    await studio.host.ok("set_room", {"archive": True})
    event = await studio.host.event("session_updated", lambda it: it["state"] == "live")
    studio.session_id = event["session_id"]
    await studio._until(
        lambda: studio.intake()._sources[studio.host_id].session_id == studio.session_id
    )
    await studio.speak(tone(1))
    async with await studio.post("/play") as response:
        assert response.status == 200
    studio.session_id = first
    async with await studio.post("/play") as response:
        assert response.status == 429
        assert response.headers["Retry-After"]


async def test_only_those_with_rights_see_sessions(studio: Studio) -> None:
    await studio.speak(tone(1))
    guest, ack = await studio.front.joined("studio")
    stranger, other = await studio.front.joined("elsewhere")
    cases = {
        "": 401,
        "nonsense": 401,
        ack["resume_token"]: 403,
        f"{studio.host_id}.wrong": 401,
    }
    for token, status in cases.items():
        for path in ("/info", "/download", "/waveform.svg"):
            async with await studio.get(path, token=token or " ") as response:
                assert response.status == status, (token, path)
    async with await studio.get("/info", token=other["host_key"]) as response:
        assert response.status == 404
    assert await guest.refused("watch_sessions", {"token": ack["resume_token"]}) == "forbidden"
    assert await guest.refused("set_room", {"archive": False}) == "forbidden"
    await studio.host.ok("set_role", {"participant_id": ack["participant_id"], "role": "engineer"})
    async with await studio.get("/info", token=ack["resume_token"]) as response:
        assert response.status == 200
    async with studio.front.http.delete(
        f"/api/session/{studio.session_id}", headers=bearer(ack["resume_token"])
    ) as response:
        assert response.status == 403
    assert await stranger.refused("watch_sessions", {"token": "x"}) == "unauthorized"
    async with await studio.get("/info", token=studio.host_token) as response:
        assert response.status == 200


async def test_a_host_key_opens_sessions_after_the_room_has_closed(studio: Studio) -> None:
    await studio.speak(tone(1))
    await studio.host.ok("leave_room")
    async with studio.front.http.get("/api/rooms/studio") as response:
        assert response.status == 404
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with await studio.get("/info") as response:
                if (await response.json())["session"]["state"] == "ended":
                    break
            await asyncio.sleep(0.05)
    _, later = await studio.front.joined("studio")
    async with await studio.get("/info", token=later["host_key"]) as response:
        assert response.status == 404


async def test_a_deleted_session_is_gone_for_good(studio: Studio) -> None:
    await studio.speak(tone(1))
    async with studio.front.http.delete(
        f"/api/session/{studio.session_id}", headers=bearer(studio.key)
    ) as response:
        assert response.status == 204
    assert await studio.host.event("session_removed") == {"session_id": studio.session_id}
    for path in ("/info", "/download"):
        async with await studio.get(path) as response:
            assert response.status == 404
    event = await studio.host.event("session_updated", lambda it: it["state"] == "live")
    assert event["session_id"] != studio.session_id


async def test_pictures_of_the_waveform(studio: Studio) -> None:
    await studio.speak(tone(1))
    async with await studio.get("/waveform.svg") as response:
        assert response.headers["Content-Type"].startswith("image/svg+xml")
        assert "<path" in await response.text()
    async with await studio.get("/waveform.png") as response:
        blob = await response.read()
    with av.open(io.BytesIO(blob)) as picture:
        frame = next(picture.decode(video=0))
        assert (frame.width, frame.height) == (800, 160)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=%00", "limit=-1"]
)
async def test_what_no_list_can_be_asked(studio: Studio, query: str) -> None:
    url = f"/api/sessions?{query}"
    async with studio.front.http.get(url, headers=bearer(studio.key)) as response:
        assert response.status == 400


async def test_everybody_in_the_room_sees_that_the_archive_is_on(studio: Studio) -> None:
    guest, ack = await studio.front.joined("studio", role="subscriber")
    assert ack["room_settings"]["archive"] is True
    await studio.host.ok("set_room", {"archive": False})
    event = await guest.event("room_updated")
    assert event["settings"]["archive"] is False


async def test_recalling_a_scene_does_not_switch_the_archive(studio: Studio) -> None:
    await studio.host.ok("store_scene", {"name": "with"})
    await studio.host.ok("set_room", {"archive": False})
    ack = await studio.host.ok("recall_scene", {"name": "with"})
    assert ack["settings"]["archive"] is False


async def test_a_session_is_played_into_its_room_by_a_participant(studio: Studio) -> None:
    await studio.speak(tone())
    body = {"room_id": "studio", "position_s": 1.0}
    async with await studio.post("/play", json=body) as response:
        assert response.status == 200
        started = await response.json()
    assert started["url"] is None
    event = await studio.host.event("participant_joined")
    assert (event["participant_id"], event["name"]) == (started["participant_id"], "Alice")
    assert event["tracks"] == [{"kind": "audio"}]
    async with await studio.post("/play", json=body) as response:
        assert response.status == 409
    async with await studio.post("/stop") as response:
        assert response.status == 204
    event = await studio.host.event("participant_left")
    assert event["participant_id"] == started["participant_id"]
    await studio.front.joined("elsewhere")
    for room_id in ("elsewhere", "nowhere"):  # whether there is such a room is not told
        async with await studio.post("/play", json={"room_id": room_id}) as response:
            assert response.status == 403


async def test_the_end_waits_for_no_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrtc.sessions.intake._LOOK_EVERY_S", 3600.0)
    intake = Intake(tmp_path / "archive", 24_000, lambda *_: None)
    intake.start()
    closing = threading.Thread(target=intake.close, daemon=True)
    closing.start()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()
