"""Files by their beginning."""

import io

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from archive.containers import recognise

_SOUND = (0.3 * np.sin(np.arange(48000) / 20)).astype(np.float32)


def file_of(container: str, codec: str, rate_hz: int = 48000) -> bytes:
    blob = io.BytesIO()
    with av.open(blob, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray((_SOUND[None] * 32767).astype(np.int16), "s16", "mono")
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(
            stream.format.name, "mono", rate_hz, stream.frame_size or None
        )
        for each in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(each))
        file.mux(stream.encode(None))
    return blob.getvalue()


@pytest.mark.parametrize(
    ("container", "codec", "expected"),
    [
        ("wav", "pcm_s16le", "wav"),
        ("flac", "flac", "flac"),
        ("ogg", "libopus", "opus"),
        ("mp3", "libmp3lame", "mp3"),
    ],
)
def test_files_are_recognised(container, codec, expected):
    assert recognise(file_of(container, codec)) == expected


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100])
def test_mp3_is_recognised_without_a_tag(rate_hz):
    blob = file_of("mp3", "libmp3lame", rate_hz)
    digits = blob[6:10]
    tag = 10 + (digits[0] << 21 | digits[1] << 14 | digits[2] << 7 | digits[3])
    assert recognise(blob[tag if blob[:3] == b"ID3" else 0 :]) == "mp3"


def test_ogg_vorbis_is_no_opus():
    file = io.BytesIO()
    soundfile.write(file, _SOUND, 48000, format="OGG", subtype="VORBIS")
    assert recognise(file.getvalue()) == "ogg"


@given(st.binary(max_size=4000))
def test_samples_are_no_file(data):
    marks = (b"RIF", b"RF6", b"BW6", b"fLa", b"Ogg", b"ID3")
    if not data.startswith(marks):
        assert recognise(data) in (None, "mp3")


def test_loud_samples_are_no_mp3():
    random = np.random.default_rng(3)
    found = [recognise(random.bytes(2000)) for _ in range(3000)]
    found += [recognise(b"\xff\xfb" + random.bytes(2000)) for _ in range(3000)]
    assert found.count("mp3") <= 2
