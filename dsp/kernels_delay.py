"""The compiled delay; `delay.py` has the formulae."""

from typing import Final

import numpy as np
from numba import njit

from dsp.delay import RING as DELAY_RING
from dsp.effects import DELAY_AT
from dsp.kernels_work import (
    BIAS,
    CURVES,
    FIRST,
    PITCH,
    SECOND,
    TAPS,
    blended,
    flushed,
    tap,
    write,
)
from dsp.lanes import WIDTH, fused, load, store

BUILT_ON: Final = "ec25dc6ca2d7"
"""See `kernels_basics.py`."""


@njit(cache=True)
def delay(n, at, old, new, memory, work):  # type: ignore[no-untyped-def]
    """Run the delay over n samples."""
    curve = CURVES + DELAY_AT * PITCH
    place = at % DELAY_RING
    for channel in range(2):
        ring = memory[2 + channel * DELAY_RING : 2 + (channel + 1) * DELAY_RING]
        tap(ring, place, old[2], new[2], work, TAPS + channel * PITCH, n)
    _dull(n, memory, work)
    for channel in range(2):
        dull = FIRST + channel * PITCH
        samples = channel * PITCH
        for i in range(0, n, WIDTH):
            plain = load(work, samples + i)
            echo = load(work, TAPS + channel * PITCH + i)
            feedback = load(work, curve + 3 * PITCH + i)
            enters = load(work, curve + 5 * PITCH + i)
            again = fused(feedback, load(work, dull + i), enters * plain)
            store(work, dull + i, flushed(again))
            store(work, samples + i, blended(work, plain, echo, curve, i))
        ring = memory[2 + channel * DELAY_RING : 2 + (channel + 1) * DELAY_RING]
        write(ring, place, work, dull, n)


@njit(inline="always")
def _dull(n, states, work):  # type: ignore[no-untyped-def]
    """Run the delay's low-passes, from the taps to FIRST and SECOND."""
    lefts, rights = work[TAPS:], work[TAPS + PITCH :]
    dull_lefts, dull_rights = work[FIRST:], work[SECOND:]
    damping = work[CURVES + (DELAY_AT + 4) * PITCH :]
    left, right = states[0], states[1]
    for i in range(n):
        keep = damping[i]
        share = np.float32(1.0) - keep
        left = keep * left + (share * lefts[i] + BIAS)
        right = keep * right + (share * rights[i] + BIAS)
        dull_lefts[i] = left
        dull_rights[i] = right
    states[0], states[1] = left, right
