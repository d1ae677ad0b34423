"""What the compiled files share: lengths, constants, and the laying of rows side by side."""

from typing import Final

import numpy as np
from numba import njit

from dsp.lanes import WIDTH, larger, smaller, splat

BUILT_ON: Final = "29a6ebf80c3c"
"""Digest of the compiled files that this one imports: to be changed with them, so that numba's
cache, which sees this file only, is void then."""

FADE = 960  # samples of a change from old settings to new ones
TAPS = 16  # of the true-peak detector, each phase
CENTRE = TAPS // 2
WINDOW = 64  # samples over which the limiter's gain moves
DELAY = WINDOW - 1 + CENTRE  # of the limiter; so much room stands before each block

TINY = np.float32(1e-15)  # a state below this is zero, lest it become denormal and slow
NEARLY = np.float32(0.999)  # who comes so close to what is held makes it stay
NEVER = np.float32(-1e9)
SILENT = np.float32(0.0)


@njit(cache=True)
def gather(table, slots, lanes):  # type: ignore[no-untyped-def]
    """Lay rows of `table` (slots, k) side by side: float32 (k × WIDTH,); free lanes are zero."""
    lanes[:] = np.float32(0.0)
    for lane in range(len(slots)):
        if slots[lane] >= 0:
            for k in range(table.shape[1]):
                lanes[k * WIDTH + lane] = table[slots[lane], k]


@njit(cache=True)
def scatter(lanes, slots, table):  # type: ignore[no-untyped-def]
    """Write back what `gather` laid side by side."""
    for lane in range(len(slots)):
        if slots[lane] >= 0:
            for k in range(table.shape[1]):
                table[slots[lane], k] = lanes[k * WIDTH + lane]


@njit(cache=True)
def clocks(incoming, elapsed):  # type: ignore[no-untyped-def]
    """Return how far each lane's change is at the first sample; long before it where none is."""
    clock = np.full(WIDTH, NEVER, np.float32)
    for lane in range(len(incoming)):
        if incoming[lane] >= 0:
            clock[lane] = np.float32(elapsed[lane] + 1)
    return clock


@njit
def weight(clock, n):  # type: ignore[no-untyped-def]
    """Return how far a change has come after n samples, on a curve without corners."""
    one = splat(np.float32(1.0))
    t = (clock + splat(np.float32(n))) * splat(np.float32(1.0 / FADE))
    t = smaller(larger(t, splat(np.float32(0.0))), one)
    return t * t * (splat(np.float32(3.0)) - (t + t))
