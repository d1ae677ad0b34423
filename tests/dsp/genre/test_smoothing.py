"""How fast evidence counts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsp.genre.smoothing import Smoothed


def logs(best, chance, size=3):
    shares = np.full(size, (1 - chance) / (size - 1))
    shares[best] = chance
    return np.log(shares)


def seconds_until(best, chance, after):
    smoothed = Smoothed(3, 1.0, 6.0)
    for _ in range(20):
        smoothed.add(after, 1.0)
    for second in range(1, 60):
        smoothed.add(logs(best, chance), 1.0)
        if int(np.argmax(smoothed.logs)) == best:
            return second
    return 60


def test_nothing_is_known_before_any_evidence():
    smoothed = Smoothed(3, 1.0, 6.0)
    assert not smoothed.knows
    assert np.ptp(smoothed.logs) == 0
    smoothed.add(logs(1, 0.9), 1.0)
    assert smoothed.knows
    smoothed.reset()
    assert not smoothed.knows


def test_clear_evidence_turns_an_opinion_sooner_than_unclear_evidence():
    clear = seconds_until(1, 0.98, logs(0, 0.98))
    unclear = seconds_until(1, 0.6, logs(0, 0.6))
    assert clear <= 3
    assert unclear >= clear + 3


def test_one_odd_second_changes_nothing():
    smoothed = Smoothed(3, 1.0, 6.0)
    for _ in range(5):
        smoothed.add(logs(0, 0.95), 1.0)
    smoothed.add(logs(1, 0.999), 1.0)
    assert int(np.argmax(smoothed.logs)) == 0


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.34, 1.0)), min_size=1, max_size=40))
def test_whatever_comes_stays_finite_and_what_repeats_wins(evidence):
    smoothed = Smoothed(3, 1.0, 6.0)
    with np.errstate(divide="ignore"):
        for best, chance in evidence:
            smoothed.add(logs(best, chance), 1.0)
            assert np.isfinite(smoothed.logs).all()
    for _ in range(30):
        smoothed.add(logs(2, 0.9), 1.0)
    assert int(np.argmax(smoothed.logs)) == 2
