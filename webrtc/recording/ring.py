"""Sound on its way from a media worker's tick to the recorder's process, in shared memory.

The worker writes, the recorder reads; neither waits for the other. What finds no room is dropped,
whole blocks at a time, and counted. The memory belongs to the recorder and has no name: the worker
opens it through `/proc`, so that nothing of it can be left behind.

| word | written by | holds                                    |
|------|------------|------------------------------------------|
| 0    | worker     | slots written since the beginning        |
| 1    | recorder   | slots read since the beginning           |
| 2    | worker     | slots dropped                            |
"""

import enum
import mmap
import os
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from mixer.arena import BLOCK_10MS

SLOTS: Final = 8192
"""32 MB: 2 s of 20 people with dry and processed tracks, 80 s of a mix alone."""


class Kind(enum.IntEnum):
    """What a slot holds."""

    MIX = 0
    DRY = 1
    PROCESSED = 2


SLOT: Final = np.dtype(
    [
        ("position", "<i8"),  # of the first sample, in samples since the recording began
        ("track", "<u4"),  # csrc of the participant, 0 for the mix
        ("kind", "<u4"),
        ("sound", "<f4", (BLOCK_10MS, 2)),
    ]
)
_HEAD: Final = np.dtype(("<u8", 8))
SIZE_BYTES: Final = _HEAD.itemsize + SLOTS * SLOT.itemsize

Slots = npt.NDArray[np.void]


class RecordingRing:
    """The memory, mapped; a base of both ends."""

    def __init__(self, descriptor: int) -> None:
        """Map the memory behind a descriptor, which may be closed afterwards.

        Raises:
            ValueError: it is none of ours.
        """
        if os.fstat(descriptor).st_size != SIZE_BYTES:
            raise ValueError("this is no memory of a recording")
        # Pages come when they are first touched: all at once would hold up the worker's tick, and
        # a worker that has nobody of the room needs none.
        memory = mmap.mmap(descriptor, SIZE_BYTES, flags=mmap.MAP_SHARED)
        self._words = np.frombuffer(memory, "<u8", 8)
        self._slots = np.frombuffer(memory, SLOT, SLOTS, _HEAD.itemsize)

    @property
    def dropped(self) -> int:
        """Slots that found no room."""
        return int(self._words[2])


class RingReader(RecordingRing):
    """The recorder's end; it makes the memory."""

    def __init__(self, name: str) -> None:
        """Make memory; `name` is seen in /proc only."""
        self._descriptor = os.memfd_create(name)
        os.ftruncate(self._descriptor, SIZE_BYTES)
        super().__init__(self._descriptor)

    @property
    def path(self) -> str:
        """Where a process of the same user can open it, as long as this one lives."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def take(self) -> Slots:
        """Return what has been written since the last time, as a copy."""
        read, written = int(self._words[1]), int(self._words[0])
        first, count = read % SLOTS, written - read
        taken = self._slots[first : first + count].copy()
        if len(taken) < count:
            taken = np.concatenate([taken, self._slots[: count - len(taken)]])
        self._words[1] = written
        return taken


class RingWriter(RecordingRing):
    """The media worker's end."""

    def __init__(self, path: str) -> None:
        """Map memory that the recorder has made.

        Raises:
            OSError: it is not there any more.
            ValueError: it is something else.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            super().__init__(descriptor)
        finally:
            os.close(descriptor)
        self._begun = 0

    def begin(self, most: int) -> bool:
        """Begin a block of at most so many slots; return whether there is room for it."""
        self._begun = int(self._words[0])
        if SLOTS - (self._begun - int(self._words[1])) < most:
            self._words[2] += most
            return False
        return True

    def claim(self, count: int) -> Iterator[tuple[slice, Slots]]:
        """Yield so many further slots of the block, in one piece or two, each with its place."""
        first = self._begun % SLOTS
        until_end = min(count, SLOTS - first)
        self._begun += count
        yield slice(0, until_end), self._slots[first : first + until_end]
        if until_end < count:
            yield slice(until_end, count), self._slots[: count - until_end]

    def commit(self) -> None:
        """Hand the block over."""
        self._words[0] = self._begun
