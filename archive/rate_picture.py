"""A picture of sound in samples, not seconds: loudness over time and pitch on a scale of ratios.

At another sample rate the same sound gives the same picture, shifted in pitch and stretched in
time, which a network can learn to tell; sans-I/O. Pitches from 0.0015 to 0.5 of the rate, in steps
of an eighth of an octave: low ones through a long window, high ones through a short one.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

BANDS: Final = 72
HOP: Final = 512
_LONG: Final = 4096
_SHORT: Final = 1024
_LOWEST: Final = 0.0015  # of the sample rate
_SHORT_FROM: Final = 0.02
_PORTION: Final = 64
_FLOOR: Final = 1e-11
_LEAST_DB: Final = -110.0
_MOST_DB: Final = 17.5

_EDGES: Final = _LOWEST * (0.5 / _LOWEST) ** (np.arange(BANDS + 1) / BANDS)
_FIRST_SHORT: Final = int(np.searchsorted(_EDGES[:-1], _SHORT_FROM))


def _weights(window: int) -> Samples:
    """Return how much each bin counts in each band, (window // 2 + 1, BANDS)."""
    bins = np.arange(window // 2 + 1)[:, None] / window
    low, high = _EDGES[:-1], _EDGES[1:]
    half = np.maximum((high - low) / 2, 1 / window)
    found = np.clip(1 - np.abs(bins - np.sqrt(low * high)) / (2 * half), 0, 1)
    shares: Samples = (found / found.sum(axis=0)).astype(np.float32)
    return shares


def _hann(window: int) -> Samples:
    shape = np.hanning(window)
    shares: Samples = (shape / shape.sum()).astype(np.float32)
    return shares


_LONG_WEIGHTS: Final = _weights(_LONG)[:, :_FIRST_SHORT]
_SHORT_WEIGHTS: Final = _weights(_SHORT)[:, _FIRST_SHORT:]
_LONG_HANN: Final = _hann(_LONG)
_SHORT_HANN: Final = _hann(_SHORT)


def picture(sound: Samples, frames: int) -> Samples:
    """Return the loudness of a sound, (n,) float32, in dB of full scale.

    Returns:
        (at most `frames`, BANDS), one row every `HOP` samples, from the beginning of the sound.
    """
    padded = np.pad(sound, _LONG // 2)
    count = min(frames, (len(padded) - _LONG) // HOP + 1)
    views = np.lib.stride_tricks.sliding_window_view(padded, _LONG)[::HOP][:count]
    power = np.empty((count, BANDS), np.float32)
    middle = slice((_LONG - _SHORT) // 2, (_LONG + _SHORT) // 2)
    for start in range(0, count, _PORTION):
        portion = slice(start, start + _PORTION)
        power[portion, :_FIRST_SHORT] = _power(views[portion] * _LONG_HANN) @ _LONG_WEIGHTS
        short = _power(views[portion, middle] * _SHORT_HANN) @ _SHORT_WEIGHTS
        power[portion, _FIRST_SHORT:] = short
    seen: Samples = np.clip(10 * np.log10(power + _FLOOR), _LEAST_DB, _MOST_DB)
    return seen


def _power(frames: Samples) -> Samples:
    lines = np.fft.rfft(frames, axis=1)
    power: Samples = (lines.real**2 + lines.imag**2).astype(np.float32)
    return power
