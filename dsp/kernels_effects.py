"""The compiled effects: chorus, delay and reverb, for one publisher at a time.

`chorus.py`, `delay.py` and `reverb.py` have the formulae. What a delay line gives has gone in long
ago, so chunks that are no longer than the shortest line can be computed along time: the compiler
makes vectors of samples here, and one publisher costs as much as one of many. The few one-pole
filters, which need each sample before the next, run eight at a time. What runs for each short piece
of a line is copied to where it is called: its arguments would cost as much as its work.

All arithmetic is exact in order, so it does not matter where a chunk begins.
"""

from typing import Final

import numpy as np
from llvmlite import ir
from numba import carray, njit, types  # type: ignore[attr-defined]

from dsp.chorus import CENTRE, TURN
from dsp.chorus import RING as CHORUS_RING
from dsp.delay import RING as DELAY_RING
from dsp.effects import COEFFICIENTS, DELAY_AT, INAUDIBLE, MEMORIES, REVERB_AT
from dsp.kernels_basics import DELAY, FADE, SILENT, TINY
from dsp.lanes import WIDTH, choose, fused, intrinsic, load, magnitude, splat, store, turn
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

BUILT_ON: Final = "a295dfb8ba37"
"""See `kernels_basics.py`."""

CHUNK = 128  # samples; no line is shorter, but for a short delay's
PITCH = CHUNK + 16  # so that rows do not meet in the same sets of the caches
# Work space of a call: rows of PITCH values, of which all is computed up to the next multiple of
# WIDTH behind the chunk's end, and what is behind that end ignored.
LEFT = 0  # the sound
RIGHT = PITCH
WEIGHTS = 2 * PITCH  # how far a change has come
SPARE = 3 * PITCH
FIRST = 4 * PITCH
SECOND = 5 * PITCH
TAPS = 6 * PITCH  # what leaves the lines, eight rows
CURVES = 14 * PITCH  # each coefficient on its way
TURNED = CURVES + COEFFICIENTS * PITCH  # eight samples of the lines, a line in each lane
TURNED_POLES = TURNED + WIDTH * LINES
SPACE = TURNED_POLES + WIDTH * LINES

# Added to what one-pole filters are fed: far below what is flushed, and it keeps them from falling
# asleep among denormals without a comparison at each sample.
BIAS = np.float32(1e-25)
_HEARD = np.float32(INAUDIBLE).view(np.int32)
_DIFFUSERS = np.array(ALLPASSES, np.int64)
_GAIN = np.float32(ALLPASS_GAIN)
_HALF = np.float32(0.5)


@intrinsic
def _pointer(typing, address):  # type: ignore[no-untyped-def]
    """Return an address as a pointer to float32."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.inttoptr(args[0], ir.FloatType().as_pointer())

    return types.CPointer(types.float32)(types.int64), emit  # type: ignore[no-untyped-call]


@intrinsic
def prefetch(typing, array, index):  # type: ignore[no-untyped-def]
    """Ask for the memory round `array[index]` without waiting for it."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        hint = builder.module.declare_intrinsic(
            "llvm.prefetch",
            [place.type],
            ir.FunctionType(ir.VoidType(), [place.type, number, number, number]),
        )
        builder.call(hint, [place, number(1), number(2), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), emit


def space_for(count: int) -> int:
    """Return how many values of work space `affect` needs for blocks of so many samples."""
    return SPACE + 2 * WIDTH * count


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
    work = carray(_pointer(space.ctypes.data), SPACE)
    lanes = carray(_pointer(space.ctypes.data + 4 * SPACE), 2 * WIDTH * count)
    curves = carray(_pointer(table.ctypes.data), table.shape)
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
            _move(lanes, left + done, work, LEFT, n)
            _move(lanes, left + count + done, work, RIGHT, n)
            peak = max(peak, _peak(work, n))
            phases[row] = _run(n, at, phases[row], addresses[row], old, new, work)
            peak = max(peak, _peak(work, n))
            _move(work, LEFT, lanes, left + done, n)
            _move(work, RIGHT, lanes, left + count + done, n)
            at += n
        clocks[row] = at
        quiet[row] = 0 if peak >= _HEARD else quiet[row] + count
    _join(count, lanes, sound)


@njit(cache=True)
def _run(n, at, phase, addresses, old, new, work):  # type: ignore[no-untyped-def]
    """Run a row's effects over n samples; return the chorus's phase."""
    if addresses[0] != 0:
        ring = carray(_pointer(addresses[0]), MEMORIES[0])
        phase = _chorus(n, at, phase, old, new, ring, work)
    if addresses[1] != 0:
        ring = carray(_pointer(addresses[1]), MEMORIES[1])
        _delay(n, at, old[DELAY_AT:], new[DELAY_AT:], ring, work)
    if addresses[2] != 0:
        ring = carray(_pointer(addresses[2]), MEMORIES[2])
        _reverb(n, at, old[REVERB_AT:], new[REVERB_AT:], ring, work)
    return phase


@njit(cache=True)
def _foresee(n, at, addresses, curve):  # type: ignore[no-untyped-def]
    """Have the caches fetch what the next n samples need: so many short pieces surprise them."""
    if addresses[1] != 0:
        memory = carray(_pointer(addresses[1]), MEMORIES[1])
        for channel in range(2):
            ring = memory[2 + channel * DELAY_RING : 2 + (channel + 1) * DELAY_RING]
            _fetch(ring, at % DELAY_RING, curve[DELAY_AT + 2], n)
    if addresses[2] != 0:
        memory = carray(_pointer(addresses[2]), MEMORIES[2])
        for channel in range(2):
            ring = memory[PRE + channel * PRE_RING : PRE + (channel + 1) * PRE_RING]
            _fetch(ring, at % PRE_RING, curve[REVERB_AT + 3], n)
        lines = memory[NETWORK:]
        place = at % LINE_RING
        for k in range(LINES):
            ring = lines[k * LINE_RING : (k + 1) * LINE_RING]
            _fetch(ring, place, curve[REVERB_AT + 4 + k], n)


@njit(inline="always")
def _fetch(ring, place, delay, n):  # type: ignore[no-untyped-def]
    """Fetch where n samples will be written, and where they will be read."""
    for back in (np.int64(0), np.int64(delay)):
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


@njit(inline="always")
def _move(source, start, target, begin, n):  # type: ignore[no-untyped-def]
    """Copy n samples. The vectors are explicit: so short a loop has no time for preparations."""
    whole = n - n % WIDTH
    for i in range(0, whole, WIDTH):
        store(target, begin + i, load(source, start + i))
    for i in range(whole, n):
        target[begin + i] = source[start + i]


@njit(inline="always")
def _read(ring, start, work, begin, n):  # type: ignore[no-untyped-def]
    """Copy n samples of a ring from `start` on, and on from its beginning."""
    start = start if start >= 0 else start + len(ring)
    head = min(n, len(ring) - start)
    _move(ring, start, work, begin, head)
    if head < n:
        _move(ring, 0, work, begin + head, n - head)


@njit(inline="always")
def _write(ring, start, work, begin, n):  # type: ignore[no-untyped-def]
    head = min(n, len(ring) - start)
    _move(work, begin, ring, start, head)
    if head < n:
        _move(work, begin + head, ring, 0, n - head)


@njit(inline="always")
def _tap(ring, place, old, new, work, begin, n):  # type: ignore[no-untyped-def]
    """Read what went in `old` samples ago, on its way to what went in `new` samples ago.

    `place` is where the ring is written to next.
    """
    _read(ring, place - np.int64(old), work, begin, n)
    if new != old:
        _read(ring, place - np.int64(new), work, SPARE, n)
        for i in range(0, n, WIDTH):
            before = load(work, begin + i)
            change = load(work, SPARE + i) - before
            store(work, begin + i, fused(load(work, WEIGHTS + i), change, before))


@njit
def _flushed(values):  # type: ignore[no-untyped-def]
    """Return zero for what nobody hears, lest it become denormal and slow."""
    return choose(magnitude(values), splat(TINY), values, splat(SILENT))


@njit
def _blended(work, plain, effect, curve, i):  # type: ignore[no-untyped-def]
    """Return plain sound and effect by the shares that stand from `curve` on."""
    dry = load(work, curve + i)
    wet = load(work, curve + PITCH + i)
    return fused(wet, effect, dry * plain)


@njit(cache=True)
def _chorus(n, at, phase, old, new, ring, work):  # type: ignore[no-untyped-def]
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
        _write(line, at & (CHORUS_RING - 1), work, SECOND, n)
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
            store(work, samples + i, _blended(work, plain, copy, CURVES, i))
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


@njit(cache=True)
def _delay(n, at, old, new, memory, work):  # type: ignore[no-untyped-def]
    curve = CURVES + DELAY_AT * PITCH
    place = at % DELAY_RING
    for channel in range(2):
        ring = memory[2 + channel * DELAY_RING : 2 + (channel + 1) * DELAY_RING]
        _tap(ring, place, old[2], new[2], work, TAPS + channel * PITCH, n)
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
            store(work, dull + i, _flushed(again))
            store(work, samples + i, _blended(work, plain, echo, curve, i))
        ring = memory[2 + channel * DELAY_RING : 2 + (channel + 1) * DELAY_RING]
        _write(ring, place, work, dull, n)


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


@njit(cache=True)
def _reverb(n, at, old, new, memory, work):  # type: ignore[no-untyped-def]
    _enter(n, at, old, new, memory, work)
    lines = memory[NETWORK:]
    place = at % LINE_RING
    for k in range(LINES):
        ring = lines[k * LINE_RING : (k + 1) * LINE_RING]
        _tap(ring, place, old[4 + k], new[4 + k], work, TAPS + k * PITCH, n)
    _leave(n, work)
    _damp(n, memory, work)
    _mix(n, work)
    for k in range(LINES):
        ring = lines[k * LINE_RING : (k + 1) * LINE_RING]
        _write(ring, place, work, TAPS + k * PITCH, n)


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
        _write(pre, place, work, value, n)
        _tap(pre, place, old[3], new[3], work, value, n)
        for k in range(4):
            begin = DIFFUSERS + (4 * channel + k) * ALLPASS_RING
            ring = memory[begin : begin + ALLPASS_RING]
            _read(ring, step - _DIFFUSERS[channel, k], work, TAPS + k * PITCH, n)
        for i in range(0, n, WIDTH):
            passing = load(work, value + i)
            for k in range(4):
                here = TAPS + k * PITCH + i
                leaving = fused(loss, passing, load(work, here))
                store(work, here, _flushed(fused(gain, leaving, passing)))
                passing = leaving
            store(work, value + i, passing)
        for k in range(4):
            begin = DIFFUSERS + (4 * channel + k) * ALLPASS_RING
            ring = memory[begin : begin + ALLPASS_RING]
            _write(ring, step, work, TAPS + k * PITCH, n)


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
            store(work, channel * PITCH + i, _blended(work, plain, one + two, curve, i))
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
        store(work, i, _flushed(a + left))
        store(work, i + PITCH, _flushed(b + right))
        store(work, i + 2 * PITCH, _flushed(c + left))
        store(work, i + 3 * PITCH, _flushed(d + right))
        store(work, i + 4 * PITCH, _flushed(e + left))
        store(work, i + 5 * PITCH, _flushed(f + right))
        store(work, i + 6 * PITCH, _flushed(g + left))
        store(work, i + 7 * PITCH, _flushed(h + right))


@njit
def _both(one, two):  # type: ignore[no-untyped-def]
    return one + two, one - two
