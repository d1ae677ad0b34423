"""The compiled filters: high-pass and equaliser. `svf.py` has the formulae."""

from typing import Final

import numpy as np
from numba import njit

from dsp.kernels_basics import DELAY, SILENT, TINY
from dsp.lanes import WIDTH, choose, fused, load, magnitude, splat, store

BUILT_ON: Final = "86a54ee99c50"
"""See `kernels_basics.py`."""

SECTIONS = 6


@njit(cache=True)
def sections_in_use(sections, slots):  # type: ignore[no-untyped-def]
    """Return the sections that change anything in any lane, in order."""
    used = np.empty(SECTIONS, np.int64)
    found = 0
    for section in range(SECTIONS):
        for slot in slots:
            if slot >= 0 and sections[slot, section * 6] != np.float32(0.0):
                used[found] = section
                found += 1
                break
    return used[:found]


@njit
def _section(value, curve, at, memory, z):  # type: ignore[no-untyped-def]
    """Advance one section by a sample; `svf.py` has the formulae."""
    z1 = load(memory, z)
    z2 = load(memory, z + WIDTH)
    zero = splat(SILENT)
    tiny = splat(TINY)
    band = load(curve, at)
    high = value - z2
    y1 = z1 + fused(band, high, zero - load(curve, at + 2 * WIDTH) * z1)
    y2 = fused(load(curve, at + WIDTH), high, fused(band, z1, z2))
    store(memory, z, choose(magnitude(y1), tiny, y1, zero))
    store(memory, z + WIDTH, choose(magnitude(y2), tiny, y2, zero))
    result = load(curve, at + 3 * WIDTH) * value
    result = fused(load(curve, at + 4 * WIDTH), z1 + y1, result)
    return fused(load(curve, at + 5 * WIDTH), z2 + y2, result)


@njit(cache=True)
def filter_sections(count, used, curve, memory, sound):  # type: ignore[no-untyped-def]
    """Run sections in series. All of them at each sample: the processor overlaps their chains."""
    if len(used) == 0:
        return
    lefts = sound[0]
    rights = sound[1]
    for n in range(DELAY, DELAY + count):
        left = load(lefts, n * WIDTH)
        right = load(rights, n * WIDTH)
        for section in used:
            at = section * 6 * WIDTH
            z = section * 4 * WIDTH
            left = _section(left, curve, at, memory, z)
            right = _section(right, curve, at, memory, z + 2 * WIDTH)
        store(lefts, n * WIDTH, left)
        store(rights, n * WIDTH, right)
