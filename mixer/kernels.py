"""The compiled loops of the mixer. One file, since numba's cache does not see changed imports.

Audio stands in arenas of shape (rows, 960, 2), float32, full scale ±1; a 10 ms block is one half of
a row. All loops are exact in order (no fast-math), so a mix does not depend on its neighbours.
"""

import numpy as np
from numba import njit

SUB_BLOCK = 48  # the limiter decides once per millisecond


@njit(cache=True)
def measure(arena, rows, first, count, peaks, powers):  # type: ignore[no-untyped-def]
    """Write peak and mean square of `count` samples from `first` of each row.

    Args:
        arena: float32 (rows, 960, 2).
        rows: int32 (k,), the rows to measure.
        first: First sample.
        count: Samples.
        peaks: float32 (k,), written.
        powers: float32 (k,), written; mean over samples and channels.
    """
    for i in range(len(rows)):
        block = arena[rows[i]]
        peak = np.float32(0.0)
        power = np.float32(0.0)
        for s in range(first, first + count):
            left = block[s, 0]
            right = block[s, 1]
            power += left * left + right * right
            peak = max(peak, abs(left), abs(right))
        peaks[i] = peak
        powers[i] = power / (2 * count)


@njit(cache=True)
def mix(  # type: ignore[no-untyped-def]
    sources, first, mixes, target, count, mix_rows, starts, terms, gains, limiter, ceiling, release
):
    """Sum sources into mixes and keep each mix under the ceiling.

    Args:
        sources: float32 (rows, 960, 2).
        first: First sample of the block in a source row.
        mixes: float32 (rows, 960, 2), written.
        target: First sample of the block in a mix row.
        count: Samples of the block, a multiple of `SUB_BLOCK`.
        mix_rows: int32 (m,), rows of `mixes`.
        starts: int32 (m + 1,); terms of mix i are `starts[i]` to `starts[i + 1]`.
        terms: int32 (t,), source row of each term.
        gains: float32 (t, 4): left and right at the start, left and right at the end; the gain
            moves in a straight line between them, so that no change clicks.
        limiter: float32 (rows,), current gain of each mix's limiter, updated.
        ceiling: Highest magnitude that leaves.
        release: Share of the way back to unity per sub-block.
    """
    for i in range(len(mix_rows)):
        out = mixes[mix_rows[i]]
        for s in range(target, target + count):
            out[s, 0] = 0.0
            out[s, 1] = 0.0
        for t in range(starts[i], starts[i + 1]):
            block = sources[terms[t]]
            left, right = gains[t, 0], gains[t, 1]
            if left == 1.0 and right == 1.0 and gains[t, 2] == 1.0 and gains[t, 3] == 1.0:
                for s in range(count):
                    out[target + s, 0] += block[first + s, 0]
                    out[target + s, 1] += block[first + s, 1]
            else:
                step_left = (gains[t, 2] - left) / np.float32(count)
                step_right = (gains[t, 3] - right) / np.float32(count)
                for s in range(count):
                    out[target + s, 0] += block[first + s, 0] * (left + step_left * np.float32(s))
                    out[target + s, 1] += block[first + s, 1] * (right + step_right * np.float32(s))
        _limit(out, target, count, limiter, mix_rows[i], ceiling, release)


@njit(cache=True)
def _limit(out, first, count, limiter, row, ceiling, release):  # type: ignore[no-untyped-def]
    """Limit one block in place, looking one sub-block ahead and never past the ceiling."""
    gain = limiter[row]
    peak = np.float32(0.0)
    for s in range(first, first + count):
        peak = max(peak, abs(out[s, 0]), abs(out[s, 1]))
    if peak <= ceiling and gain == 1.0:
        return
    blocks = count // SUB_BLOCK
    need = np.empty(blocks + 1, np.float32)
    for b in range(blocks):
        peak = np.float32(0.0)
        for s in range(first + b * SUB_BLOCK, first + (b + 1) * SUB_BLOCK):
            peak = max(peak, abs(out[s, 0]), abs(out[s, 1]))
        need[b] = min(np.float32(1.0), ceiling / peak) if peak > 0.0 else np.float32(1.0)
    need[blocks] = 1.0
    for b in range(blocks):
        goal = min(need[b], need[b + 1])
        if goal > gain:
            goal = min(goal, gain + (1.0 - gain) * release)
            if goal > 0.9999:
                goal = np.float32(1.0)
        step = (goal - gain) / np.float32(SUB_BLOCK)
        for k in range(SUB_BLOCK):
            s = first + b * SUB_BLOCK + k
            g = gain + step * np.float32(k + 1)
            for c in range(2):
                # A peak at the very start of a block comes before any ramp can: it is cut.
                out[s, c] = min(ceiling, max(-ceiling, out[s, c] * g))
        gain = goal
    limiter[row] = gain
