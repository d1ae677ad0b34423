"""The filters against the cookbook's formulae, written out here once more."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import freqz_sos

from dsp import svf
from dsp.equaliser import BandSettings
from dsp.high_pass import HighPassSettings
from dsp.strip import LATENCY_SAMPLES, StripSettings
from dsp.units import SettingsError
from tests.dsp.signals import RATE, impulse
from tests.dsp.strips import EQUALISER, bands, run_one

AUDIBLE_HZ = np.geomspace(20, 20_000, 400)
ROW = 480


def cookbook(shape, frequency_hz, gain_db, q):
    """Return b0 b1 b2 a0 a1 a2 as the Audio EQ Cookbook writes them."""
    a = 10 ** (gain_db / 40)
    w = 2 * math.pi * frequency_hz / RATE
    c, alpha = math.cos(w), math.sin(w) / (2 * q)
    s = 2 * math.sqrt(a) * alpha
    if shape == "peak":
        b = [1 + alpha * a, -2 * c, 1 - alpha * a]
        d = [1 + alpha / a, -2 * c, 1 - alpha / a]
    elif shape == "low_shelf":
        b = [a * (a + 1 - (a - 1) * c + s), 2 * a * (a - 1 - (a + 1) * c),
             a * (a + 1 - (a - 1) * c - s)]  # fmt: skip
        d = [a + 1 + (a - 1) * c + s, -2 * (a - 1 + (a + 1) * c), a + 1 + (a - 1) * c - s]
    elif shape == "high_shelf":
        b = [a * (a + 1 + (a - 1) * c + s), -2 * a * (a - 1 + (a + 1) * c),
             a * (a + 1 + (a - 1) * c - s)]  # fmt: skip
        d = [a + 1 - (a - 1) * c + s, 2 * (a - 1 - (a + 1) * c), a + 1 - (a - 1) * c - s]
    else:
        b = [(1 + c) / 2, -(1 + c), (1 + c) / 2]
        d = [1 + alpha, -2 * c, 1 - alpha]
    return np.array([*b, *d]) / d[0]


def response_db(sos):
    return 20 * np.log10(np.abs(freqz_sos(sos, AUDIBLE_HZ, fs=RATE)[1]))


def measured_db(engine, strip, seconds=4.0):
    """Return the strip's response, by its answer to an impulse that has died away."""
    length = int(RATE * seconds)
    answer = run_one(engine, impulse(length, 0.05), strip)[LATENCY_SAMPLES:, 0] / 0.05
    # The sum over time at each frequency, exactly: no bin lies beside it. Row by row, for all rows
    # turn alike but for where they begin.
    rows = np.pad(answer, (0, -len(answer) % ROW)).reshape(-1, ROW).astype(np.float64)
    turn = -2j * np.pi * AUDIBLE_HZ[::8] / RATE
    within = np.exp(np.arange(ROW)[:, None] * turn)
    begin = np.exp(ROW * np.arange(len(rows))[:, None] * turn)
    return 20 * np.log10(np.abs((rows @ within * begin).sum(axis=0)))


@given(
    st.sampled_from(["low_shelf", "peak", "high_shelf"]),
    st.floats(20, 20_000),
    st.floats(-18, 18),
    st.floats(0.1, 10),
)
@settings(max_examples=200)
def test_sections_have_the_cookbook_s_response(shape, frequency_hz, gain_db, q):
    section = {"low_shelf": svf.low_shelf, "peak": svf.peak, "high_shelf": svf.high_shelf}[shape]
    ours = response_db(svf.to_sos(np.array([section(frequency_hz, gain_db, q)])))
    theirs = response_db(cookbook(shape, frequency_hz, gain_db, q)[None])
    assert np.abs(ours - theirs).max() < 1e-6


@pytest.mark.parametrize(
    ("shape", "frequency_hz", "gain_db", "q"),
    [
        ("peak", 20, -18, 10),
        ("peak", 30, 12, 4),
        ("peak", 1000, -18, 0.1),
        ("peak", 15_000, 9, 2),
        ("low_shelf", 40, 18, 0.7),
        ("low_shelf", 5000, -12, 1.5),
        ("high_shelf", 50, -18, 0.7),
        ("high_shelf", 12_000, 6, 0.5),
    ],
)
def test_sound_passes_as_the_cookbook_says(engine, shape, frequency_hz, gain_db, q):
    strip = StripSettings(equaliser=bands(BandSettings(shape, frequency_hz, gain_db, q)))
    expected = response_db(cookbook(shape, frequency_hz, gain_db, q)[None])[::8]
    assert np.abs(measured_db(engine, strip) - expected).max() < 0.01


def test_five_bands_in_series(engine):
    sos = np.array([cookbook(b.shape, b.frequency_hz, b.gain_db, b.q) for b in EQUALISER.bands])
    measured = measured_db(engine, StripSettings(equaliser=EQUALISER))
    assert np.abs(measured - response_db(sos)[::8]).max() < 0.01


@pytest.mark.parametrize("cutoff_hz", [20, 80, 400])
def test_high_pass_is_second_order_butterworth(engine, cutoff_hz):
    strip = StripSettings(high_pass=HighPassSettings(cutoff_hz))
    expected = response_db(cookbook("high_pass", cutoff_hz, 0, math.sqrt(0.5))[None])[::8]
    assert np.abs(measured_db(engine, strip) - expected).max() < 0.01


@pytest.mark.parametrize(
    "wrong",
    [
        {"frequency_hz": 19.9},
        {"frequency_hz": 20_001.0},
        {"gain_db": 18.1},
        {"gain_db": math.nan},
        {"q": 0.0},
    ],
)
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        BandSettings(**wrong)
