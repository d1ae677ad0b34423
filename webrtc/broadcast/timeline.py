"""Sound in pieces, each with its place, becomes a stream that keeps step with a clock.

Every sample of the stream comes out once, in its order. What is missing is silence: at once where
later sound is there already, and `PATIENCE` behind the clock where nothing comes, as while a media
worker restarts or a room sleeps. What comes too late for its place is dropped.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from mixer.arena import SAMPLE_RATE_HZ

Samples = npt.NDArray[np.float32]

PATIENCE: Final = SAMPLE_RATE_HZ // 2
_AHEAD: Final = SAMPLE_RATE_HZ  # nothing sounds further in the future than clocks may disagree
_PIECE: Final = SAMPLE_RATE_HZ


class Timeline:
    """Puts pieces one behind the other.

    Attributes:
        end: Samples that came out so far.
    """

    def __init__(self) -> None:
        self.end = 0

    def take(self, position: int, sound: Samples, clock: int) -> Iterator[Samples]:
        """Yield what may be played now.

        Args:
            position: Of the first sample in the stream.
            sound: (n, 2).
            clock: Position of the present moment.
        """
        if position > clock + _AHEAD:
            return
        yield from self.keep_up(position)
        sound = sound[max(0, self.end - position) :]
        if len(sound):
            self.end += len(sound)
            yield sound

    def keep_up(self, position: int) -> Iterator[Samples]:
        """Yield silence up to a position, at most a second at a time."""
        while self.end < position:
            count = min(_PIECE, position - self.end)
            self.end += count
            yield np.zeros((count, 2), np.float32)
