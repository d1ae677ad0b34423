"""The compiled loops of the channel strips, for eight publishers at a time.

What each stage does, and why, stands in the stage's own file; here and in the other `kernels_*.py`
is how. Coefficients of a slot (a strip with given settings) are rows of float32 in the order that
the stages' `coefficients` give:

- sections (slots, 6, 6): the high-pass and five bands, see `svf.py`; state (slots, 6, 2, 2): for
  each section and channel two integrators.
- dynamics (slots, 15): trim, gate (open, close, hold, opening, closing, floor), compressor
  (threshold, slope, knee, attack, keep, hold, make-up, side-chain);
  state (slots, 7): gate position, gate hold, held reduction, its hold, reduction, side-chain left
  and right.
- stereo (slots, 4): left from left, left from right, right from left, right from right.
- output (slots, 3): the limiter's ceiling and release, the fader; state (rows, 271): see
  `kernels_limiter.py`.
- effects (slots, 39): see `effects.py`; state: `EffectMemory`.

Every loop advances sample by sample with nothing decided per block, and all arithmetic is exact in
order (see `lanes.py`): the output depends neither on how the sound is cut into blocks nor on other
rows. A stage that no lane of a group uses is left out, which changes no bit: unused it is a product
with one or a sum with zero.
"""

from typing import Final

import numpy as np
from numba import njit

from dsp.kernels_basics import DELAY, FADE, SILENT, clocks, gather, scatter, weight
from dsp.kernels_dynamics import compress, gate
from dsp.kernels_effects import affect
from dsp.kernels_filters import SECTIONS, filter_sections, sections_in_use
from dsp.kernels_limiter import ceilings_of, limit
from dsp.lanes import WIDTH, fused, load, splat, store

BUILT_ON: Final = "3375d8c9a69e"
"""See `kernels_basics.py`."""

GAINS = 15
LOUDEST = np.float32(8.0)  # input is cut here, 18 dB over full scale; NaN becomes silence


@njit(cache=True)
def process(  # type: ignore[no-untyped-def]
    arena,
    first,
    count,
    rows,
    slots,
    incoming,
    fades,
    elapsed,
    coefficients,
    states,
    memory,
    taps,
    loudest,
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
        coefficients: sections, dynamics, stereo, output, effects; see above.
        states: sections, dynamics, limiter; see above; updated.
        memory: addresses, clocks, phases, quiet and work space of `EffectMemory`; updated.
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
        clock = clocks(incoming[start:end], elapsed[start:end])
        targets = np.where(incoming[start:end] >= 0, incoming[start:end], slots[start:end])
        if changing:
            _crossfade(count, clock, sound, other)
        part = slots[start:end], incoming[start:end], elapsed[start:end]
        affect(count, group, *part, coefficients[4], memory, sound)
        _widen(count, slots[start:end], targets, coefficients[2], clock, changing, sound)
        ceilings = ceilings_of(slots[start:end], targets, coefficients[3])
        limit(count, group, ceilings, clock, changing, states[2], taps, loudest, sound)
        _fade(count, slots[start:end], targets, coefficients[3], clock, changing, sound)
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


# ---- the stages -----------------------------------------------------------------------------


@njit(cache=True)
def _crossfade(count, clocks, sound, other):  # type: ignore[no-untyped-def]
    clock = load(clocks, 0)
    one = splat(np.float32(1.0))
    for channel in range(2):
        old = sound[channel]
        new = other[channel]
        for n in range(count):
            at = (DELAY + n) * WIDTH
            share = weight(clock, n)
            store(old, at, fused(share, load(new, at), (one - share) * load(old, at)))


# ---- the stages before the limiter --------------------------------------------------------


@njit(cache=True)
def _shape(count, slots, coefficients, states, sound):  # type: ignore[no-untyped-def]
    """Run trim, high-pass, gate, compressor and equaliser on a group."""
    sections, dynamics, _, _, _ = coefficients
    section_states, dynamics_states, _ = states
    flat_sections = sections.reshape(len(sections), SECTIONS * 6)
    flat_states = section_states.reshape(len(sections), SECTIONS * 4)
    curve = np.empty(SECTIONS * 6 * WIDTH, np.float32)
    memory = np.empty(SECTIONS * 4 * WIDTH, np.float32)
    gains = np.empty(GAINS * WIDTH, np.float32)
    envelopes = np.empty(7 * WIDTH, np.float32)
    gather(flat_sections, slots, curve)
    gather(flat_states, slots, memory)
    gather(dynamics, slots, gains)
    gather(dynamics_states, slots, envelopes)
    used = sections_in_use(flat_sections, slots)
    _trim(count, gains, sound)
    if len(used) > 0 and used[0] == 0:
        filter_sections(count, used[:1], curve, memory, sound)
        used = used[1:]
    gate(count, gains, envelopes, sound)
    compress(count, gains, envelopes, sound)
    filter_sections(count, used, curve, memory, sound)
    scatter(memory, slots, flat_states)
    scatter(envelopes, slots, dynamics_states)


@njit(cache=True)
def _trim(count, gains, sound):  # type: ignore[no-untyped-def]
    trim = load(gains, 0)
    for channel in range(2):
        samples = sound[channel]
        for n in range(DELAY, DELAY + count):
            store(samples, n * WIDTH, trim * load(samples, n * WIDTH))


@njit(cache=True)
def _widen(  # type: ignore[no-untyped-def]
    count, slots, targets, table, clocks, changing, sound
):
    """Mix the channels, on the way from the slots' matrices to the targets'; see `stereo.py`."""
    before = np.empty(4 * WIDTH, np.float32)
    after = np.empty(4 * WIDTH, np.float32)
    gather(table, slots, before)
    gather(table, targets, after)
    if _is_plain(before) and _is_plain(after):
        return
    left_left = load(before, 0)
    left_right = load(before, WIDTH)
    right_left = load(before, 2 * WIDTH)
    right_right = load(before, 3 * WIDTH)
    clock = load(clocks, 0)
    one = splat(np.float32(1.0))
    lefts = sound[0]
    rights = sound[1]
    for n in range(count):
        if changing:
            new = weight(clock, n)
            old = one - new
            left_left = fused(new, load(after, 0), old * load(before, 0))
            left_right = fused(new, load(after, WIDTH), old * load(before, WIDTH))
            right_left = fused(new, load(after, 2 * WIDTH), old * load(before, 2 * WIDTH))
            right_right = fused(new, load(after, 3 * WIDTH), old * load(before, 3 * WIDTH))
        at = (DELAY + n) * WIDTH
        left = load(lefts, at)
        right = load(rights, at)
        store(lefts, at, fused(left_right, right, left_left * left))
        store(rights, at, fused(right_left, left, right_right * right))


@njit(cache=True)
def _is_plain(matrix):  # type: ignore[no-untyped-def]
    """Whether no lane mixes its channels; free lanes hold zeros."""
    plain = True
    for lane in range(WIDTH):
        same = matrix[lane] == matrix[3 * WIDTH + lane]
        plain &= same and matrix[WIDTH + lane] == SILENT and matrix[2 * WIDTH + lane] == SILENT
        plain &= matrix[lane] == np.float32(1.0) or matrix[lane] == SILENT
    return plain


@njit(cache=True)
def _fade(  # type: ignore[no-untyped-def]
    count, slots, targets, table, clocks, changing, sound
):
    """Move the faders: what comes out of the limiter begins at the front of `sound`."""
    before = np.ones(WIDTH, np.float32)
    after = np.ones(WIDTH, np.float32)
    moved = False
    for lane in range(len(slots)):
        before[lane] = table[slots[lane], 2]
        after[lane] = table[targets[lane], 2]
        moved |= before[lane] != np.float32(1.0) or after[lane] != np.float32(1.0)
    if not moved:
        return
    level = load(before, 0)
    old = load(before, 0)
    new = load(after, 0)
    clock = load(clocks, 0)
    one = splat(np.float32(1.0))
    for n in range(count):
        if changing:
            share = weight(clock, n)
            level = fused(share, new, (one - share) * old)
        for channel in range(2):
            samples = sound[channel]
            store(samples, n * WIDTH, level * load(samples, n * WIDTH))
