"""How likely each sample rate is for sound of unknown rate; sans-I/O.

What `archive.rate_network` hears, times how common rates are and what `archive.codec_grid` finds.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from archive.codec_grid import find_grid, ratios
from archive.encodings import RATES_HZ
from archive.rate_network import load

Values = npt.NDArray[np.float64]

_COMMON: Final = (8000, 16000, 44100, 48000)
_RARITY: Final = 0.3
_PRIOR: Final = np.array([1.0 if rate in _COMMON else _RARITY for rate in RATES_HZ])
"""What sound is sampled at in practice; a hint says better."""

_LEAST_SAMPLES: Final = 4096
_FAINTEST: Final = 1e-200
_WORTH_IT: Final = 0.0005
"""Likelihood below which a ratio is not looked for."""
_DESPITE: Final = 1e-3
"""How likely a rate is that a codec's grid speaks against."""


def rate_shares(sound: Values, *, thoroughly: bool = True) -> Values:
    """Return how likely each of `RATES_HZ` is, (8,), which sum to 1.

    Args:
        sound: Mono, (n,), in any scale.
        thoroughly: Whether to search for a codec's grid, too.
    """
    shares, finite = _PRIOR, np.nan_to_num(sound, posinf=0.0, neginf=0.0)
    is_sound = np.any(np.diff(finite[: 1 << 16])) and np.max(np.abs(finite)) > _FAINTEST
    if len(finite) >= _LEAST_SAMPLES and is_sound:
        shares = _PRIOR * load()(finite)
        if thoroughly:
            shares = shares * _told_by_codecs(finite, shares / shares.sum())
    total: Values = shares / shares.sum()
    return total


def _told_by_codecs(sound: Values, shares: Values) -> Values:
    """Return how likely a lossy codec's grid makes each rate, if the sound has one."""
    possible = ratios()
    heard = dict(zip(RATES_HZ, shares, strict=True))
    likely = {
        ratio: sum(heard[rate] * share for rate, share in rates)
        for ratio, rates in possible.items()
    }
    wanted = [ratio for ratio, share in likely.items() if share >= _WORTH_IT]
    grid = find_grid(sound, sorted(wanted, key=lambda ratio: -likely[ratio]))
    if grid is None:
        return np.ones(len(RATES_HZ))
    told = dict.fromkeys(RATES_HZ, _DESPITE)
    told.update(possible[grid.ratio])
    return np.array([told[rate] for rate in RATES_HZ])
