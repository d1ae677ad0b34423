"""Histograms of what a worker times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc.media.spread import ROUND_TRIP_BOUNDS_S, Spread


@given(st.lists(st.floats(0, 2), max_size=50))
def test_each_bound_counts_all_that_took_no_longer(times_s):
    spread = Spread(ROUND_TRIP_BOUNDS_S)
    for time_s in times_s:
        spread.add(time_s)
    told = spread.stats()
    assert told.bounds_s == list(ROUND_TRIP_BOUNDS_S)
    expected = [sum(time_s <= bound for time_s in times_s) for bound in told.bounds_s]
    assert told.counts == [*expected, len(times_s)]
    assert told.sum_s == pytest.approx(sum(times_s), abs=1e-5)
