"""The maps of the head, fitted to some windows: one definition for training and evaluation.

With musicnn, genres are told by its inner layers alone: on sources that nothing was trained on, a
mean with maps of its tags and of features of our own was no better.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.genre import features
from training import regression
from training.dataset import MUSIC, Dataset, weights_of
from training.regression import Linear, Values

OWN: Final = features.SIZE
TAGS: Final = 100
INNER: Final = 400

_KIND_PENALTY: Final = 3e-3
_KIND_LOOKED_PENALTY: Final = 9e-3
_GENRE_OWN_PENALTY: Final = 0.3
_GENRE_LOOKED_PENALTY: Final = 1.0

_NOISE_PRIOR: Final = -1.0
"""Log odds: noise alone is rarer in a conference than it is in training."""

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Models:
    """All maps, named as in `dsp.genre.head.HEADS`."""

    kind: Linear
    kind_looked: Linear
    speech: Linear
    genre: Linear
    genre_looked: Linear

    def cooled(self, temperature: float) -> "Models":
        """Return the same with the temperature in those that make class probabilities."""
        return Models(
            self.kind.cooled(temperature),
            self.kind_looked.cooled(temperature),
            self.speech,
            self.genre.cooled(temperature),
            self.genre_looked.cooled(temperature),
        )

    def log_probabilities(self, data: Dataset, use: Mask) -> Values:
        """Return log probabilities of the five classes and noise, (n, 6)."""
        both = np.concatenate([data.own[use], data.looked[use]], axis=1)
        kinds = self.kind_looked.log_probabilities(both)
        genres = self.genre_looked.log_probabilities(both)
        return np.concatenate([kinds[:, :1], kinds[:, 1:2] + genres, kinds[:, 2:]], axis=1)


def fit(data: Dataset, use: Mask) -> Models:
    """Fit all maps to the windows in `use`."""
    both = np.concatenate([data.own, data.looked], axis=1)
    kind, genre, speech = data.kind >= 0, data.genre >= 0, data.speech >= 0
    penalties = np.where(np.arange(both.shape[1]) < OWN, _KIND_PENALTY, _KIND_LOOKED_PENALTY)
    inner = _fit(
        data, both[:, OWN + TAGS :], data.genre, genre & use, len(MUSIC), _GENRE_LOOKED_PENALTY
    )
    return Models(
        _with_prior(_fit(data, data.own, data.kind, kind & use, 3, _KIND_PENALTY)),
        _with_prior(_fit(data, both, data.kind, kind & use, 3, penalties)),
        _fit(data, data.own, data.speech, speech & use, 2, _KIND_PENALTY),
        _fit(data, data.own, data.genre, genre & use, len(MUSIC), _GENRE_OWN_PENALTY),
        _after(OWN + TAGS, inner),
    )


def _with_prior(kinds: Linear) -> Linear:
    bias = kinds.bias + np.array([0.0, 0.0, _NOISE_PRIOR])
    return Linear(kinds.mean, kinds.scale, kinds.weights, bias)


def _after(columns: int, linear: Linear) -> Linear:
    """Return the same map behind so many columns that it does not look at."""
    none = np.zeros(columns)
    return Linear(
        np.concatenate([none, linear.mean]),
        np.concatenate([none, linear.scale]),
        np.concatenate([np.zeros((columns, linear.weights.shape[1])), linear.weights]),
        linear.bias,
    )


def _fit(
    data: Dataset,
    rows: Rows,
    labels: npt.NDArray[np.int64],
    use: Mask,
    classes: int,
    penalty: float | Values,
) -> Linear:
    weights = weights_of(labels[use], data.source[use])
    return regression.train(rows[use], labels[use], weights, classes, penalty)
