"""Sound to hand out, whatever it is kept as: a length, and blocks from anywhere in it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from archive.encodings import SampleFormat
from archive.reading import frames_of, read_sound
from archive.rolling import SAMPLE_RATE_HZ
from archive.samples import decode
from archive.store import SessionStore
from webrtc.media.opus import Decoder

Sound = npt.NDArray[np.float32]

_BLOCK: Final = 48_000


class Clip(Protocol):
    """Sound of a known length."""

    @property
    def frames(self) -> int:
        """Return how long it is."""
        ...

    @property
    def rate_hz(self) -> int:
        """Return its sample rate."""
        ...

    def blocks(self, first: int, end: int) -> AsyncIterator[Sound]:
        """Yield the frames from `first` up to `end`, float32 (n, 2).

        Raises:
            SessionStoreError: the store is away.
        """
        ...


@dataclass(frozen=True, slots=True)
class RoomClip:
    """A part of a session of a room."""

    store: SessionStore
    session_id: str
    first_ms: int
    end_ms: int

    @property
    def frames(self) -> int:
        """See `Clip`."""
        return frames_of(self.end_ms - self.first_ms)

    @property
    def rate_hz(self) -> int:
        """See `Clip`."""
        return SAMPLE_RATE_HZ

    async def blocks(self, first: int, end: int) -> AsyncIterator[Sound]:
        """See `Clip`."""
        offset = frames_of(self.first_ms)
        decoder = Decoder()
        async for block in read_sound(
            self.store, self.session_id, decoder, offset + first, offset + end
        ):
            yield block


@dataclass(frozen=True, slots=True)
class SampleClip:
    """Samples in memory."""

    data: bytes
    format: SampleFormat

    @property
    def frames(self) -> int:
        """See `Clip`."""
        return len(self.data) // self.format.frame_size

    @property
    def rate_hz(self) -> int:
        """See `Clip`."""
        return self.format.rate_hz

    async def blocks(self, first: int, end: int) -> AsyncIterator[Sound]:
        """See `Clip`; more than two channels become two."""
        size = self.format.frame_size
        for at in range(first, min(end, self.frames), _BLOCK):
            until = min(at + _BLOCK, end, self.frames)
            yield stereo(decode(memoryview(self.data)[at * size : until * size], self.format))


def stereo(sound: Sound) -> Sound:
    """Return a sound with two channels: one is on both, of more the mean."""
    if sound.shape[1] == 2:
        return sound
    return np.repeat(sound.mean(axis=1, keepdims=True, dtype=np.float32), 2, axis=1)
