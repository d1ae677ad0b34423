"""The compiled loops of the mixer. One file, since numba's cache does not see changed imports.

Audio stands in arenas of shape (rows, 960, 2), float32, full scale ±1; a 10 ms block is one half of
a row. All loops are exact in order (no fast-math), so a mix does not depend on its neighbours.
"""

import numpy as np

from dsp.jit import compiled

SILENCE_DBOV = 127
AUDIBLE_DBOV = 65  # what is quieter than this is not heard
FLOOR_RISE_DB_PER_S = 3.0
HANGOVER_S = 2.0  # inaudible for so long and a source leaves the mixes
SPEAKING_DBOV = 45
SPEAKING_OVER_FLOOR_DB = 8
SMOOTH_S = 0.05
SUB_BLOCK = 48  # the limiter decides once per millisecond
SPEAKING, WANTS_IN, MUTED = 1, 2, 4  # in `exchange_frames.LEVEL`
ALL_AS_BEFORE, OTHERS_WANT_IN, MUTES = 0, 1, 2  # what `follow_levels` finds


@compiled()
def observe(arena, meters, rows, count, elapsed_s, now_s):  # type: ignore[no-untyped-def]
    """Take note of how loud sources are, and of who is to be in the mixes.

    Args:
        arena: float32 (rows, 960, 2).
        meters: `arena.METER` by row, updated; `present` and `muted` are the caller's.
        rows: int32 (k,), the sources.
        count: Samples from the beginning of a row to look at.
        elapsed_s: Time since the last call.
        now_s: The present.

    Returns:
        How many want to be in the mixes; one's complement of it when these are not the same as
        after the last call.
    """
    changed = False
    wanting = 0
    for i in range(len(rows)):
        meter = meters[rows[i]]
        if meter.present:
            if meter.muted:  # how loud it is, is nobody's business
                rest(meter)
            else:
                _follow(meter, _power(arena[rows[i]], count), elapsed_s, now_s)
        wants_in = not meter.muted and now_s < meter.engaged_until_s
        if wants_in != (meter.wants_in != 0):
            meter.wants_in = wants_in
            changed = True
        wanting += wants_in
    return ~wanting if changed else wanting


@compiled()
def _power(block, count):  # type: ignore[no-untyped-def]
    power = np.float32(0.0)
    for s in range(count):
        left = block[s, 0]
        right = block[s, 1]
        power += left * left + right * right
    return np.float64(power / (2 * count))


@compiled()
def _follow(meter, power, elapsed_s, now_s):  # type: ignore[no-untyped-def]
    level = level_dbov(power)
    meter.level_dbov = level
    meter.smooth_power += (power - meter.smooth_power) * min(1.0, elapsed_s / SMOOTH_S)
    if level < AUDIBLE_DBOV:
        meter.engaged_until_s = now_s + HANGOVER_S
    # As `levels.follow_floor`.
    risen = max(meter.floor_dbov - FLOOR_RISE_DB_PER_S * elapsed_s, float(level))
    meter.floor_dbov = min(risen, float(AUDIBLE_DBOV))
    smooth = level_dbov(meter.smooth_power)
    meter.speaking = smooth < SPEAKING_DBOV and (
        meter.floor_dbov - smooth > SPEAKING_OVER_FLOOR_DB or smooth < SPEAKING_DBOV - 15
    )


@compiled()
def level_dbov(power):  # type: ignore[no-untyped-def]
    """Return the level of a mean square, 0 (full scale) to 127 (silence), as RFC 6464 counts."""
    if power <= 2e-13:
        return SILENCE_DBOV
    return max(0, min(SILENCE_DBOV, int(np.rint(-10.0 * np.log10(power)))))


@compiled()
def rest(meter):  # type: ignore[no-untyped-def]
    """Take note that nothing was played in this block, or nothing that anybody may know of."""
    meter.level_dbov = SILENCE_DBOV
    meter.smooth_power = 0.0
    meter.speaking = False


@compiled()
def tell_levels(meters, rows, levels):  # type: ignore[no-untyped-def]
    """Write down for other workers how loud sources are; return whether any wants in.

    Args:
        meters: `arena.METER` by row.
        rows: int32 (k,), the sources.
        levels: uint8 (3 k,), `exchange_frames.LEVEL` of each, written.
    """
    anybody = False
    for i in range(len(rows)):
        meter = meters[rows[i]]
        levels[3 * i] = meter.level_dbov
        levels[3 * i + 1] = np.uint8(meter.floor_dbov)
        flags = 0
        if meter.speaking:
            flags |= SPEAKING
        if meter.wants_in:
            flags |= WANTS_IN
            anybody = True
        if meter.muted:
            flags |= MUTED
        levels[3 * i + 2] = flags
    return anybody


@compiled()
def follow_levels(meters, rows, places, levels, minds_mutes):  # type: ignore[no-untyped-def]
    """Take note of how loud sources are that another worker has measured.

    Args:
        meters: `arena.METER` by row, updated.
        rows: int32 (k,), the sources.
        places: intp (k,), where each stands in `levels`.
        levels: uint8, `exchange_frames.LEVEL` of the worker's sources, three bytes each.
        minds_mutes: Whether to return before anything is written if somebody was muted or unmuted.

    Returns:
        `MUTES` in that case, else `OTHERS_WANT_IN` or `ALL_AS_BEFORE`.
    """
    if minds_mutes:
        for i in range(len(rows)):
            if (levels[3 * places[i] + 2] & MUTED != 0) != (meters[rows[i]].muted != 0):
                return MUTES
    found = ALL_AS_BEFORE
    for i in range(len(rows)):
        meter = meters[rows[i]]
        at = 3 * places[i]
        flags = levels[at + 2]
        wants_in = flags & WANTS_IN != 0
        if wants_in != (meter.wants_in != 0):
            found = OTHERS_WANT_IN
        meter.wants_in = wants_in
        meter.level_dbov = levels[at]
        meter.floor_dbov = levels[at + 1]
        meter.speaking = flags & SPEAKING != 0
    return found


@compiled()
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


@compiled()
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
        sound = out.reshape(-1)[2 * target : 2 * (target + count)]
        sound[:] = 0.0
        for t in range(starts[i], starts[i + 1]):
            block = sources[terms[t]]
            left, right = gains[t, 0], gains[t, 1]
            if left == 1.0 and right == 1.0 and gains[t, 2] == 1.0 and gains[t, 3] == 1.0:
                _add(sound, block.reshape(-1)[2 * first : 2 * (first + count)])
            else:
                step_left = (gains[t, 2] - left) / np.float32(count)
                step_right = (gains[t, 3] - right) / np.float32(count)
                for s in range(count):
                    out[target + s, 0] += block[first + s, 0] * (left + step_left * np.float32(s))
                    out[target + s, 1] += block[first + s, 1] * (right + step_right * np.float32(s))
        if limiter[mix_rows[i]] == 1.0 and _peak(sound) <= ceiling:
            continue
        _limit(out, target, count, limiter, mix_rows[i], ceiling, release)


@compiled()
def _add(total, term):  # type: ignore[no-untyped-def]
    for i in range(len(total)):
        total[i] += term[i]


@compiled(fastmath={"nnan"})  # the order of a search for the largest changes nothing
def _peak(sound):  # type: ignore[no-untyped-def]
    peak = np.float32(0.0)
    for i in range(len(sound)):
        peak = max(peak, abs(sound[i]))
    return peak


@compiled()
def _limit(out, first, count, limiter, row, ceiling, release):  # type: ignore[no-untyped-def]
    """Limit one block in place, looking one sub-block ahead and never past the ceiling."""
    gain = limiter[row]
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
