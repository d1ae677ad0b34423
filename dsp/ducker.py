"""Ducking: music goes down while somebody speaks, and comes back after.

It goes down fast enough for the first word to be understood, waits out the pauses between
sentences, and comes back slowly enough not to be noticed.
"""

from typing import Final

FALL_DB_S: Final = 80.0
RISE_DB_S: Final = 12.0
HOLD_S: Final = 0.8


class Ducker:
    """The gain of the music in one room."""

    def __init__(self) -> None:
        """Begin with 0 dB."""
        self.gain_db = 0.0
        self._held_s = 0.0

    def advance(self, depth_db: float, *, speaking: bool, seconds: float) -> float:
        """Let time go by and return the gain at its end, in dB.

        Args:
            depth_db: How far music goes down, 0 or more.
            speaking: Whether somebody speaks.
            seconds: How long.
        """
        self._held_s = HOLD_S if speaking else max(0.0, self._held_s - seconds)
        goal_db = -depth_db if self._held_s > 0.0 else 0.0
        lowest = self.gain_db - FALL_DB_S * seconds
        self.gain_db = min(max(goal_db, lowest), self.gain_db + RISE_DB_S * seconds)
        return self.gain_db
