"""The delay: when its echoes come, how loud, how dull."""

from itertools import pairwise

import numpy as np
import pytest

from dsp.delay import DelaySettings
from dsp.strip import LATENCY_SAMPLES, StripSettings
from dsp.units import SettingsError
from tests.dsp.signals import RATE, impulse, level_db, sine
from tests.dsp.strips import run_one


def echoes(engine, seconds, **settings):
    sound = impulse(int(RATE * seconds) + LATENCY_SAMPLES, 0.5)
    strip = StripSettings(delay=DelaySettings(**settings))
    return run_one(engine, sound, strip)[LATENCY_SAMPLES:, 0].astype(np.float64) / 0.5


@pytest.mark.parametrize("time_ms", [1, 12.5, 300, 2000])
def test_echoes_come_at_their_time_and_fall_by_the_feedback(engine, time_ms):
    time = round(time_ms * 48)
    out = echoes(
        engine,
        3.2 * time_ms / 1000,
        time_ms=time_ms,
        feedback_percent=60,
        damping_percent=0,
        mix_percent=50,
    )
    share = np.sqrt(0.5)
    assert np.array_equal(np.flatnonzero(np.abs(out) > 1e-6), time * np.arange(4))
    assert out[::time][:4] == pytest.approx(share * np.array([1, 1, 0.6, 0.36]), rel=1e-5)


def test_each_repeat_is_duller_than_the_last(engine):
    out = echoes(engine, 0.5, time_ms=100, feedback_percent=90, damping_percent=60, mix_percent=100)
    spectra = [np.abs(np.fft.rfft(out[4800 * k - 2 :][:4000])) for k in (1, 2, 3, 4)]
    tilt = [spectrum[1500:].mean() / spectrum[:50].mean() for spectrum in spectra]
    assert tilt[0] == pytest.approx(1, rel=0.02)
    assert all(later < 0.7 * earlier for earlier, later in pairwise(tilt))


def test_a_new_time_keeps_the_pitch(compiled):
    tone = sine(1000, -20, 1.0)
    before, after = (
        StripSettings(delay=DelaySettings(time_ms, 0, 0, 100)) for time_ms in (100, 250)
    )
    out = run_one(compiled, tone, before, changes={RATE // 2: [after]})[RATE // 2 : RATE * 3 // 4]
    spectrum = np.abs(np.fft.rfft(out[:, 0] * np.hanning(len(out))))
    at = round(1000 * len(out) / RATE)
    assert spectrum.argmax() == at
    assert level_db(out[4800:]) == pytest.approx(-20, abs=0.1)


@pytest.mark.parametrize("wrong", [{"time_ms": 0.5}, {"time_ms": 2001}, {"feedback_percent": 96}])
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        DelaySettings(**wrong)
