"""The trained head: from features to log probabilities.

Linear maps behind standardised features, each with a temperature that was fitted on sources that
it had not been trained on, so that what it calls 80 % is right in about 80 of 100 cases. How they
are trained stands in `training/`, with what data and how good they are in
`training/MODEL_CARD.md`.
"""

from functools import cache
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.genre import musicnn
from dsp.genre.classes import Values
from dsp.genre.features import Values as Row

HEADS: Final = ("kind", "kind_looked", "speech", "genre", "genre_looked")
"""`kind`: speech, music or noise; `speech`: whether anybody speaks; `genre`: of music. Those that
have `looked` know what musicnn says, too."""

_NEAREST_TAG: Final = 1e-4
_FARTHEST: Final = 5.0  # standard deviations; what lies beyond is something else altogether

Looks = list[musicnn.Look]


def look_row(looks: Looks) -> Row:
    """Return what the networks say as one row: logits of the tags, then the inner layers."""
    tags = np.clip(np.concatenate([each.tags for each in looks]), _NEAREST_TAG, 1 - _NEAREST_TAG)
    logits = np.log(tags / (1 - tags))
    return np.concatenate([logits, *(each.inner for each in looks)]).astype(np.float32)


class _Linear:
    """One map: standardise, limit, multiply, and divide by the temperature."""

    def __init__(self, stored: dict[str, npt.NDArray[np.float32]], name: str) -> None:
        self._mean = stored[f"{name}.mean"]
        self._scale = stored[f"{name}.scale"]
        self._weights = stored[f"{name}.weights"]
        self._bias = stored[f"{name}.bias"]

    def __call__(self, row: Row) -> Values:
        standard = np.clip((row - self._mean) * self._scale, -_FARTHEST, _FARTHEST)
        logits = (standard @ self._weights + self._bias).astype(np.float64)
        logits -= logits.max()
        logs: Values = logits - np.log(np.exp(logits).sum())
        return logs


class Head:
    """All of them."""

    def __init__(self, stored: dict[str, npt.NDArray[np.float32]]) -> None:
        """Take trained numbers, as `training.train` stores them."""
        self._maps = {name: _Linear(stored, name) for name in HEADS}

    def kinds(self, own: Row, looked: Row | None = None) -> Values:
        """Return log probabilities of speech, music and noise."""
        if looked is None:
            return self._maps["kind"](own)
        return self._maps["kind_looked"](np.concatenate([own, looked]))

    def speech(self, own: Row) -> float:
        """Return how likely somebody speaks, alone or over music."""
        return float(np.exp(self._maps["speech"](own)[1]))

    def genres(self, own: Row, looked: Row | None = None) -> Values:
        """Return log probabilities of the kinds of music, if it is music."""
        if looked is None:
            return self._maps["genre"](own)
        return self._maps["genre_looked"](np.concatenate([own, looked]))


@cache
def load() -> Head:
    """Return the head that comes with this program."""
    file = resources.files("dsp.genre") / "weights.npz"
    with file.open("rb") as opened, np.load(opened) as stored:
        return Head({name: stored[name] for name in stored.files})
