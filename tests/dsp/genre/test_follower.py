"""When the profile changes, in virtual time."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.genre.classes import Opinion
from dsp.genre.follower import HOLD_S, LONGEST_WAIT_S, Follower
from dsp.genre.labels import CLASSES

STEP_S = 0.5


def opinion(name, chance=0.95, other=None):
    shares = np.full(len(CLASSES), (1 - chance) / 5)
    shares[CLASSES.index(name)] = chance
    if other is not None:
        shares[CLASSES.index(other)] = 1 - chance
    return Opinion(shares, float(name == "speech"))


class Play:
    """A follower and its time."""

    def __init__(self):
        self.follower = Follower()
        self.now_s = 0.0
        self.changes = []

    def hear(self, what, seconds, level_db=-20.0, informed=True):
        end_s = self.now_s + seconds
        while self.now_s < end_s - 1e-9:
            self.now_s += STEP_S
            self.follower.note_level(level_db, self.now_s)
            if self.follower.decide(what, self.now_s, informed=informed):
                self.changes.append((self.now_s, self.follower.profile))
        return self


def test_the_first_clear_opinion_counts_at_once():
    assert Play().hear(opinion("jazz"), 1).changes == [(0.5, "jazz")]


def test_an_unclear_first_opinion_takes_some_time():
    ((when_s, profile),) = Play().hear(opinion("rock", 0.75), 8).changes
    assert profile == "rock"
    assert 3 <= when_s <= 4.5


def test_music_is_not_named_before_musicnn_was_asked():
    assert Play().hear(opinion("rock"), 20, informed=False).changes == []
    assert Play().hear(opinion("speech"), 2, informed=False).changes == [(0.5, "speech")]


def test_speech_after_music_is_followed_within_seconds_and_other_music_patiently():
    play = Play().hear(opinion("rock"), 20).hear(opinion("speech"), 10)
    assert [profile for _, profile in play.changes] == ["rock", "speech"]
    assert play.changes[1][0] - 20 <= 3
    play = Play().hear(opinion("rock"), 20).hear(opinion("jazz"), 12)
    assert [profile for _, profile in play.changes] == ["rock", "jazz"]
    assert 6 <= play.changes[1][0] - 20 <= 8


def test_what_is_not_known_changes_nothing():
    play = Play().hear(opinion("rock"), 10)
    play.hear(opinion("jazz", 0.6), 60).hear(Opinion(np.zeros(5), 0.0, silent=True), 60)
    assert [profile for _, profile in play.changes] == ["rock"]


def test_speech_over_music_keeps_the_profile_of_the_music():
    play = Play().hear(opinion("electronic"), 10).hear(opinion("speech", 0.72, "electronic"), 60)
    assert play.follower.profile == "electronic"


def test_a_change_waits_for_a_soft_moment_but_not_for_ever():
    play = Play().hear(opinion("rock"), 20)
    for _ in range(6):  # ever louder
        play.hear(opinion("speech"), STEP_S, level_db=-20 + play.now_s)
    late_s = play.changes[-1][0] - 20
    assert play.follower.profile == "speech"
    soft = Play().hear(opinion("rock"), 20).hear(opinion("speech"), 3, level_db=-40)
    assert soft.changes[-1][0] - 20 < late_s <= soft.changes[-1][0] - 20 + LONGEST_WAIT_S + STEP_S


@given(st.lists(st.tuples(st.sampled_from(CLASSES), st.floats(0.3, 1.0)), max_size=120))
def test_changes_are_never_closer_than_the_hold(steps):
    play = Play()
    for name, chance in steps:
        play.hear(opinion(name, chance), STEP_S)
    times = [when_s for when_s, _ in play.changes]
    assert all(late - early >= HOLD_S for early, late in pairwise(times))


@pytest.mark.parametrize("period_s", [0.5, 1.0, 2.0, 4.0])
def test_flapping_between_kinds_of_music_is_not_followed(period_s):
    play = Play().hear(opinion("rock"), 5)
    while play.now_s < 300:
        play.hear(opinion("electronic"), period_s).hear(opinion("rock"), period_s)
    assert len(play.changes) == 1
