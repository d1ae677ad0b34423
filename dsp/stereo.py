"""Width and pan: where a strip stands between left and right.

Width scales the side signal S = (L − R) / 2 and leaves the middle M = (L + R) / 2 alone, so that a
listener in mono hears the same at every width (A. Blumlein's sum and difference, GB 394325, 1931).
Pan is a balance: it turns the far channel down along a quarter of a sine and never turns one up,
so that the limiter's work is not undone and the centre is exactly the strip as it was.
"""

import math
from dataclasses import dataclass
from typing import Final

from dsp.units import check_range

Matrix = tuple[float, float, float, float]
AS_IS: Final[Matrix] = (1.0, 0.0, 0.0, 1.0)
"""Both channels as they are."""


@dataclass(frozen=True, slots=True)
class StereoSettings:
    """Settings of width and pan.

    Attributes:
        width_percent: 0 is mono, 100 as it came, up to 200.
        pan: −1 left to 1 right.
    """

    width_percent: float = 100.0
    pan: float = 0.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("width_percent", self.width_percent, 0, 200, "%")
        check_range("pan", self.pan, -1, 1, "of the way to a side")


def matrix(settings: StereoSettings | None) -> Matrix:
    """Return left from left, left from right, right from left, right from right."""
    if settings is None:
        return AS_IS
    side = settings.width_percent / 100.0
    near, far = (1.0 + side) / 2.0, (1.0 - side) / 2.0
    left = math.cos(math.pi / 2.0 * max(settings.pan, 0.0))
    right = math.cos(math.pi / 2.0 * max(-settings.pan, 0.0))
    return left * near, left * far, right * far, right * near
