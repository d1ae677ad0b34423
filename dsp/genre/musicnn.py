"""musicnn in numpy: what 3 s of music sound like, as 50 tags and as 200 numbers behind them.

The network is that of J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for
music audio tagging" (2019), with their weights (musicnn 0.1.0, ISC licence, see
THIRD_PARTY_NOTICES.md). Every convolution is one matrix product over overlapping views, in
portions that stay in the cache; each is followed by ReLU, batch normalisation and, in the front
end, the maximum over all frequencies. Normalisation is monotonous, so the maximum is taken first:
where its factor is negative, of the negated product.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from dsp.genre.log_mel import BANDS, Spectrogram

FRAMES: Final = 187
"""Of the spectrogram for one look: 3 s."""
NAMES: Final = ("msd", "mtt")
"""The data sets that it was trained on."""
TAGS: Final = 50
INNER: Final = 200

_EPSILON: Final = 1e-3  # of TensorFlow's batch normalisation
_PORTION_BYTES: Final = 1 << 20

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Look:
    """What the network says about 3 s.

    Attributes:
        tags: float32 (50,), how likely each of the data set's tags is, 0 to 1.
        inner: float32 (200,), the layer below the tags.
    """

    tags: Matrix
    inner: Matrix


class _Affine:
    """Batch normalisation as factor and offset."""

    def __init__(self, weights: dict[str, Matrix], number: int) -> None:
        name = _numbered("batch_normalization", number)
        variance = weights[f"{name}|moving_variance"].astype(np.float64)
        factor = weights[f"{name}|gamma"] / np.sqrt(variance + _EPSILON)
        self.factor = factor.astype(np.float32)
        offset = weights[f"{name}|beta"] - factor * weights[f"{name}|moving_mean"]
        self.offset = offset.astype(np.float32)

    def __call__(self, values: Matrix) -> Matrix:
        scaled: Matrix = values * self.factor + self.offset
        return scaled


class _FrontConvolution:
    """Convolution over time and frequency, then the maximum over frequency."""

    def __init__(self, weights: dict[str, Matrix], number: int) -> None:
        name = _numbered("conv2d", number)
        kernel = weights[f"{name}|kernel"]
        self._shape = kernel.shape[0], kernel.shape[1]
        self._affine = _Affine(weights, number + 1)
        self._sign = np.where(self._affine.factor < 0, -1, 1).astype(np.float32)
        self._matrix = np.ascontiguousarray(kernel.reshape(-1, kernel.shape[3]) * self._sign)
        self._bias = weights[f"{name}|bias"]

    def __call__(self, spectrogram: Matrix) -> Matrix:
        """Return (frames, filters)."""
        length, width = self._shape
        before = (length - 1) // 2
        padded = np.pad(spectrogram, ((before, length - 1 - before), (0, 0)))
        views = sliding_window_view(padded, (length, width))  # frames, places, length, width
        frames, places = views.shape[:2]
        size = length * width
        step = max(1, _PORTION_BYTES // (4 * places * size))
        best = np.empty((frames, self._matrix.shape[1]), np.float32)
        for start in range(0, frames, step):
            portion = views[start : start + step]
            product = portion.reshape(-1, size) @ self._matrix
            product.reshape(len(portion), places, -1).max(axis=1, out=best[start : start + step])
        return self._affine(np.maximum(best * self._sign + self._bias, 0.0))


class _MiddleConvolution:
    """Convolution over time, of all features at once."""

    def __init__(self, weights: dict[str, Matrix], number: int) -> None:
        name = _numbered("conv2d", number)
        kernel = weights[f"{name}|kernel"]
        self._length = kernel.shape[0]
        self._matrix = kernel.reshape(-1, kernel.shape[3])
        self._bias = weights[f"{name}|bias"]
        self._affine = _Affine(weights, number + 1)

    def __call__(self, features: Matrix) -> Matrix:
        """Return (frames, 64)."""
        half = self._length // 2
        padded = np.pad(features, ((half, half), (0, 0)))
        views = sliding_window_view(padded, self._length, axis=0).transpose(0, 2, 1)
        product = views.reshape(len(features), -1) @ self._matrix
        return self._affine(np.maximum(product + self._bias, 0.0))


class Musicnn:
    """The network with its weights."""

    def __init__(self, weights: dict[str, Matrix]) -> None:
        """Prepare weights as musicnn exports them: `conv2d_3|kernel` and the like."""
        self._input = _Affine(weights, 0)
        self._front = [_FrontConvolution(weights, number) for number in range(5)]
        self._middle = [_MiddleConvolution(weights, number) for number in range(5, 8)]
        self._pooled = _Affine(weights, 9)
        self._inner = _Affine(weights, 10)
        self._dense = [(weights[f"{n}|kernel"], weights[f"{n}|bias"]) for n in ("dense", "dense_1")]

    def __call__(self, spectrogram: Spectrogram) -> Look:
        """Return what 3 s sound like.

        Args:
            spectrogram: float32 (187, 96), as `log_mel` makes it.
        """
        assert spectrogram.shape == (FRAMES, BANDS), f"3 s are wanted, not {spectrogram.shape}"
        normalised = self._input(spectrogram)
        front = np.concatenate([convolve(normalised) for convolve in self._front], axis=1)
        first = self._middle[0](front)
        second = self._middle[1](first) + first
        third = self._middle[2](second) + second
        features = np.concatenate([front, first, second, third], axis=1)
        pooled = np.stack([features.max(axis=0), features.mean(axis=0)], axis=1).ravel()
        kernel, bias = self._dense[0]
        inner = self._inner(np.maximum(self._pooled(pooled) @ kernel + bias, 0.0))
        kernel, bias = self._dense[1]
        tags = 1.0 / (1.0 + np.exp(-(inner @ kernel + bias)))
        return Look(tags.astype(np.float32), inner)


def _numbered(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


@cache
def load(name: str) -> Musicnn:
    """Return the network as it was trained on a data set: `msd` or `mtt`.

    `msd` is the Million Song Dataset, tagged by listeners; `mtt` is MagnaTagATune.
    """
    file = resources.files("dsp.genre") / f"musicnn_{name}.npz"
    with file.open("rb") as opened, np.load(opened) as stored:
        return Musicnn({each: stored[each] for each in stored.files})
