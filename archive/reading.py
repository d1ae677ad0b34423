"""The sound of a session again, from anywhere to anywhere, block by block.

Memory stays the same however long the session is. Pauses are silence, and so is what gave way
while it was read.
"""

from collections.abc import AsyncIterator
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from archive.rolling import PACKET_FRAMES, SAMPLE_RATE_HZ
from archive.sessions import Chunk, unpack
from archive.store import SessionStore

BLOCK_FRAMES: Final = SAMPLE_RATE_HZ
"""Most frames of a block."""
_BEFORE_MS: Final = 1500
"""Decoding begins so much earlier: a decoder needs a moment to be in step with the encoder."""
_AT_ONCE: Final = 16

Sound = npt.NDArray[np.float32]


class PacketDecoder(Protocol):
    """Makes sound of packets."""

    def decode(self, payload: bytes, out: Sound) -> int:
        """Write a packet's samples to the start of `out` (n, 2); return how many.

        Raises:
            Exception: it is no packet.
        """
        ...

    def reset(self) -> None:
        """Forget what was decoded."""
        ...


def frames_of(milliseconds: int) -> int:
    """Return milliseconds as frames at 48 kHz."""
    return milliseconds * SAMPLE_RATE_HZ // 1000


async def read_sound(
    store: SessionStore, session_id: str, decoder: PacketDecoder, first: int, end: int
) -> AsyncIterator[Sound]:
    """Yield the frames from `first` up to `end` of a session's own time, float32 (n, 2).

    Args:
        store: Where it is.
        session_id: Which one.
        decoder: Of packets; this one's alone.
        first: First frame at 48 kHz.
        end: Behind the last one.

    Raises:
        SessionStoreError: the store is away.
    """
    at = first
    from_ms = max(0, first * 1000 // SAMPLE_RATE_HZ - _BEFORE_MS)
    while at < end:
        chunks = await store.chunks(session_id, from_ms, _AT_ONCE)
        for chunk in chunks:
            from_ms = chunk.at_ms + 1
            begin = frames_of(chunk.at_ms)
            if begin >= end:
                break
            for silence in _silence(at, min(begin, end)):
                yield silence
                at += len(silence)
            sound = _decoded(chunk, decoder)[: end - begin]
            fresh = sound[max(0, at - begin) :]
            if len(fresh):
                yield fresh
                at += len(fresh)
        if len(chunks) < _AT_ONCE or frames_of(chunks[-1].at_ms) >= end:
            break
    for silence in _silence(at, end):
        yield silence


def _silence(begin: int, end: int) -> list[Sound]:
    return [
        np.zeros((min(BLOCK_FRAMES, end - at), 2), np.float32)
        for at in range(begin, end, BLOCK_FRAMES)
    ]


def _decoded(chunk: Chunk, decoder: PacketDecoder) -> Sound:
    """Return a chunk's sound; a packet that cannot be read is silence."""
    packets = list(unpack(chunk.packets))
    sound = np.zeros((len(packets) * PACKET_FRAMES, 2), np.float32)
    for number, packet in enumerate(packets):
        out = sound[number * PACKET_FRAMES : (number + 1) * PACKET_FRAMES]
        try:
            decoder.decode(packet, out)
        except Exception:  # whatever a store holds: the rest is still to be heard
            out[:] = 0.0
            decoder.reset()
    return sound
