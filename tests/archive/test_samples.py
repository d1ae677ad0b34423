"""Samples as bytes."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from archive.encodings import ENCODINGS, Encoding, SampleFormat
from archive.samples import decode, encode

_SUBTYPES = {
    "u8": "PCM_U8",
    "s16le": "PCM_16",
    "s24le": "PCM_24",
    "s32le": "PCM_32",
    "f32le": "FLOAT",
    "f64le": "DOUBLE",
    "mulaw": "ULAW",
    "alaw": "ALAW",
}


def some_sound(frames: int = 500, channels: int = 2) -> np.ndarray:
    random = np.random.default_rng(1)
    return (0.8 * random.uniform(-1, 1, (frames, channels))).astype(np.float32)


@pytest.mark.parametrize("name", ENCODINGS)
def test_sound_comes_back_within_half_a_step(name):
    encoding = ENCODINGS[name]
    sound = some_sound()
    back = decode(encode(sound, encoding), SampleFormat(encoding, 48000, 2))
    exact = encoding.kind == "float" or encoding.bits > 24
    step = 2.0**-24 if exact else 1 / 31 if "law" in name else 2.0 ** -(encoding.bits - 1)
    assert back.shape == sound.shape
    assert np.abs(back - sound).max() <= step / 2 + 2.0**-24


@pytest.mark.parametrize("name", ENCODINGS)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_some_sound(name, data):
    back = decode(data, SampleFormat(ENCODINGS[name], 8000, 2))
    assert back.dtype == np.float32
    assert np.isfinite(back).all()
    assert len(back) == len(data) // (2 * ENCODINGS[name].size)


@pytest.mark.parametrize("name", [n for n in ENCODINGS if not n.startswith(("f", "s32"))])
def test_values_come_back_unchanged(name):
    """Up to 24 bits, bytes to sound and back are the same bytes."""
    encoding = ENCODINGS[name]
    data = bytes(range(256)) * 3
    again = encode(decode(data, SampleFormat(encoding, 8000, 1)), encoding)
    if name == "mulaw":  # which has two zeros
        data = data.replace(b"\x7f", b"\xff")
        again = again.replace(b"\x7f", b"\xff")
    assert again == data


@pytest.mark.parametrize(("name", "subtype"), _SUBTYPES.items())
def test_samples_are_those_that_libsndfile_writes(name, subtype, tmp_path):
    path = tmp_path / "x.raw"
    sound = some_sound()
    options = {"format": "RAW", "endian": "LITTLE", "subtype": subtype}
    soundfile.write(path, sound, 48000, **options)
    theirs = path.read_bytes()
    read, _ = soundfile.read(path, samplerate=48000, channels=2, dtype="float32", **options)
    ours = decode(theirs, SampleFormat(ENCODINGS[name], 48000, 2))
    assert np.array_equal(ours, read)


def test_what_is_too_loud_is_clipped_and_what_is_no_number_is_silence():
    sound = np.array([[2.0], [-2.0], [np.nan], [np.inf]])
    back = decode(encode(sound, ENCODINGS["s16be"]), SampleFormat(ENCODINGS["s16be"], 8000, 1))
    assert back.ravel().tolist() == [32767 / 32768, -1.0, 0.0, 32767 / 32768]


@pytest.mark.parametrize(
    ("kind", "bits", "order"),
    [("unsigned", 16, "little"), ("float", 16, "big"), ("signed", 8, "big")],
)
def test_encodings_that_are_not_to_be_had(kind, bits, order):
    with pytest.raises(ValueError, match=r"samples of|no order"):
        Encoding(kind, bits, order)
