"""The compiled limiter; `limiter.py` says how it works."""

from typing import Final

import numpy as np
from numba import njit

from dsp.kernels_basics import (
    CENTRE,
    DELAY,
    NEARLY,
    SILENT,
    TAPS,
    TINY,
    WINDOW,
    gather,
    scatter,
    weight,
)
from dsp.lanes import WIDTH, choose, fused, larger, load, magnitude, smaller, splat, store

BUILT_ON: Final = "86a54ee99c50"
"""See `kernels_basics.py`."""

STRETCH = 64  # samples that the detector looks at in one go, or not at all
HOLD = 480.0  # samples: half a period of 50 Hz, so that the gain follows no waveform
RECOVERED = 1.001  # what the gain recovers towards, so that it arrives at 1

# State of a row between blocks: what stands where in (rows, STATE).
NEEDS = 2 * DELAY
HELDS = NEEDS + WINDOW
GAIN = HELDS + WINDOW - 1
STATE = GAIN + 2


@njit(cache=True)
def ceilings_of(slots, targets, table):  # type: ignore[no-untyped-def]
    """Return for each lane the ceiling, the release and the ceiling that it changes to."""
    values = np.ones(3 * WIDTH, np.float32)
    for lane in range(len(slots)):
        values[lane] = table[slots[lane], 0]
        values[WIDTH + lane] = table[targets[lane], 1]
        values[2 * WIDTH + lane] = table[targets[lane], 0]
    return values


@njit(cache=True)
def limit(  # type: ignore[no-untyped-def]
    count, rows, ceilings, clocks, changing, table, taps, loudest, sound
):
    """Delay by DELAY samples and keep true peaks under the ceiling; `limiter.py` says how.

    `table`, the state of all rows, holds for each: the last DELAY samples of both channels, the
    last WINDOW gains that were needed, the last WINDOW − 1 that were held, the held gain, and for
    how many samples it stays.
    """
    state = np.empty(STATE * WIDTH, np.float32)
    gather(table, rows, state)
    needs = np.empty((WINDOW + count) * WIDTH, np.float32)
    helds = np.empty((WINDOW - 1 + count) * WIDTH, np.float32)
    history = DELAY * WIDTH
    sound[0, :history] = state[:history]
    sound[1, :history] = state[history : 2 * history]
    needs[: WINDOW * WIDTH] = state[NEEDS * WIDTH : HELDS * WIDTH]
    helds[: (WINDOW - 1) * WIDTH] = state[HELDS * WIDTH : GAIN * WIDTH]
    _find_needs(count, ceilings, clocks, changing, taps, loudest, sound, needs)
    last = count * WIDTH
    state[:history] = sound[0, last:]
    state[history : 2 * history] = sound[1, last:]
    state[NEEDS * WIDTH : HELDS * WIDTH] = needs[last:]
    lefts = sound[0]
    rights = sound[1]
    if _is_at_rest(len(rows), needs, helds[: (WINDOW - 1) * WIDTH], state):
        scatter(state, rows, table)  # all gains are one: the delay is all that is left
        return
    _least_of_window(needs)
    _hold(count, ceilings, state, needs, helds)
    state[HELDS * WIDTH : GAIN * WIDTH] = helds[last:]
    scatter(state, rows, table)
    _sum_of_window(helds)
    share = splat(np.float32(1.0 / WINDOW))
    for n in range(count):
        gain = load(helds, (WINDOW - 1 + n) * WIDTH) * share
        store(lefts, n * WIDTH, gain * load(lefts, n * WIDTH))
        store(rights, n * WIDTH, gain * load(rights, n * WIDTH))


@njit(cache=True)
def _is_at_rest(lanes, needs, helds, state):  # type: ignore[no-untyped-def]
    """Whether no gain is, was of late or has to be below one."""
    least = load(state, GAIN * WIDTH)
    for at in range(0, len(helds), WIDTH):
        least = smaller(least, load(helds, at))
    for at in range(0, len(needs), WIDTH):
        least = smaller(least, load(needs, at))
    leasts = np.empty(WIDTH, np.float32)
    store(leasts, 0, least)
    return leasts[:lanes].min() == np.float32(1.0)


@njit(cache=True)
def _find_needs(  # type: ignore[no-untyped-def]
    count, ceilings, clocks, changing, taps, loudest, sound, needs
):
    """Write the gain that each sample, and the curve up to the next one, needs."""
    lefts = sound[0]
    rights = sound[1]
    one = splat(np.float32(1.0))
    old = load(ceilings, 0)
    new = load(ceilings, 2 * WIDTH)
    clock = load(clocks, 0)
    tiny = splat(TINY)
    ceiling = old
    quiet_until = 0
    loud_until = 0
    for n in range(count):
        if n >= max(quiet_until, loud_until):
            start = (DELAY + n - TAPS + 1) * WIDTH
            stop = (DELAY + min(n + STRETCH, count)) * WIDTH
            if _is_below(lefts[start:stop], rights[start:stop], ceilings, loudest):
                quiet_until = n + STRETCH
            else:
                loud_until = n + STRETCH
        if n < quiet_until:
            store(needs, (WINDOW + n) * WIDTH, one)
            continue
        at = (DELAY + n) * WIDTH
        a = splat(SILENT)
        b = splat(SILENT)
        c = splat(SILENT)
        d = splat(SILENT)
        e = splat(SILENT)
        f = splat(SILENT)
        for k in range(TAPS):
            left = load(lefts, at - k * WIDTH)
            right = load(rights, at - k * WIDTH)
            first = splat(taps[0, k])
            second = splat(taps[1, k])
            third = splat(taps[2, k])
            a = fused(first, left, a)
            b = fused(first, right, b)
            c = fused(second, left, c)
            d = fused(second, right, d)
            e = fused(third, left, e)
            f = fused(third, right, f)
        peak = larger(larger(magnitude(a), magnitude(b)), larger(magnitude(c), magnitude(d)))
        peak = larger(peak, larger(magnitude(e), magnitude(f)))
        left = load(lefts, at - CENTRE * WIDTH)
        right = load(rights, at - CENTRE * WIDTH)
        peak = larger(peak, larger(magnitude(left), magnitude(right)))
        if changing:
            share = weight(clock, n)
            ceiling = fused(share, new, (one - share) * old)
        store(needs, (WINDOW + n) * WIDTH, smaller(one, ceiling / larger(peak, tiny)))


@njit(cache=True)
def _is_below(lefts, rights, ceilings, loudest):  # type: ignore[no-untyped-def]
    """Whether no sample is so large that the detector could find anything over a ceiling."""
    peak = splat(SILENT)
    for at in range(0, len(lefts), WIDTH):
        peak = larger(peak, larger(magnitude(load(lefts, at)), magnitude(load(rights, at))))
    peaks = np.empty(WIDTH, np.float32)
    store(peaks, 0, peak)
    below = True
    for lane in range(WIDTH):
        ceiling = min(ceilings[lane], ceilings[2 * WIDTH + lane])
        below &= peaks[lane] * loudest <= ceiling
    return below


@njit(cache=True)
def _least_of_window(values):  # type: ignore[no-untyped-def]
    """Make each value the least of the last WINDOW + 1, in place: by doubling, backwards."""
    shift = WIDTH
    while shift < WINDOW * WIDTH:
        for at in range(len(values) - WIDTH, shift - WIDTH, -WIDTH):
            store(values, at, smaller(load(values, at), load(values, at - shift)))
        shift *= 2
    for at in range(len(values) - WIDTH, 0, -WIDTH):
        store(values, at, smaller(load(values, at), load(values, at - WIDTH)))


@njit(cache=True)
def _sum_of_window(values):  # type: ignore[no-untyped-def]
    """Make each value the sum of the last WINDOW, in place: by doubling, backwards.

    The order of additions is the same wherever a block begins, which a running sum's is not.
    """
    shift = WIDTH
    while shift < WINDOW * WIDTH:
        for at in range(len(values) - WIDTH, shift - WIDTH, -WIDTH):
            store(values, at, load(values, at) + load(values, at - shift))
        shift *= 2


@njit(cache=True)
def _hold(count, ceilings, state, needs, helds):  # type: ignore[no-untyped-def]
    """Let the gain fall at once, stay a while, and recover."""
    release = load(ceilings, WIDTH)
    one = splat(np.float32(1.0))
    zero = splat(SILENT)
    hold = splat(np.float32(HOLD))
    nearly = splat(NEARLY)
    recovered = splat(np.float32(RECOVERED))
    gain = load(state, GAIN * WIDTH)
    held = load(state, (GAIN + 1) * WIDTH)
    for n in range(count):
        need = load(needs, (WINDOW + n) * WIDTH)
        held = larger(held - one, zero)
        free = choose(held, one, gain, fused(release, recovered - gain, gain))
        held = choose(free, need * nearly, choose(need, one, held, hold), held)
        gain = smaller(free, need)
        store(helds, (WINDOW - 1 + n) * WIDTH, gain)
    store(state, GAIN * WIDTH, gain)
    store(state, (GAIN + 1) * WIDTH, held)
