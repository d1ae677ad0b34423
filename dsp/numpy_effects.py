"""Chorus, delay and reverb in numpy and scipy, in double precision, for one row at a time.

`chorus.py`, `delay.py` and `reverb.py` have the formulae, and say what stands where in the memory.
As in the compiled effects, a chunk is no longer than the shortest line, so all of it can be
computed along time.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.linalg import hadamard
from scipy.signal import lfilter

from dsp import chorus, delay, reverb
from dsp.effects import DELAY_AT, INAUDIBLE, REVERB_AT
from dsp.tables import StripTables

Sound = npt.NDArray[np.float64]

_CHUNK: Final = min(map(min, reverb.ALLPASSES))
_TINY: Final = 1e-30  # what is below is zero, lest it become denormal and slow
_HADAMARD: Final = hadamard(reverb.LINES).astype(np.float64)
_SIGNS: Final = np.array([1.0, -1.0, 1.0, -1.0])


def affect(
    sound: Sound, row: int, slot: int, incoming: int, weights: Sound, tables: StripTables
) -> None:
    """Run a row's effects over `sound` (count, 2), in place.

    Args:
        sound: Samples.
        row: The row.
        slot: Its slot.
        incoming: The slot that it changes to, −1 while it does not.
        weights: (count,), how far the change has come.
        tables: Coefficients, and the memory, which is updated.
    """
    memory = tables.memory
    arrays = [memory.arrays.get((row, effect)) for effect in range(3)]
    if not any(array is not None for array in arrays):
        return
    table = tables.coefficients[4]
    old = table[slot]
    new = table[incoming] if incoming >= 0 else old
    size = _CHUNK
    if arrays[1] is not None:
        size = min(size, int(old[DELAY_AT + 2]), int(new[DELAY_AT + 2]))
    peak = 0.0
    for begin in range(0, len(sound), size):
        chunk = sound[begin : begin + size]
        ramp = _Ramp(old, new, weights[begin : begin + size])
        at = int(memory.clocks[row])
        peak = max(peak, float(np.abs(chunk).max()))
        if arrays[0] is not None:
            memory.phases[row] = _chorus(chunk, at, int(memory.phases[row]), ramp, arrays[0])
            peak = max(peak, float(np.abs(chunk).max()))
        if arrays[1] is not None:
            _delay(chunk, at, ramp.behind(DELAY_AT), arrays[1])
            peak = max(peak, float(np.abs(chunk).max()))
        if arrays[2] is not None:
            _reverb(chunk, at, ramp.behind(REVERB_AT), arrays[2])
            peak = max(peak, float(np.abs(chunk).max()))
        memory.clocks[row] += len(chunk)
    memory.quiet[row] = 0 if peak >= INAUDIBLE else memory.quiet[row] + len(sound)


class _Ramp:
    """Coefficients on their way from old values to new ones over a chunk."""

    def __init__(self, old: npt.NDArray[Any], new: npt.NDArray[Any], weights: Sound) -> None:
        self.old = old
        self.new = new
        self.weights = weights

    def behind(self, first: int) -> "_Ramp":
        """Return those from `first` on."""
        return _Ramp(self.old[first:], self.new[first:], self.weights)

    def __getitem__(self, index: int) -> Any:
        """Return a coefficient: a number, or one for each sample."""
        old, new = float(self.old[index]), float(self.new[index])
        return old if old == new else old + self.weights * (new - old)

    def blend(self, chunk: Sound, effect: Sound) -> None:
        """Mix an effect into the plain sound; its shares are the first two coefficients."""
        dry, wet = self[0], self[1]
        chunk[:] = (chunk.T * dry + effect.T * wet).T

    def tap(self, ring: Sound, at: int, index: int, count: int) -> Sound:
        """Read a ring (length, …) as far back as the coefficient says, fading between two taps."""
        places = (at + np.arange(count) - int(self.old[index])) % len(ring)
        found: Sound = ring[places]
        if self.old[index] != self.new[index]:
            places = (at + np.arange(count) - int(self.new[index])) % len(ring)
            found = (found.T + self.weights * (ring[places] - found).T).T
        return found


def _chorus(chunk: Sound, at: int, phase: int, ramp: _Ramp, memory: Sound) -> int:
    """Run the chorus; return the phase of what comes next."""
    count = len(chunk)
    steps = np.broadcast_to(np.asarray(ramp[2]).astype(np.int64), count)
    phases = phase + np.concatenate([[0], np.cumsum(steps)])
    for channel in range(2):
        ring = memory[channel * chorus.RING : (channel + 1) * chorus.RING]
        ring[(at + np.arange(count)) % chorus.RING] = ramp[4] * chunk[:, channel]
        turns = phases[:-1] / chorus.TURN + channel / 4.0
        swing = -np.asarray(ramp[3]) * np.sin(2.0 * np.pi * turns)
        whole = np.floor(swing)
        f = swing - whole
        place = at + np.arange(count) - chorus.CENTRE + whole.astype(np.int64)
        a, b, c, d = (ring[(place + k) % chorus.RING] for k in (-1, 0, 1, 2))
        third = 0.5 * (d - a) + 1.5 * (b - c)
        second = a - 2.5 * b + 2.0 * c - 0.5 * d
        ramp.blend(chunk[:, channel], ((third * f + second) * f + 0.5 * (c - a)) * f + b)
    return int(phases[-1]) % chorus.TURN


def _delay(chunk: Sound, at: int, ramp: _Ramp, memory: Sound) -> None:
    count = len(chunk)
    lines = memory[delay.STATE :].reshape(2, delay.RING).T
    echo = ramp.tap(lines, at, 2, count)
    keep = ramp[4]
    feedback, damping = np.broadcast_to(ramp[3], count), np.broadcast_to(keep, count)
    for channel in range(2):
        low = _one_pole(damping, (1.0 - damping) * echo[:, channel], memory[channel : channel + 1])
        written = ramp[5] * chunk[:, channel] + feedback * low
        lines[(at + np.arange(count)) % delay.RING, channel] = _flushed(written)
    ramp.blend(chunk, echo)


def _reverb(chunk: Sound, at: int, ramp: _Ramp, memory: Sound) -> None:
    count = len(chunk)
    entering = _enter(chunk, at, ramp, memory)
    lines = memory[reverb.NETWORK :].reshape(reverb.LINES, reverb.LINE_RING)
    taps = [ramp.tap(lines[k], at, 4 + k, count) for k in range(reverb.LINES)]
    room = np.stack([_SIGNS @ np.array(taps[side::2]) for side in (0, 1)], axis=1)
    ramp.blend(chunk, room)
    damped = [
        _one_pole(np.broadcast_to(ramp[20 + k], count), ramp[12 + k] * taps[k], memory[k : k + 1])
        for k in range(reverb.LINES)
    ]
    mixed = _HADAMARD @ np.array(damped)
    places = (at + np.arange(count)) % reverb.LINE_RING
    for k in range(reverb.LINES):
        lines[k, places] = _flushed(mixed[k] + entering[k % 2])


def _enter(chunk: Sound, at: int, ramp: _Ramp, memory: Sound) -> list[Sound]:
    """Return what goes into the network, left and right: through pre-delay and all-passes."""
    count = len(chunk)
    pre = memory[reverb.PRE : reverb.DIFFUSERS].reshape(2, reverb.PRE_RING)
    begin = reverb.DIFFUSERS
    entering = []
    for channel in range(2):
        pre[channel, (at + np.arange(count)) % reverb.PRE_RING] = ramp[2] * chunk[:, channel]
        value = ramp.tap(pre[channel], at, 3, count)
        for length in reverb.ALLPASSES[channel]:
            ring = memory[begin : begin + reverb.ALLPASS_RING]
            begin += reverb.ALLPASS_RING
            places = at + np.arange(count)
            out = ring[(places - length) % len(ring)] - reverb.ALLPASS_GAIN * value
            ring[places % len(ring)] = _flushed(value + reverb.ALLPASS_GAIN * out)
            value = out
        entering.append(value)
    return entering


def _one_pole(keep: Sound, entering: Sound, state: Sound) -> Sound:
    """Return y with y[n] = keep · y[n − 1] + entering[n]; `state` (1,) is y before, and updated."""
    if keep[0] == keep[-1]:
        out, _ = lfilter([1.0], [1.0, -keep[0]], entering, zi=keep[0] * state)
    else:
        value, values = float(state[0]), []
        for k, x in zip(keep.tolist(), entering.tolist(), strict=True):
            value = k * value + x
            values.append(value)
        out = np.array(values)
    result: Sound = _flushed(out)
    state[0] = result[-1]
    return result


def _flushed(values: Sound) -> Sound:
    return np.where(np.abs(values) < _TINY, 0.0, values)
