"""The compiled reverb; `reverb.py` has the formulae."""

from typing import Final

import numpy as np
from numba import njit

from dsp.effects import REVERB_AT
from dsp.kernels_work import (
    BIAS,
    CURVES,
    FIRST,
    PITCH,
    SECOND,
    TAPS,
    TURNED,
    TURNED_POLES,
    blended,
    flushed,
    read,
    tap,
    write,
)
from dsp.lanes import WIDTH, fused, load, splat, store, turn
from dsp.reverb import (
    ALLPASS_GAIN,
    ALLPASS_RING,
    ALLPASSES,
    DIFFUSERS,
    LINE_RING,
    LINES,
    NETWORK,
    PRE,
    PRE_RING,
)

BUILT_ON: Final = "02f5f0b17141"
"""See `kernels_basics.py`."""

_DIFFUSERS = np.array(ALLPASSES, np.int64)
_GAIN = np.float32(ALLPASS_GAIN)


@njit(cache=True)
def reverb(n, at, old, new, memory, work):  # type: ignore[no-untyped-def]
    """Run the reverb over n samples."""
    _enter(n, at, old, new, memory, work)
    lines = memory[NETWORK:]
    place = at % LINE_RING
    for k in range(LINES):
        ring = lines[k * LINE_RING : (k + 1) * LINE_RING]
        tap(ring, place, old[4 + k], new[4 + k], work, TAPS + k * PITCH, n)
    _leave(n, work)
    _damp(n, memory, work)
    _mix(n, work)
    for k in range(LINES):
        ring = lines[k * LINE_RING : (k + 1) * LINE_RING]
        write(ring, place, work, TAPS + k * PITCH, n)


@njit(cache=True)
def _enter(n, at, old, new, memory, work):  # type: ignore[no-untyped-def]
    """Write what goes into the network, through pre-delay and all-passes, to FIRST and SECOND."""
    gains = CURVES + (REVERB_AT + 2) * PITCH
    place = at % PRE_RING
    step = at % ALLPASS_RING
    gain = splat(_GAIN)
    loss = splat(-_GAIN)
    for channel in range(2):
        pre = memory[PRE + channel * PRE_RING : PRE + (channel + 1) * PRE_RING]
        value = FIRST + channel * PITCH
        for i in range(0, n, WIDTH):
            store(work, value + i, load(work, gains + i) * load(work, channel * PITCH + i))
        write(pre, place, work, value, n)
        tap(pre, place, old[3], new[3], work, value, n)
        for k in range(4):
            begin = DIFFUSERS + (4 * channel + k) * ALLPASS_RING
            ring = memory[begin : begin + ALLPASS_RING]
            read(ring, step - _DIFFUSERS[channel, k], work, TAPS + k * PITCH, n)
        for i in range(0, n, WIDTH):
            passing = load(work, value + i)
            for k in range(4):
                here = TAPS + k * PITCH + i
                leaving = fused(loss, passing, load(work, here))
                store(work, here, flushed(fused(gain, leaving, passing)))
                passing = leaving
            store(work, value + i, passing)
        for k in range(4):
            begin = DIFFUSERS + (4 * channel + k) * ALLPASS_RING
            ring = memory[begin : begin + ALLPASS_RING]
            write(ring, step, work, TAPS + k * PITCH, n)


@njit(inline="always")
def _leave(n, work):  # type: ignore[no-untyped-def]
    """Mix what leaves the lines into the sound, and turn it down for the way back."""
    curve = CURVES + REVERB_AT * PITCH
    gains = curve + 12 * PITCH
    bias = splat(BIAS)
    for i in range(0, n, WIDTH):
        for channel in range(2):
            begin = TAPS + channel * PITCH + i
            one = load(work, begin) - load(work, begin + 2 * PITCH)
            two = load(work, begin + 4 * PITCH) - load(work, begin + 6 * PITCH)
            plain = load(work, channel * PITCH + i)
            store(work, channel * PITCH + i, blended(work, plain, one + two, curve, i))
        for k in range(LINES):
            here = k * PITCH + i
            store(work, TAPS + here, fused(load(work, gains + here), load(work, TAPS + here), bias))


@njit(cache=True)
def _damp(n, states, work):  # type: ignore[no-untyped-def]
    """Run the lines' low-passes, which need each sample before the next: a line in each lane."""
    poles = CURVES + (REVERB_AT + 20) * PITCH
    state = load(states, 0)
    for i in range(0, n, WIDTH):
        turn(work, TAPS + i, PITCH, work, TURNED, WIDTH)
        turn(work, poles + i, PITCH, work, TURNED_POLES, WIDTH)
        for k in range(0, min(WIDTH, n - i) * WIDTH, WIDTH):
            state = fused(load(work, TURNED_POLES + k), state, load(work, TURNED + k))
            store(work, TURNED + k, state)
        turn(work, TURNED, WIDTH, work, TAPS + i, PITCH)
    store(states, 0, state)


@njit(inline="always")
def _mix(n, work):  # type: ignore[no-untyped-def]
    """Multiply the lines by a Hadamard matrix, 1/√8 of which stands in their gains; add the new."""
    for i in range(TAPS, TAPS + n, WIDTH):
        a, b = _both(load(work, i), load(work, i + PITCH))
        c, d = _both(load(work, i + 2 * PITCH), load(work, i + 3 * PITCH))
        e, f = _both(load(work, i + 4 * PITCH), load(work, i + 5 * PITCH))
        g, h = _both(load(work, i + 6 * PITCH), load(work, i + 7 * PITCH))
        a, c = _both(a, c)
        b, d = _both(b, d)
        e, g = _both(e, g)
        f, h = _both(f, h)
        a, e = _both(a, e)
        b, f = _both(b, f)
        c, g = _both(c, g)
        d, h = _both(d, h)
        left = load(work, i - TAPS + FIRST)
        right = load(work, i - TAPS + SECOND)
        store(work, i, flushed(a + left))
        store(work, i + PITCH, flushed(b + right))
        store(work, i + 2 * PITCH, flushed(c + left))
        store(work, i + 3 * PITCH, flushed(d + right))
        store(work, i + 4 * PITCH, flushed(e + left))
        store(work, i + 5 * PITCH, flushed(f + right))
        store(work, i + 6 * PITCH, flushed(g + left))
        store(work, i + 7 * PITCH, flushed(h + right))


@njit
def _both(one, two):  # type: ignore[no-untyped-def]
    return one + two, one - two
