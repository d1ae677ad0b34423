"""The compiled effects: chorus, delay and reverb, for one publisher at a time.

`chorus.py`, `delay.py` and `reverb.py` have the formulae. What a delay line gives has gone in long
ago, so chunks that are no longer than the shortest line can be computed along time: the compiler
makes vectors of samples here, and one publisher costs as much as one of many. The few one-pole
filters, which need each sample before the next, run eight at a time.

All arithmetic is exact in order, so it does not matter where a chunk begins.
"""

from typing import Final

import numpy as np
from llvmlite import ir
from numba import carray, njit, types  # type: ignore[attr-defined]

from dsp.chorus import CENTRE, TURN
from dsp.chorus import RING as CHORUS_RING
from dsp.delay import RING as DELAY_RING
from dsp.effects import DELAY_AT, MEMORIES, REVERB_AT
from dsp.kernels_basics import DELAY, FADE, SILENT, TINY
from dsp.lanes import WIDTH, intrinsic
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

BUILT_ON: Final = "a062fc3b3b5a"
"""See `kernels_basics.py`."""

CHUNK = 128  # samples; no line is shorter, but for a delay of 1 ms
_DIFFUSERS = np.array(ALLPASSES, np.int64)
_GAIN = np.float32(ALLPASS_GAIN)
# Added to what one-pole filters are fed: far below what is flushed, and it keeps them from falling
# asleep among denormals without a comparison at each sample.
BIAS = np.float32(1e-25)
_HALF = np.float32(0.5)

# Work space of a call: rows of CHUNK samples.
LEFT, RIGHT = 0, 1  # the sound
WEIGHTS = 2
SPARE, DRY, WET, OTHER, FIRST, SECOND = 3, 4, 5, 6, 7, 8
DAMPING, ECHOES = 9, 10  # of the delay
TAPS_AT = 9  # what leaves the lines, eight rows
GAINS_AT = 17
POLES_AT = 25
ROWS = 33


@intrinsic
def _pointer(typing, address):  # type: ignore[no-untyped-def]
    """Return an address as a pointer to float32."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.inttoptr(args[0], ir.FloatType().as_pointer())

    return types.CPointer(types.float32)(types.int64), emit  # type: ignore[no-untyped-call]


@njit(cache=True)
def affect(  # type: ignore[no-untyped-def]
    count, lane, row, slot, incoming, elapsed, table, memory, sound
):
    """Run the effects of one lane of a group.

    Args:
        count: Samples.
        lane: Which of the group's.
        row: Its row.
        slot: Its slot.
        incoming: The slot that it changes to, −1 while it does not.
        elapsed: Samples since the change began.
        table: Coefficients (slots, COEFFICIENTS); see `effects.py`.
        memory: addresses, clocks, phases and peaks of `EffectMemory`; updated.
        sound: float32 (2, (DELAY + count) × WIDTH), the group's, behind the limiter's room.
    """
    addresses, clocks, phases, peaks = memory
    old = table[slot]
    new = table[incoming] if incoming >= 0 else old
    size = _chunk(addresses[row, 1], old, new)
    work = np.empty((ROWS, CHUNK), np.float32)
    swings = np.empty((2, CHUNK), np.int32)
    at = clocks[row]
    peak = np.int32(0)
    done = 0
    while done < count:
        n = min(size, count - done)
        begin = (DELAY + done) * WIDTH + lane
        for channel in range(2):
            line = sound[channel, begin:]
            samples = work[channel]
            for i in range(n):
                samples[i] = line[i * WIDTH]
        if incoming >= 0:
            _weigh(work[WEIGHTS], n, elapsed + done)
        peak = max(peak, _peak(work[LEFT], n), _peak(work[RIGHT], n))
        settled = incoming < 0 and done > 0  # what is ramped stands there already
        if addresses[row, 0] != 0:
            ring = carray(_pointer(addresses[row, 0]), MEMORIES[0])
            phases[row] = _chorus(n, at, phases[row], old, new, ring, work, swings)
            peak = max(peak, _peak(work[LEFT], n), _peak(work[RIGHT], n))
        if addresses[row, 1] != 0:
            ring = carray(_pointer(addresses[row, 1]), MEMORIES[1])
            _delay(n, at, old[DELAY_AT:], new[DELAY_AT:], ring, work)
            peak = max(peak, _peak(work[LEFT], n), _peak(work[RIGHT], n))
        if addresses[row, 2] != 0:
            ring = carray(_pointer(addresses[row, 2]), MEMORIES[2])
            _reverb(n, at, old[REVERB_AT:], new[REVERB_AT:], settled, ring, work)
            peak = max(peak, _peak(work[LEFT], n), _peak(work[RIGHT], n))
        for channel in range(2):
            line = sound[channel, begin:]
            samples = work[channel]
            for i in range(n):
                line[i * WIDTH] = samples[i]
        at += n
        done += n
    clocks[row] = at
    bits = np.empty(1, np.int32)
    bits[0] = peak
    peaks[row] = bits.view(np.float32)[0]


@njit(cache=True)
def _chunk(has_delay, old, new):  # type: ignore[no-untyped-def]
    """Return how many samples may be computed at once."""
    if has_delay == 0:
        return CHUNK
    return min(CHUNK, np.int64(min(old[DELAY_AT + 2], new[DELAY_AT + 2])))


@njit(cache=True)
def _weigh(weights, n, elapsed):  # type: ignore[no-untyped-def]
    """Write how far a change has come, on a curve without corners."""
    for i in range(n):
        t = np.float32(elapsed + i + 1) * np.float32(1.0 / FADE)
        t = min(max(t, SILENT), np.float32(1.0))
        weights[i] = t * t * (np.float32(3.0) - (t + t))


@njit(cache=True)
def _ramp(out, n, old, new, weights):  # type: ignore[no-untyped-def]
    """Write a coefficient on its way from one value to another."""
    if old == new:
        for i in range(n):
            out[i] = old
    else:
        for i in range(n):
            out[i] = old + weights[i] * (new - old)


@njit(cache=True)
def _peak(samples, n):  # type: ignore[no-untyped-def]
    """Return the largest magnitude, as its bits: integers are compared in vectors."""
    bits = samples.view(np.int32)
    peak = np.int32(0)
    for i in range(n):
        peak = max(peak, bits[i] & np.int32(0x7FFFFFFF))
    return peak


@njit(cache=True)
def _read(ring, start, out, n):  # type: ignore[no-untyped-def]
    """Copy n samples of a ring from `start` on, and on from its beginning."""
    head = min(n, len(ring) - start)
    first = ring[start : start + head]
    for i in range(head):
        out[i] = first[i]
    rest = out[head:]
    for i in range(n - head):
        rest[i] = ring[i]


@njit(cache=True)
def _write(ring, start, samples, n):  # type: ignore[no-untyped-def]
    head = min(n, len(ring) - start)
    first = ring[start : start + head]
    for i in range(head):
        first[i] = samples[i]
    rest = samples[head:]
    for i in range(n - head):
        ring[i] = rest[i]


@njit(cache=True)
def _tap(ring, place, old, new, work, out, n):  # type: ignore[no-untyped-def]
    """Read what went in `old` samples ago, on its way to what went in `new` samples ago.

    `place` is where the ring is written to next.
    """
    before = np.int64(old)
    after = np.int64(new)
    start = place - before
    _read(ring, start if start >= 0 else start + len(ring), out, n)
    if after != before:
        spare = work[SPARE]
        weights = work[WEIGHTS]
        start = place - after
        _read(ring, start if start >= 0 else start + len(ring), spare, n)
        for i in range(n):
            out[i] += weights[i] * (spare[i] - out[i])


@njit(cache=True)
def _blend(n, plain, effect, work):  # type: ignore[no-untyped-def]
    """Mix an effect into the plain sound by the shares in DRY and WET."""
    dry = work[DRY]
    wet = work[WET]
    for i in range(n):
        plain[i] = dry[i] * plain[i] + wet[i] * effect[i]


@njit(cache=True)
def _chorus(n, at, phase, old, new, ring, work, swings):  # type: ignore[no-untyped-def]
    weights = work[WEIGHTS]
    _ramp(work[DRY], n, old[0], new[0], weights)
    _ramp(work[WET], n, old[1], new[1], weights)
    _ramp(work[OTHER], n, old[3], new[3], weights)
    enters = work[SPARE]
    _ramp(enters, n, old[4], new[4], weights)
    turns = swings[0]  # 32 bits: they wrap around where a turn does
    if old[2] == new[2]:
        step = np.int32(old[2])
        for i in range(n):
            turns[i] = phase + i * step
        phase += n * step
    else:
        for i in range(n):
            turns[i] = phase
            phase += np.int64(old[2] + weights[i] * (new[2] - old[2]))
    depth = work[OTHER]
    wholes = swings[1]
    fractions = work[FIRST]
    for channel in range(2):
        line = ring[channel * CHORUS_RING : (channel + 1) * CHORUS_RING]
        samples = work[channel]
        copy = work[SECOND]
        for i in range(n):
            copy[i] = enters[i] * samples[i]
        _write(line, at & (CHORUS_RING - 1), copy, n)
        ahead = np.int32(channel * (TURN // 4))
        for i in range(n):
            swing = SILENT - depth[i] * _sine(np.int32(turns[i] + ahead))
            whole = np.floor(swing)
            fractions[i] = swing - whole
            wholes[i] = np.int32(whole)
        for i in range(n):
            place = at + i - CENTRE + wholes[i]
            a = line[(place - 1) & (CHORUS_RING - 1)]
            b = line[place & (CHORUS_RING - 1)]
            c = line[(place + 1) & (CHORUS_RING - 1)]
            d = line[(place + 2) & (CHORUS_RING - 1)]
            f = fractions[i]
            third = _HALF * (d - a) + np.float32(1.5) * (b - c)
            second = a - np.float32(2.5) * b + (c + c) - _HALF * d
            copy[i] = ((third * f + second) * f + _HALF * (c - a)) * f + b
        _blend(n, samples, copy, work)
    return phase & (TURN - 1)


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
    weights = work[WEIGHTS]
    _ramp(work[DRY], n, old[0], new[0], weights)
    _ramp(work[WET], n, old[1], new[1], weights)
    _ramp(work[OTHER], n, old[3], new[3], weights)
    _ramp(work[DAMPING], n, old[4], new[4], weights)
    place = at % DELAY_RING
    for channel in range(2):
        ring = memory[2 + channel * DELAY_RING : 2 + (channel + 1) * DELAY_RING]
        _tap(ring, place, old[2], new[2], work, work[ECHOES + channel], n)
    _dull(n, memory, work)
    feedback = work[OTHER]
    enters = work[SPARE]
    _ramp(enters, n, old[5], new[5], weights)
    for channel in range(2):
        ring = memory[2 + channel * DELAY_RING : 2 + (channel + 1) * DELAY_RING]
        samples = work[channel]
        written = work[FIRST + channel]
        for i in range(n):
            value = enters[i] * samples[i] + feedback[i] * written[i]
            written[i] = value if abs(value) >= TINY else SILENT
        _write(ring, place, written, n)
        _blend(n, samples, work[ECHOES + channel], work)


@njit(cache=True)
def _dull(n, states, work):  # type: ignore[no-untyped-def]
    """Run the delay's low-passes, from ECHOES to FIRST and SECOND."""
    lefts, rights = work[ECHOES], work[ECHOES + 1]
    dull_lefts, dull_rights = work[FIRST], work[SECOND]
    damping = work[DAMPING]
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
def _reverb(n, at, old, new, settled, memory, work):  # type: ignore[no-untyped-def]
    weights = work[WEIGHTS]
    _ramp(work[DRY], n, old[0], new[0], weights)
    _ramp(work[WET], n, old[1], new[1], weights)
    _ramp(work[OTHER], n, old[2], new[2], weights)
    if not settled:
        for k in range(LINES):
            _ramp(work[GAINS_AT + k], CHUNK, old[12 + k], new[12 + k], weights)
            _ramp(work[POLES_AT + k], CHUNK, old[20 + k], new[20 + k], weights)
    _enter(n, at, old, new, memory, work)
    lines = memory[NETWORK:]
    place = at & (LINE_RING - 1)
    for k in range(LINES):
        ring = lines[k * LINE_RING : (k + 1) * LINE_RING]
        _tap(ring, place, old[4 + k], new[4 + k], work, work[TAPS_AT + k], n)
    for channel in range(2):
        room = work[OTHER]
        _difference(n, work[TAPS_AT + channel], work[TAPS_AT + 2 + channel], room)
        _difference(n, work[TAPS_AT + 4 + channel], work[TAPS_AT + 6 + channel], work[SPARE])
        _add(n, work[SPARE], room)
        _blend(n, work[channel], room, work)
    for k in range(LINES):
        taps = work[TAPS_AT + k]
        gains = work[GAINS_AT + k]
        for i in range(n):
            taps[i] = gains[i] * taps[i] + BIAS
    _damp(n, memory, work[TAPS_AT : TAPS_AT + LINES], work[POLES_AT : POLES_AT + LINES])
    _mix(n, work)
    for k in range(LINES):
        taps = work[TAPS_AT + k]
        _add(n, work[FIRST + k % 2], taps)
        _flush(n, taps)
        _write(lines[k * LINE_RING : (k + 1) * LINE_RING], place, taps, n)


@njit(cache=True)
def _enter(n, at, old, new, memory, work):  # type: ignore[no-untyped-def]
    """Write what goes into the network, through pre-delay and all-passes, to FIRST and SECOND."""
    gains = work[OTHER]
    passes = memory[DIFFUSERS:NETWORK]
    place = at % PRE_RING
    begin = 0
    for channel in range(2):
        pre = memory[PRE + channel * PRE_RING : PRE + (channel + 1) * PRE_RING]
        value = work[FIRST + channel]
        held = work[TAPS_AT]
        kept = work[TAPS_AT + 1]
        samples = work[channel]
        for i in range(n):
            value[i] = gains[i] * samples[i]
        _write(pre, place, value, n)
        _tap(pre, place, old[3], new[3], work, value, n)
        for k in range(4):
            ring = passes[begin : begin + ALLPASS_RING]
            begin += ALLPASS_RING
            _read(ring, (at - _DIFFUSERS[channel, k]) & (ALLPASS_RING - 1), held, n)
            for i in range(n):
                out = held[i] - _GAIN * value[i]
                kept[i] = value[i] + _GAIN * out
                value[i] = out
            _flush(n, kept)
            _write(ring, at & (ALLPASS_RING - 1), kept, n)


@njit(cache=True)
def _damp(n, states, t, p):  # type: ignore[no-untyped-def]
    """Run the lines' low-passes, all eight at each sample: the processor overlaps their chains."""
    a, b, c, d = states[0], states[1], states[2], states[3]
    e, f, g, h = states[4], states[5], states[6], states[7]
    for i in range(n):
        a = p[0, i] * a + t[0, i]
        b = p[1, i] * b + t[1, i]
        c = p[2, i] * c + t[2, i]
        d = p[3, i] * d + t[3, i]
        e = p[4, i] * e + t[4, i]
        f = p[5, i] * f + t[5, i]
        g = p[6, i] * g + t[6, i]
        h = p[7, i] * h + t[7, i]
        t[0, i], t[1, i], t[2, i], t[3, i] = a, b, c, d
        t[4, i], t[5, i], t[6, i], t[7, i] = e, f, g, h
    states[0], states[1], states[2], states[3] = a, b, c, d
    states[4], states[5], states[6], states[7] = e, f, g, h


@njit(cache=True)
def _difference(n, one, two, out):  # type: ignore[no-untyped-def]
    for i in range(n):
        out[i] = one[i] - two[i]


@njit(cache=True)
def _add(n, more, out):  # type: ignore[no-untyped-def]
    for i in range(n):
        out[i] += more[i]


@njit(cache=True)
def _flush(n, values):  # type: ignore[no-untyped-def]
    """Make zero of what nobody hears, lest it become denormal and slow."""
    for i in range(n):
        values[i] = values[i] if abs(values[i]) >= TINY else SILENT


@njit(cache=True)
def _mix(n, work):  # type: ignore[no-untyped-def]
    """Multiply the eight lines by a Hadamard matrix; its 1/√8 stands in the lines' gains."""
    for stride in (1, 2, 4):
        for k in range(LINES):
            if k & stride == 0:
                one = work[TAPS_AT + k]
                two = work[TAPS_AT + k + stride]
                for i in range(n):
                    x = one[i]
                    y = two[i]
                    one[i] = x + y
                    two[i] = x - y
