"""What a sound is thought to be, and how sure one is."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.genre.labels import CLASSES, Genre, Label

KINDS: Final = ("speech", "music", "noise")

LEAST_CONFIDENCE: Final = 0.45
"""Below this nothing is claimed: the label is `unknown`."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a sound is thought to be.

    Attributes:
        probabilities: float64 (5,), in the order of `CLASSES`; what is missing to 1 is noise.
        speech: How likely somebody speaks, alone or over music.
        silent: Whether there is nothing to hear.
    """

    probabilities: Values
    speech: float
    silent: bool = False

    @property
    def best(self) -> Genre:
        """The likeliest class, however unlikely."""
        return CLASSES[int(np.argmax(self.probabilities))]

    @property
    def label(self) -> Label:
        """What to call it."""
        if self.silent:
            return "silence"
        best = float(self.probabilities.max())
        return self.best if best >= LEAST_CONFIDENCE and best > self.noise else "unknown"

    @property
    def noise(self) -> float:
        """How likely it is neither speech nor music."""
        return max(0.0, 1.0 - float(self.probabilities.sum()))

    @property
    def confidence(self) -> float:
        """How likely the label is right; of `unknown` and `silence`, how likely the best is not."""
        best = float(self.probabilities.max())
        return 1.0 - best if self.label in ("unknown", "silence") else best


def opinion_of(kinds: Values, genres: Values, speech: float) -> Opinion:
    """Join log probabilities of kinds (3,) and of genres (4,), if it is music."""
    chances = _softmax(kinds)
    music = chances[1] * _softmax(genres)
    return Opinion(np.concatenate([chances[:1], music]), speech)


def _softmax(logs: Values) -> Values:
    powers = np.exp(logs - logs.max())
    shares: Values = powers / powers.sum()
    return shares
