"""Whether somebody speaks: a level over the noise of the room, and a while after."""

from typing import Final

import numpy as np
import numpy.typing as npt

from mixer.levels import AUDIBLE_DBOV, SILENCE_DBOV, follow_floor, level_dbov

OPEN_DB: Final = 9.0
QUIETEST_DBOV: Final = 55
HOLD_S: Final = 0.6


class VoiceGate:
    """Decides block by block; it never reads a clock.

    Attributes:
        level: Of the last block, 0 (full scale) to 127 (silence).
        is_open: Whether somebody speaks, or did within the last 0.6 s.
    """

    def __init__(self, *, always: bool = False) -> None:
        """Begin closed; `always` lets everything through."""
        self.level = SILENCE_DBOV
        self.is_open = always
        self._always = always
        self._floor = float(AUDIBLE_DBOV)
        self._left_s = 0.0

    def hear(self, samples: npt.NDArray[np.float32], seconds: float) -> bool:
        """Take a block of that length and return whether it is to be sent."""
        self.level = level = level_dbov(float(np.mean(np.square(samples))))
        self._floor = follow_floor(self._floor, level, seconds)
        if level < QUIETEST_DBOV and self._floor - level > OPEN_DB:
            self._left_s = HOLD_S
        else:
            self._left_s = max(0.0, self._left_s - seconds)
        self.is_open = self._always or self._left_s > 0.0
        return self.is_open
