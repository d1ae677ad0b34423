"""Rows that are handed out and taken back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mixer.arena import Arena


@given(st.lists(st.booleans(), max_size=100))
def test_no_row_is_handed_out_twice_and_each_one_is_empty(takes):
    arena = Arena(2)
    held = []
    for take in takes:
        if take or not held:
            row = arena.take()
            assert row not in held
            assert not arena.data[row].any()
            arena.data[row] = 1.0
            held.append(row)
        else:
            arena.give_back(held.pop(0))
    assert len(arena.data) <= 2 * max(len(takes), 1)


def test_growing_keeps_what_is_there_and_says_so():
    arena = Arena(1)
    first = arena.take()
    arena.data[first] = 0.5
    before = arena.generation
    second = arena.take()
    assert arena.generation == before + 1
    assert (arena.data[first] == 0.5).all()
    assert second != first
    assert arena.data.dtype == np.float32


def test_rows_given_back_are_used_again_before_it_grows():
    arena = Arena(4)
    for _ in range(100):
        rows = [arena.take() for _ in range(4)]
        for row in rows:
            arena.give_back(row)
    assert len(arena.data) == 4
