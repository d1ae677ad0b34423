"""The compiled loops of the channel strips, for eight publishers at a time.

One file, since numba's cache does not see changed imports. What each stage does, and why, stands in
the stage's own file; here is how. Coefficients of a slot (a strip with given settings) are rows of
float32 in the order that the stages' `coefficients` give:

- sections (slots, 6, 6): the high-pass and five bands, see `svf.py`; state (slots, 6, 2, 2): for
  each section and channel two integrators.
- dynamics (slots, 15): trim, gate (open, close, hold, opening, closing, floor), compressor
  (threshold, slope, knee, attack, keep, hold, make-up, side-chain);
  state (slots, 7): gate position, gate hold, held reduction, its hold, reduction, side-chain left
  and right.
- stereo (slots, 4): left from left, left from right, right from left, right from right.
- limiter (slots, 2): ceiling, release; state (rows, 271): see `_limit`.

Every loop advances sample by sample with nothing decided per block, and all arithmetic is exact in
order (see `lanes.py`): the output depends neither on how the sound is cut into blocks nor on other
rows. A stage that no lane of a group uses is left out, which changes no bit: unused it is a product
with one or a sum with zero.
"""

from typing import Final

import numpy as np
from numba import njit

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

LANES: Final = "45795915586d"
"""Digest of `lanes.py`: to be changed with it, so that the cache of this file is void then."""

SECTIONS = 6
GAINS = 15
FADE = 960  # samples of a change from old settings to new ones
TAPS = 16  # of the true-peak detector, each phase
CENTRE = TAPS // 2
WINDOW = 64  # samples over which the limiter's gain moves
DELAY = WINDOW - 1 + CENTRE
STRETCH = 64  # samples that the detector looks at in one go, or not at all
LIMITER_STATE = 2 * DELAY + WINDOW + WINDOW - 1 + 2
LIMITER_HOLD = 480.0  # samples: half a period of 50 Hz, so that the gain follows no waveform
RECOVERED = 1.001  # what the limiter's gain recovers towards, so that it arrives at 1

LOUDEST = np.float32(8.0)  # input is cut here, 18 dB over full scale; NaN becomes silence
TINY = np.float32(1e-15)  # a state below this is zero, lest it become denormal and slow
FAINT = np.float32(1e-6)  # −120 dBFS, below which the compressor does not look
SPENT = np.float32(-1e-6)  # log2: a reduction that nobody hears has died away
NEARLY = np.float32(0.999)  # who comes so close to what is held makes it stay
NEVER = np.float32(-1e9)
SILENT = np.float32(0.0)

# State of a row between blocks: what stands where in (rows, LIMITER_STATE).
NEEDS = 2 * DELAY
HELDS = NEEDS + WINDOW
GAIN = HELDS + WINDOW - 1


@njit(cache=True)
def process(  # type: ignore[no-untyped-def]
    arena, first, count, rows, slots, incoming, fades, elapsed, coefficients, states, taps, loudest
):
    """Run the strips of some rows, in place.

    Args:
        arena: float32 (rows, samples, 2).
        first: First sample of the block.
        count: Samples of the block.
        rows: int32 (k,), rows of the arena that are not flat.
        slots: int32 (k,), each row's slot.
        incoming: int32 (k,), the slot that the row changes to; −1 while it does not.
        fades: int8 (k,): 1 while the strip fades in over the plain sound, −1 while it fades out.
        elapsed: int32 (k,), samples since the row's change or fade began; it waits while negative.
        coefficients: sections, dynamics, stereo, limiter; see above.
        states: sections, dynamics, limiter; see above; updated.
        taps: float32 (3, TAPS), the true-peak detector's phases.
        loudest: How far at most the detector can exceed the largest sample.
    """
    sound = np.empty((2, (DELAY + count) * WIDTH), np.float32)
    other = np.empty((2, (DELAY + count) * WIDTH), np.float32)
    for start in range(0, len(rows), WIDTH):
        end = min(start + WIDTH, len(rows))
        group = rows[start:end]
        changing = False
        for slot in incoming[start:end]:
            changing |= slot >= 0
        _take(arena, first, count, group, sound)
        if changing:
            other[:] = sound
            _shape(count, incoming[start:end], coefficients, states, other)
        _shape(count, slots[start:end], coefficients, states, sound)
        clock = _clocks(incoming[start:end], elapsed[start:end])
        if changing:
            _crossfade(count, clock, sound, other)
        ceilings = _ceilings(slots[start:end], incoming[start:end], coefficients[3])
        _limit(count, group, ceilings, clock, changing, states[2], taps, loudest, sound)
        for lane in range(end - start):
            fade = fades[start + lane]
            _give(arena[group[lane]], first, count, lane, fade, elapsed[start + lane], sound)


# ---- in and out ---------------------------------------------------------------------------


@njit(cache=True)
def _take(arena, first, count, rows, sound):  # type: ignore[no-untyped-def]
    """Lay rows side by side behind the room for the limiter's history; free lanes are silent."""
    sound[:] = np.float32(0.0)
    for lane in range(len(rows)):
        row = arena[rows[lane]]
        for n in range(count):
            at = (DELAY + n) * WIDTH + lane
            for channel in range(2):
                value = row[first + n, channel]
                if not abs(value) <= LOUDEST:
                    value = LOUDEST if value > LOUDEST else -LOUDEST if value < -LOUDEST else SILENT
                sound[channel, at] = value


@njit(cache=True)
def _give(row, first, count, lane, fade, elapsed, sound):  # type: ignore[no-untyped-def]
    """Write a lane back, over the plain sound while the strip fades in or out."""
    if fade == 0:
        for n in range(count):
            row[first + n, 0] = sound[0, n * WIDTH + lane]
            row[first + n, 1] = sound[1, n * WIDTH + lane]
        return
    for n in range(count):
        t = min(np.float32(max(elapsed + n + 1, 0)) * np.float32(1.0 / FADE), np.float32(1.0))
        wet = t * t * (np.float32(3.0) - (t + t))
        if fade < 0:
            wet = np.float32(1.0) - wet
        for channel in range(2):
            value = sound[channel, n * WIDTH + lane]
            dry = row[first + n, channel]
            row[first + n, channel] = (np.float32(1.0) - wet) * dry + wet * value


@njit(cache=True)
def _gather(table, slots, lanes):  # type: ignore[no-untyped-def]
    """Lay rows of `table` (slots, k) side by side: float32 (k × WIDTH,); free lanes are zero."""
    lanes[:] = np.float32(0.0)
    for lane in range(len(slots)):
        if slots[lane] >= 0:
            for k in range(table.shape[1]):
                lanes[k * WIDTH + lane] = table[slots[lane], k]


@njit(cache=True)
def _scatter(lanes, slots, table):  # type: ignore[no-untyped-def]
    for lane in range(len(slots)):
        if slots[lane] >= 0:
            for k in range(table.shape[1]):
                table[slots[lane], k] = lanes[k * WIDTH + lane]


# ---- changes of settings ------------------------------------------------------------------


@njit(cache=True)
def _clocks(incoming, elapsed):  # type: ignore[no-untyped-def]
    clock = np.full(WIDTH, NEVER, np.float32)
    for lane in range(len(incoming)):
        if incoming[lane] >= 0:
            clock[lane] = np.float32(elapsed[lane] + 1)
    return clock


@njit(cache=True)
def _ceilings(slots, incoming, table):  # type: ignore[no-untyped-def]
    """Return for each lane the ceiling, the release and the ceiling that it changes to."""
    values = np.ones(3 * WIDTH, np.float32)
    for lane in range(len(slots)):
        target = incoming[lane] if incoming[lane] >= 0 else slots[lane]
        values[lane] = table[slots[lane], 0]
        values[WIDTH + lane] = table[target, 1]
        values[2 * WIDTH + lane] = table[target, 0]
    return values


@njit
def _weight(clock, n):  # type: ignore[no-untyped-def]
    """Return how far a change has come after n samples, on a curve without corners."""
    one = splat(np.float32(1.0))
    t = (clock + splat(np.float32(n))) * splat(np.float32(1.0 / FADE))
    t = smaller(larger(t, splat(np.float32(0.0))), one)
    return t * t * (splat(np.float32(3.0)) - (t + t))


@njit(cache=True)
def _crossfade(count, clocks, sound, other):  # type: ignore[no-untyped-def]
    clock = load(clocks, 0)
    one = splat(np.float32(1.0))
    for channel in range(2):
        old = sound[channel]
        new = other[channel]
        for n in range(count):
            at = (DELAY + n) * WIDTH
            weight = _weight(clock, n)
            store(old, at, fused(weight, load(new, at), (one - weight) * load(old, at)))


# ---- the stages before the limiter --------------------------------------------------------


@njit(cache=True)
def _shape(count, slots, coefficients, states, sound):  # type: ignore[no-untyped-def]
    """Run trim, high-pass, gate, compressor, equaliser and stereo on a group."""
    sections, dynamics, stereo, _ = coefficients
    section_states, dynamics_states, _ = states
    flat_sections = sections.reshape(len(sections), SECTIONS * 6)
    flat_states = section_states.reshape(len(sections), SECTIONS * 4)
    curve = np.empty(SECTIONS * 6 * WIDTH, np.float32)
    memory = np.empty(SECTIONS * 4 * WIDTH, np.float32)
    gains = np.empty(GAINS * WIDTH, np.float32)
    envelopes = np.empty(7 * WIDTH, np.float32)
    matrix = np.empty(4 * WIDTH, np.float32)
    _gather(flat_sections, slots, curve)
    _gather(flat_states, slots, memory)
    _gather(dynamics, slots, gains)
    _gather(dynamics_states, slots, envelopes)
    _gather(stereo, slots, matrix)
    used = _sections_in_use(flat_sections, slots)
    _trim(count, gains, sound)
    if len(used) > 0 and used[0] == 0:
        _filter(count, used[:1], curve, memory, sound)
        used = used[1:]
    _gate(count, gains, envelopes, sound)
    _compress(count, gains, envelopes, sound)
    _filter(count, used, curve, memory, sound)
    _widen(count, matrix, sound)
    _scatter(memory, slots, flat_states)
    _scatter(envelopes, slots, dynamics_states)


@njit(cache=True)
def _sections_in_use(sections, slots):  # type: ignore[no-untyped-def]
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


@njit(cache=True)
def _trim(count, gains, sound):  # type: ignore[no-untyped-def]
    trim = load(gains, 0)
    for channel in range(2):
        samples = sound[channel]
        for n in range(DELAY, DELAY + count):
            store(samples, n * WIDTH, trim * load(samples, n * WIDTH))


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
def _filter(count, used, curve, memory, sound):  # type: ignore[no-untyped-def]
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


@njit
def _log2(x):  # type: ignore[no-untyped-def]
    """Return log2 of normal positive x within 3e-6; exact at powers of two."""
    t = mantissa(x) - splat(np.float32(1.0))
    p = fused(splat(np.float32(-0.02584142)), t, splat(np.float32(0.12179782)))
    p = fused(p, t, splat(np.float32(-0.27790524)))
    p = fused(p, t, splat(np.float32(0.45754915)))
    p = fused(p, t, splat(np.float32(-0.71814525)))
    p = fused(p, t, splat(np.float32(1.44254494)))
    return fused(p, t, exponent(x))


@njit
def _exp2(x):  # type: ignore[no-untyped-def]
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
def _gate(count, gains, envelopes, sound):  # type: ignore[no-untyped-def]
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
def _compress(count, gains, envelopes, sound):  # type: ignore[no-untyped-def]
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
        over = _log2(larger(level, splat(FAINT))) - threshold
        bend = smaller(larger(over + half_knee, zero), knee)
        wanted = slope * fused(bend * bend, curve, larger(over - half_knee, zero))
        held = larger(held - one, zero)
        fading = choose(held, one, peak, peak * keep)
        fading = choose(fading, splat(SPENT), zero, fading)
        held = choose(fading * splat(NEARLY), wanted, hold, held)
        peak = smaller(fading, wanted)
        reduction = larger(peak, fused(attack, peak - reduction, reduction))
        gain = _exp2(reduction + makeup)
        store(lefts, n, gain * left)
        store(rights, n, gain * right)
    store(envelopes, 2 * WIDTH, peak)
    store(envelopes, 3 * WIDTH, held)
    store(envelopes, 4 * WIDTH, reduction)
    store(envelopes, 5 * WIDTH, low_left)
    store(envelopes, 6 * WIDTH, low_right)


@njit(cache=True)
def _widen(count, matrix, sound):  # type: ignore[no-untyped-def]
    """Mix the channels; `stereo.py` has the formulae."""
    plain = True
    for lane in range(WIDTH):
        same = matrix[lane] == matrix[3 * WIDTH + lane]
        plain &= same and matrix[WIDTH + lane] == SILENT and matrix[2 * WIDTH + lane] == SILENT
        plain &= matrix[lane] == np.float32(1.0) or matrix[lane] == SILENT
    if plain:
        return
    left_left = load(matrix, 0)
    left_right = load(matrix, WIDTH)
    right_left = load(matrix, 2 * WIDTH)
    right_right = load(matrix, 3 * WIDTH)
    lefts = sound[0]
    rights = sound[1]
    for n in range(DELAY * WIDTH, (DELAY + count) * WIDTH, WIDTH):
        left = load(lefts, n)
        right = load(rights, n)
        store(lefts, n, fused(left_right, right, left_left * left))
        store(rights, n, fused(right_left, left, right_right * right))


# ---- the limiter --------------------------------------------------------------------------


@njit(cache=True)
def _limit(  # type: ignore[no-untyped-def]
    count, rows, ceilings, clocks, changing, table, taps, loudest, sound
):
    """Delay by DELAY samples and keep true peaks under the ceiling; `limiter.py` says how.

    `table`, the state of all rows, holds for each: the last DELAY samples of both channels, the
    last WINDOW gains that were needed, the last WINDOW − 1 that were held, the held gain, and for
    how many samples it stays.
    """
    state = np.empty(LIMITER_STATE * WIDTH, np.float32)
    _gather(table, rows, state)
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
        _scatter(state, rows, table)  # all gains are one: the delay is all that is left
        return
    _least_of_window(needs)
    _hold(count, ceilings, state, needs, helds)
    state[HELDS * WIDTH : GAIN * WIDTH] = helds[last:]
    _scatter(state, rows, table)
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
            weight = _weight(clock, n)
            ceiling = fused(weight, new, (one - weight) * old)
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
    hold = splat(np.float32(LIMITER_HOLD))
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
