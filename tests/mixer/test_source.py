"""Levels, engagement and speech of one source, block by block of virtual time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer import kernels
from mixer.arena import SourceArena
from mixer.kernels import HANGOVER_S, level_dbov
from mixer.levels import AUDIBLE_DBOV, SILENCE_DBOV
from mixer.source import Source
from tests.mixer.stage import Voice

BLOCK_S = 0.01


class Hours:
    """A source with its clock."""

    def __init__(self):
        self.arena = SourceArena(1)
        self.source = Source("anna", 7, self.arena.take(), self.arena, Voice(300.0))
        self.source.present = True
        self.now_s = 100.0

    def play(self, dbov, seconds):
        self.source.view[:] = 10 ** (-dbov / 20)
        for _ in range(round(seconds / BLOCK_S)):
            self.observe()
            self.now_s += BLOCK_S

    def is_in(self):
        self.observe()
        return self.source.wants_in

    def observe(self):
        rows = np.array([self.source.row], np.int32)
        kernels.observe(self.arena.data, self.arena.meters, rows, 480, BLOCK_S, self.now_s)


@pytest.mark.parametrize(
    ("square", "level"),
    [(1.0, 0), (0.5, 3), (0.1, 10), (1e-6, 60), (1e-12, 120), (2e-13, 127), (0.0, 127), (4.0, 0)],
)
def test_the_level_counts_decibels_below_full_scale(square, level):
    assert level_dbov(square) == level


@given(st.floats(0, 4), st.floats(0, 4))
def test_more_power_is_never_a_quieter_level(one, other):
    low, high = sorted((one, other))
    assert 0 <= level_dbov(high) <= level_dbov(low) <= SILENCE_DBOV


def test_it_is_in_from_the_first_audible_block_until_the_hangover_is_over():
    hours = Hours()
    assert not hours.is_in()
    hours.play(AUDIBLE_DBOV - 5, 0.01)
    assert hours.is_in()
    hours.play(AUDIBLE_DBOV + 10, HANGOVER_S - 0.05)
    assert hours.is_in()
    hours.play(AUDIBLE_DBOV + 10, 0.1)
    assert not hours.is_in()


def test_what_is_never_audible_is_never_in():
    hours = Hours()
    hours.play(AUDIBLE_DBOV + 1, 5.0)
    assert not hours.is_in()


def test_muting_takes_it_out_at_once_and_unmuting_waits_for_sound():
    hours = Hours()
    hours.play(20, 1.0)
    hours.source.muted = True
    assert not hours.is_in()
    hours.play(20, 1.0)
    hours.source.muted = False
    hours.play(AUDIBLE_DBOV + 1, 0.01)
    assert not hours.is_in()
    hours.play(20, 0.01)
    assert hours.is_in()


def test_speech_over_a_noise_floor_is_told_from_the_noise():
    hours = Hours()
    hours.play(127, 1.0)  # the microphone was off
    hours.play(42, 8.0)  # an air conditioner, above the fixed threshold
    assert not hours.source.speaking
    hours.play(25, 0.3)
    assert hours.source.speaking
    hours.play(42, 1.0)
    assert not hours.source.speaking


@pytest.mark.parametrize("dbov", [60, 90, 127])
def test_what_is_far_too_quiet_is_not_speech(dbov):
    hours = Hours()
    hours.play(127, 1.0)
    hours.play(dbov, 1.0)
    assert not hours.source.speaking


def test_loud_music_without_pauses_counts_as_speaking():
    hours = Hours()
    hours.play(20, 30.0)
    assert hours.source.speaking


def test_nobody_speaks_while_muted_or_at_rest():
    hours = Hours()
    hours.play(20, 1.0)
    assert hours.source.speaking
    hours.source.present = False
    assert (hours.source.speaking, hours.source.level) == (False, SILENCE_DBOV)
    hours.source.present = True
    hours.play(20, 1.0)
    hours.source.muted = True
    hours.play(20, 0.01)
    assert not hours.source.speaking


def test_the_level_of_the_muted_is_told_to_nobody():
    hours = Hours()
    hours.play(20, 1.0)
    hours.source.muted = True
    assert (hours.source.level, hours.source.speaking) == (SILENCE_DBOV, False)
    hours.play(3, 5.0)
    assert (hours.source.level, hours.source.speaking) == (SILENCE_DBOV, False)
    hours.source.muted = False
    hours.play(20, 0.01)
    assert hours.source.level == 20
