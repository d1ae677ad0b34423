"""Decoded samples: those that wait for their block, and those that were played last."""

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


class History:
    """The last samples played, (n, 2) float32, as far back as they are contiguous."""

    __slots__ = ("_limit", "_pcm", "_valid")

    def __init__(self, limit: int) -> None:
        """Keep at most `limit` samples; memory is taken at the first `add`."""
        self._limit = limit
        self._pcm: Block | None = None
        self._valid = 0

    @property
    def view(self) -> Block:
        """What is known, oldest first; valid until the next change."""
        if self._pcm is None or not self._valid:
            return _NOTHING
        return self._pcm[-self._valid :]

    def add(self, block: Block) -> None:
        """Note a block that follows what is known."""
        if self._pcm is None:
            self._pcm = np.empty((self._limit, 2), np.float32)
        count = len(block)
        if count >= self._limit:
            self._pcm[:] = block[-self._limit :]
        else:
            self._pcm[:-count] = self._pcm[count:]
            self._pcm[-count:] = block
        self._valid = min(self._limit, self._valid + count)

    def clear(self) -> None:
        """Forget everything."""
        self._valid = 0


_NOTHING: Block = np.empty((0, 2), np.float32)
