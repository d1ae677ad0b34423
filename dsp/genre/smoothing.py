"""Evidence over time: quick where it is clear, patient where it is not."""

import math
from typing import Final

import numpy as np

from dsp.genre.classes import Values

_LEAST: Final = -5.0
"""Log probability that a single look can give at the least: none of them rules anything out."""


class Smoothed:
    """A running mean of log probabilities.

    What speaks clearly and agrees with what came just before it counts within `fast_s`; what is
    unclear, or contradicts for the first time, takes up to `slow_s`.
    """

    def __init__(self, size: int, fast_s: float, slow_s: float) -> None:
        """Know nothing yet about `size` possibilities."""
        self._fast_s = fast_s
        self._slow_s = slow_s
        self._size = size
        self._mean: Values | None = None
        self._latest = -1

    @property
    def knows(self) -> bool:
        """Whether there has been any evidence."""
        return self._mean is not None

    @property
    def logs(self) -> Values:
        """Log probabilities, (size,), not normalised; all the same before any evidence."""
        return np.zeros(self._size) if self._mean is None else self._mean

    def add(self, logs: Values, lasted_s: float) -> None:
        """Take evidence in that stands for so many seconds."""
        logs = np.maximum(logs - logs.max(), _LEAST)
        best = int(np.argmax(logs))
        agrees = best == self._latest
        self._latest = best
        if self._mean is None:
            self._mean = logs
            return
        clear = float(np.exp(logs).max() / np.exp(logs).sum())
        ease = min(1.0, max(0.0, (clear - 0.6) / 0.3))
        constant_s = self._slow_s + (self._fast_s - self._slow_s) * ease
        if best != int(np.argmax(self._mean)) and not agrees:
            constant_s *= 2
        share = 1.0 - math.exp(-lasted_s / constant_s)
        self._mean = self._mean + share * (logs - self._mean)

    def reset(self) -> None:
        """Forget everything."""
        self._mean = None
        self._latest = -1
