"""The limiter: no true peak leaves over the ceiling.

- True peaks, the extremes of the curve between the samples, are estimated as ITU-R BS.1770-4,
  annex 2, does: at four times the sample rate, here with 16 taps for each of the three phases in
  between. What such a detector cannot see (peaks between its points, content close to half the
  sample rate, the gain's own movement) is allowed for by `MARGIN_DB`.
- The gain that each sample needs is made the least over a window, held, released, and averaged over
  the same window while the sound is delayed by it: so the gain has always arrived when the
  peak does, in a movement without steps, and is never below what is needed for longer than it must
  (look-ahead limiting with a moving minimum and average; see P. Hämäläinen, "Smoothing of the
  Control Signal without Clipped Output in Digital Peak Limiters", DAFx 2002).
- The hold is half a period of 50 Hz: the gain follows no waveform, so a steady tone is not
  distorted.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.units import check_range, gain_of, smoothing

TAPS: Final = 16
PHASES: Final = 4
WINDOW: Final = 64
DELAY: Final = WINDOW - 1 + TAPS // 2
"""Samples by which a strip delays: 1.48 ms."""
HOLD: Final = 480
RECOVERED: Final = 1.001
"""What the gain recovers towards; a little over 1, so that it arrives there."""
NEARLY: Final = 0.999
"""What comes so close to what is held (here and in the compressor) makes it stay: a steady tone,
whose peaks are sampled now here and now there, is then held without a gap."""
MARGIN_DB: Final = 0.4


@dataclass(frozen=True, slots=True)
class LimiterSettings:
    """Settings of the limiter.

    Attributes:
        ceiling_dbtp: True peak that is never exceeded, −20 to 0 dBTP.
        release_ms: Time to 63 % of the recovery, 5 to 1000 ms.
    """

    ceiling_dbtp: float = -1.0
    release_ms: float = 60.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("ceiling_dbtp", self.ceiling_dbtp, -20, 0, "dBTP")
        check_range("release_ms", self.release_ms, 5, 1000, "ms")


def coefficients(settings: LimiterSettings | None) -> tuple[float, float]:
    """Return ceiling (as a factor) and release per sample; None limits what would clip."""
    if settings is None:
        settings = LimiterSettings(ceiling_dbtp=0.0)
    return gain_of(settings.ceiling_dbtp - MARGIN_DB), smoothing(settings.release_ms)


def _phases() -> npt.NDArray[np.float64]:
    """Return the detector's filters, newest sample first: ¼, ½ and ¾ after the centre sample."""
    length = TAPS * PHASES
    # A windowed sinc; scipy.signal has it too, and takes most of a second to import.
    times = (np.arange(length + 1) - length / 2) / PHASES
    lowpass = np.sinc(times) * np.kaiser(length + 1, 5.0)
    prototype = PHASES * lowpass / lowpass.sum()
    phases = [prototype[p::PHASES][:TAPS] for p in range(1, PHASES)]
    return np.array([phase / phase.sum() for phase in phases])


DETECTOR: Final = _phases()
EXCESS: Final = math.ceil(100.0 * np.abs(DETECTOR).sum(axis=1).max()) / 100.0
"""How far at most the detector's value can be over the largest sample."""
