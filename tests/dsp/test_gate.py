"""The gate: where it opens and closes, how long it takes, how far it shuts."""

import numpy as np
import pytest

from dsp.gate import GateSettings
from dsp.strip import LATENCY_SAMPLES, StripSettings
from dsp.units import SettingsError
from tests.dsp.signals import RATE, level_db, sine, stereo
from tests.dsp.strips import run_one


def gate(**settings):
    return StripSettings(gate=GateSettings(**settings))


@pytest.mark.parametrize("frequency_hz", [60, 997, 9000])
def test_opens_at_its_threshold(engine, frequency_hz):
    strip = gate(threshold_db=-40)
    for offset_db, is_open in ((-0.5, False), (0.5, True)):
        out = run_one(engine, sine(frequency_hz, -40 + offset_db, 0.4), strip)[9600:]
        expected = -40 + offset_db if is_open else -100 + offset_db
        assert level_db(out) == pytest.approx(expected, abs=0.2)


def test_stays_open_down_to_the_closing_threshold(engine):
    strip = gate(threshold_db=-40, hysteresis_db=8, hold_ms=20, release_ms=20)
    loud = sine(997, -30, 0.2)
    for level, is_open in ((-47.5, True), (-48.5, False)):
        out = run_one(engine, np.concatenate([loud, sine(997, level, 0.6)]), strip)
        expected = level if is_open else level - 60
        assert level_db(out[-9600:]) == pytest.approx(expected, abs=0.2)


def positions(engine, strip, levels):
    """Return the gain over time for direct voltage of the given levels, 0.5 s each."""
    sound = stereo(np.repeat(10 ** (np.array(levels) / 20), RATE // 2))
    out = run_one(engine, np.concatenate([sound, sound[-LATENCY_SAMPLES:]]), strip)
    return out[LATENCY_SAMPLES:, 0] / sound[:, 0]


@pytest.mark.parametrize(("attack_ms", "release_ms", "hold_ms"), [(2.5, 50, 10), (20, 100, 150)])
def test_attack_release_and_hold(engine, attack_ms, release_ms, hold_ms):
    strip = gate(attack_ms=attack_ms, release_ms=release_ms, hold_ms=hold_ms, range_db=-80)
    gain = positions(engine, strip, [-60, -20, -60])
    up = np.argmax(gain[RATE // 2 :] >= 0.632) / RATE * 1000
    assert up == pytest.approx(attack_ms, rel=0.05)
    falling = gain[RATE:]
    held = np.argmax(falling < 0.9999) / RATE * 1000
    assert held == pytest.approx(hold_ms, abs=2)
    down = np.argmax(falling <= 0.368) / RATE * 1000 - hold_ms
    assert down == pytest.approx(release_ms, rel=0.05)


def test_moves_without_corners(engine):
    gain = positions(engine, gate(attack_ms=3, release_ms=20), [-60, -20, -60])
    corners = np.abs(np.diff(gain.astype(np.float64), 2))
    assert corners.max() < 3e-4  # an exponential attack of 3 ms begins with 7e-3


def test_settings_out_of_range_are_named():
    with pytest.raises(SettingsError, match="threshold_db must be between -80 and 0 dBFS"):
        GateSettings(threshold_db=1)
