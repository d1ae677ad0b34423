"""The decoder process: what it plays, and what it does not open."""

import asyncio
import io
import os
import tempfile
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import soundfile

from tests.support.patience import PATIENCE_S
from webrtc.errors import ClientError
from webrtc.playback.source import FileSource

pytestmark = pytest.mark.slow  # starts processes

RATE_HZ = 44_100


def tone(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate_hz)) / rate_hz)


def a_file(data: bytes) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 — the source closes it
    file.write(data)
    file.flush()
    return file


def encoded(kind: str, subtype: str | None = None, seconds: float = 3.0) -> bytes:
    buffer, rate_hz = io.BytesIO(), 48_000 if subtype == "OPUS" else RATE_HZ
    soundfile.write(buffer, tone(seconds, rate_hz), rate_hz, format=kind, subtype=subtype)
    return buffer.getvalue()


async def played(source: FileSource, start_s: float = 0.0) -> np.ndarray:
    return np.concatenate([block async for block in source.frames(start_s)])


@pytest.mark.parametrize(
    ("kind", "subtype"), [("WAV", "FLOAT"), ("FLAC", "PCM_24"), ("OGG", "OPUS"), ("MP3", None)]
)
async def test_a_file_is_played_from_any_place(kind: str, subtype: str | None) -> None:
    source = FileSource(a_file(encoded(kind, subtype)), 3600)
    await source.open()
    assert source.duration_s == pytest.approx(3.0, abs=0.3)
    whole = await played(source)
    assert len(whole) / 48_000 == pytest.approx(3.0, abs=0.3)
    assert np.abs(whole[24_000:72_000]).max() == pytest.approx(0.3, abs=0.02)
    assert np.array_equal(whole[:, 0], whole[:, 1]), "mono is on both sides"
    later = await played(source, 1.5)
    assert len(whole) - len(later) == pytest.approx(72_000, abs=100)
    await source.close()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello\n" * 1000,
        bytes(range(256)) * 400,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n%(path)s\n#EXT-X-ENDLIST\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nhttp://127.0.0.1:9/x\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile %(path)s\n",
        b"[playlist]\nFile1=%(path)s\nNumberOfEntries=1\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
        b"<AdaptationSet><Representation><BaseURL>file://%(path)s</BaseURL></Representation>"
        b"</AdaptationSet></Period></MPD>",
    ],
    ids=["empty", "text", "bytes", "HLS", "HLS http", "concat", "pls", "SDP", "DASH"],
)
async def test_what_is_no_sound_or_names_other_files_is_refused(
    tmp_path: Path, data: bytes
) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(encoded("WAV"))
    source = FileSource(a_file(data.replace(b"%(path)s", os.fsencode(secret))), 3600)
    with pytest.raises(ClientError) as error:
        await source.open()
    assert error.value.reason == "unplayable"
    await source.close()


async def test_what_is_too_long_is_refused(tmp_path: Path) -> None:
    source = FileSource(a_file(encoded("FLAC")), 2.0)
    with pytest.raises(ClientError, match="longer"):
        await source.open()
    await source.close()


async def test_a_damaged_file_is_played_as_far_as_it_goes() -> None:
    source = FileSource(a_file(encoded("FLAC")[:-20_000]), 3600)
    await source.open()
    assert 0.3 < len(await played(source)) / 48_000 < 3.0
    await source.close()


async def test_no_process_is_left_behind() -> None:
    source = FileSource(a_file(encoded("WAV", seconds=60)), 3600)
    await source.open()
    frames = source.frames(0.0)
    await anext(frames)
    children = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
    assert Path(children).read_text().split()
    await frames.aclose()
    await source.open()
    await source.close()
    async with asyncio.timeout(PATIENCE_S):
        while Path(children).read_text().split():
            await asyncio.sleep(0.01)
