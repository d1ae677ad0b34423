"""What is drawn of one sound: its spectrum, its true peak, and how alike its channels are.

The spectrum has 120 bands of a twelfth of an octave.

A window of 4096 samples (85 ms, von Hann) is transformed; each band holds the power between its
edges. A sine shows its peak level in dBFS in the band that it is in. A bin is 11.7 Hz wide; bands
below 800 Hz are narrower than a line of the window, and neighbours share what is there.

The correlation of left and right is that of the same 85 ms: 1 where both are the same, 0 where they
have nothing to do with each other, −1 where one is the other upside down and mono would be silent.
The true peak is that of the last 43 ms, by the limiter's detector (ITU-R BS.1770-4, annex 2).
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from dsp.limiter import DETECTOR, TAPS
from dsp.units import SAMPLE_RATE_HZ

BANDS: Final = 120
LOWEST_HZ: Final = 20.0
BANDS_PER_OCTAVE: Final = 12
SILENCE_DB: Final = -120

_WINDOW: Final = 4096
_PEAK_WINDOW: Final = 2048
_FAINT: Final = 1e-9  # mean square of what is too quiet to be called alike or not
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
_NEWEST_LAST: Final = np.ascontiguousarray(DETECTOR[:, ::-1].T, np.float32)
_AT: Final = np.arange(_WINDOW // 2 + 2)


class Picture(NamedTuple):
    """Bands in dBFS; correlation −1 to 1, in silence 1; true peak in dBTP."""

    bands_db: npt.NDArray[np.int16]
    correlation: float
    true_peak_db: float


class Spectrum:
    """The latest 85 ms of one sound, and what there is to draw of them when somebody asks."""

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

    def picture(self) -> Picture:
        """Return all that there is to draw."""
        return Picture(self.bands_db(), self.correlation(), self.true_peak_db())

    def correlation(self) -> float:
        """Return how alike left and right are, −1 to 1; 1 where there is next to nothing."""
        left, right = self._latest.T.astype(np.float64)
        powers = float(left @ left), float(right @ right)
        if min(powers) < _FAINT * _WINDOW:
            # One side alone has nothing to do with the other; of silence nothing is wrong.
            return 1.0 if max(powers) < _FAINT * _WINDOW else 0.0
        return max(-1.0, min(1.0, float(left @ right) / math.sqrt(powers[0] * powers[1])))

    def true_peak_db(self) -> float:
        """Return the highest point of the curve between the latest samples; −120 is silence."""
        latest = self._latest[-_PEAK_WINDOW - TAPS + 1 :]
        between = np.lib.stride_tricks.sliding_window_view(latest, TAPS, axis=0) @ _NEWEST_LAST
        peak = max(float(np.abs(between).max()), float(np.abs(latest[-_PEAK_WINDOW:]).max()))
        return max(20.0 * math.log10(max(peak, 1e-6)), float(SILENCE_DB))

    def bands_db(self) -> npt.NDArray[np.int16]:
        """Return the level of each band in dBFS, of the mean of both channels; −120 is silence."""
        lines = np.fft.rfft(self._latest * _HANN, axis=0)
        power = (lines.real**2 + lines.imag**2).mean(axis=1)
        below = np.concatenate([[0.0], np.cumsum(power)])
        bands = np.interp(_HIGH, _AT, below) - np.interp(_LOW, _AT, below)
        decibels = np.rint(10.0 * np.log10(np.maximum(bands * _SCALE, 1e-12)))
        levels: npt.NDArray[np.int16] = decibels.astype(np.int16)
        return levels
