"""The limiter: nothing over the ceiling, nothing changed below it, no distortion, no click."""

import numpy as np
import pytest

from dsp.limiter import LimiterSettings
from dsp.strip import LATENCY_SAMPLES, StripSettings
from dsp.units import SettingsError
from tests.dsp.signals import RATE, impulse, music, sine, speech, stereo, thd_n_db, true_peak_db
from tests.dsp.strips import run_one


def square(frequency_hz, seconds, level=1.0):
    t = np.arange(int(RATE * seconds)) / RATE
    return stereo(level * np.sign(np.sin(2 * np.pi * frequency_hz * t + 0.1)))


def impulses(seconds, seed=4):
    random = np.random.default_rng(seed)
    sound = np.zeros((int(RATE * seconds), 2), np.float32)
    places = random.integers(0, len(sound), 60)
    sound[places] = random.uniform(-4, 4, (60, 2))
    return sound


def ended(sound):
    """Return a sound with silence behind it, so that its end comes out of the limiter too."""
    return np.concatenate([sound, np.zeros((960, 2), np.float32)])


HARD = {
    "speech": speech(2.0, level=3.0),
    "music": music(2.0, level=4.0),
    "square 55 Hz": square(55, 0.5, 2.0),
    "square 997 Hz": square(997, 0.5, 2.0),
    "square 5.1 kHz": square(5100, 0.5, 2.0),
    "impulses": impulses(2.0),
    "quarter of the rate": stereo(1.4 * np.sin(np.pi / 2 * np.arange(24_000) + np.pi / 4)),
    "tone burst": np.concatenate([sine(3000, -40, 0.1), sine(3000, 12, 0.1)]),
}
HARD = {name: ended(sound) for name, sound in HARD.items()}


@pytest.mark.parametrize("ceiling_dbtp", [-1, -6])
@pytest.mark.parametrize("sound", HARD)
def test_true_peaks_stay_under_the_ceiling(engine, sound, ceiling_dbtp):
    strip = StripSettings(limiter=LimiterSettings(ceiling_dbtp))
    assert true_peak_db(run_one(engine, HARD[sound], strip)) <= ceiling_dbtp


@pytest.mark.parametrize("release_ms", [5, 1000])
def test_the_release_does_not_matter_for_that(compiled, release_ms):
    strip = StripSettings(limiter=LimiterSettings(-1, release_ms))
    for sound in HARD.values():
        assert true_peak_db(run_one(compiled, sound, strip)) <= -1


def test_what_is_below_is_only_delayed(engine):
    sound = speech(0.5, level=0.1)
    out = run_one(engine, sound, StripSettings(limiter=LimiterSettings(-1)))
    assert np.array_equal(out[LATENCY_SAMPLES:], sound[:-LATENCY_SAMPLES])


def test_gives_back_all_it_took(engine):
    sound = np.concatenate([sine(440, 6, 0.1), speech(0.6, level=0.1)])
    out = run_one(engine, sound, StripSettings(limiter=LimiterSettings(-1, release_ms=20)))
    tail = slice(-9600, None)
    late = np.roll(sound, LATENCY_SAMPLES, axis=0)
    assert np.array_equal(out[tail], late[tail])


def test_distortion_at_10_db_of_limiting(engine):
    out = run_one(engine, sine(100, 0, 2.0), StripSettings(limiter=LimiterSettings(-10)))
    assert thd_n_db(out[RATE:, 0], 100) <= -80


def test_one_peak_is_turned_down_in_both_channels_alike(engine):
    sound = sine(440, -12, 0.2)
    sound[4800, 0] = 1.0
    out = run_one(engine, sound, StripSettings(limiter=LimiterSettings(-6)))
    at = 4800 + LATENCY_SAMPLES
    assert out[at - 40, 0] == pytest.approx(out[at - 40, 1])
    assert abs(out[at - 4, 1]) < 0.6 * abs(sound[4796, 1]) + 1e-3


def test_an_impulse_keeps_its_shape(engine):
    out = run_one(engine, impulse(960, 1.0), StripSettings(limiter=LimiterSettings(-6)))
    assert np.count_nonzero(out[:, 0]) == 1


def test_settings_out_of_range_are_named():
    with pytest.raises(SettingsError, match="ceiling_dbtp"):
        LimiterSettings(ceiling_dbtp=0.5)
