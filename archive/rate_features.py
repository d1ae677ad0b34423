"""What tells at which rate sound was sampled: numbers that change with the rate; sans-I/O.

All of them are taken in samples, not in seconds, so that a change of rate moves them:

- the spectrum, in steps of a sixth of an octave, and its upper half in equal steps, where a
  low-pass or the band of an earlier rate ends;
- how much each part of the spectrum moves;
- how fast loudness goes up and down: syllables and notes have their pace;
- pitch: how strongly sound repeats itself after so many samples (the cepstrum);
- tuning: how well tones would stand on the semitones of A = 440 Hz.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

_WINDOW: Final = 4096
_MOST_WINDOWS: Final = 160
_LOWEST: Final = 0.0012  # of the sample rate
_BANDS: Final = 52
_TOP_BANDS: Final = 40
_PACES: Final = 24
_LAGS: Final = 36
_HOP: Final = 128

_TONE_WINDOWS: Final = (4096, 16384)
_TONE_FRAMES: Final = 60
_TONE_RANGES: Final = (0.0015, 0.006, 0.015, 0.04, 0.1)
_TONE_HIGHEST: Final = 0.1
_TONE_AROUND: Final = 12
_TONE_HEIGHT: Final = 1.5
_TONE_LEAST_BIN: Final = 12
_TONE_MANY: Final = 60
_TONE_RATE_HZ: Final = 48_000

TONES: Final = 3 * (len(_TONE_RANGES) - 1) * len(_TONE_WINDOWS)
FEATURES: Final = _BANDS + _TOP_BANDS + 26 + _PACES + _LAGS + TONES


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
        [shape - level, top - level, moves, _paces(sound), _pitch(power), _tuning(sound)]
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


def _tuning(sound: Values) -> Values:
    """Return how well, and how far off, tones stand on semitones, in several ranges of pitch.

    Rates in the ratio of 48 to 44.1 differ by 1.47 semitones, so that tones which stand on the
    semitones of A = 440 Hz at the one stand between them at the other; octaves do not differ.
    """
    found = [_standing(sound, window) for window in _TONE_WINDOWS]
    return np.concatenate(found)


def _standing(sound: Values, window: int) -> Values:
    if len(sound) < window:
        sound = np.pad(sound, (0, window - len(sound)))
    step = max(window // 4, (len(sound) - window) // _TONE_FRAMES)
    frames = np.lib.stride_tricks.sliding_window_view(sound, window)[::step]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(window), axis=1))
    logs = np.log(spectrum[:, : int(window * _TONE_HIGHEST) + 2] + 1e-9)
    sums = np.cumsum(np.pad(logs, ((0, 0), (_TONE_AROUND + 1, _TONE_AROUND)), "edge"), axis=1)
    width = 2 * _TONE_AROUND
    around = (sums[:, width:] - sums[:, :-width])[:, : logs.shape[1]] / width
    inner = logs[:, 1:-1]
    height = inner - around[:, 1:-1]
    is_peak = (inner > logs[:, :-2]) & (inner >= logs[:, 2:]) & (height > _TONE_HEIGHT)
    rows, places = np.nonzero(is_peak)
    weight = height[rows, places]
    places = places + 1
    left, centre, right = logs[rows, places - 1], logs[rows, places], logs[rows, places + 1]
    exact = places + 0.5 * (left - right) / (left - 2 * centre + right - 1e-12)
    share = exact / window
    # A frame's tones count by how loud it is, within reason.
    loud = spectrum.sum(axis=1)
    weight = weight * np.minimum(1.0, loud / (loud.mean() + 1e-12))[rows]
    turns = np.exp(2j * np.pi * 12 * np.log2(share * _TONE_RATE_HZ / 440))
    found = []
    for low, high in pairwise(_TONE_RANGES):
        inside = (share >= low) & (share < high) & (places > _TONE_LEAST_BIN)
        total = float(weight[inside].sum())
        mean = (weight[inside] * turns[inside]).sum() / (total + 1e-9)
        count = min(1.0, float(inside.sum()) / _TONE_MANY)
        found += [6 * mean.real * count, 6 * mean.imag * count, 6 * abs(mean) * count]
    return np.array(found)
