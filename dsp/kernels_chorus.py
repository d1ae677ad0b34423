"""The compiled chorus; `chorus.py` has the formulae."""

from typing import Final

import numpy as np
from numba import njit

from dsp.chorus import CENTRE, TURN
from dsp.chorus import RING as CHORUS_RING
from dsp.kernels_basics import SILENT
from dsp.kernels_work import CURVES, FIRST, PITCH, SECOND, TAPS, blended, write
from dsp.lanes import WIDTH, fused, load, splat, store

BUILT_ON: Final = "a50eeb36df7b"
"""See `kernels_basics.py`."""

_HALF = np.float32(0.5)


@njit(cache=True)
def chorus(n, at, phase, old, new, ring, work):  # type: ignore[no-untyped-def]
    """Run the chorus over n samples; return its phase."""
    turns = work[TAPS:].view(np.int32)  # 32 bits: they wrap around where a turn does
    steps = work[CURVES + 2 * PITCH :]
    if old[2] == new[2]:
        step = np.int32(old[2])
        for i in range(n):
            turns[i] = phase + i * step
        phase += n * step
    else:
        for i in range(n):
            turns[i] = phase
            phase += np.int64(steps[i])
    depth = work[CURVES + 3 * PITCH :]
    wholes = work[TAPS + PITCH :].view(np.int32)
    fractions = work[FIRST:]
    a, b = work[TAPS + 2 * PITCH :], work[TAPS + 3 * PITCH :]
    c, d = work[TAPS + 4 * PITCH :], work[TAPS + 5 * PITCH :]
    for channel in range(2):
        samples = channel * PITCH
        line = ring[channel * CHORUS_RING : (channel + 1) * CHORUS_RING]
        for i in range(0, n, WIDTH):
            enters = load(work, CURVES + 4 * PITCH + i)
            store(work, SECOND + i, enters * load(work, samples + i))
        write(line, at & (CHORUS_RING - 1), work, SECOND, n)
        ahead = np.int32(channel * (TURN // 4))
        for i in range(n):
            swing = SILENT - depth[i] * _sine(np.int32(turns[i] + ahead))
            whole = np.floor(swing)
            fractions[i] = swing - whole
            wholes[i] = np.int32(whole)
        for i in range(n):
            place = at + i - CENTRE + wholes[i]
            a[i] = line[(place - 1) & (CHORUS_RING - 1)]
            b[i] = line[place & (CHORUS_RING - 1)]
            c[i] = line[(place + 1) & (CHORUS_RING - 1)]
            d[i] = line[(place + 2) & (CHORUS_RING - 1)]
        for i in range(0, n, WIDTH):
            plain = load(work, samples + i)
            copy = _between(work, TAPS + 2 * PITCH + i, load(work, FIRST + i))
            store(work, samples + i, blended(work, plain, copy, CURVES, i))
    return phase & (TURN - 1)


@njit
def _between(work, begin, f):  # type: ignore[no-untyped-def]
    """Return the cubic through four samples, each in a row of its own, f behind the second."""
    half = splat(_HALF)
    a = load(work, begin)
    b = load(work, begin + PITCH)
    c = load(work, begin + 2 * PITCH)
    d = load(work, begin + 3 * PITCH)
    third = fused(half, d - a, splat(np.float32(1.5)) * (b - c))
    second = fused(splat(np.float32(-2.5)), b, a) + fused(splat(-_HALF), d, c + c)
    return fused(fused(fused(third, f, second), f, half * (c - a)), f, b)


@njit
def _sine(turn):  # type: ignore[no-untyped-def]
    """Return sin(2π · turn / 2³²) for a turn of 32 bits, within 2e-7."""
    t = np.float32(turn) * np.float32(1.0 / TURN)
    size = abs(t)
    x = min(size, _HALF - size)
    x = x if t > SILENT else -x
    y = x * x
    p = np.float32(39.536697)
    p = p * y + np.float32(-76.54978)
    p = p * y + np.float32(81.601006)
    p = p * y + np.float32(-41.341656)
    return x * (p * y + np.float32(6.283185))
