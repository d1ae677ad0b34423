"""The compiled loops of gains that move by themselves. One file: numba's cache sees no imports.

Gains move in straight lines over a block, without steps from one block to the next. What the loops
compute, and why, stands in `leveller.py` and `automix.py`.
"""

import numpy as np

from dsp.jit import compiled

# Columns of a leveller's state.
ENERGY, WEIGHT, MISSES, AGE, GOAL_DB, RISE, FALL, GAIN_DB = range(8)
STATE = 8
# Columns of its settings.
TARGET, MOST, LEAST, THRESHOLD, SPREAD, KEEP, RISES, FALLS, YOUNG_RISES = range(9)
SETTINGS = 9

RELATIVE = 0.1  # −10 LU
MISSED = 20.0  # observations too quiet for the estimate, until it is taken for another voice's
YOUNG = 30.0  # observations of an estimate that is still new


@compiled()
def ride(arena, first, count, rows, ramps):  # type: ignore[no-untyped-def]
    """Multiply `count` samples from `first` of some rows, in place.

    Args:
        arena: float32 (rows, samples, 2).
        first: First sample.
        count: Samples.
        rows: int32 (k,).
        ramps: float64 (k, 2), factors before the first sample and at the last one.
    """
    for i in range(len(rows)):
        begin = np.float32(ramps[i, 0])
        end = np.float32(ramps[i, 1])
        if begin == np.float32(1.0) and end == np.float32(1.0):
            continue
        block = arena[rows[i]]
        step = (end - begin) / np.float32(count)
        for n in range(count):
            gain = begin + step * np.float32(n + 1)
            block[first + n, 0] *= gain
            block[first + n, 1] *= gain


@compiled()
def follow(rows, loudness, spreads, settings, states):  # type: ignore[no-untyped-def]
    """Take in what was measured over the last 100 ms.

    Args:
        rows: int32 (k,).
        loudness: float64 (k,), momentary, LUFS.
        spreads: float64 (k,), by how much the sound rose and fell of late, dB.
        settings: float64 (rows, SETTINGS).
        states: float64 (rows, STATE), zeros in the beginning; updated.
    """
    for i in range(len(rows)):
        wanted = settings[rows[i]]
        state = states[rows[i]]
        state[RISE] = 0.0
        state[FALL] = 0.0
        if loudness[i] < wanted[THRESHOLD] or spreads[i] < wanted[SPREAD]:
            continue
        power = 10.0 ** (loudness[i] / 10.0)
        if power * state[WEIGHT] < RELATIVE * state[ENERGY]:
            state[MISSES] += 1.0
            if state[MISSES] < MISSED:
                continue
            state[ENERGY] = 0.0
            state[WEIGHT] = 0.0
            state[AGE] = 0.0
        state[ENERGY] = wanted[KEEP] * state[ENERGY] + power
        state[WEIGHT] = wanted[KEEP] * state[WEIGHT] + 1.0
        state[MISSES] = 0.0
        state[AGE] += 1.0
        estimate = 10.0 * np.log10(state[ENERGY] / state[WEIGHT])
        state[GOAL_DB] = min(max(wanted[TARGET] - estimate, wanted[LEAST]), wanted[MOST])
        is_young = state[AGE] <= YOUNG
        state[RISE] = wanted[YOUNG_RISES] if is_young else wanted[RISES]
        state[FALL] = wanted[FALLS]


@compiled()
def glide(rows, seconds, states, ramps):  # type: ignore[no-untyped-def]
    """Let gains go towards their goals for some time.

    Args:
        rows: int32 (k,).
        seconds: How long.
        states: float64 (rows, STATE); updated.
        ramps: float64 (k, 2), multiplied by the factors before and after.
    """
    for i in range(len(rows)):
        state = states[rows[i]]
        before = state[GAIN_DB]
        lowest = before - state[FALL] * seconds
        after = min(max(state[GOAL_DB], lowest), before + state[RISE] * seconds)
        state[GAIN_DB] = after
        ramps[i, 0] *= 10.0 ** (before / 20.0)
        ramps[i, 1] *= 10.0 ** (after / 20.0)


@compiled()
def share(powers, attack, release, smooth, gains):  # type: ignore[no-untyped-def]
    """Share one gain among all, each according to its part of the power.

    Args:
        powers: float64 (k,), of the block.
        attack: Share of the way that a rising power goes in a block.
        release: Share of the way that a falling one goes.
        smooth: float64 (k,), smoothed powers; updated.
        gains: float64 (k,), written; the sum of their squares is 1.
    """
    total = 0.0
    for i in range(len(powers)):
        way = attack if powers[i] > smooth[i] else release
        smooth[i] = max(smooth[i] + (powers[i] - smooth[i]) * way, 1e-14)
        total += smooth[i]
    for i in range(len(powers)):
        gains[i] = np.sqrt(smooth[i] / total)
