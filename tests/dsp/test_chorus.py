"""The chorus: how far and how fast its copy swings."""

import numpy as np
import pytest

from dsp.chorus import CENTRE, DEEPEST, ChorusSettings
from dsp.strip import LATENCY_SAMPLES, StripSettings
from dsp.units import SettingsError
from tests.dsp.signals import RATE, sine
from tests.dsp.strips import run_one


def copy_of(engine, sound, **settings):
    strip = StripSettings(chorus=ChorusSettings(**{"mix_percent": 100, **settings}))
    return run_one(engine, sound, strip)[LATENCY_SAMPLES:].astype(np.float64)


@pytest.mark.parametrize(("rate_hz", "depth_percent"), [(0.5, 100), (5, 20), (0.05, 1)])
def test_the_copy_swings_as_it_is_set_and_stays_clean(engine, rate_hz, depth_percent):
    frequency_hz = 997
    tone = sine(frequency_hz, -20, 1.0)
    out = copy_of(engine, tone, rate_hz=rate_hz, depth_percent=depth_percent)[4800:]
    n = np.arange(4800, 4800 + len(out))
    for channel, ahead in ((0, 0.0), (1, 0.25)):
        swing = depth_percent / 100 * np.sin(2 * np.pi * (n / RATE * rate_hz + ahead))
        read_at = n - (CENTRE + DEEPEST * swing)
        expected = 0.1 * np.sin(2 * np.pi * frequency_hz * read_at / RATE)
        assert np.abs(out[:, channel] - expected).max() < 1e-4  # −60 dB


@pytest.mark.parametrize("frequency_hz", [100, 1000, 10_000])
def test_without_depth_it_is_a_plain_delay(engine, frequency_hz):
    tone = sine(frequency_hz, -20, 0.3)
    out = copy_of(engine, tone, depth_percent=0)
    assert np.abs(out[CENTRE:] - tone[: len(out) - CENTRE]).max() < 1e-5


@pytest.mark.parametrize("wrong", [{"rate_hz": 6}, {"depth_percent": -1}, {"mix_percent": 101}])
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        ChorusSettings(**wrong)
