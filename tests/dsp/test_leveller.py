"""Automatic level: voices come to the target, and what is no voice is left alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.leveller import LevellerBank, LevellerSettings
from dsp.loudness import integrated_lufs
from dsp.units import SettingsError
from tests.dsp.signals import RATE, sine, speech
from tests.support import recordings

ROW = np.zeros(1, np.int32)
AFTER = 3 * RATE


def at(sound, loudness_lufs):
    return sound * np.float32(10 ** ((loudness_lufs - integrated_lufs(sound)) / 20))


def levelled(sound, settings=None, size=480, bank=None):
    """Return the sound through a leveller, in blocks, and the leveller."""
    if bank is None:
        bank = LevellerBank()
        bank.set(0, settings or LevellerSettings())
    arena = np.ascontiguousarray(sound)[None].copy()
    for first in range(0, len(sound), size):
        if bank.levels(0):
            bank.process(arena, ROW, first, min(size, len(sound) - first))
    return arena[0], bank


@pytest.mark.slow
@pytest.mark.parametrize("loudness_lufs", [-35.0, -27.0, -20.0, -10.0])
@pytest.mark.parametrize("target_lufs", [-24.0, -16.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_voice_is_at_the_target_after_three_seconds(loudness_lufs, target_lufs, seed):
    voice = at(speech(12.0, seed), loudness_lufs)
    sound, _ = levelled(voice, LevellerSettings(target_lufs=target_lufs))
    assert integrated_lufs(sound[AFTER:]) == pytest.approx(target_lufs, abs=1.5)


@pytest.mark.skipif(not recordings.are_there(), reason="alsa-utils is not installed")
@pytest.mark.parametrize("loudness_lufs", [-35.0, -20.0, -10.0])
def test_a_real_voice_is_at_the_target_after_three_seconds(loudness_lufs):
    voice = np.concatenate([recordings.recording(name) for name in recordings.NAMES])
    sound, _ = levelled(at(voice, loudness_lufs))
    assert integrated_lufs(sound[AFTER:]) == pytest.approx(-20.0, abs=1.5)


def test_another_voice_at_the_same_microphone_is_levelled_too():
    near, far = at(speech(8.0, 1), -15.0), at(speech(12.0, 2), -38.0)
    sound, _ = levelled(np.concatenate([near, far]))
    assert integrated_lufs(sound[len(near) + 2 * AFTER :]) == pytest.approx(-20.0, abs=1.5)


@pytest.mark.parametrize("loudness_lufs", [-50.0, -40.0, -30.0])
def test_steady_noise_is_not_raised(loudness_lufs):
    noise = np.random.default_rng(1).standard_normal((10 * RATE, 2)).astype(np.float32)
    noise = at(0.1 * noise, loudness_lufs)
    sound, bank = levelled(noise)
    assert bank.gain_db(0) == 0.0
    assert np.array_equal(sound, noise)


def test_the_gain_waits_while_nobody_speaks():
    _, bank = levelled(at(speech(6.0), -35.0))
    gain_db = bank.gain_db(0)
    assert gain_db > 10
    bank.rest(0)
    hiss = np.random.default_rng(2).standard_normal((20 * RATE, 2)).astype(np.float32)
    levelled(1e-4 * hiss, bank=bank)
    assert bank.gain_db(0) == pytest.approx(gain_db, abs=0.5)


def test_the_gain_has_bounds_and_neither_steps_nor_jumps():
    voice = at(speech(10.0), -50.0)
    sound, bank = levelled(voice, LevellerSettings(target_lufs=-10, most_db=9.0))
    assert bank.gain_db(0) == pytest.approx(9.0)
    loud = np.abs(voice[:, 0]) > 1e-4
    gain_db = 20 * np.log10(np.abs(sound[:, 0] / np.where(loud, voice[:, 0], 1)) + 1e-9)
    assert np.abs(np.diff(gain_db))[loud[1:] & loud[:-1]].max() < 0.05


def test_switched_off_it_goes_back_without_a_step():
    tone = sine(1000, -20, 1.0)
    _, bank = levelled(at(speech(5.0), -35.0))
    bank.set(0, None)
    sound, _ = levelled(tone, bank=bank)
    assert not bank.levels(0)
    assert np.array_equal(sound[RATE // 2 :], tone[RATE // 2 :])
    assert (
        np.abs(np.diff(sound, axis=0)).max()
        < 1.1 * 10 ** (15.5 / 20) * np.abs(np.diff(tone, axis=0)).max()
    )


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4800))
def test_any_size_of_blocks_leads_to_the_same_loudness(size):
    voice = at(speech(5.0), -30.0)
    sound, bank = levelled(voice, size=size)
    _, usual = levelled(voice)
    assert bank.gain_db(0) == pytest.approx(usual.gain_db(0), abs=0.3)
    assert np.isfinite(sound).all()


def test_rows_do_not_see_each_other():
    sounds = [at(speech(4.0, seed), loudness) for seed, loudness in enumerate((-35, -12, -25))]
    arena = np.stack(sounds)
    bank = LevellerBank()
    for row in range(3):
        bank.set(row, LevellerSettings())
    for first in range(0, arena.shape[1], 480):
        bank.process(arena, np.array([2, 0, 1], np.int32), first, 480)
    for row, sound in enumerate(sounds):
        assert np.array_equal(arena[row], levelled(sound)[0])


@pytest.mark.parametrize(
    "setting", ["target_lufs", "most_db", "least_db", "threshold_lufs", "spread_db", "memory_s"]
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(SettingsError, match=setting):
        LevellerSettings(**{setting: 100.0})
