"""The compressor: above a threshold, the level rises by 1/ratio of what comes in.

Feed-forward, linked channels, gain computed in decibels: the design that D. Giannoulis, M. Massberg
and J. D. Reiss recommend ("Digital Dynamic Range Compressor Design – A Tutorial and Analysis",
JAES 60(6), 2012). In units of log2, with x the level over the threshold and W the knee's width,

    wanted = (1/ratio − 1) · (clip(x + W/2, 0, W)² / 2W + max(x − W/2, 0))

The detector is their smooth decoupled one with a hold: a reduction that is wanted is kept for 10 ms
(half a period of 50 Hz, so that the gain does not follow the waveform and distort it) and then
dies away with the release; the gain follows it down with the attack. Attack and release are the
times to 63 % of the change in dB, the release from the end of the hold.

A high-pass of 6 dB per octave in the side-chain keeps the bass from pumping the rest. Auto make-up
gives back half of what a signal at full scale would lose, as is usual on consoles.
"""

from dataclasses import dataclass
from typing import Final

from dsp.units import LOG2_OF_1_DB, SAMPLE_RATE_HZ, check_range, smoothing

HOLD_MS: Final = 10.0

Coefficients = tuple[float, float, float, float, float, float, float, float]
OFF: Final[Coefficients] = (0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0)
"""A compressor that leaves everything as it is."""

_SMALLEST_KNEE_DB = 0.01
_OFF_HZ = 20.0


@dataclass(frozen=True, slots=True)
class CompressorSettings:
    """Settings of the compressor.

    Attributes:
        threshold_db: Peak level where it begins to work, −60 to 0 dBFS.
        ratio: How many dB in for one dB more out, 1 to 20.
        knee_db: Width of the bend around the threshold, 0 to 24 dB.
        attack_ms: Time to 63 % of a reduction, 0.1 to 200 ms.
        release_ms: Time to 63 % of the recovery, 5 to 2000 ms.
        makeup_db: Gain afterwards, 0 to 24 dB.
        auto_makeup: Whether half of the reduction at full scale is added to that.
        sidechain_high_pass_hz: Corner of the detector's low cut, 20 (off) to 500 Hz.
    """

    threshold_db: float = -18.0
    ratio: float = 3.0
    knee_db: float = 6.0
    attack_ms: float = 10.0
    release_ms: float = 120.0
    makeup_db: float = 0.0
    auto_makeup: bool = False
    sidechain_high_pass_hz: float = 20.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("threshold_db", self.threshold_db, -60, 0, "dBFS")
        check_range("ratio", self.ratio, 1, 20, ":1")
        check_range("knee_db", self.knee_db, 0, 24, "dB")
        check_range("attack_ms", self.attack_ms, 0.1, 200, "ms")
        check_range("release_ms", self.release_ms, 5, 2000, "ms")
        check_range("makeup_db", self.makeup_db, 0, 24, "dB")
        check_range("sidechain_high_pass_hz", self.sidechain_high_pass_hz, 20, 500, "Hz")

    @property
    def total_makeup_db(self) -> float:
        """Make-up gain with the automatic part."""
        auto_db = -0.5 * reduction_db(self, 0.0) if self.auto_makeup else 0.0
        return self.makeup_db + auto_db


def reduction_db(settings: CompressorSettings, level_db: float) -> float:
    """Return the gain, zero or negative, that a steady peak level ends at; without make-up."""
    knee_db = max(settings.knee_db, _SMALLEST_KNEE_DB)
    over_db = level_db - settings.threshold_db
    bend_db = min(max(over_db + knee_db / 2.0, 0.0), knee_db)
    above_db = bend_db**2 / (2.0 * knee_db) + max(over_db - knee_db / 2.0, 0.0)
    return (1.0 / settings.ratio - 1.0) * above_db


def coefficients(settings: CompressorSettings | None) -> Coefficients:
    """Return the coefficients; None is off.

    They are threshold, slope, knee (log2), attack per sample, what is left of a reduction per
    sample of release, hold in samples, make-up (log2), side-chain smoothing per sample.
    """
    if settings is None:
        return OFF
    cut_hz = settings.sidechain_high_pass_hz
    cut_ms = 1000.0 / (6.283_185_307 * cut_hz)
    return (
        settings.threshold_db * LOG2_OF_1_DB,
        1.0 / settings.ratio - 1.0,
        max(settings.knee_db, _SMALLEST_KNEE_DB) * LOG2_OF_1_DB,
        smoothing(settings.attack_ms),
        1.0 - smoothing(settings.release_ms),
        HOLD_MS * SAMPLE_RATE_HZ / 1000.0,
        settings.total_makeup_db * LOG2_OF_1_DB,
        smoothing(cut_ms) if cut_hz > _OFF_HZ else 0.0,
    )
