"""How likely each sample rate is for sound of unknown rate; sans-I/O.

A small network with one hidden layer, trained by `training/pcm_rate.py` on the features of
`archive.rate_features`; its weights lie beside this file.
"""

from functools import cache
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt

from archive.encodings import RATES_HZ
from archive.rate_features import FEATURES, features

Values = npt.NDArray[np.float64]

_COMMON: Final = (8000, 16000, 44100, 48000)
_RARITY: Final = 0.1
_PRIOR: Final = np.array([1.0 if rate in _COMMON else _RARITY for rate in RATES_HZ])
"""What sound is sampled at in practice; a hint says better."""

MODEL_FILE: Final = "rate_model.npz"
_LEAST_SAMPLES: Final = 4096


@cache
def _weights() -> tuple[Values, ...]:
    with resources.files("archive").joinpath(MODEL_FILE).open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        names = ("mean", "scale", "hidden", "hidden_bias", "output", "output_bias")
        weights = tuple(stored[name].astype(np.float64) for name in names)
    assert weights[0].shape == (FEATURES,)
    return weights


def rate_shares(sound: Values) -> Values:
    """Return the likelihood of each of `RATES_HZ`, (8,), for a mono sound (n,); they sum to 1."""
    if len(sound) < _LEAST_SAMPLES or not np.any(np.diff(sound[: 1 << 16])):
        unknown: Values = _PRIOR / _PRIOR.sum()
        return unknown
    mean, scale, hidden, hidden_bias, output, output_bias = _weights()
    inputs = np.clip((features(sound) - mean) / scale, -5, 5)
    active = np.maximum(inputs @ hidden + hidden_bias, 0.0)
    scores = active @ output + output_bias
    shares: Values = np.exp(scores - scores.max()) * _PRIOR
    total: Values = shares / shares.sum()
    return total
