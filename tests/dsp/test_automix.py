"""Automix and ducking."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.automix import GainSharing
from dsp.ducker import Ducker

BLOCK_S = 0.01


def run(sharing, powers, blocks=200):
    numbers = list(range(len(powers)))
    for _ in range(blocks):
        gains = sharing.process(numbers, np.array(powers), BLOCK_S)
    return 20 * np.log10(gains)


@given(
    st.lists(
        st.lists(st.floats(0, 10), min_size=1, max_size=8),
        min_size=1,
        max_size=30,
    )
)
def test_the_open_microphone_sum_stays_one_whoever_speaks(blocks):
    sharing = GainSharing()
    for powers in blocks:
        gains = sharing.process(range(len(powers)), np.array(powers), BLOCK_S)
        assert np.sum(gains**2) == pytest.approx(1.0)


def test_one_who_speaks_alone_has_all_of_the_gain():
    assert run(GainSharing(), [1e-2, 1e-7, 1e-7])[0] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("count", [2, 4, 10])
def test_equal_talkers_share_alike(count):
    assert run(GainSharing(), [1e-2] * count) == pytest.approx(-10 * np.log10(count), abs=0.01)


def test_of_two_talkers_each_is_down_by_what_it_lacks_of_the_sum():
    gains_db = run(GainSharing(), [4e-2, 1e-2])
    assert gains_db == pytest.approx(10 * np.log10([0.8, 0.2]), abs=0.01)


def test_a_first_syllable_is_whole_and_a_pause_changes_little():
    sharing = GainSharing()
    run(sharing, [1e-6, 1e-6])
    assert run(sharing, [1e-2, 1e-6], blocks=2)[0] > -0.5
    run(sharing, [1e-2, 1e-2])
    assert run(sharing, [1e-6, 1e-2], blocks=5)[0] > -5


def test_who_goes_leaves_its_gain_to_the_others():
    sharing = GainSharing()
    run(sharing, [1e-2, 1e-2])
    (gain,) = sharing.process([1], np.array([1e-2]), BLOCK_S)
    assert gain == pytest.approx(1.0)


def test_music_goes_down_fast_stays_and_comes_back_slowly():
    ducker = Ducker()
    down = [ducker.advance(12, speaking=True, seconds=BLOCK_S) for _ in range(30)]
    assert down[-1] == -12
    assert down[4] < -3
    pause = [ducker.advance(12, speaking=False, seconds=BLOCK_S) for _ in range(70)]
    assert pause[-1] == -12
    back = [ducker.advance(12, speaking=False, seconds=BLOCK_S) for _ in range(200)]
    assert back[-1] == 0
    assert max(np.diff(back)) < 0.2


def test_another_depth_is_gone_to_without_a_jump():
    ducker = Ducker()
    for _ in range(100):
        ducker.advance(20, speaking=True, seconds=BLOCK_S)
    way = [ducker.advance(0, speaking=True, seconds=BLOCK_S) for _ in range(300)]
    assert way[-1] == 0
    assert max(np.diff([-20, *way])) < 0.2
