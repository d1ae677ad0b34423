"""The loudness meter against the standard, its test signals, and another implementation."""

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.loudness import SILENCE_LUFS, LoudnessBank, integrated_lufs, lufs, power_of
from tests.dsp.signals import RATE, music, sine, speech
from tests.support import recordings

PART = RATE // 10
ROW = np.zeros(1, np.int32)


def measured(sound, sizes=(480,)):
    """Return a bank that has heard `sound` on row 0 in blocks of these sizes, in turn."""
    bank = LoudnessBank(integrates=True)
    bank.take(0)
    arena, first, turn = np.ascontiguousarray(sound)[None], 0, 0
    while first < len(sound):
        count = min(sizes[turn % len(sizes)], len(sound) - first)
        bank.process(arena, ROW, first, count)
        first, turn = first + count, turn + 1
    return bank


def whole_parts(sound):
    return sound[: len(sound) // PART * PART]


SOUNDS = {
    "speech": lambda: speech(12.0, level=0.2),
    "quiet speech": lambda: speech(12.0, seed=3, level=0.01),
    "music": lambda: music(8.0, level=0.3),
    "one side": lambda: music(8.0, seed=2, level=0.3) * np.array([1, 0], np.float32),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_it_agrees_with_another_meter(name):
    sound = whole_parts(SOUNDS[name]())
    ours = integrated_lufs(sound)
    exact = pyloudnorm.Meter(RATE, filter_class="DeMan")  # the others are 0.04 LU off by themselves
    assert ours == pytest.approx(exact.integrated_loudness(sound.astype(float)), abs=0.02)
    usual = pyloudnorm.Meter(RATE)
    assert ours == pytest.approx(usual.integrated_loudness(sound.astype(float)), abs=0.1)


@pytest.mark.skipif(not recordings.are_there(), reason="alsa-utils is not installed")
@pytest.mark.parametrize("name", recordings.NAMES)
@pytest.mark.parametrize("gain_db", [-20.0, 0.0])
def test_it_agrees_with_another_meter_on_a_real_voice(name, gain_db):
    voice = recordings.recording(name) * np.float32(10 ** (gain_db / 20))
    sound = whole_parts(np.concatenate([voice] * 3))
    theirs = pyloudnorm.Meter(RATE).integrated_loudness(sound.astype(float))
    assert integrated_lufs(sound) == pytest.approx(theirs, abs=0.1)


@pytest.mark.parametrize("level_db", [-40.0, -23.0, -3.0])
def test_a_sine_on_both_channels_is_as_loud_as_its_peak(level_db):
    # EBU Tech 3341, cases 1 and 2.
    bank = measured(sine(1000, level_db, 5.0))
    assert bank.integrated(0) == pytest.approx(level_db, abs=0.1)
    assert bank.momentary(ROW)[0] == pytest.approx(level_db, abs=0.1)
    assert bank.short_term(ROW)[0] == pytest.approx(level_db, abs=0.1)


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),  # case 3
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),  # case 4
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),  # case 5
    ],
)
def test_pauses_do_not_count(steps, wanted):
    sound = np.concatenate([sine(1000, level_db, seconds) for level_db, seconds in steps])
    assert integrated_lufs(sound) == pytest.approx(wanted, abs=0.1)


def test_short_term_looks_back_three_seconds_and_momentary_400_ms():
    bank = measured(np.concatenate([sine(1000, -20, 4.0), np.zeros((RATE // 2, 2), np.float32)]))
    assert bank.momentary(ROW)[0] < -60
    assert bank.short_term(ROW)[0] == pytest.approx(-20 + 10 * np.log10(2.5 / 3), abs=0.1)


def test_silence_that_goes_by_is_as_silence_that_is_heard():
    sound = speech(1.0)
    heard = measured(np.concatenate([sound, np.zeros((RATE, 2), np.float32)]))
    waited = measured(sound)
    waited.rest(0)
    for _ in range(100):
        waited.wait(ROW, 480)
    assert waited.short_term(ROW)[0] == pytest.approx(heard.short_term(ROW)[0], abs=0.05)
    assert waited.momentary(ROW)[0] < -80


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 6000), min_size=1, max_size=5))
def test_it_does_not_depend_on_how_sound_is_cut(sizes):
    sound = speech(1.3, seed=5)
    one, other = measured(sound, sizes), measured(sound)
    assert one.momentary(ROW) == other.momentary(ROW)
    assert one.short_term(ROW) == other.short_term(ROW)
    assert one.integrated(0) == other.integrated(0)


def test_it_does_not_depend_on_neighbours():
    sounds = [speech(1.0, seed) for seed in range(5)]
    arena = np.stack(sounds)
    rows = np.array([3, 0, 4, 1], np.int32)
    bank = LoudnessBank()
    for row in range(5):
        bank.take(row)
    powers, fresh = bank.process(arena, rows, 0, RATE)
    assert fresh.all()
    for row, power, loudness in zip(rows, powers, bank.short_term(rows), strict=True):
        alone = LoudnessBank()
        alone.take(0)
        (single,), _ = alone.process(sounds[row][None], ROW, 0, RATE)
        assert single == power
        assert alone.short_term(ROW)[0] == loudness
    assert bank.short_term(np.array([2], np.int32))[0] == SILENCE_LUFS


def test_the_power_of_a_block_tells_its_loudness_when_it_is_steady():
    bank = measured(sine(1000, -20, 1.0))
    powers, fresh = bank.process(sine(1000, -20, 0.02)[None], ROW, 0, 960)
    assert lufs(powers)[0] == pytest.approx(-20, abs=0.1)
    assert lufs(np.array([power_of(-33.0)]))[0] == pytest.approx(-33.0)
    assert not fresh[0]


def test_what_is_no_number_is_forgotten_at_once():
    bank = measured(speech(0.5))
    bad = np.full((1, 480, 2), np.nan, np.float32)
    bad[0, 100:] = np.inf
    bank.process(bad, ROW, 0, 480)
    bank.process(sine(1000, -20, 4.0)[None], ROW, 0, 4 * RATE)
    assert bank.short_term(ROW)[0] == pytest.approx(-20, abs=0.1)


def test_a_row_begins_afresh_with_its_next_holder():
    bank = measured(speech(4.0))
    assert bank.integrated(0) > -40
    bank.take(0)
    assert bank.short_term(ROW)[0] == SILENCE_LUFS
    assert bank.integrated(0) == SILENCE_LUFS
