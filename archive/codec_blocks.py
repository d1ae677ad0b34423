"""How lossy codecs take sound apart, block by block, before they round it; sans-I/O.

What an encoder rounded to nothing is a hole in the spectrum of whoever takes the decoded sound
apart in the same way, at the same places, and is filled up one sample beside.

- Vorbis: blocks of 2048 samples (MDCT), every 1024; "Vorbis I specification", 1.3.2 and 4.3.1. It
  counts blocks of 256 in, which move those that follow by multiples of 128.
- AAC: the same sizes through a Kaiser-Bessel window; ISO/IEC 14496-3, 4.6.11. Short blocks stay
  within a long one's place.
- MP3: 32 bands, each cut into blocks of 36 (MDCT), every 18, and neighbours freed from each other's
  aliases: 576 samples; ISO/IEC 11172-3, 2.4.3.4 and C.1.3. The standard's table of its filter is
  not needed: one by a Kaiser window (beta 11 shows most holes) is near enough.
"""

from functools import cache
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import scipy.fft

Matrix = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]

_MDCT: Final = 2048
_AAC_BETA: Final = np.pi * 4
_BANDS: Final = 32
_TAPS: Final = 512
_SLOTS: Final = 36
_LINES: Final = _SLOTS // 2
_FILTER_BETA: Final = 11.0
_BUTTERFLIES: Final = (-0.6, -0.535, -0.33, -0.185, -0.095, -0.041, -0.0142, -0.0037)


class Blocks(Protocol):
    """One codec's way.

    Attributes:
        size: Samples of a block.
        hop: Samples from one block to the next.
        period: What may lie between two blocks is a multiple of this many samples.
    """

    @property
    def size(self) -> int:
        """See above."""
        ...

    @property
    def hop(self) -> int:
        """See above."""
        ...

    @property
    def period(self) -> int:
        """See above."""
        ...

    def power(self, blocks: Matrix, highest: float) -> Matrix:
        """Return the spectra of blocks, (blocks, lines), squared.

        Args:
            blocks: Samples, (blocks, size).
            highest: Frequency of the last line, as a part of the codec's sample rate.
        """
        ...


class Mdct:
    """Blocks of 2048 through a window, (2048,)."""

    size = _MDCT
    hop = _MDCT // 2

    def __init__(self, window: Values, period: int) -> None:
        self.period = period
        self._window = window.astype(np.float32)

    def power(self, blocks: Matrix, highest: float) -> Matrix:
        """See `Blocks.power`."""
        first, second, third, fourth = np.split(blocks * self._window, 4, axis=1)
        folded = np.concatenate([-third[:, ::-1] - fourth, first - second[:, ::-1]], axis=1)
        lines = scipy.fft.dct(folded, type=4, axis=1, overwrite_x=True)
        found: Matrix = np.square(lines[:, : round(highest * self.size)])
        return found


class Hybrid:
    """Blocks of MP3, long ones."""

    size = _TAPS + (_SLOTS - 1) * _BANDS
    hop = _LINES * _BANDS
    period = hop

    def power(self, blocks: Matrix, highest: float) -> Matrix:
        """See `Blocks.power`."""
        found: Matrix = np.square(blocks @ _hybrid()[:, : round(highest * 2 * self.hop)])
        return found


def _vorbis_window() -> Values:
    places = (np.arange(_MDCT) + 0.5) / _MDCT
    window: Values = np.sin(np.pi / 2 * np.sin(np.pi * places) ** 2)
    return window


def _aac_window() -> Values:
    grown = np.cumsum(np.kaiser(_MDCT // 2 + 1, _AAC_BETA))
    half = np.sqrt(grown[:-1] / grown[-1])
    return np.concatenate([half, half[::-1]])


@cache
def _hybrid() -> Matrix:
    """Return what makes the lines of a block, (size, 576)."""
    band, tap = np.arange(_BANDS)[:, None], np.arange(_TAPS)
    filters = _prototype() * np.cos((2 * band + 1) * (tap - 16) * np.pi / 64)
    line, slot = np.arange(_LINES)[:, None], np.arange(_SLOTS)
    window = np.sin(np.pi / _SLOTS * (slot + 0.5))
    turns = window * np.cos(np.pi / 72 * (2 * slot + 1 + _LINES) * (2 * line + 1))
    found = np.zeros((_BANDS, _LINES, Hybrid.size))
    for number in range(_SLOTS):
        inverted = np.where((number % 2 == 1) & (band % 2 == 1), -1, 1)
        place = slice(number * _BANDS, number * _BANDS + _TAPS)
        found[:, :, place] += turns[:, number, None] * (inverted * filters[:, ::-1])[:, None]
    for number, factor in enumerate(_BUTTERFLIES):
        kept, taken = np.array([1, factor]) / np.hypot(1, factor)
        below, above = found[:-1, -1 - number].copy(), found[1:, number].copy()
        found[:-1, -1 - number] = below * kept + above * taken
        found[1:, number] = above * kept - below * taken
    return np.ascontiguousarray(found.reshape(-1, Hybrid.size).T, np.float32)


def _prototype() -> Values:
    """Return a low-pass that is 3 dB down where two of 32 bands meet, (512,)."""
    meets = 2 * np.pi / 128
    window = np.kaiser(_TAPS + 1, _FILTER_BETA)

    def taps(cut: float) -> Values:
        shape = np.sinc(cut * (np.arange(_TAPS + 1) - _TAPS / 2)) * window
        found: Values = (shape / shape.sum())[:-1]
        return found

    low, high = 0.5 / _BANDS, 1.0 / _BANDS
    for _ in range(30):
        middle = (low + high) / 2
        level = abs(np.sum(taps(middle) * np.exp(-1j * meets * np.arange(_TAPS))))
        low, high = (middle, high) if level < np.sqrt(0.5) else (low, middle)
    return taps(low)


CODECS: Final[dict[str, Blocks]] = {
    "vorbis": Mdct(_vorbis_window(), 128),
    "aac": Mdct(_aac_window(), _MDCT // 2),
    "mp3": Hybrid(),
}
"""By the codec's name."""
