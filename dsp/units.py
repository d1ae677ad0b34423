"""Decibels, time constants, and the check of a setting's range."""

import math
from typing import Final

SAMPLE_RATE_HZ: Final = 48_000
LOG2_OF_1_DB: Final = 1.0 / (20.0 * math.log10(2.0))
"""What one decibel of amplitude is in units of log2."""


class SettingsError(ValueError):
    """A setting is outside its range; the message names it, its range and its unit."""


def gain_of(level_db: float) -> float:
    """Return the factor of an amplitude of `level_db`."""
    return float(10.0 ** (level_db / 20.0))


def smoothing(time_ms: float, sample_rate_hz: int = SAMPLE_RATE_HZ) -> float:
    """Return the share of the way that a one-pole filter goes per sample, for 63 % in `time_ms`."""
    return -math.expm1(-1000.0 / (time_ms * sample_rate_hz))


def dry_and_wet(mix_percent: float) -> tuple[float, float]:
    """Return the gains of plain sound and effect: equal power, and exactly 1 and 0 at 0 %."""
    dry, wet = (math.pi / 200.0 * percent for percent in (100.0 - mix_percent, mix_percent))
    return math.sin(dry), math.sin(wet)


def check_range(name: str, value: float, low: float, high: float, unit: str) -> None:
    """Raise `SettingsError` unless low ≤ value ≤ high; NaN is outside every range."""
    if not low <= value <= high:
        raise SettingsError(f"{name} must be between {low:g} and {high:g} {unit}, not {value:g}")
