"""Automix: open microphones share one gain, in the manner of D. Dugan.

Each microphone gets the share of the gain that its power has in the power of all of them (Dugan,
"Automatic Microphone Mixing", JAES 23, 1975): one who speaks alone gets all of it, two who speak
equally loud are 3 dB down each, and of the noise of ten idle microphones no more is heard than that
of one. The sum of the squared gains is always 1, so the open-microphone sum never grows.

Powers are weighted as loudness is, and smoothed: up in `ATTACK_MS`, so that a first syllable is
whole, and down in `RELEASE_MS`, so that the gain does not follow single syllables.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from dsp import gain_kernels
from dsp.loudness import Values

ATTACK_MS: Final = 8.0
RELEASE_MS: Final = 180.0


class GainSharing:
    """The shares of a group of microphones, each known by a number."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._smooth: dict[int, float] = {}

    def process(self, numbers: Sequence[int], powers: Values, seconds: float) -> Values:
        """Return the gains that the microphones have at the end of a block.

        Args:
            numbers: Who they are; those who are not among them any more are forgotten.
            powers: Weighted power of the block for each, float64 (k,).
            seconds: Length of the block.

        Returns:
            float64 (k,); the sum of their squares is 1.
        """
        smooth = np.array([self._smooth.get(number, 0.0) for number in numbers])
        gains = np.empty(len(numbers))
        attack, release = (1.0 - math.exp(-1000.0 * seconds / ms) for ms in (ATTACK_MS, RELEASE_MS))
        gain_kernels.share(powers, attack, release, smooth, gains)
        self._smooth = dict(zip(numbers, smooth.tolist(), strict=True))
        return gains
