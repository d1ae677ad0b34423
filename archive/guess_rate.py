"""How likely each sample rate is for sound of unknown rate; sans-I/O.

What `archive.rate_network` hears, times how common rates are.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from archive.encodings import RATES_HZ
from archive.rate_network import load

Values = npt.NDArray[np.float64]

_COMMON: Final = (8000, 16000, 44100, 48000)
_RARITY: Final = 0.3
_PRIOR: Final = np.array([1.0 if rate in _COMMON else _RARITY for rate in RATES_HZ])
"""What sound is sampled at in practice; a hint says better."""

_LEAST_SAMPLES: Final = 4096


def rate_shares(sound: Values) -> Values:
    """Return the likelihood of each of `RATES_HZ`, (8,), for a mono sound (n,); they sum to 1."""
    shares, finite = _PRIOR, np.nan_to_num(sound, posinf=0.0, neginf=0.0)
    if len(finite) >= _LEAST_SAMPLES and np.any(np.diff(finite[: 1 << 16])):
        shares = _PRIOR * load()(finite)
    total: Values = shares / shares.sum()
    return total
