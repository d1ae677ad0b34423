"""The low cut: rumble, handling noise and breath go before anything else reacts to them.

Second-order Butterworth (12 dB per octave, −3.01 dB at the corner), by the bilinear transform as in
R. Bristow-Johnson's "Audio EQ Cookbook" with Q = 1/√2; see `svf.py` for its structure.
"""

import math
from dataclasses import dataclass

from dsp import svf
from dsp.units import check_range


@dataclass(frozen=True, slots=True)
class HighPassSettings:
    """Settings of the low cut.

    Attributes:
        cutoff_hz: Corner, 20 to 400 Hz.
    """

    cutoff_hz: float = 80.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("cutoff_hz", self.cutoff_hz, 20, 400, "Hz")


def section(settings: HighPassSettings | None) -> svf.Section:
    """Return the coefficients; None is off."""
    if settings is None:
        return svf.NEUTRAL
    return svf.high_pass(settings.cutoff_hz, math.sqrt(0.5))
