"""What a sound is like: levels, loudness, silence, clipping, spectrum and waveform; sans-I/O.

Fed block by block; memory does not depend on the length. Sound is float32 (n, 2) at 48 kHz.
"""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from dsp.loudness import LoudnessBank
from dsp.spectrum import BANDS, SILENCE_DB, Spectrum

Sound = npt.NDArray[np.float32]

SILENCE_DBFS: Final = -120.0
_QUIET: Final = np.float32(10 ** (-60 / 20))
_FULL_SCALE: Final = np.float32(0.9995)
_CLIPPED_RUN: Final = 3
_PIECE: Final = 4800
_ROW: Final = np.zeros(1, np.int32)
WAVE_POINTS: Final = 400


class Analysis(msgspec.Struct, frozen=True):
    """What a sound is like; levels in dBFS, −120 is silence.

    `clipped_samples` counts samples at full scale in runs of three or more. `silence_share` is the
    share of tenths of a second that stay below −60 dBFS. `spectrum_db` holds 120 bands of a
    twelfth of an octave: band n is around 20 · 2^(n/12) Hz. `waveform` holds up to 400 peaks from
    0 to 1, evenly over the length.
    """

    duration_s: float
    peak_dbfs: float
    rms_dbfs: float
    loudness_lufs: float
    silence_share: float
    clipped_samples: int
    spectrum_db: list[float]
    waveform: list[float]


class Analyser:
    """Takes a sound in and says what it is like."""

    def __init__(self, frames: int) -> None:
        """Begin.

        Args:
            frames: How long the sound will be, for its waveform.
        """
        self._frames = max(1, frames)
        self._seen = 0
        self._peak = 0.0
        self._power = 0.0
        self._clipped = 0
        self._quiet = self._pieces = 0
        self._rest = np.zeros((0, 2), np.float32)
        self._bank = LoudnessBank(integrates=True)
        self._bank.take(0)
        self._spectrum = Spectrum()
        self._bands = np.zeros(BANDS)
        self._spectra = 0
        self._wave = np.zeros(min(WAVE_POINTS, self._frames), np.float32)

    def feed(self, sound: Sound) -> None:
        """Take some of the sound in."""
        self._note_waveform(np.abs(sound).max(axis=1, initial=0.0))
        self._rest = np.concatenate([self._rest, sound]) if len(self._rest) else sound
        whole = len(self._rest) // _PIECE * _PIECE
        for at in range(0, whole, _PIECE):
            self._take(self._rest[at : at + _PIECE])
        self._rest = self._rest[whole:]

    def result(self) -> Analysis:
        """Return what the sound is like; to be called once, at its end."""
        if len(self._rest):
            self._take(self._rest)
        bands = self._bands / max(1, self._spectra)
        return Analysis(
            duration_s=self._seen / 48_000,
            peak_dbfs=_decibels(self._peak),
            rms_dbfs=_decibels((self._power / max(1, 2 * self._seen)) ** 0.5),
            loudness_lufs=round(self._bank.integrated(0), 2),
            silence_share=round(self._quiet / max(1, self._pieces), 4),
            clipped_samples=self._clipped,
            spectrum_db=[round(float(one), 1) for one in _band_decibels(bands)],
            waveform=[round(float(one), 4) for one in self._wave],
        )

    def _take(self, piece: Sound) -> None:
        self._seen += len(piece)
        peak = float(np.abs(piece).max())
        self._peak = max(self._peak, peak)
        self._power += float(np.square(piece, dtype=np.float64).sum())
        self._pieces += 1
        self._quiet += int(peak < _QUIET)
        self._count_clipped(piece)
        self._bank.process(np.ascontiguousarray(piece)[None], _ROW, 0, len(piece))
        if peak >= _QUIET:
            self._spectrum.push(piece)
            self._bands += 10.0 ** (self._spectrum.bands_db() / 10)
            self._spectra += 1

    def _count_clipped(self, piece: Sound) -> None:
        if self._peak < _FULL_SCALE:
            return
        for channel in range(2):
            full = np.abs(piece[:, channel]) >= _FULL_SCALE
            edges = np.diff(full.astype(np.int8), prepend=0, append=0)
            lengths = np.flatnonzero(edges < 0) - np.flatnonzero(edges > 0)
            self._clipped += int(lengths[lengths >= _CLIPPED_RUN].sum())

    def _note_waveform(self, peaks: npt.NDArray[np.float32]) -> None:
        begin = self._seen + len(self._rest)
        points = (np.arange(begin, begin + len(peaks)) * len(self._wave)) // self._frames
        inside = points < len(self._wave)
        np.maximum.at(self._wave, points[inside], peaks[inside])


def _decibels(value: float) -> float:
    return round(max(SILENCE_DBFS, 20 * float(np.log10(max(value, 1e-9)))), 2)


def _band_decibels(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    decibels: npt.NDArray[np.float64] = 10 * np.log10(np.maximum(power, 10 ** (SILENCE_DB / 10)))
    return decibels
