"""The engine for machines without numba: numpy and scipy, in double precision, strip by strip.

Same stages, same recurrences. Filters run in scipy; envelopes, which depend on themselves sample by
sample, run as plain Python loops, and only where something moves. It costs ten to twenty times the
compiled engine; `/health` tells which one runs.
"""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter1d
from scipy.signal import lfilter, sosfilt

from dsp import limiter, svf
from dsp.engine import Arena, Lanes
from dsp.limiter import DELAY, HOLD, NEARLY, RECOVERED, TAPS, WINDOW
from dsp.numpy_effects import affect
from dsp.tables import FADE_SAMPLES, StripTables, Table

Sound = npt.NDArray[np.float64]

_LOUDEST: Final = 8.0  # as in the compiled engine: 18 dB over full scale; NaN becomes silence
_FAINT: Final = 1e-6
_TINY: Final = 1e-30  # a filter's state below this is zero, lest it become denormal and slow
_SPENT: Final = -1e-6
_NEEDS: Final = 2 * DELAY
_HELDS: Final = _NEEDS + WINDOW
_GAIN: Final = _HELDS + WINDOW - 1


class NumpyEngine:
    """Runs strips one after the other."""

    name: Literal["numpy"] = "numpy"
    dtype = np.float64

    def carry(self, states: Table, old: Table, new: Table) -> Table:
        """See `Engine.carry`."""
        return svf.carried(states, old, new)

    def process(
        self, arena: Arena, first: int, count: int, lanes: Lanes, tables: StripTables
    ) -> None:
        """See `Engine.process`."""
        for lane, row in enumerate(lanes.rows.tolist()):
            block = arena[row, first : first + count]
            sound = np.nan_to_num(block.astype(np.float64), posinf=_LOUDEST, neginf=-_LOUDEST)
            sound = np.clip(sound, -_LOUDEST, _LOUDEST)
            slot, incoming = int(lanes.slots[lane]), int(lanes.incoming[lane])
            weight = _weights(int(lanes.elapsed[lane]), count)
            ceiling, release, level = tables.coefficients[3][slot]
            matrix = tables.coefficients[2][slot]
            wet = _shape(sound, slot, tables)
            if incoming >= 0:
                other = _shape(sound, incoming, tables)
                wet = (1.0 - weight)[:, None] * wet + weight[:, None] * other
                target, release, to_level = tables.coefficients[3][incoming]
                ceiling = (1.0 - weight) * ceiling + weight * target
                level = ((1.0 - weight) * level + weight * to_level)[:, None]
                to_matrix = tables.coefficients[2][incoming]
                matrix = (1.0 - weight)[:, None] * matrix + weight[:, None] * to_matrix
            affect(wet, row, slot, incoming, weight, tables)
            wet = _widen(wet, matrix)
            wet = _limit(wet, ceiling, release, tables.states[2][row]) * level
            if lanes.fades[lane]:
                share = (weight if lanes.fades[lane] > 0 else 1.0 - weight)[:, None]
                wet = (1.0 - share) * block + share * wet
            block[:] = wet


def _weights(elapsed: int, count: int) -> Sound:
    """Return how far a change has come at each sample."""
    t = np.clip(np.arange(elapsed + 1, elapsed + count + 1) / FADE_SAMPLES, 0.0, 1.0)
    weights: Sound = t * t * (3.0 - 2.0 * t)
    return weights


def _shape(sound: Sound, slot: int, tables: StripTables) -> Sound:
    """Return trim, high-pass, gate, compressor and equaliser of `sound` (count, 2)."""
    sections, dynamics = (table[slot] for table in tables.coefficients[:2])
    filters, envelopes = tables.states[0][slot], tables.states[1][slot]
    sound = sound * dynamics[0]
    sound = _filter(sound, sections[:1], filters[:1])
    if dynamics[6] != 1.0:
        sound = sound * _gate(np.abs(sound).max(axis=1), dynamics[1:7].tolist(), envelopes)
    if dynamics[8] != 0.0 or dynamics[13] != 0.0:
        sound = sound * _compress(sound, dynamics[7:].tolist(), envelopes)
    return _filter(sound, sections[1:], filters[1:])


def _filter(sound: Sound, sections: Sound, states: Sound) -> Sound:
    used = np.flatnonzero(sections[:, 0])
    if not len(used):
        return sound
    filtered, after = sosfilt(svf.to_sos(sections[used]), sound, axis=0, zi=states[used])
    states[used] = np.where(np.abs(after) < _TINY, 0.0, after)
    result: Sound = filtered
    return result


def _gate(levels: Sound, coefficients: list[float], envelopes: Sound) -> Sound:
    """Return the gate's gain; see `gate.py`."""
    open_at, close_at, hold, opening, closing, floor = coefficients
    position, held = envelopes[:2].tolist()
    positions = []
    for level in levels.tolist():
        is_loud = level >= (close_at if held >= 1.0 else open_at)
        held = hold if is_loud else max(held - 1.0, 0.0)
        position += opening if held >= 1.0 else -closing
        position = min(max(position, 0.0), 1.0)
        positions.append(position)
    envelopes[:2] = position, held
    u = np.array(positions)
    gain: Sound = (floor + (1.0 - floor) * u * u * (3.0 - 2.0 * u))[:, None]
    return gain


def _compress(sound: Sound, coefficients: list[float], envelopes: Sound) -> Sound:
    """Return the compressor's gain; see `compressor.py`."""
    threshold, slope, knee, attack, keep, hold, makeup, smooth = coefficients
    heard = sound
    if smooth:
        # What a one-pole low-pass of the samples before leaves over.
        share = [0.0, smooth], [1.0, smooth - 1.0]
        low, after = lfilter(*share, sound, axis=0, zi=envelopes[None, 5:7])
        envelopes[5:7] = np.where(np.abs(after[0]) < _TINY, 0.0, after[0])
        heard = sound - low
    over = np.log2(np.maximum(np.abs(heard).max(axis=1), _FAINT)) - threshold
    bend = np.clip(over + knee / 2.0, 0.0, knee)
    wanted = slope * (bend * bend / (2.0 * knee) + np.maximum(over - knee / 2.0, 0.0))
    peak, held, reduction = envelopes[2:5].tolist()
    reductions = []
    for want in wanted.tolist():
        held = max(held - 1.0, 0.0)
        fading = peak if held >= 1.0 else peak * keep
        if fading >= _SPENT:
            fading = 0.0
        if fading * NEARLY >= want:
            held = hold
        peak = min(fading, want)
        reduction = max(peak, attack * (peak - reduction) + reduction)
        reductions.append(reduction)
    envelopes[2:5] = peak, held, reduction
    result: Sound = np.exp2(np.array(reductions) + makeup)[:, None]
    return result


def _widen(sound: Sound, matrix: Sound) -> Sound:
    """Mix the channels by a matrix (4,), or one for each sample (count, 4)."""
    left, right = sound.T
    a, b, c, d = matrix.T
    return np.stack([a * left + b * right, c * left + d * right], axis=1)


def _limit(sound: Sound, ceiling: float | Sound, release: float, state: Sound) -> Sound:
    """Delay by DELAY samples and keep true peaks under the ceiling; see `limiter.py`."""
    count = len(sound)
    delayed = np.concatenate([state[:_NEEDS].reshape(DELAY, 2), sound])
    state[:_NEEDS] = delayed[count:].ravel()
    seen = delayed[DELAY - TAPS + 1 :]
    peak = np.abs(seen[TAPS - 1 - TAPS // 2 :][:count]).max(axis=1)
    if np.abs(seen).max() * limiter.EXCESS > np.min(ceiling):
        for phase in limiter.DETECTOR:
            between = lfilter(phase, 1.0, seen, axis=0)[TAPS - 1 :]
            peak = np.maximum(peak, np.abs(between).max(axis=1))
    needs = np.concatenate(
        [state[_NEEDS:_HELDS], np.minimum(1.0, ceiling / np.maximum(peak, 1e-15))]
    )
    state[_NEEDS:_HELDS] = needs[count:]
    least = minimum_filter1d(needs, WINDOW + 1, origin=WINDOW // 2, mode="nearest")[WINDOW:]
    helds = np.concatenate([state[_HELDS:_GAIN], _hold(least, release, state)])
    state[_HELDS:_GAIN] = helds[count:]
    windows = np.lib.stride_tricks.sliding_window_view(helds, WINDOW)
    gain = windows.sum(axis=1) / WINDOW
    limited: Sound = delayed[:count] * gain[:, None]
    return limited


def _hold(needs: Sound, release: float, state: Sound) -> Sound:
    """Let the gain fall at once, stay a while, and recover."""
    gain, held = state[_GAIN:].tolist()
    if gain == 1.0 and needs.min() == 1.0:
        state[_GAIN + 1] = max(held - len(needs), 0.0)
        return needs
    gains = []
    for need in needs.tolist():
        held = max(held - 1.0, 0.0)
        if held < 1.0:
            gain += release * (RECOVERED - gain)
        if need < 1.0 and gain >= need * NEARLY:
            held = float(HOLD)
        gain = min(gain, need)
        gains.append(gain)
    state[_GAIN:] = gain, held
    return np.array(gains)
