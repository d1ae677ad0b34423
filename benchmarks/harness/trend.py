"""Whether a figure that is read again and again grows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats

_BLOCKS = 20
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through readings.

    Attributes:
        slope: per unit of time.
        low: lower end of its confidence interval of 95 %.
        high: upper end.
        median: of the readings.
    """

    slope: float
    low: float
    high: float
    median: float


def trend(times: Sequence[float], readings: Sequence[float]) -> Trend:
    """Fit a line by least squares to the means of up to 20 blocks of readings.

    Neighbouring readings resemble each other, which would make the interval too narrow; means of
    blocks hardly do.

    Args:
        times: (n,) ascending, n at least 3.
        readings: (n,).

    Raises:
        ValueError: there are fewer than 3.
    """
    if len(times) < 3 or len(times) != len(readings):
        raise ValueError("a trend needs three readings or more, each with its time")
    blocks = min(_BLOCKS, len(times))
    when = [float(np.mean(block)) for block in np.array_split(np.asarray(times), blocks)]
    what = [float(np.mean(block)) for block in np.array_split(np.asarray(readings), blocks)]
    line = scipy.stats.linregress(when, what)
    reach = float(scipy.stats.t.ppf(0.5 + _CONFIDENCE / 2, blocks - 2)) * float(line.stderr)
    slope = float(line.slope)
    return Trend(slope, slope - reach, slope + reach, float(np.median(readings)))
