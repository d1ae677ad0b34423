"""The parametric equaliser: five bands in series, each a bell or a shelf.

Each band has exactly the response that R. Bristow-Johnson's "Audio EQ Cookbook" gives for its
frequency, gain and Q at 48 kHz, including the cramping towards 24 kHz; see `svf.py` for how it is
computed. A band of 0 dB is left out.
"""

from dataclasses import dataclass
from typing import Final, Literal

from dsp import svf
from dsp.units import check_range

BANDS: Final = 5

Shape = Literal["low_shelf", "peak", "high_shelf"]

_SHAPES: Final = {
    "low_shelf": svf.low_shelf,
    "peak": svf.peak,
    "high_shelf": svf.high_shelf,
}


@dataclass(frozen=True, slots=True)
class BandSettings:
    """Settings of one band.

    Attributes:
        shape: Bell or shelf.
        frequency_hz: Centre of the bell, corner of the shelf, 20 to 20 000 Hz.
        gain_db: −18 to 18 dB; 0 is off.
        q: Quality, 0.1 to 10: the higher, the narrower; from 0.707 on a shelf overshoots.
    """

    shape: Shape = "peak"
    frequency_hz: float = 1000.0
    gain_db: float = 0.0
    q: float = 1.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("frequency_hz", self.frequency_hz, 20, 20_000, "Hz")
        check_range("gain_db", self.gain_db, -18, 18, "dB")
        check_range("q", self.q, 0.1, 10, "Q")


@dataclass(frozen=True, slots=True)
class EqualiserSettings:
    """Settings of the equaliser: its five bands."""

    bands: tuple[BandSettings, BandSettings, BandSettings, BandSettings, BandSettings] = (
        BandSettings("low_shelf", 80.0, 0.0, 0.7),
        BandSettings("peak", 250.0),
        BandSettings("peak", 1000.0),
        BandSettings("peak", 4000.0),
        BandSettings("high_shelf", 12_000.0, 0.0, 0.7),
    )

    @property
    def is_flat(self) -> bool:
        """Whether no band changes anything."""
        return all(band.gain_db == 0.0 for band in self.bands)


def section(band: BandSettings) -> svf.Section:
    """Return a band's coefficients."""
    if band.gain_db == 0.0:
        return svf.NEUTRAL
    return _SHAPES[band.shape](band.frequency_hz, band.gain_db, band.q)
