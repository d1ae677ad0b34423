"""What tells at which rate sound was sampled: numbers that change with the rate; sans-I/O.

All of them are taken in samples, not in seconds, so that a change of rate moves them:

- the spectrum, in steps of a sixth of an octave, and its upper half in equal steps, where a
  low-pass or the band of an earlier rate ends;
- how much each part of the spectrum moves;
- how fast loudness goes up and down: syllables and notes have their pace;
- pitch: how strongly sound repeats itself after so many samples (the cepstrum);
- tuning: how well tones would stand on the semitones of A = 440 Hz, at each rate.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from archive.encodings import RATES_HZ

Values = npt.NDArray[np.float64]

_WINDOW: Final = 4096
_MOST_WINDOWS: Final = 160
_LOWEST: Final = 0.0012  # of the sample rate
_BANDS: Final = 52
_TOP_BANDS: Final = 40
_PACES: Final = 24
_LAGS: Final = 36
_HOP: Final = 128

FEATURES: Final = _BANDS + _TOP_BANDS + 26 + _PACES + _LAGS + 2 * len(RATES_HZ)


def features(sound: Values) -> Values:
    """Return the features (FEATURES,) of a mono sound (n,), any length."""
    sound = np.nan_to_num(sound, posinf=0.0, neginf=0.0)
    sound = sound - sound.mean() if len(sound) else np.zeros(1)
    frames = _windows(sound)
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1))) + 1e-12
    loud = power.sum(axis=1)
    power = power[loud >= np.percentile(loud, 30)] / loud.mean()
    mean = power.mean(axis=0)
    bands = _in_bands(power, _edges(_LOWEST, 0.5, _BANDS))
    shape = np.log(bands.mean(axis=0) + 1e-9)
    top = np.log(_in_bands(mean[None], np.linspace(0.25, 0.5, _TOP_BANDS + 1))[0] + 1e-9)
    moves = np.log(bands + 1e-9).std(axis=0)[::2]
    level = shape.mean()
    return np.concatenate(
        [shape - level, top - level, moves, _paces(sound), _pitch(power), _tuning(mean)]
    )


def _windows(sound: Values) -> Values:
    if len(sound) < _WINDOW:
        sound = np.pad(sound, (0, _WINDOW - len(sound)))
    step = max(_WINDOW // 2, (len(sound) - _WINDOW) // _MOST_WINDOWS)
    windows: Values = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::step]
    return windows


def _edges(low: float, high: float, count: int) -> Values:
    edges: Values = low * (high / low) ** (np.arange(count + 1) / count)
    return edges


def _in_bands(power: Values, edges: Values) -> Values:
    """Return the power density of each row between edges, given as shares of the rate."""
    below = np.concatenate([np.zeros((len(power), 1)), np.cumsum(power, axis=1)], axis=1)
    places = edges * _WINDOW + 0.5
    whole = np.minimum(places.astype(int), below.shape[1] - 2)
    part = np.minimum(places - whole, 1.0)
    at = below[:, whole] * (1 - part) + below[:, whole + 1] * part
    densities: Values = np.maximum(np.diff(at, axis=1), 0.0) / np.diff(places)
    return densities


def _paces(sound: Values) -> Values:
    """Return how strongly loudness moves at each pace, in cycles per sample."""
    count = len(sound) // _HOP
    if count < 64:
        return np.zeros(_PACES)
    energy = np.square(sound[: count * _HOP]).reshape(count, _HOP).mean(axis=1)
    curve = np.sqrt(energy)
    curve = (curve - curve.mean()) / (curve.std() + 1e-9)
    spectrum = np.square(np.abs(np.fft.rfft(curve * np.hanning(count)))) / count
    paces = np.fft.rfftfreq(count, _HOP)
    edges = _edges(1e-5, 0.5 / _HOP, _PACES)
    found = np.zeros(_PACES)
    for band, (low, high) in enumerate(pairwise(edges)):
        inside = spectrum[(paces >= low) & (paces < high)]
        if len(inside):
            found[band] = np.log(inside.mean() + 1e-4)
    return found


def _pitch(power: Values) -> Values:
    """Return how strongly sound repeats itself after so many samples."""
    ceps = np.fft.irfft(np.log(power), axis=1)[:, : _WINDOW // 2]
    peaks = np.maximum(ceps, 0.0)
    edges = _edges(24, _WINDOW // 2 - 1, _LAGS).astype(int)
    return np.array(
        [
            peaks[:, low : max(high, low + 1)].max(axis=1).mean() * 10
            for low, high in pairwise(edges)
        ]
    )


def _tuning(mean: Values) -> Values:
    """Return for each rate how well, and how far off, tones stand on semitones."""
    logs = np.log(mean)
    inner = logs[1:-1]
    is_peak = (inner > logs[:-2]) & (inner > logs[2:])
    places = np.flatnonzero(is_peak) + 1
    around = np.convolve(logs, np.ones(31) / 31, "same")
    height = logs[places] - around[places]
    keep = (height > 1.0) & (places > 12) & (places < _WINDOW // 8)
    places, height = places[keep], height[keep]
    if not len(places):
        return np.zeros(2 * len(RATES_HZ))
    left, centre, right = logs[places - 1], logs[places], logs[places + 1]
    exact = places + 0.5 * (left - right) / (left - 2 * centre + right - 1e-9)
    turns = 12 * np.log2(exact / _WINDOW / 440)
    total = (height * np.exp(2j * np.pi * turns)).sum() / height.sum()
    at = total * np.exp(2j * np.pi * 12 * np.log2(np.array(RATES_HZ)))
    return 3 * np.concatenate([at.real, at.imag])
