import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.load.clip import Clip, decode_all, level_byte, make_clip, make_sound
from benchmarks.load.pulses import PULSE_SAMPLES, find_pulses, make_pulse


@settings(max_examples=20, deadline=None)
@given(at=st.integers(0, 40_000), level_db=st.floats(-30, 0), noise=st.booleans())
def test_a_pulse_is_found_to_the_sample_whatever_its_level(at, level_db, noise):
    signal = np.zeros(48_000, np.float32)
    gain = 10 ** (level_db / 20)
    signal[at : at + PULSE_SAMPLES] += np.float32(gain) * make_pulse()
    if noise:
        random = np.random.default_rng(at)
        signal += random.standard_normal(48_000).astype(np.float32) * np.float32(gain / 20)
    found = find_pulses(signal)
    assert found.size == 1
    assert abs(found[0] - at) <= 1


@pytest.mark.slow
def test_sound_without_pulses_has_none():
    assert find_pulses(make_sound(pulses=False)[:, 0]).size == 0
    assert find_pulses(np.zeros(48_000, np.float32)).size == 0
    assert find_pulses(np.zeros(10, np.float32)).size == 0


@pytest.mark.slow
@pytest.mark.parametrize("ptime_ms", [10, 20])
def test_every_pulse_survives_the_codec_at_a_place_that_is_known(ptime_ms):
    clip = make_clip(ptime_ms)
    assert clip.samples == 12 * 48_000
    before = find_pulses(make_sound(pulses=True)[:, 0])
    # 6.5 ms of look-ahead, and the pulses stay irregular.
    assert np.abs(np.array(clip.pulses) - before - 312).max() <= 2
    gaps = np.diff([*clip.pulses, clip.pulses[0] + clip.samples])
    assert gaps.min() > 0.39 * 48_000
    assert np.unique(gaps).size > gaps.size // 2


@pytest.mark.slow
def test_the_end_of_the_loop_fits_its_beginning():
    clip = make_clip(20)
    twice = find_pulses(decode_all(clip.packets * 2)[:, 0])
    assert twice.size == 2 * len(clip.pulses)


def test_the_packets_in_which_pulses_begin_are_numbered_through_all_loops():
    clip = Clip(20, (b"",) * 100, (0,) * 100, (5 * 960 + 3, 50 * 960))
    assert clip.pulse_packets(0, 100) == [5, 50]
    assert clip.pulse_packets(40, 260) == [50, 105, 150, 205, 250]
    assert clip.pulse_packets(6, 50) == []


def test_levels_are_dbov_with_the_voice_flag():
    assert level_byte(np.ones((480, 2), np.float32)) == 0x80
    assert level_byte(np.full((480, 2), 0.1, np.float32)) == 0x80 | 20
    assert level_byte(np.zeros((480, 2), np.float32)) == 0x80 | 127
