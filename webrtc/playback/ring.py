"""Sound on its way from the front process to a media worker: frames of 10 ms in shared memory.

One process writes, one reads; neither waits for the other. The writer is up to `FRAMES` ahead, so
that it may be held up for seconds. A *course* is what is played from one point on without a jump:
a seek begins another one, and whatever is left of the former is not played. The memory outlives
both processes as long as its file does, so that a restarted worker goes on where the former was.

| word | written by | holds                                                |
|------|------------|------------------------------------------------------|
| 0    | writer     | frames written since the beginning                   |
| 1    | reader     | frames read, or passed over, since the beginning     |
| 2    | writer     | the course that is to be played, from 1 on           |
| 3    | writer     | frames after which nothing comes, or `_ENDLESS`      |
"""

import mmap
import os
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from mixer.arena import BLOCK_10MS

Frame = npt.NDArray[np.float32]

FRAMES: Final = 300
"""3 s."""
_ENDLESS: Final = 2**63 - 1
_HEAD: Final = np.dtype(("<u8", 8))
_SLOT: Final = np.dtype(
    [("course", "<u8"), ("position_s", "<f8"), ("sound", "<f4", (BLOCK_10MS, 2))]
)
SIZE_BYTES: Final = _HEAD.itemsize + FRAMES * _SLOT.itemsize


class FeedRing:
    """The memory, mapped; a base of both ends."""

    def __init__(self, path: Path) -> None:
        """Map a file that is there already.

        Raises:
            OSError: it is not there.
            ValueError: it is none of ours.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            if os.fstat(descriptor).st_size != SIZE_BYTES:
                raise ValueError(f"{path.name} is no feed")
            memory = mmap.mmap(descriptor, SIZE_BYTES, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
        finally:
            os.close(descriptor)
        self._words = np.frombuffer(memory, "<u8", 8)
        self._slots = np.frombuffer(memory, _SLOT, FRAMES, _HEAD.itemsize)

    @property
    def course(self) -> int:
        """The course that is to be played."""
        return int(self._words[2])

    @property
    def ahead(self) -> int:
        """Frames that are written and not read."""
        return int(self._words[0]) - int(self._words[1])

    @property
    def is_over(self) -> bool:
        """Whether everything has been read and nothing comes any more."""
        return int(self._words[1]) >= int(self._words[3])


class FeedWriter(FeedRing):
    """The front process's end; it owns the file."""

    def __init__(self, path: Path) -> None:
        """Make the file, which only this user may open.

        Raises:
            OSError: it cannot be made.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, SIZE_BYTES)
        finally:
            os.close(descriptor)
        super().__init__(path)
        self.path = path
        self._words[2] = 1
        self._words[3] = _ENDLESS

    @property
    def has_room(self) -> bool:
        """Whether a frame can be written now."""
        return self.ahead < FRAMES

    @property
    def position_s(self) -> float | None:
        """Where the next frame to be played is, None if there is none of the present course."""
        read, written = int(self._words[1]), int(self._words[0])
        if read >= written:
            return None
        slot = self._slots[read % FRAMES]
        return float(slot["position_s"]) if int(slot["course"]) == self.course else None

    def write(self, frame: Frame, position_s: float) -> None:
        """Add a frame: float32 (480, 2); only while there is room."""
        assert self.has_room
        number = int(self._words[0])
        slot = self._slots[number % FRAMES]
        slot["course"] = self.course
        slot["position_s"] = position_s
        slot["sound"] = frame
        self._words[0] = number + 1

    def begin_course(self) -> None:
        """Play what is written from now on, and nothing of what is there."""
        self._words[3] = _ENDLESS
        self._words[2] = self.course + 1

    def go_on(self) -> None:
        """Take back that nothing comes any more."""
        self._words[3] = _ENDLESS

    def end(self) -> None:
        """Say that nothing comes after what is written."""
        self._words[3] = self._words[0]

    def close(self) -> None:
        """Take the file away; a reader that has it keeps the memory."""
        self.path.unlink(missing_ok=True)


class FeedReader(FeedRing):
    """The media worker's end."""

    def take(self) -> tuple[int, Frame] | None:
        """Return the next frame and its course, None if there is none; it is overwritten later."""
        read = int(self._words[1])
        if read >= int(self._words[0]):
            return None
        slot = self._slots[read % FRAMES]
        self._words[1] = read + 1
        return int(slot["course"]), slot["sound"]
