"""The delay: echoes at a time of one's own, free of any tempo.

One delay line for each channel, fed with the sound and with a share of what comes out of it
(U. Zölzer (ed.), "DAFX", 2nd ed., section 2.6). In the feedback stands a one-pole low-pass

    low += (1 − damping) · (echo − low)

so that each repeat is duller than the last, as on tape. A new time is faded to, from tap to tap, so
that the pitch stays.
"""

from dataclasses import dataclass
from typing import Final

from dsp.units import SAMPLE_RATE_HZ, check_range, dry_and_wet

RING: Final = 2 * SAMPLE_RATE_HZ
"""Samples of a channel's delay line: 2 s."""
STATE: Final = 2
MEMORY: Final = STATE + 2 * RING
"""Values to be kept: each channel's low-pass, then each channel's line."""
_DULLEST: Final = 0.93  # of the low-pass at a damping of 100 %: a corner at 560 Hz

Coefficients = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class DelaySettings:
    """Settings of the delay.

    Attributes:
        time_ms: Time between two repeats, 1 to 2000 ms.
        feedback_percent: Level of each repeat against the last, 0 to 95 %.
        damping_percent: How much duller each repeat is than the last, 0 to 100 %.
        mix_percent: Share of the echoes, 0 to 100 %, at equal power.
    """

    time_ms: float = 300.0
    feedback_percent: float = 30.0
    damping_percent: float = 30.0
    mix_percent: float = 25.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("time_ms", self.time_ms, 1, 2000, "ms")
        check_range("feedback_percent", self.feedback_percent, 0, 95, "%")
        check_range("damping_percent", self.damping_percent, 0, 100, "%")
        check_range("mix_percent", self.mix_percent, 0, 100, "%")


OFF: Final = DelaySettings(mix_percent=0.0)


def coefficients(settings: DelaySettings) -> Coefficients:
    """Return dry, wet, time in samples, feedback, damping per sample, the gain of what enters.

    With no share at all nothing enters, so that a line that is put to use fills from silence.
    """
    return (
        *dry_and_wet(settings.mix_percent),
        float(time_samples(settings)),
        settings.feedback_percent / 100.0,
        _DULLEST * settings.damping_percent / 100.0,
        float(settings.mix_percent > 0.0),
    )


def time_samples(settings: DelaySettings) -> int:
    """Return the time between two repeats in samples."""
    return round(settings.time_ms * SAMPLE_RATE_HZ / 1000.0)
