"""The transit window: which delay it asks for, and when it forgets."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.jitter import MAX_DELAY_S, WINDOW_PACKETS, Transit, TransitSettings, TransitWindow

SPACING_S = 0.010


class Feed:
    """Feeds a window with evenly sent packets."""

    def __init__(self) -> None:
        self.window = TransitWindow()
        self.sent_s = 100.0

    def add(self, *transits_s: float) -> None:
        for transit_s in transits_s:
            self.sent_s += SPACING_S
            assert self.window.add(transit_s, self.sent_s + transit_s) is Transit.ORDINARY

    def steady(self, count: int, transit_s: float = 0.5, spread_s: float = 0.0) -> None:
        rng = random.Random(count)
        self.add(*(transit_s + rng.random() * spread_s for _ in range(count)))


def test_an_even_stream_asks_for_no_delay() -> None:
    feed = Feed()
    feed.steady(100)
    assert feed.window.target_s == pytest.approx(0.0, abs=1e-9)
    assert feed.window.deadline_s == pytest.approx(0.5)


def test_little_is_known_at_first_so_a_little_more_is_waited() -> None:
    feed = Feed()
    feed.steady(1)
    first_s = feed.window.target_s
    feed.steady(20)
    assert 0.003 < first_s < 0.005
    assert 0 < feed.window.target_s < first_s


@pytest.mark.parametrize("spread_s", [0.001, 0.01, 0.06, 0.15])
def test_even_jitter_is_waited_for_in_full(spread_s: float) -> None:
    feed = Feed()
    feed.steady(WINDOW_PACKETS, spread_s=spread_s)
    assert 0.97 * spread_s < feed.window.target_s <= spread_s


def test_a_lone_spike_is_not_waited_for() -> None:
    feed = Feed()
    feed.steady(200, spread_s=0.001)
    feed.add(0.55)
    feed.steady(10, spread_s=0.001)
    assert feed.window.target_s <= 0.001


def test_spikes_that_repeat_are_waited_for_and_forgotten_when_they_stop() -> None:
    feed = Feed()
    for _ in range(20):
        feed.steady(15)
        feed.add(0.52)
    assert feed.window.target_s == pytest.approx(0.02)
    feed.steady(WINDOW_PACKETS)
    assert feed.window.target_s == pytest.approx(0.0, abs=1e-9)


@given(st.lists(st.floats(0, 0.19), min_size=1, max_size=600))
def test_the_deadline_lies_within_what_was_seen_and_the_bound(spreads_s: list[float]) -> None:
    window = TransitWindow()
    for index, spread_s in enumerate(spreads_s):
        arrival_s = 10.0 + index * 0.3  # far apart: no backlog, no stall
        window.add(spread_s, arrival_s)
        assert window.floor_s <= window.deadline_s
        assert window.target_s <= MAX_DELAY_S + 1e-9


def test_a_stall_and_what_queued_behind_it_leave_no_trace() -> None:
    feed = Feed()
    feed.steady(300, spread_s=0.001)
    before_s = feed.window.target_s
    for late_s in range(100, 0, -1):
        feed.add(0.5 + late_s * SPACING_S)
    feed.steady(20, spread_s=0.001)
    assert feed.window.target_s == pytest.approx(before_s, abs=0.0005)


def test_a_longer_path_is_believed_after_a_few_packets() -> None:
    feed = Feed()
    feed.steady(300, 0.5)
    feed.steady(8, 0.9)
    assert feed.window.floor_s == pytest.approx(0.9)
    assert feed.window.deadline_s == pytest.approx(0.9, abs=0.005)


def test_backlog_at_the_start_is_not_taken_for_the_path() -> None:
    feed = Feed()
    for late_s in range(30, 0, -1):
        feed.add(0.5 + late_s * SPACING_S)
    feed.steady(150)
    assert feed.window.target_s == pytest.approx(0.0, abs=1e-9)


def test_after_a_long_pause_the_path_is_learned_anew_and_its_jitter_remembered() -> None:
    feed = Feed()
    feed.steady(400, spread_s=0.01)
    feed.sent_s += 600
    feed.add(0.45)
    assert feed.window.floor_s == pytest.approx(0.45)
    assert 0.008 < feed.window.target_s < 0.011


@pytest.mark.parametrize("transit_s", [5.0, -5.0, 0.2])
def test_a_jump_is_told_and_changes_nothing(transit_s: float) -> None:
    feed = Feed()
    feed.steady(100)
    assert feed.window.add(transit_s, feed.sent_s + 0.6) is Transit.JUMP
    assert feed.window.deadline_s == pytest.approx(0.5)
    feed.window.reset()
    assert feed.window.add(transit_s, feed.sent_s + 0.6) is Transit.ORDINARY
    assert feed.window.floor_s == pytest.approx(transit_s)


def test_jitter_is_that_of_rfc_3550() -> None:
    feed = Feed()
    expected_s = 0.0
    rng = random.Random(8)
    transits_s = [0.5 + rng.random() * 0.02 for _ in range(200)]
    for before_s, after_s in pairwise(transits_s):
        expected_s += (abs(after_s - before_s) - expected_s) / 16
    feed.add(*transits_s)
    assert feed.window.jitter_s == pytest.approx(expected_s)


@given(st.lists(st.floats(0, 0.005), min_size=60, max_size=200), st.floats(-0.01, 0.01))
def test_a_move_that_was_told_changes_nothing_but_the_zero(
    spreads_s: list[float], by_s: float
) -> None:
    still, moving = Feed(), Feed()
    for feed in (still, moving):
        feed.add(*(0.5 + spread_s for spread_s in spreads_s))
    moving.window.move(by_s)
    assert moving.window.deadline_s == pytest.approx(still.window.deadline_s + by_s)
    still.add(*(0.5 + spread_s for spread_s in spreads_s))
    moving.add(*(0.5 + by_s + spread_s for spread_s in spreads_s))
    assert moving.window.target_s == pytest.approx(still.window.target_s, abs=1e-9)
    assert moving.window.jitter_s == pytest.approx(still.window.jitter_s, abs=1e-9)


def test_where_late_packets_are_cheap_fewer_are_waited_for() -> None:
    dear, cheap = Feed(), Feed()
    cheap.window = TransitWindow(TransitSettings(late_packet_cost_s=0.2, thinned=False))
    for feed in (dear, cheap):
        for _ in range(20):
            feed.steady(19)
            feed.add(0.52)
    assert dear.window.target_s == pytest.approx(0.02)
    assert cheap.window.target_s == pytest.approx(0.0, abs=1e-9)


def test_a_window_that_is_not_thinned_forgets_in_half_the_time() -> None:
    feed = Feed()
    feed.window = TransitWindow(TransitSettings(thinned=False))
    for _ in range(20):
        feed.steady(15)
        feed.add(0.52)
    feed.steady(WINDOW_PACKETS)
    assert feed.window.floor_s == 0.5
    assert feed.window.target_s == pytest.approx(0.0, abs=1e-9)
