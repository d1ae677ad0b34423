"""A spectrum to draw behind an equaliser: 120 bands of a twelfth of an octave.

A window of 4096 samples (85 ms, von Hann) is transformed; each band holds the power between its
edges. A sine shows its peak level in dBFS in the band that it is in. A bin is 11.7 Hz wide; bands
below 800 Hz are narrower than a line of the window, and neighbours share what is there.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.units import SAMPLE_RATE_HZ

BANDS: Final = 120
LOWEST_HZ: Final = 20.0
BANDS_PER_OCTAVE: Final = 12
SILENCE_DB: Final = -120

_WINDOW: Final = 4096
_HANN: Final = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)[:, None]
# The power of a sine of amplitude 1 in the window's line is the sum of the squared window.
_SCALE: Final = 4.0 / (_WINDOW * float((_HANN.astype(np.float64) ** 2).sum()))
_LINE_BINS: Final = 4.0


def centres_hz() -> npt.NDArray[np.float64]:
    """Return the centre of each band: 20 Hz to 19.3 kHz."""
    return LOWEST_HZ * 2.0 ** (np.arange(BANDS) / BANDS_PER_OCTAVE)


def _edges() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return where bands begin and end, in bins; none is narrower than a line."""
    half = 2.0 ** (0.5 / BANDS_PER_OCTAVE)
    centres = centres_hz() * _WINDOW / SAMPLE_RATE_HZ
    low = np.minimum(centres / half, centres - _LINE_BINS / 2)
    high = np.maximum(centres * half, centres + _LINE_BINS / 2)
    # Bin k's power lies between k − ½ and k + ½, and its integral up to there at index k + 1.
    return low + 0.5, high + 0.5


_LOW, _HIGH = _edges()
_AT: Final = np.arange(_WINDOW // 2 + 2)


class Spectrum:
    """The latest 85 ms of one sound, and their spectrum when somebody asks."""

    def __init__(self) -> None:
        """Begin with silence."""
        self._latest = np.zeros((_WINDOW, 2), np.float32)

    def push(self, block: npt.NDArray[np.float32]) -> None:
        """Take in a block (n, 2); what is no number is silence."""
        block = block[-_WINDOW:]
        kept = _WINDOW - len(block)
        self._latest[:kept] = self._latest[len(block) :].copy()
        self._latest[kept:] = np.nan_to_num(block, posinf=0.0, neginf=0.0)

    def rest(self) -> None:
        """Take note that the sound has ended."""
        self._latest[:] = 0.0

    def bands_db(self) -> npt.NDArray[np.int16]:
        """Return the level of each band in dBFS, of the mean of both channels; −120 is silence."""
        lines = np.fft.rfft(self._latest * _HANN, axis=0)
        power = (lines.real**2 + lines.imag**2).mean(axis=1)
        below = np.concatenate([[0.0], np.cumsum(power)])
        bands = np.interp(_HIGH, _AT, below) - np.interp(_LOW, _AT, below)
        decibels = np.rint(10.0 * np.log10(np.maximum(bands * _SCALE, 1e-12)))
        levels: npt.NDArray[np.int16] = decibels.astype(np.int16)
        return levels
