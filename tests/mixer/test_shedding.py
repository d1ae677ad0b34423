"""What is left out when there is too little time, in which order, and that it is not heard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.outputs import MixKey
from mixer.selection_settings import SelectionSettings
from mixer.shedding import MOST_PATIENCE_S, PATIENCE_S, LoadShedder, Step, selection_at
from tests.mixer.stage import Stage, is_gapless, loudest_step

HARD, MIDDLING, EASY = 0.97, 0.75, 0.3


class Times:
    """A shedder that is asked once a second."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.shedder = LoadShedder(self.now_s)

    def pass_by(self, busy: float, seconds: int = 1, left_out_s: float = 0.0) -> list[Step]:
        """Return the steps that it changed to."""
        changed = []
        for _ in range(seconds):
            self.shedder.worked(busy)
            self.now_s += 1.0
            if self.shedder.look(self.now_s, left_out_s):
                changed.append(self.shedder.step)
        return changed


def test_more_and_more_is_left_out_in_order_and_given_back_in_the_opposite_one() -> None:
    times = Times()
    there = [Step.CLOSED, Step.FEWER, Step.DRY, Step.PLAIN]
    assert times.pass_by(HARD, 20) == there
    assert times.pass_by(EASY, 10) == [Step.DRY, Step.FEWER, Step.CLOSED, Step.WHOLE]


def test_a_burst_leaves_nothing_out() -> None:
    times = Times()
    for _ in range(20):
        assert times.pass_by(HARD, 1) == []
        assert times.pass_by(MIDDLING, 1) == []


def test_what_helps_is_kept_until_there_is_time_again() -> None:
    times = Times()
    assert times.pass_by(HARD, 4) == [Step.CLOSED, Step.FEWER]
    assert times.pass_by(MIDDLING, 600) == []
    assert times.pass_by(EASY, 2) == [Step.CLOSED]


def test_who_is_hindered_by_others_does_less_too_but_not_who_has_little_to_do() -> None:
    assert Times().pass_by(0.55, 4, left_out_s=0.3) == [Step.CLOSED, Step.FEWER]
    assert Times().pass_by(0.05, 60, left_out_s=0.5) == []


def test_what_does_not_last_is_tried_ever_more_seldom() -> None:
    times = Times()
    waits = []
    for _ in range(8):
        assert times.pass_by(HARD, 2) == [Step.CLOSED]
        waits.append(0)
        while times.shedder.step:
            times.pass_by(EASY)
            waits[-1] += 1
    assert waits == [2, 4, 8, 16, 32, 64, 64, 64]
    assert times.shedder.patience_s == MOST_PATIENCE_S
    times.pass_by(EASY, 61)
    times.pass_by(HARD, 2)
    assert times.shedder.patience_s == PATIENCE_S


def test_a_look_without_time_in_between_says_nothing() -> None:
    times = Times()
    times.shedder.worked(5.0)
    assert not times.shedder.look(times.now_s, 0.0)


@given(st.lists(st.tuples(st.floats(0, 1.2), st.floats(0, 1)), max_size=200))
def test_one_step_at_a_time_and_everything_back_within_ten_easy_seconds(
    story: list[tuple[float, float]],
) -> None:
    times = Times()
    for busy, left_out_s in story:
        before = times.shedder.step
        times.pass_by(busy, 1, left_out_s)
        assert abs(times.shedder.step - before) <= 1
    times.pass_by(EASY, int(4 * MOST_PATIENCE_S))
    assert times.shedder.step == Step.WHOLE


@pytest.mark.parametrize(("wanted", "left"), [(1, 1), (2, 2), (3, 2), (6, 3), (15, 7)])
def test_half_as_many_are_heard_but_two_at_least(wanted: int, left: int) -> None:
    settings = SelectionSettings(max_speakers=wanted, hold_ms=700)
    assert selection_at(Step.CLOSED, settings) == settings
    fewer = selection_at(Step.PLAIN, settings)
    assert fewer == SelectionSettings(max_speakers=left, hold_ms=700)


def test_nobody_hears_a_click_a_gap_or_themselves_while_fewer_are_heard_and_again_all() -> None:
    stage = Stage()
    names = [f"singer {number}" for number in range(6)]
    voices = [stage.publish(name, 300.0 + 250.0 * i) for i, name in enumerate(names)]
    for name in [*names, "ear"]:
        stage.subscribe(name)
    wanted = stage.room.selection
    counts = []
    for step in (Step.WHOLE, Step.FEWER, Step.PLAIN, Step.WHOLE):
        stage.room.selection = selection_at(step, wanted)
        stage.tick(300)
        counts.append(len(stage.room.mixes.contributors(MixKey())))
        for name in names:
            shares = next(
                shares
                for block in reversed(stage.blocks)
                if (shares := stage.shares(name, block)) is not None
            )
            assert shares[name] < 0.01
            assert sum(share > 0.5 for share in shares.values()) >= 2
    assert counts == [6, 3, 3, 6]
    for name in [*names, "ear"]:
        assert is_gapless(stage.tapes[name])
        assert stage.steps(name) <= loudest_step(voices, gain=1.2)
        assert np.abs(stage.tapes[name].sound).max() <= 1.0
