"""The reverb: how long it rings, how loud, how wide, how dull."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from dsp.reverb import ReverbSettings, line_lengths
from dsp.strip import LATENCY_SAMPLES, StripSettings
from dsp.units import SettingsError
from tests.dsp.signals import RATE, impulse
from tests.dsp.strips import run_one


def wet(**settings):
    return StripSettings(reverb=ReverbSettings(**{"mix_percent": 100, **settings}))


def answer(engine, seconds, **settings):
    """Return what comes back of an impulse, from the instant when it went in."""
    sound = impulse(int(RATE * seconds) + LATENCY_SAMPLES, 0.5)
    return run_one(engine, sound, wet(**settings))[LATENCY_SAMPLES:].astype(np.float64)


def decay_s(sound):
    """Return the time to −60 dB by the slope from −5 to −35 dB (ISO 3382-1, T30)."""
    energy = np.cumsum((sound**2).sum(axis=1)[::-1])[::-1]
    level_db = 10 * np.log10(energy / energy[0] + 1e-30)
    begin, end = np.argmax(level_db <= -5), np.argmax(level_db <= -35)
    slope = np.polyfit(np.arange(begin, end) / RATE, level_db[begin:end], 1)[0]
    return -60 / slope


@pytest.mark.parametrize("size_percent", [0, 50, 100])
@pytest.mark.parametrize("setting_s", [0.2, 0.5, 2, 10])
def test_it_rings_as_long_as_it_is_set(compiled, size_percent, setting_s):
    settings = {"size_percent": size_percent, "decay_s": setting_s, "damping_percent": 0}
    measured = decay_s(answer(compiled, 1.4 * setting_s + 0.3, **settings))
    assert measured == pytest.approx(setting_s, rel=0.05)


def test_the_other_engine_rings_as_long(engine):
    measured = decay_s(answer(engine, 1.2, decay_s=0.7, damping_percent=0))
    assert measured == pytest.approx(0.7, rel=0.05)


def test_damping_shortens_the_highs_and_leaves_the_lows(compiled):
    sound = answer(compiled, 3, decay_s=2, damping_percent=80)
    low = decay_s(sosfilt(butter(4, 200, "low", fs=RATE, output="sos"), sound, axis=0))
    high = decay_s(sosfilt(butter(4, 6000, "high", fs=RATE, output="sos"), sound, axis=0))
    assert low == pytest.approx(2, rel=0.05)
    assert high < 0.45 * low


@pytest.mark.parametrize("pre_delay_ms", [0, 40, 200])
def test_the_first_reflection_comes_after_the_pre_delay(engine, pre_delay_ms):
    sound = answer(engine, 0.4, pre_delay_ms=pre_delay_ms)
    shortest = min(line_lengths(ReverbSettings()))
    assert np.flatnonzero(np.abs(sound).max(axis=1) > 1e-4)[0] == pre_delay_ms * 48 + shortest


@pytest.mark.parametrize("setting_s", [0.3, 8])
@pytest.mark.parametrize("size_percent", [0, 100])
def test_steady_noise_comes_back_as_loud_as_it_went_in(compiled, setting_s, size_percent):
    noise = (0.02 * np.random.default_rng(3).standard_normal((5 * RATE, 2))).astype(np.float32)
    noise[:, 1] = noise[:, 0]  # a voice in the middle
    strip = wet(decay_s=setting_s, size_percent=size_percent, damping_percent=0)
    out = run_one(compiled, noise, strip)[-RATE:].astype(np.float64)
    assert 20 * np.log10(out.std(axis=0) / 0.02) == pytest.approx(0, abs=1)
    assert abs(np.corrcoef(out.T)[0, 1]) < 0.1  # and from both sides, differently


def test_nothing_of_the_plain_sound_is_left_at_100_percent(engine):
    assert not answer(engine, 0.02, pre_delay_ms=100).any()


@pytest.mark.parametrize(
    "wrong", [{"size_percent": 101}, {"decay_s": 0.1}, {"pre_delay_ms": -1}, {"mix_percent": 101}]
)
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        ReverbSettings(**wrong)
