"""Whether a figure that is read again and again grows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.stats

LEAST = 4
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


def trend(
    times: Sequence[float], readings: Sequence[float], load: Sequence[float] | None = None
) -> Trend:
    """Fit a line by least squares to the means of up to 20 blocks of readings.

    Neighbouring readings resemble each other, which would make the interval too narrow; means of
    blocks hardly do.

    Args:
        times: (n,) ascending, n at least `LEAST`.
        readings: (n,).
        load: (n,) what the readings follow besides time. It is fitted together with time, so that
            the slope is that at constant load; left out where it never changes.

    Raises:
        ValueError: there are too few.
    """
    if len(times) < LEAST or len(times) != len(readings):
        raise ValueError(f"a trend needs {LEAST} readings or more, each with its time")
    blocks = min(_BLOCKS, len(times))
    columns = [np.ones(blocks), _means(times, blocks)]
    if load is not None and len(set(load)) > 1:
        columns.append(_means(load, blocks))
    causes, effect = np.stack(columns, axis=1), _means(readings, blocks)
    fitted = np.linalg.lstsq(causes, effect, rcond=None)[0]
    freedom = blocks - len(columns)
    variance = float(np.sum((effect - causes @ fitted) ** 2)) / freedom
    stderr = math.sqrt(variance * float(np.linalg.pinv(causes.T @ causes)[1, 1]))
    reach = float(scipy.stats.t.ppf(0.5 + _CONFIDENCE / 2, freedom)) * stderr
    slope = float(fitted[1])
    return Trend(slope, slope - reach, slope + reach, float(np.median(readings)))


def _means(values: Sequence[float], blocks: int) -> npt.NDArray[np.float64]:
    return np.array([np.mean(block) for block in np.array_split(np.asarray(values), blocks)])
