"""What a picture of sound (`archive.rate_picture`) shows, in numbers; sans-I/O.

A network that sees the picture itself learns sounds by heart sooner than these:

- how loud each band is, and how its loudness is spread;
- how far each band gets within 1 to 32 steps of time, and how fast it rises;
- the paces at which bass, middle and treble begin anew;
- how far single bands stand out of their neighbours: tones;
- how much bands move together.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from archive.rate_picture import BANDS

Matrix = npt.NDArray[np.float32]

_PERCENTILES: Final = (5, 25, 50, 75, 95)
_LAGS: Final = (1, 2, 4, 8, 16, 32)
_RISING_LAGS: Final = (1, 2, 4)
_LEAST_FRAMES: Final = 8
_THIRDS: Final = ((0, 24), (24, 48), (48, 72))
_PACE_WINDOW: Final = 1024
_PACE_EDGES: Final = np.geomspace(2, _PACE_WINDOW // 2, 17).astype(int)
_APART: Final = (1, 4, 9)
_STILL: Final = 0.05


def summary(look: Matrix) -> Matrix:
    """Return what a picture shows, 1,017 numbers, of its loudness (frames, BANDS) in dB / 10."""
    level = look - look.mean()
    found = [_loudness(level), _changes(level), _paces(level), _tones(level), _together(level)]
    return np.concatenate(found).astype(np.float32)


def _loudness(level: Matrix) -> Matrix:
    mean = level.mean(axis=0)
    spread = np.percentile(level, _PERCENTILES, axis=0) - mean
    return np.concatenate([mean, level.std(axis=0), spread.ravel()])


def _changes(level: Matrix) -> Matrix:
    found = []
    for lag in _LAGS:
        has_enough = len(level) > lag + _LEAST_FRAMES
        change = level[lag:] - level[:-lag] if has_enough else np.zeros((2, BANDS))
        found.append(np.abs(change).mean(axis=0)[::2])
        if lag in _RISING_LAGS:
            found.append(np.maximum(change, 0).std(axis=0)[::2])
    return np.concatenate(found)


def _paces(level: Matrix) -> Matrix:
    """Return how strongly each third of the bands begins anew at each pace, and how much at all."""
    rises = np.maximum(np.diff(level, axis=0), 0)
    found = []
    for low, high in _THIRDS:
        curve = rises[:, low:high].mean(axis=1)
        curve = curve - curve.mean()
        lines = np.fft.rfft(curve * np.hanning(len(curve)), _PACE_WINDOW)
        power = np.square(np.abs(lines))
        shares = [power[a : max(b, a + 1)].mean() for a, b in pairwise(_PACE_EDGES)]
        found += [np.log(np.array(shares) / (power.mean() + 1e-9) + 1e-3)]
        found += [np.log(curve.std() + 1e-3)[None]]
    return np.concatenate(found)


def _tones(level: Matrix) -> Matrix:
    height = level[:, 1:-1] - 0.5 * (level[:, :-2] + level[:, 2:])
    return np.concatenate([np.abs(height).mean(axis=0)[::2], np.abs(height.mean(axis=0))[::2]])


def _together(level: Matrix) -> Matrix:
    scaled = (level - level.mean(axis=0)) / (level.std(axis=0) + _STILL)
    return np.concatenate(
        [(scaled[:, gap:] * scaled[:, :-gap]).mean(axis=0)[::3] for gap in _APART]
    )
