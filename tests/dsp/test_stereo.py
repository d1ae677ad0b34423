"""Width and pan."""

import numpy as np
import pytest

from dsp.stereo import StereoSettings
from dsp.strip import LATENCY_SAMPLES, StripSettings
from dsp.units import SettingsError
from tests.dsp.signals import music
from tests.dsp.strips import run_one

SOUND = music(0.2, level=0.1)
LATE = np.roll(SOUND, LATENCY_SAMPLES, axis=0)[LATENCY_SAMPLES:].astype(np.float64)


def out_of(engine, **settings):
    strip = StripSettings(stereo=StereoSettings(**settings))
    return run_one(engine, SOUND, strip)[LATENCY_SAMPLES:].astype(np.float64)


@pytest.mark.parametrize("width_percent", [0, 50, 200])
def test_the_sum_to_mono_is_the_same_at_every_width(engine, width_percent):
    out = out_of(engine, width_percent=width_percent)
    difference = out.sum(axis=1) - LATE.sum(axis=1)
    assert np.abs(difference).max() < 1e-5 * np.abs(LATE.sum(axis=1)).max()  # −100 dB
    side = (out[:, 0] - out[:, 1]) - width_percent / 100 * (LATE[:, 0] - LATE[:, 1])
    assert np.abs(side).max() < 1e-6


@pytest.mark.parametrize(("pan", "left", "right"), [(-1, 1, 0), (1, 0, 1), (0.5, 0.7071, 1)])
def test_pan_turns_the_far_side_down_and_never_one_up(engine, pan, left, right):
    out = out_of(engine, pan=pan)
    assert np.allclose(out, LATE * [left, right], atol=1e-5)


def test_neutral_settings_are_flat():
    assert StripSettings(stereo=StereoSettings()).is_flat


def test_settings_out_of_range_are_named():
    with pytest.raises(SettingsError, match="width_percent"):
        StereoSettings(width_percent=201)
