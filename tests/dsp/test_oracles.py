"""Strips against other people's: FFmpeg's filters, and pedalboard where there is a wheel of it.

Compared is what all define alike: responses, steady gains, times of echoes, loudness, true peaks.
Attack and release are defined differently by everybody. Ours is the compiled engine, with which the
other one agrees (`test_contract.py`).
"""

import functools
import importlib
import importlib.util

import numpy as np
import pytest

from dsp.compressor import CompressorSettings
from dsp.delay import DelaySettings
from dsp.equaliser import BandSettings
from dsp.gate import GateSettings
from dsp.high_pass import HighPassSettings
from dsp.limiter import LimiterSettings
from dsp.loudness import integrated_lufs
from dsp.strip import LATENCY_SAMPLES, StripSettings
from tests.dsp.signals import RATE, impulse, music, speech, stereo, true_peak_db
from tests.dsp.strips import bands, run_one
from tests.support import ffmpeg_filters, recordings

HEIGHT = 0.05
AUDIBLE_HZ = np.geomspace(20, 20_000, 50)
BANDS = [
    BandSettings("peak", 1000, 9, 1),
    BandSettings("peak", 200, -12, 0.7),
    BandSettings("peak", 8000, 18, 6),
    BandSettings("low_shelf", 300, -18, 0.7),
    BandSettings("low_shelf", 1000, 9, 1),
    BandSettings("high_shelf", 8000, 6, 2),
    BandSettings("high_shelf", 3000, -12, 0.7),
]
FFMPEG = {"peak": "equalizer", "low_shelf": "lowshelf", "high_shelf": "highshelf"}
PEDALBOARD = {"peak": "PeakFilter", "low_shelf": "LowShelfFilter", "high_shelf": "HighShelfFilter"}
THRESHOLD_DB = -24.0
LEVELS_DB = [-40.0, -30.0, -24.5, -23.5, -20.0, -10.0, -3.0]


def needs_ffmpeg(*names):
    return pytest.mark.skipif(
        not ffmpeg_filters.are_there(*names), reason=f"PyAV has no {' or '.join(names)}"
    )


@pytest.fixture
def through_pedalboard():
    if importlib.util.find_spec("pedalboard") is None:
        pytest.skip("pedalboard is not installed: requirements-dev.txt")
    try:
        pedalboard = importlib.import_module("pedalboard")
    except ImportError as error:  # its wheel wants libraries of the system's
        pytest.skip(f"pedalboard cannot be used: {error}")

    def process(name, sound, *settings, **named):
        board = pedalboard.Pedalboard([getattr(pedalboard, name)(*settings, **named)])
        # One block: with a longer one than the last it would forget its sound.
        return board(np.ascontiguousarray(sound.T), RATE, buffer_size=len(sound)).T

    return process


@functools.cache
def turns(count):
    """Return a turning pointer for each frequency: complex (frequencies, count)."""
    return np.exp(-2j * np.pi * np.outer(AUDIBLE_HZ, np.arange(count) / RATE))


def response_db(answer):
    """Return the response of what answered an impulse, exactly at each frequency."""
    return 20 * np.log10(np.abs(turns(len(answer)) @ answer[:, 0]) / HEIGHT)


def ours(engine, sound, **stages):
    """Return sound through a strip, without its delay."""
    padded = np.pad(sound, ((0, LATENCY_SAMPLES), (0, 0)))
    return run_one(engine, padded, StripSettings(**stages))[LATENCY_SAMPLES:]


def square(level_db):
    """Return a square wave: its level is the same by peak and by mean, at every instant."""
    t = (np.arange(RATE // 2) + 0.5) / RATE
    return stereo(10 ** (level_db / 20) * np.sign(np.sin(2 * np.pi * 500 * t)))


def steady_db(sound):
    power = np.square(sound[-9600:].astype(np.float64)).mean()
    return 10 * np.log10(power + 1e-20)


def named(band):
    return f"{band.shape} {band.frequency_hz} Hz {band.gain_db} dB"


@needs_ffmpeg(*FFMPEG.values())
@pytest.mark.parametrize("band", BANDS, ids=named)
def test_bands_are_those_of_ffmpeg(compiled, band):
    sound = impulse(RATE, HEIGHT)
    theirs = ffmpeg_filters.filtered(
        sound,
        FFMPEG[band.shape],
        f"frequency={band.frequency_hz}:width_type=q:width={band.q}:gain={band.gain_db}"
        ":precision=f64",
    )
    found = response_db(ours(compiled, sound, equaliser=bands(band)))
    assert np.abs(found - response_db(theirs)).max() < 0.01


@needs_ffmpeg("highpass")
@pytest.mark.parametrize("cutoff_hz", [40, 120, 400])
def test_the_low_cut_is_that_of_ffmpeg(compiled, cutoff_hz):
    sound = impulse(RATE, HEIGHT)
    arguments = f"frequency={cutoff_hz}:width_type=q:width={np.sqrt(0.5)}:precision=f64"
    theirs = ffmpeg_filters.filtered(sound, "highpass", arguments)
    found = response_db(ours(compiled, sound, high_pass=HighPassSettings(cutoff_hz)))
    assert np.abs(found - response_db(theirs)).max() < 0.01


@pytest.mark.parametrize("band", BANDS, ids=named)
def test_bands_are_those_of_pedalboard(compiled, through_pedalboard, band):
    sound = impulse(RATE, HEIGHT)
    settings = (band.frequency_hz, band.gain_db, band.q)
    theirs = through_pedalboard(PEDALBOARD[band.shape], sound, *settings)
    found = response_db(ours(compiled, sound, equaliser=bands(band)))
    assert np.abs(found - response_db(theirs)).max() < 0.01


@needs_ffmpeg("acompressor")
@pytest.mark.parametrize("ratio", [2, 4, 20])
def test_steady_levels_are_compressed_as_by_ffmpeg(compiled, ratio):
    settings = CompressorSettings(THRESHOLD_DB, ratio, 0, 5, 100)
    arguments = (
        f"threshold={10 ** (THRESHOLD_DB / 20)}:ratio={ratio}:knee=1:attack=5:release=100"
        ":detection=peak"
    )
    for level in LEVELS_DB:
        sound = square(level)
        theirs = ffmpeg_filters.filtered(sound, "acompressor", arguments)
        found = ours(compiled, sound, compressor=settings)
        assert steady_db(found) == pytest.approx(steady_db(theirs), abs=0.05), level


def test_steady_levels_are_compressed_as_by_pedalboard(compiled, through_pedalboard):
    settings = CompressorSettings(THRESHOLD_DB, 4, 0, 5, 100)
    for level in LEVELS_DB:
        sound = square(level)
        theirs = through_pedalboard("Compressor", sound, THRESHOLD_DB, 4, 5, 100)
        found = ours(compiled, sound, compressor=settings)
        assert steady_db(found) == pytest.approx(steady_db(theirs), abs=0.05), level


@needs_ffmpeg("agate")
def test_the_gate_opens_at_the_level_of_ffmpegs(compiled):
    settings = GateSettings(THRESHOLD_DB, attack_ms=5, release_ms=100, range_db=-60)
    arguments = (
        f"threshold={10 ** (THRESHOLD_DB / 20)}:ratio=9000:knee=1:attack=5:release=100"
        f":detection=peak:range={10 ** (-60 / 20)}"
    )
    for level in LEVELS_DB:
        sound = square(level)
        theirs = ffmpeg_filters.filtered(sound, "agate", arguments)
        expected = level if level > THRESHOLD_DB else level - 60
        assert steady_db(theirs) == pytest.approx(expected, abs=0.5), level
        found = ours(compiled, sound, gate=settings)
        assert steady_db(found) == pytest.approx(expected, abs=0.5), level


def test_the_gate_opens_at_the_level_of_pedalboards(compiled, through_pedalboard):
    settings = GateSettings(THRESHOLD_DB, attack_ms=5, release_ms=20)
    for level in LEVELS_DB:
        sound = square(level)
        theirs = through_pedalboard("NoiseGate", sound, THRESHOLD_DB, 100, 5, 20)
        found = ours(compiled, sound, gate=settings)
        is_open = level > THRESHOLD_DB
        assert (steady_db(theirs) > level - 1) == (steady_db(found) > level - 1) == is_open, level


@needs_ffmpeg("ebur128")
@pytest.mark.parametrize("name", ["speech", "quiet speech", "music", "voice"])
def test_loudness_and_true_peaks_are_those_of_ffmpeg(name):
    if name == "voice":
        if not recordings.are_there():
            pytest.skip("alsa-utils is not installed")
        sound = np.concatenate([recordings.recording(one) for one in recordings.NAMES])
    else:
        sound = {
            "speech": lambda: speech(8.0, level=0.2),
            "quiet speech": lambda: speech(8.0, seed=3, level=0.01),
            "music": lambda: music(8.0, level=0.3),
        }[name]()
    told = ffmpeg_filters.last_metadata(sound, "ebur128", "metadata=1:peak=true")
    assert integrated_lufs(sound) == pytest.approx(float(told["lavfi.r128.I"]), abs=0.1)
    # It oversamples four times where we do eight times, and tells three digits.
    peak = float(told["lavfi.r128.true_peak"])
    assert 10 ** (true_peak_db(sound) / 20) == pytest.approx(peak, rel=0.02, abs=0.001)


@needs_ffmpeg("ebur128", "alimiter")
@pytest.mark.parametrize("ceiling_db", [-1.0, -12.0])
def test_ffmpeg_finds_no_true_peak_over_the_ceiling(compiled, ceiling_db):
    for sound in (speech(1.5, level=4.0), music(1.5, level=3.0), square(6.0)):
        found = ours(compiled, sound, limiter=LimiterSettings(ceiling_db))
        told = ffmpeg_filters.last_metadata(found, "ebur128", "metadata=1:peak=true")
        assert 20 * np.log10(float(told["lavfi.r128.true_peak"])) <= ceiling_db
        # Its own limiter looks at samples: they keep the ceiling, what is between them does not.
        limit = f"limit={10 ** (ceiling_db / 20)}:level=0"
        theirs = ffmpeg_filters.filtered(sound, "alimiter", limit)
        assert 20 * np.log10(np.abs(theirs).max()) == pytest.approx(ceiling_db, abs=0.01)
        assert np.abs(found).max() <= np.abs(theirs).max()


def test_echoes_are_those_of_pedalboard(compiled, through_pedalboard):
    sound = impulse(RATE // 2, 0.5)
    theirs = through_pedalboard("Delay", sound, delay_seconds=0.1, feedback=0.4, mix=0.5)
    found = ours(compiled, sound, delay=DelaySettings(100, 40, 0, 50))
    assert np.array_equal(*(np.flatnonzero(np.abs(one[:, 0]) > 1e-6) for one in (theirs, found)))
    # Half and half is at equal power here, and at equal amplitude there.
    assert found / np.sqrt(0.5) == pytest.approx(theirs / 0.5, abs=1e-5)
