"""The compressor: its curve, its times, its distortion."""

import numpy as np
import pytest

from dsp.compressor import HOLD_MS, CompressorSettings, reduction_db
from dsp.strip import LATENCY_SAMPLES, StripSettings
from dsp.units import SettingsError
from tests.dsp.signals import RATE, level_db, sine, stereo, thd_n_db
from tests.dsp.strips import run_one


def compressor(**settings):
    return StripSettings(compressor=CompressorSettings(**settings))


def curve(level, threshold, ratio, knee):
    """Return the output level as Giannoulis et al. give it, equation (4)."""
    over = level - threshold
    if 2 * over < -knee:
        return level
    if 2 * abs(over) <= knee:
        return level + (1 / ratio - 1) * (over + knee / 2) ** 2 / (2 * knee)
    return threshold + over / ratio


@pytest.mark.parametrize(("ratio", "knee"), [(1, 6), (2, 0), (4, 6), (20, 24)])
def test_static_curve(engine, ratio, knee):
    strip = compressor(threshold_db=-30, ratio=ratio, knee_db=knee, release_ms=200)
    for level in range(-54, 0, 6):
        out = run_one(engine, sine(997, level, 0.6), strip)[-19_200:]
        assert level_db(out) == pytest.approx(curve(level, -30, ratio, max(knee, 1e-3)), abs=0.05)


@pytest.mark.parametrize(("attack_ms", "release_ms"), [(0.1, 5), (5, 100), (20, 300), (200, 50)])
def test_attack_and_release_to_63_percent(engine, attack_ms, release_ms):
    strip = compressor(
        threshold_db=-30, ratio=4, knee_db=0, attack_ms=attack_ms, release_ms=release_ms
    )
    levels = np.repeat([-40.0, -11.0, -40.0], [RATE // 10, 2 * RATE, 2 * RATE])
    sound = stereo(10 ** (levels / 20))
    out = run_one(engine, np.concatenate([sound, sound[-LATENCY_SAMPLES:]]), strip)
    change_db = 20 * np.log10(out[LATENCY_SAMPLES:, 0] / sound[:, 0])
    steady_db = reduction_db(strip.compressor, -11.0)
    step_ms = 1000 / RATE
    attack = np.argmax(change_db[RATE // 10 :] <= 0.632 * steady_db) * step_ms
    assert attack == pytest.approx(attack_ms, rel=0.05, abs=step_ms)
    falling = change_db[RATE // 10 + 2 * RATE :]
    release = np.argmax(falling >= 0.368 * steady_db) * step_ms - HOLD_MS
    assert release == pytest.approx(release_ms, rel=0.05, abs=step_ms)


def test_distortion_of_100_hz(engine):
    strip = compressor(threshold_db=-20, ratio=4, knee_db=6, attack_ms=5, release_ms=100)
    out = run_one(engine, sine(100, -3, 2.0), strip)[RATE:]
    assert thd_n_db(out[:, 0], 100) <= -50


def test_channels_are_linked(engine):
    sound = sine(440, -6, 0.3)
    sound[:, 1] *= 0.1
    out = run_one(engine, sound, compressor(threshold_db=-30, ratio=8))
    assert np.allclose(out[:, 1], 0.1 * out[:, 0], atol=1e-6)


def test_bass_does_not_work_a_side_chain_without_bass(engine):
    deaf = compressor(threshold_db=-30, ratio=8, sidechain_high_pass_hz=500)
    awake = compressor(threshold_db=-30, ratio=8)
    bass = sine(40, -12, 0.5)
    assert level_db(run_one(engine, bass, deaf)[9600:]) > -14
    assert level_db(run_one(engine, bass, awake)[9600:]) < -26
    treble = sine(7919, -12, 0.5)
    difference = level_db(run_one(engine, treble, deaf)[9600:]) - level_db(
        run_one(engine, treble, awake)[9600:]
    )
    assert abs(difference) < 0.3


def test_make_up(engine):
    quiet = sine(997, -50, 0.3)
    settings = {"threshold_db": -20.0, "ratio": 4.0, "knee_db": 0.0}
    given = run_one(engine, quiet, compressor(**settings, makeup_db=6))[4800:]
    assert level_db(given) == pytest.approx(-44, abs=0.05)
    automatic = run_one(engine, quiet, compressor(**settings, auto_makeup=True))[4800:]
    assert level_db(automatic) == pytest.approx(-50 + 7.5, abs=0.05)


def test_settings_out_of_range_are_named():
    with pytest.raises(SettingsError, match=r"ratio must be between 1 and 20 :1, not 0\.5"):
        CompressorSettings(ratio=0.5)
