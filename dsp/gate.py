"""The noise gate: what is quieter than a threshold is turned down.

The level is the larger of both channels' magnitudes. The gate is open from the moment the level
reaches the threshold until it has been below the lower, closing threshold (hysteresis) for the
hold time; the hold bridges the zero crossings of low tones, so no envelope blurs the thresholds.

The gain moves between floor and 1 along 3u² − 2u³ while u moves in a straight line, so that it has
neither steps nor corners: an exponential attack of a millisecond begins with a corner that one
hears as a click. 63 % of the way are done at u = 0.589; that is where attack and release count.
See U. Zölzer (ed.), "DAFX", 2nd ed., section 4.2, for gates with hysteresis and hold.
"""

from dataclasses import dataclass
from typing import Final

from dsp.units import SAMPLE_RATE_HZ, check_range, gain_of

_POSITION_AT_63_PERCENT: Final = 0.588_85

Coefficients = tuple[float, float, float, float, float, float]
OPEN: Final[Coefficients] = (0.0, 0.0, 1.0, 1.0, 1.0, 1.0)
"""A gate that is always open."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Settings of the gate.

    Attributes:
        threshold_db: Peak level at which it opens, −80 to 0 dBFS.
        hysteresis_db: How far below that it begins to close, 0 to 20 dB.
        hold_ms: How long it stays open after that, 10 to 1000 ms.
        attack_ms: Time to 63 % of the way up, 2.5 to 50 ms.
        release_ms: Time to 63 % of the way down, 5 to 2000 ms.
        range_db: Gain while it is closed, −80 to 0 dB.
    """

    threshold_db: float = -45.0
    hysteresis_db: float = 6.0
    hold_ms: float = 80.0
    attack_ms: float = 3.0
    release_ms: float = 120.0
    range_db: float = -60.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("threshold_db", self.threshold_db, -80, 0, "dBFS")
        check_range("hysteresis_db", self.hysteresis_db, 0, 20, "dB")
        check_range("hold_ms", self.hold_ms, 10, 1000, "ms")
        check_range("attack_ms", self.attack_ms, 2.5, 50, "ms")
        check_range("release_ms", self.release_ms, 5, 2000, "ms")
        check_range("range_db", self.range_db, -80, 0, "dB")


def coefficients(settings: GateSettings | None) -> Coefficients:
    """Return (open, close, hold in samples, opening and closing per sample, floor); None is off."""
    if settings is None:
        return OPEN
    return (
        gain_of(settings.threshold_db),
        gain_of(settings.threshold_db - settings.hysteresis_db),
        float(round(settings.hold_ms * SAMPLE_RATE_HZ / 1000)),
        _step(settings.attack_ms),
        _step(settings.release_ms),
        gain_of(settings.range_db),
    )


def _step(time_ms: float) -> float:
    return _POSITION_AT_63_PERCENT * 1000.0 / (time_ms * SAMPLE_RATE_HZ)
