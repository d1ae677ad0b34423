"""Where in the clock a room should run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.phase import GUARD_S, HOLE_SHARE, STAY_GUARD_S, WORTH_S, best_shift

SLOT_S = 0.0025
NOW = 5000.0
ready_times = st.lists(st.floats(NOW - 0.05, NOW + 0.05), min_size=1, max_size=8)
strides = st.sampled_from([4, 8])


def wait(ready, shift, stride):
    """What is waited on average after such a shift."""
    guard_s = GUARD_S if shift else STAY_GUARD_S
    now = NOW + shift * SLOT_S - guard_s
    return sum((now - r) % (stride * SLOT_S) for r in ready) / len(ready) + guard_s


def price(shift):
    return WORTH_S + HOLE_SHARE * max(shift, 0) * SLOT_S


@pytest.mark.parametrize(
    ("ready_ms_before", "shift"),
    [
        ([1.9], 0),  # just there
        ([0.6], 0),  # a room would not move here, but it misses nothing
        ([0.2], 1),  # there, but the least drift would miss it
        ([9.8], -3),  # 7.5 ms earlier it is there just as well
        ([9.1], -2),  # but here not safely
        ([4.4], -1),
        ([7.6], -2),
        ([2.4, 2.4, 9.0], 0),
        ([5.1, 5.1, 5.1], -1),
        ([5.1, 5.1, 0.2], 3),  # earlier, the last one's would not be there
        ([7.6, 7.6, 7.6, 7.6, 7.6, 5.9], 2),  # it would, but not safely
        ([5.1, 25.1, 14.8], -1),  # whole blocks that a playout still has to shed are there as well
    ],
)
def test_a_room_moves_to_where_its_publishers_wait_least(ready_ms_before, shift):
    ready = [NOW - ms / 1000 for ms in ready_ms_before]
    assert best_shift(ready, NOW, SLOT_S, 4) == shift


def test_a_little_less_waiting_is_not_worth_a_much_larger_hole():
    ready = [NOW - 0.0079, NOW - 0.0079, NOW - 0.0001]
    assert 0 < wait(ready, 1, 8) - wait(ready, 6, 8) < 0.001
    assert best_shift(ready, NOW, SLOT_S, 8) == 1


@given(ready=ready_times, stride=strides)
def test_a_shift_is_worth_its_price_and_leaves_no_better_one(ready, stride):
    shift = best_shift(ready, NOW, SLOT_S, stride)
    assert abs(shift) < stride
    stay, after = wait(ready, 0, stride), wait(ready, shift, stride)
    best = min(wait(ready, s, stride) for s in range(1, stride))
    if shift:
        assert stay - after > price(shift) - 1e-9
        assert after <= best + HOLE_SHARE * stride * SLOT_S
    else:
        assert stay <= best + price(stride)


@given(ready=ready_times, stride=strides)
def test_a_room_moves_earlier_just_when_everything_is_there_by_then(ready, stride):
    shift = best_shift(ready, NOW, SLOT_S, stride)
    if shift:
        earlier = shift if shift < 0 else shift - stride
        there = all(r + GUARD_S <= NOW + earlier * SLOT_S + 1e-9 for r in ready)
        assert there == (shift < 0)


@given(ready=ready_times, stride=strides)
def test_having_moved_a_room_stays(ready, stride):
    """Otherwise each look would cost every listener another small jitter."""
    shift = best_shift(ready, NOW, SLOT_S, stride)
    assert best_shift(ready, NOW + shift * SLOT_S, SLOT_S, stride) == 0


@given(ready=ready_times, stride=strides, late_s=st.floats(0, GUARD_S - STAY_GUARD_S - 1e-6))
def test_a_room_that_moved_stays_when_packets_come_a_little_later(ready, stride, late_s):
    shift = best_shift(ready, NOW, SLOT_S, stride)
    if shift:
        later = [r + late_s for r in ready]
        assert best_shift(later, NOW + shift * SLOT_S, SLOT_S, stride) <= 0


@given(ready=ready_times, blocks=st.integers(0, 5), stride=strides)
def test_only_the_phase_within_a_block_counts(ready, blocks, stride):
    moved = [r - blocks * stride * SLOT_S for r in ready]
    here = best_shift(ready, NOW, SLOT_S, stride)
    there = best_shift(moved, NOW, SLOT_S, stride)
    assert abs(wait(ready, here, stride) - wait(ready, there, stride)) < price(stride)
