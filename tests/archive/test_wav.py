"""WAV headers, against libsndfile and against hostile ones."""

import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from archive.encodings import ENCODINGS, SampleFormat
from archive.samples import decode, encode
from archive.wav import WavError, read_wav, wav_header

_WRITABLE = ["u8", "s16le", "s24le", "s32le", "f32le", "f64le", "mulaw", "alaw"]


def some_sound(channels: int) -> np.ndarray:
    random = np.random.default_rng(2)
    return (0.7 * random.uniform(-1, 1, (333, channels))).astype(np.float32)


@pytest.mark.parametrize("name", _WRITABLE)
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("growing", [False, True])
def test_libsndfile_reads_what_we_write(name, channels, growing):
    form = SampleFormat(ENCODINGS[name], 44100, channels)
    body = encode(some_sound(channels), form.encoding)
    blob = wav_header(form, len(body), growing=growing) + body + b"\0" * (len(body) & 1)
    read, rate_hz = soundfile.read(io.BytesIO(blob), always_2d=True, dtype="float32")
    assert rate_hz == 44100
    assert np.array_equal(read, decode(body, form))


@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW", "ALAW"]
)
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64"])
def test_we_read_what_libsndfile_writes(subtype, container):
    file = io.BytesIO()
    sound = some_sound(2)
    soundfile.write(file, sound, 22050, subtype=subtype, format=container)
    blob = file.getvalue()
    found = read_wav(blob)
    begin, end = found.samples_in(len(blob))
    file.seek(0)
    theirs, _ = soundfile.read(file, dtype="float32")
    assert (found.format.rate_hz, found.format.channels) == (22050, 2)
    assert np.array_equal(decode(blob[begin:end], found.format), theirs)


def test_headers_that_grow_are_as_long_as_the_ones_that_replace_them():
    form = SampleFormat(ENCODINGS["s24le"], 48000, 2)
    sizes = [0, 600, 2**32 - 200, 2**32 + 6, 2**40]
    assert len({len(wav_header(form, size, growing=True)) for size in sizes}) == 1


def test_a_large_file_is_rf64_and_says_its_size():
    form = SampleFormat(ENCODINGS["s16le"], 48000, 2)
    header = wav_header(form, 5 << 30)
    assert header[:4] == b"RF64"
    assert read_wav(header).data_bytes == 5 << 30


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_file_without_a_size_ends_where_it_ends(size):
    form = SampleFormat(ENCODINGS["s16le"], 48000, 2)
    header = wav_header(form, 8)[:-4] + struct.pack("<I", size)
    found = read_wav(header)
    assert found.samples_in(len(header) + 4 * 5 + 3) == (len(header), len(header) + 20)


def test_the_header_of_a_stream_is_read_by_others():
    form = SampleFormat(ENCODINGS["s16le"], 48000, 1)
    header = wav_header(form, None)
    assert read_wav(header).data_bytes is None


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_a_wav_error(data):
    for blob in (data, b"RIFF\xff\xff\xff\xffWAVE" + data, b"RF64\0\0\0\0WAVEfmt " + data):
        try:
            begin, end = read_wav(blob).samples_in(len(blob))
        except WavError:
            continue
        assert begin <= end or end <= len(blob)


@pytest.mark.parametrize("name", ["s16be", "f32be", "s8"])
def test_what_wav_does_not_have(name):
    with pytest.raises(WavError):
        wav_header(SampleFormat(ENCODINGS[name], 48000, 1), 0)
