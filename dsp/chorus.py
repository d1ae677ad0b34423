"""The chorus: a copy of the sound whose delay swings, so that one voice sounds like two.

A delay line is read D + d · sin(2π · rate · t) samples back, with the right channel a quarter of a
turn ahead of the left, so that the copy also wanders between the sides (J. Dattorro, "Effect
Design, Part 2: Delay-Line Modulation and Chorus", JAES 45(10), 1997). Between samples the line is
read along a cubic (Catmull and Rom), which keeps the highs that a straight line would lose.

The swing's phase counts in integers, 2³² to a turn: it does not depend on how blocks are cut, and a
change of rate changes its speed, never its place.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsp.units import SAMPLE_RATE_HZ, check_range, dry_and_wet

CENTRE: Final = 576
"""The mean delay in samples: 12 ms."""
DEEPEST: Final = 192
"""Samples by which the delay swings at a depth of 100 %: 4 ms."""
RING: Final = 1024
"""Samples of a channel's delay line."""
MEMORY: Final = 2 * RING
"""Values to be kept: the lines of both channels."""
TURN: Final = 1 << 32

Coefficients = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class ChorusSettings:
    """Settings of the chorus.

    Attributes:
        rate_hz: Swings per second, 0.05 to 5 Hz.
        depth_percent: How far the delay swings, 0 to 100 % of 4 ms.
        mix_percent: Share of the copy, 0 to 100 %, at equal power.
    """

    rate_hz: float = 0.8
    depth_percent: float = 40.0
    mix_percent: float = 50.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("rate_hz", self.rate_hz, 0.05, 5, "Hz")
        check_range("depth_percent", self.depth_percent, 0, 100, "%")
        check_range("mix_percent", self.mix_percent, 0, 100, "%")


OFF: Final = ChorusSettings(mix_percent=0.0)


def coefficients(settings: ChorusSettings) -> Coefficients:
    """Return dry, wet, the phase's step per sample, the swing in samples, the gain of what enters.

    With no share at all nothing enters, so that a line that is put to use fills from silence.
    """
    step = np.float32(round(settings.rate_hz / SAMPLE_RATE_HZ * TURN))  # whole in both engines
    dry, wet = dry_and_wet(settings.mix_percent)
    depth = settings.depth_percent / 100.0 * DEEPEST
    return dry, wet, float(step), depth, float(settings.mix_percent > 0.0)


def lasting_samples() -> int:
    """Return how long what comes in can stay inside before it is heard."""
    return CENTRE + DEEPEST
