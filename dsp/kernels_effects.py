"""The compiled effects: chorus, delay and reverb, for one publisher at a time.

What a delay line gives has gone in long ago, so chunks that are no longer than the shortest line
can be computed along time: the compiler makes vectors of samples here, and one publisher costs as
much as one of many. The few one-pole filters, which need each sample before the next, run eight at
a time.

All arithmetic is exact in order, so it does not matter where a chunk begins.
"""

from typing import Final

import numpy as np
from numba import carray, njit  # type: ignore[attr-defined]

from dsp.delay import RING as DELAY_RING
from dsp.effects import COEFFICIENTS, DELAY_AT, INAUDIBLE, MEMORIES, REVERB_AT
from dsp.kernels_basics import DELAY, FADE, SILENT
from dsp.kernels_chorus import chorus
from dsp.kernels_delay import delay
from dsp.kernels_reverb import reverb
from dsp.kernels_work import (
    CHUNK,
    CURVES,
    LEFT,
    PITCH,
    RIGHT,
    SPACE,
    WEIGHTS,
    move,
    pointer,
    prefetch,
)
from dsp.lanes import WIDTH, fused, load, splat, store, turn
from dsp.reverb import LINE_RING, LINES, NETWORK, PRE, PRE_RING

BUILT_ON: Final = "c347b7a011f4"
"""See `kernels_basics.py`."""

_HEARD = np.float32(INAUDIBLE).view(np.int32)


@njit(cache=True)
def affect(  # type: ignore[no-untyped-def]
    count, rows, slots, incoming, elapsed, table, memory, sound
):
    """Run the effects of a group's lanes.

    Args:
        count: Samples.
        rows: int32 (k,), each lane's row, at most WIDTH.
        slots: int32 (k,), each lane's slot.
        incoming: int32 (k,), the slot that it changes to, −1 while it does not.
        elapsed: int32 (k,), samples since the change began.
        table: Coefficients (slots, COEFFICIENTS); see `effects.py`.
        memory: addresses, clocks, phases and quiet of `EffectMemory`, updated; and work space for
            `space_for(count)` values.
        sound: float32 (2, (DELAY + count) × WIDTH), the group's, behind the limiter's room.
    """
    addresses, clocks, phases, quiet, space = memory
    used = np.empty(len(rows), np.int64)
    found = 0
    size = np.int64(CHUNK)
    for lane in range(len(rows)):
        row = rows[lane]
        if addresses[row, 0] != 0 or addresses[row, 1] != 0 or addresses[row, 2] != 0:
            used[found] = lane
            found += 1
        if addresses[row, 1] != 0:
            target = incoming[lane] if incoming[lane] >= 0 else slots[lane]
            size = min(size, np.int64(table[slots[lane], DELAY_AT + 2]))
            size = min(size, np.int64(table[target, DELAY_AT + 2]))
    if found == 0:
        return
    # Parts of an array that owns its memory count references: too dear beside so little work.
    work = carray(pointer(space.ctypes.data), SPACE)
    lanes = carray(pointer(space.ctypes.data + 4 * SPACE), 2 * WIDTH * count)
    curves = carray(pointer(table.ctypes.data), table.shape)
    first = rows[used[0]]
    _foresee(size, clocks[first], addresses[first], curves[slots[used[0]]])
    _part(count, sound, lanes)
    for number in range(found):
        lane = used[number]
        row = rows[lane]
        old = curves[slots[lane]]
        new = curves[incoming[lane]] if incoming[lane] >= 0 else old
        at = clocks[row]
        peak = np.int32(0)
        left = 2 * lane * count
        for done in range(0, count, size):
            n = min(size, count - done)
            if incoming[lane] >= 0:
                _weigh(work, n, elapsed[lane] + done)
            if incoming[lane] >= 0 or done == 0:
                _ramp(old, new, work)
            if done + n < count:
                _foresee(n, at + n, addresses[row], new)
            elif number + 1 < found:
                later = used[number + 1]
                other = rows[later]
                _foresee(size, clocks[other], addresses[other], curves[slots[later]])
            move(lanes, left + done, work, LEFT, n)
            move(lanes, left + count + done, work, RIGHT, n)
            peak = max(peak, _peak(work, n))
            phases[row] = _run(n, at, phases[row], addresses[row], old, new, work)
            peak = max(peak, _peak(work, n))
            move(work, LEFT, lanes, left + done, n)
            move(work, RIGHT, lanes, left + count + done, n)
            at += n
        clocks[row] = at
        quiet[row] = 0 if peak >= _HEARD else quiet[row] + count
    _join(count, lanes, sound)


@njit(cache=True)
def _run(n, at, phase, addresses, old, new, work):  # type: ignore[no-untyped-def]
    """Run a row's effects over n samples; return the chorus's phase."""
    if addresses[0] != 0:
        ring = carray(pointer(addresses[0]), MEMORIES[0])
        phase = chorus(n, at, phase, old, new, ring, work)
    if addresses[1] != 0:
        ring = carray(pointer(addresses[1]), MEMORIES[1])
        delay(n, at, old[DELAY_AT:], new[DELAY_AT:], ring, work)
    if addresses[2] != 0:
        ring = carray(pointer(addresses[2]), MEMORIES[2])
        reverb(n, at, old[REVERB_AT:], new[REVERB_AT:], ring, work)
    return phase


@njit(cache=True)
def _foresee(n, at, addresses, curve):  # type: ignore[no-untyped-def]
    """Have the caches fetch what the next n samples need: so many short pieces surprise them."""
    if addresses[1] != 0:
        memory = carray(pointer(addresses[1]), MEMORIES[1])
        for channel in range(2):
            ring = memory[2 + channel * DELAY_RING : 2 + (channel + 1) * DELAY_RING]
            _fetch(ring, at % DELAY_RING, curve[DELAY_AT + 2], n)
    if addresses[2] != 0:
        memory = carray(pointer(addresses[2]), MEMORIES[2])
        for channel in range(2):
            ring = memory[PRE + channel * PRE_RING : PRE + (channel + 1) * PRE_RING]
            _fetch(ring, at % PRE_RING, curve[REVERB_AT + 3], n)
        lines = memory[NETWORK:]
        place = at % LINE_RING
        for k in range(LINES):
            ring = lines[k * LINE_RING : (k + 1) * LINE_RING]
            _fetch(ring, place, curve[REVERB_AT + 4 + k], n)


@njit(inline="always")
def _fetch(ring, place, length, n):  # type: ignore[no-untyped-def]
    """Fetch where n samples will be written, and where they will be read."""
    for back in (np.int64(0), np.int64(length)):
        start = place - back
        start = start if start >= 0 else start + len(ring)
        for i in range(0, n, 16):
            here = start + i
            prefetch(ring, here if here < len(ring) else here - len(ring))


@njit(cache=True)
def _part(count, sound, lanes):  # type: ignore[no-untyped-def]
    """Lay a group's lanes one behind the other: float32 (WIDTH × 2 × count,)."""
    whole = count - count % WIDTH
    for channel in range(2):
        together = sound[channel]
        for n in range(0, whole, WIDTH):
            begin = (DELAY + n) * WIDTH
            turn(together, begin, WIDTH, lanes, channel * count + n, 2 * count)
        for n in range(whole, count):
            for lane in range(WIDTH):
                alone = (2 * lane + channel) * count
                lanes[alone + n] = together[(DELAY + n) * WIDTH + lane]


@njit(cache=True)
def _join(count, lanes, sound):  # type: ignore[no-untyped-def]
    """Lay lanes side by side again."""
    whole = count - count % WIDTH
    for channel in range(2):
        together = sound[channel]
        for n in range(0, whole, WIDTH):
            begin = (DELAY + n) * WIDTH
            turn(lanes, channel * count + n, 2 * count, together, begin, WIDTH)
        for n in range(whole, count):
            for lane in range(WIDTH):
                alone = (2 * lane + channel) * count
                together[(DELAY + n) * WIDTH + lane] = lanes[alone + n]


@njit(cache=True)
def _weigh(work, n, elapsed):  # type: ignore[no-untyped-def]
    """Write how far a change has come, on a curve without corners."""
    weights = work[WEIGHTS:]
    for i in range(n):
        t = np.float32(elapsed + i + 1) * np.float32(1.0 / FADE)
        t = min(max(t, SILENT), np.float32(1.0))
        weights[i] = t * t * (np.float32(3.0) - (t + t))


@njit(cache=True)
def _ramp(old, new, work):  # type: ignore[no-untyped-def]
    """Write each coefficient on its way from one value to another."""
    for index in range(COEFFICIENTS):
        begin = CURVES + index * PITCH
        value = splat(old[index])
        if old[index] == new[index]:
            for i in range(0, CHUNK, WIDTH):
                store(work, begin + i, value)
        else:
            change = splat(new[index] - old[index])
            for i in range(0, CHUNK, WIDTH):
                store(work, begin + i, fused(load(work, WEIGHTS + i), change, value))


@njit(inline="always")
def _peak(work, n):  # type: ignore[no-untyped-def]
    """Return the largest magnitude of the sound, as its bits, which are in the same order."""
    bits = work.view(np.int32)
    lefts = bits[LEFT:]
    rights = bits[RIGHT:]
    peak = np.int32(0)
    for i in range(n):
        peak = max(peak, lefts[i] & np.int32(0x7FFFFFFF), rights[i] & np.int32(0x7FFFFFFF))
    return peak
