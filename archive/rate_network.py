"""The networks that tell the sample rate of sound, in numpy; sans-I/O but for their weights.

Some networks of one or two layers know the numbers of `archive.rate_features`; others know those
of `archive.rate_summary` besides. Another one sees the picture of `archive.rate_picture`:
convolutions, averaged and maximised over time, beside a layer on the features, and a layer on both.
Sources that nobody has trained on are told best by what the three kinds say together. Trained by
`training.pcm_rate`; batch normalisation is part of the weights beside this file.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from archive.rate_features import features
from archive.rate_picture import HOP, picture
from archive.rate_summary import summary

Matrix = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]

FRAMES: Final = 384
MODEL_FILE: Final = "rate_model.npz"
_MOST_LOOKS: Final = 3
_DB: Final = 10.0
_PEAK: Final = 0.5
_FURTHEST: Final = 5.0
_STEPS: Final = ((2, 2), (1, 2), (2, 2), (1, 2), (2, 2))
"""Of each convolution, over bands and frames."""
_WEIGHTS: Final = (0.5, 1.0, 2.0)
"""How much each kind of networks counts: on features, on the picture, on what it shows."""
_LEAST_SHARE: Final = 1e-6
_LONG: Final = 400_000  # samples
_PART: Final = 131_072
_MOST_PARTS: Final = 7


@dataclass(frozen=True, slots=True)
class _Layer:
    """A dense layer or a convolution, (outputs, inputs, …) and (outputs,)."""

    kernel: Matrix
    bias: Matrix

    def dense(self, values: Matrix) -> Matrix:
        found: Matrix = values @ self.kernel.T + self.bias
        return found

    def active(self, values: Matrix) -> Matrix:
        """Return the same, not below zero."""
        return np.maximum(self.dense(values), 0.0)

    def convolve(self, maps: Matrix, step: tuple[int, int]) -> Matrix:
        """Return (outputs, bands, frames) of (inputs, bands, frames), not below zero."""
        high, wide = self.kernel.shape[2:]
        padded = np.pad(maps, ((0, 0), (high // 2, high // 2), (wide // 2, wide // 2)))
        views = sliding_window_view(padded, (high, wide), axis=(1, 2))[:, :: step[0], :: step[1]]
        found = np.tensordot(self.kernel, views, axes=((1, 2, 3), (0, 3, 4)))
        active: Matrix = np.maximum(found + self.bias[:, None, None], 0.0)
        return active


class _Normal:
    """Numbers as a network knows them: by how many deviations they are off the mean."""

    def __init__(self, weights: dict[str, Matrix], name: str) -> None:
        self._mean, self._scale = weights[f"{name}|mean"], weights[f"{name}|scale"]

    def __call__(self, numbers: Values) -> Matrix:
        off = (numbers - self._mean) / self._scale
        return np.clip(off, -_FURTHEST, _FURTHEST).astype(np.float32)


class _Counting:
    """A network on numbers alone."""

    def __init__(self, weights: dict[str, Matrix], name: str) -> None:
        self._normal = _Normal(weights, name)
        count = sum(key.startswith(f"{name}|kernel") for key in weights)
        layers = [
            _Layer(weights[f"{name}|kernel_{n}"], weights[f"{name}|bias_{n}"]) for n in range(count)
        ]
        *self._hidden, self._last = layers

    def __call__(self, numbers: Values) -> Values:
        values = self._normal(numbers)
        for layer in self._hidden:
            values = layer.active(values)
        return _shares(self._last.dense(values))


class _Seeing:
    """The network on the picture and the numbers."""

    def __init__(self, weights: dict[str, Matrix]) -> None:
        self._normal = _Normal(weights, "seeing")
        self._convolutions = [
            _layer(weights, f"convolution_{number}") for number in range(len(_STEPS))
        ]
        self._seen, self._counted = _layer(weights, "seen"), _layer(weights, "counted")
        self._both, self._last = _layer(weights, "both"), _layer(weights, "last")

    def __call__(self, look: Matrix, numbers: Values) -> Values:
        level = look - look.mean()
        maps = np.stack([level, level - level.mean(axis=1, keepdims=True)])
        for convolution, step in zip(self._convolutions, _STEPS, strict=True):
            maps = convolution.convolve(maps, step)
        pooled = np.concatenate([maps.mean(axis=2), maps.max(axis=2)]).ravel()
        seen = self._seen.active(pooled)
        counted = self._counted.active(self._normal(numbers))
        both = self._both.active(np.concatenate([seen, counted]))
        return _shares(self._last.dense(both))


class RateNetworks:
    """All of them, with the weights named as `training.pcm_rate` writes them."""

    def __init__(self, weights: dict[str, Matrix]) -> None:
        names = sorted({key.partition("|")[0] for key in weights})
        self._counting = [_Counting(weights, one) for one in names if one.startswith("counting_")]
        self._summing = [_Counting(weights, one) for one in names if one.startswith("summing_")]
        self._seeing = _Seeing(weights)

    def __call__(self, sound: Values) -> Values:
        """Return how likely each of `RATES_HZ` is for a mono sound (n,); they sum to 1."""
        scaled = sound * (_PEAK / np.max(np.abs(sound)))
        return _shares(np.mean([self._logs(part) for part in _parts(scaled)], axis=0))

    def _logs(self, sound: Values) -> Values:
        """Return what all kinds say together: the weighted mean of their logarithms."""
        numbers = features(sound)
        told = np.mean([network(numbers) for network in self._counting], axis=0)
        looks = _looks(sound.astype(np.float32))
        seen = np.mean([self._seeing(look, numbers) for look in looks], axis=0)
        sums = [np.concatenate([numbers, summary(look.T)]) for look in looks]
        summed = np.mean([network(one) for network in self._summing for one in sums], axis=0)
        logs = np.log(np.maximum([told, seen, summed], _LEAST_SHARE))
        weighted: Values = np.average(logs, axis=0, weights=_WEIGHTS)
        return weighted


def _parts(sound: Values) -> list[Values]:
    """Return parts of a long sound: the networks know sounds of 10 s at most."""
    if len(sound) <= _LONG:
        return [sound]
    count = min(_MOST_PARTS, len(sound) // _PART)
    starts = np.linspace(0, len(sound) - _PART, count).astype(int)
    parts = [sound[start : start + _PART] for start in starts]
    return [part for part in parts if np.any(np.diff(part))] or [sound]


def _layer(weights: dict[str, Matrix], name: str) -> _Layer:
    return _Layer(weights[f"{name}|kernel"], weights[f"{name}|bias"])


def _looks(sound: Matrix) -> list[Matrix]:
    """Return pictures of a sound's parts, (BANDS, FRAMES) each; short sound is repeated."""
    size = FRAMES * HOP
    count = min(_MOST_LOOKS, max(1, round(len(sound) / size)))
    found = []
    for start in np.linspace(0, max(0, len(sound) - size), count).astype(int):
        seen = picture(sound[start : start + size], FRAMES) / _DB
        found.append(np.ascontiguousarray(np.resize(seen, (FRAMES, seen.shape[1])).T))
    return found


def _shares(scores: Matrix | Values) -> Values:
    powers = np.exp(scores.astype(np.float64) - scores.max())
    shares: Values = powers / powers.sum()
    return shares


@cache
def load() -> RateNetworks:
    """Return the networks with the weights beside this file."""
    with resources.files("archive").joinpath(MODEL_FILE).open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        return RateNetworks({name: stored[name].astype(np.float32) for name in stored.files})
