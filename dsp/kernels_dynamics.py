"""The compiled dynamics: gate and compressor, and the logarithm and power that they need."""

from typing import Final

import numpy as np
from numba import njit

from dsp.kernels_basics import DELAY, NEARLY, SILENT, TINY
from dsp.lanes import (
    WIDTH,
    choose,
    exponent,
    fused,
    larger,
    load,
    magnitude,
    mantissa,
    power_of_two,
    smaller,
    splat,
    store,
    whole,
)

BUILT_ON: Final = "86a54ee99c50"
"""See `kernels_basics.py`."""

FAINT = np.float32(1e-6)  # −120 dBFS, below which the compressor does not look
SPENT = np.float32(-1e-6)  # log2: a reduction that nobody hears has died away


@njit
def log2(x):  # type: ignore[no-untyped-def]
    """Return log2 of normal positive x within 3e-6; exact at powers of two."""
    t = mantissa(x) - splat(np.float32(1.0))
    p = fused(splat(np.float32(-0.02584142)), t, splat(np.float32(0.12179782)))
    p = fused(p, t, splat(np.float32(-0.27790524)))
    p = fused(p, t, splat(np.float32(0.45754915)))
    p = fused(p, t, splat(np.float32(-0.71814525)))
    p = fused(p, t, splat(np.float32(1.44254494)))
    return fused(p, t, exponent(x))


@njit
def exp2(x):  # type: ignore[no-untyped-def]
    """Return 2**x within 2e-7 of it for x from −126 to 127; exact at whole numbers."""
    x = smaller(larger(x, splat(np.float32(-126.0))), splat(np.float32(126.0)))
    power = whole(x)
    t = x - power
    p = fused(splat(np.float32(0.00189685)), t, splat(np.float32(0.00894775)))
    p = fused(p, t, splat(np.float32(0.0558553)))
    p = fused(p, t, splat(np.float32(0.24014712)))
    p = fused(p, t, splat(np.float32(0.69315298)))
    return fused(p, t, splat(np.float32(1.0))) * power_of_two(power)


@njit(cache=True)
def gate(count, gains, envelopes, sound):  # type: ignore[no-untyped-def]
    """Run the gates; `gate.py` has the formulae."""
    used = False
    for lane in range(WIDTH):
        trim = gains[lane]  # zero in free lanes
        used |= gains[6 * WIDTH + lane] != np.float32(1.0) and trim != SILENT
    if not used:
        return
    open_at = load(gains, 1 * WIDTH)
    close_at = load(gains, 2 * WIDTH)
    hold = load(gains, 3 * WIDTH)
    opening = load(gains, 4 * WIDTH)
    closing = load(gains, 5 * WIDTH)
    floor = load(gains, 6 * WIDTH)
    position = load(envelopes, 0)
    held = load(envelopes, 1 * WIDTH)
    zero = splat(SILENT)
    one = splat(np.float32(1.0))
    three = splat(np.float32(3.0))
    swing = one - floor
    lefts = sound[0]
    rights = sound[1]
    for n in range(DELAY * WIDTH, (DELAY + count) * WIDTH, WIDTH):
        left = load(lefts, n)
        right = load(rights, n)
        level = larger(magnitude(left), magnitude(right))
        threshold = choose(held, one, close_at, open_at)
        held = choose(level, threshold, hold, larger(held - one, zero))
        step = choose(held, one, opening, zero - closing)
        position = smaller(larger(position + step, zero), one)
        gain = fused(swing, position * position * (three - (position + position)), floor)
        store(lefts, n, gain * left)
        store(rights, n, gain * right)
    store(envelopes, 0, position)
    store(envelopes, 1 * WIDTH, held)


@njit
def _without_bass(x, low, smooth):  # type: ignore[no-untyped-def]
    """Return what is left of x without its bass, and the bass that the next sample loses."""
    high = x - low
    low = fused(smooth, high, low)
    return high, choose(magnitude(low), splat(TINY), low, splat(SILENT))


@njit(cache=True)
def compress(count, gains, envelopes, sound):  # type: ignore[no-untyped-def]
    """Run the compressors; `compressor.py` has the formulae."""
    used = False
    for lane in range(WIDTH):
        used |= gains[8 * WIDTH + lane] != SILENT or gains[13 * WIDTH + lane] != SILENT
    if not used:
        return
    threshold = load(gains, 7 * WIDTH)
    slope = load(gains, 8 * WIDTH)
    knee = load(gains, 9 * WIDTH)
    attack = load(gains, 10 * WIDTH)
    keep = load(gains, 11 * WIDTH)
    hold = load(gains, 12 * WIDTH)
    makeup = load(gains, 13 * WIDTH)
    smooth = load(gains, 14 * WIDTH)
    peak = load(envelopes, 2 * WIDTH)
    held = load(envelopes, 3 * WIDTH)
    reduction = load(envelopes, 4 * WIDTH)
    low_left = load(envelopes, 5 * WIDTH)
    low_right = load(envelopes, 6 * WIDTH)
    zero = splat(SILENT)
    one = splat(np.float32(1.0))
    half_knee = splat(np.float32(0.5)) * knee
    curve = splat(np.float32(0.5)) / larger(knee, splat(TINY))
    lefts = sound[0]
    rights = sound[1]
    for n in range(DELAY * WIDTH, (DELAY + count) * WIDTH, WIDTH):
        left = load(lefts, n)
        right = load(rights, n)
        heard_left, low_left = _without_bass(left, low_left, smooth)
        heard_right, low_right = _without_bass(right, low_right, smooth)
        level = larger(magnitude(heard_left), magnitude(heard_right))
        over = log2(larger(level, splat(FAINT))) - threshold
        bend = smaller(larger(over + half_knee, zero), knee)
        wanted = slope * fused(bend * bend, curve, larger(over - half_knee, zero))
        held = larger(held - one, zero)
        fading = choose(held, one, peak, peak * keep)
        fading = choose(fading, splat(SPENT), zero, fading)
        held = choose(fading * splat(NEARLY), wanted, hold, held)
        peak = smaller(fading, wanted)
        reduction = larger(peak, fused(attack, peak - reduction, reduction))
        gain = exp2(reduction + makeup)
        store(lefts, n, gain * left)
        store(rights, n, gain * right)
    store(envelopes, 2 * WIDTH, peak)
    store(envelopes, 3 * WIDTH, held)
    store(envelopes, 4 * WIDTH, reduction)
    store(envelopes, 5 * WIDTH, low_left)
    store(envelopes, 6 * WIDTH, low_right)
