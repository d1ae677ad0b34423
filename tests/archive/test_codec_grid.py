"""The grid that lossy codecs leave. Figures of real ones: `python -m benchmarks.pcm_guess`."""

import io
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest
import soundfile
import soxr

from archive.codec_grid import SURE, find_grid, ratios
from archive.encodings import RATES_HZ
from archive.guess_rate import rate_shares

SOURCE_HZ = 44_100
RATIOS = [Fraction(rate_hz, SOURCE_HZ) for rate_hz in (11_025, 16_000, 24_000, 44_100, 48_000)]


@cache
def band() -> np.ndarray:
    """Plucked chords over soft noise, (n,): no two beats alike."""
    draw = np.random.default_rng(7)
    rate_hz = SOURCE_HZ
    count = 5 * rate_hz
    sound = 0.003 * draw.standard_normal(count)
    time = np.arange(round(0.9 * rate_hz)) / rate_hz
    for start in range(0, count, round(0.21 * rate_hz)):
        for _ in range(3):
            tone = 55 * 2 ** (draw.integers(0, 48) / 12)
            parts = sum(np.sin(2 * np.pi * k * tone * time) / k for k in range(1, 12))
            note = 0.1 * parts * np.exp(-time * draw.uniform(3, 9))
            end = min(count, start + len(note))
            sound[start:end] += note[: end - start]
    return sound / np.max(np.abs(sound))


@cache
def coded(codec: str) -> np.ndarray:
    """Return what is left of the band after an encoder and a decoder."""
    sound, rate_hz, file = band(), SOURCE_HZ, io.BytesIO()
    if codec == "vorbis":
        soundfile.write(file, sound, rate_hz, format="OGG", subtype="VORBIS")
        return soundfile.read(io.BytesIO(file.getvalue()))[0]
    name, container = {"aac": ("aac", "adts"), "mp3": ("libmp3lame", "mp3")}[codec]
    with av.open(file, "w", format=container) as target:
        stream = target.add_stream(name, rate=rate_hz)
        stream.layout, stream.bit_rate = "mono", 64_000
        fifo = av.AudioFifo()
        samples = sound.astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = rate_hz
        fifo.write(frame)
        while (part := fifo.read(1024, partial=True)) is not None:
            part.pts = None
            target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    with av.open(io.BytesIO(file.getvalue())) as source:
        return np.concatenate([one.to_ndarray()[0] for one in source.decode(audio=0)])


def taken_at(sound: np.ndarray, ratio: Fraction) -> np.ndarray:
    """Return a sound resampled, cut somewhere and in steps of 16 bits."""
    found = sound
    if ratio != 1:
        found = soxr.resample(sound, ratio.denominator, ratio.numerator)
    return np.rint(found[777:] * 30_000) / 32_768


@pytest.mark.parametrize("codec", ["vorbis", "aac", "mp3"])
@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_a_codecs_grid_tells_the_ratio_of_rates(codec, rate_hz):
    ratio = Fraction(rate_hz, SOURCE_HZ)
    grid = find_grid(taken_at(coded(codec), ratio), RATIOS)
    assert grid is not None
    assert grid.ratio == ratio
    assert (grid.codec == "mp3") == (codec == "mp3")  # the others' windows are much alike
    assert grid.strength >= SURE


@pytest.mark.parametrize("rate_hz", [8000, 44_100])
def test_sound_that_was_never_coded_has_none(rate_hz):
    assert find_grid(taken_at(band(), Fraction(rate_hz, SOURCE_HZ)), RATIOS) is None


@pytest.mark.parametrize(("tone_hz", "rate_hz"), [(125, 8000), (250, 16_000), (375, 48_000)])
def test_a_tone_that_fits_the_blocks_has_none(tone_hz, rate_hz):
    time = np.arange(8 * rate_hz) / rate_hz
    saw = 0.4 * (2 * ((tone_hz * time + 0.01) % 1) - 1)
    sine = 0.5 * np.sin(2 * np.pi * tone_hz * time)
    for sound in (saw, sine):
        assert find_grid(np.rint(sound * 30_000) / 32_768, ratios()) is None


@pytest.mark.parametrize("scale", [1e-24, 1e-3, 1e30])
def test_loudness_does_not_matter(scale):
    sound = coded("vorbis")
    plain = find_grid(sound, [Fraction(1)])
    assert plain is not None
    assert find_grid(sound * scale, [Fraction(1)]) == plain


def test_sound_is_looked_at_where_it_is_loud():
    silent = np.zeros(8 * SOURCE_HZ)
    assert find_grid(np.concatenate([silent, silent, coded("vorbis")]), [Fraction(1)]) is not None


@pytest.mark.parametrize("count", [0, 1, 4096, 40_000])
def test_of_too_little_sound_nothing_is_said(count):
    assert find_grid(coded("vorbis")[:count], RATIOS) is None


def test_three_seconds_are_enough():
    assert find_grid(coded("vorbis")[: 3 * SOURCE_HZ], [Fraction(1)]) is not None


@pytest.mark.parametrize("value", [0.0, 1.0, np.nan, np.inf])
def test_what_is_no_sound_has_none(value):
    assert find_grid(np.full(200_000, value), RATIOS) is None


@pytest.mark.parametrize("rate_hz", [16_000, 22_050])
def test_coded_sound_is_given_its_rate(rate_hz):
    shares = rate_shares(taken_at(coded("vorbis"), Fraction(rate_hz, SOURCE_HZ)))
    assert RATES_HZ[int(np.argmax(shares))] == rate_hz
    assert shares.sum() == pytest.approx(1)


def test_what_cannot_be_told_apart_is_left_to_the_networks():
    """A grid at the sound's own rate may be one of 44.1 or of 48 kHz, and rarely of less."""
    found = ratios()
    assert set(dict(found[Fraction(1)])) == {44_100, 48_000, 32_000, 24_000, 22_050, 16_000}
    assert set(dict(found[Fraction(1, 2)])) == {22_050, 24_000, 16_000, 11_025, 8000}
    assert {rate for rates in found.values() for rate, _ in rates} == set(RATES_HZ)


@pytest.mark.parametrize("value", [1e-320, 1e300])
def test_the_faintest_and_the_loudest_numbers_are_no_trouble(value):
    sound = np.zeros(100_000)
    sound[::5000] = value
    assert rate_shares(sound).sum() == pytest.approx(1)
