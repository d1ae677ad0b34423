"""Where in the clock a room should run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.phase import GUARD_S, WORTH_S, best_shift

SLOT_S = 0.0025
NOW = 5000.0
ready_times = st.lists(st.floats(NOW - 0.05, NOW + 0.05), min_size=1, max_size=8)


def waits(ready, next_s, stride):
    return sum((next_s - r - GUARD_S) % (stride * SLOT_S) for r in ready) / len(ready)


@pytest.mark.parametrize(
    ("ready_ms_before", "shift"),
    [
        ([1.9], 0),  # just there
        ([0.2], 1),  # there, but the least drift would miss it
        ([9.8], 1),  # 2.5 ms later it plays the next block, which has waited 2.3
        ([4.4], 3),  # 7.5 ms later it waits 1.9
        ([7.6], 2),
        ([2.4, 2.4, 9.0], 0),
        ([5.1, 5.1, 5.1], 3),
    ],
)
def test_a_room_moves_to_where_its_publishers_wait_least(ready_ms_before, shift):
    ready = [NOW - ms / 1000 for ms in ready_ms_before]
    found = best_shift(ready, NOW, SLOT_S, 4)
    best = min(waits(ready, NOW + s * SLOT_S, 4) for s in range(4))
    assert waits(ready, NOW + found * SLOT_S, 4) <= best + WORTH_S
    assert found == shift


@given(ready=ready_times, stride=st.sampled_from([4, 8]))
def test_a_shift_is_worth_it_and_the_best_there_is(ready, stride):
    shift = best_shift(ready, NOW, SLOT_S, stride)
    assert 0 <= shift < stride
    stay = waits(ready, NOW, stride)
    after = waits(ready, NOW + shift * SLOT_S, stride)
    best = min(waits(ready, NOW + s * SLOT_S, stride) for s in range(stride))
    if shift:
        assert stay - after > WORTH_S
        assert after == pytest.approx(best, abs=1e-6)
    else:
        assert stay <= best + WORTH_S + 1e-6


@given(ready=ready_times, stride=st.sampled_from([4, 8]))
def test_having_moved_a_room_stays(ready, stride):
    """Otherwise each look would cost every listener another small jitter."""
    shift = best_shift(ready, NOW, SLOT_S, stride)
    assert best_shift(ready, NOW + shift * SLOT_S, SLOT_S, stride) == 0


@given(ready=ready_times, blocks=st.integers(-5, 5))
def test_only_the_phase_within_a_block_counts(ready, blocks):
    moved = [r + blocks * 4 * SLOT_S for r in ready]
    here = best_shift(ready, NOW, SLOT_S, 4)
    there = best_shift(moved, NOW, SLOT_S, 4)
    gain = waits(ready, NOW + here * SLOT_S, 4) - waits(ready, NOW + there * SLOT_S, 4)
    assert abs(gain) < WORTH_S + 0.01 / len(ready)
