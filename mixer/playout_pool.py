"""Decoded samples that wait for their block."""

import numpy as np

from mixer.playout_packet import Block


class SamplePool:
    """A first-in first-out row of (n, 2) float32 samples in one growing array.

    Bounded by its user: a playout holds at most one packet beyond what a block needs.
    """

    __slots__ = ("_end", "_pcm", "_start")

    def __init__(self) -> None:
        self._pcm: Block = np.empty((0, 2), np.float32)
        self._start = 0
        self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    @property
    def view(self) -> Block:
        """What waits, oldest first; valid until the next change."""
        return self._pcm[self._start : self._end]

    def room(self, samples: int) -> Block:
        """Return uninitialised space behind what waits; `keep` makes it part of that."""
        if self._end + samples > len(self._pcm):
            waiting = len(self)
            pcm = self._pcm
            if waiting + samples > len(pcm):
                pcm = np.empty((waiting + samples, 2), np.float32)
            pcm[:waiting] = self.view  # numpy copies overlapping ranges correctly
            self._pcm, self._start, self._end = pcm, 0, waiting
        return self._pcm[self._end : self._end + samples]

    def keep(self, samples: int) -> None:
        """Append the first `samples` of the space that `room` returned last."""
        self._end += samples

    def take(self, out: Block) -> None:
        """Move the oldest samples into `out`; there are enough."""
        stop = self._start + len(out)
        out[:] = self._pcm[self._start : stop]
        self._start = stop
        if stop == self._end:
            self._start = self._end = 0

    def drop(self, samples: int) -> None:
        """Forget the oldest `samples`."""
        self._start += samples

    def clear(self) -> None:
        """Forget everything."""
        self._start = self._end = 0
