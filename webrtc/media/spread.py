"""How often something took how long: a histogram in the way of Prometheus."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from webrtc.control.messages import SpreadStats

TICK_BOUNDS_S: Final = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.02, 0.05)
WAIT_BOUNDS_S: Final = (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2)
ROUND_TRIP_BOUNDS_S: Final = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5)


class Spread:
    """Counts since the process began."""

    def __init__(self, bounds_s: Sequence[float]) -> None:
        """Begin at zero; `bounds_s` rise, and each is part of what is below it."""
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self._sum_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds_s, seconds)] += 1
        self._sum_s += seconds

    def stats(self) -> SpreadStats:
        """Return what is told."""
        return SpreadStats(
            list(self._bounds_s), list(accumulate(self._counts)), round(self._sum_s, 6)
        )
