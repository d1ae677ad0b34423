"""From pieces of a source's sound to chunks of Opus on the session's own time; sans-I/O.

Pieces carry the room's media time, which may begin anew when a worker is restarted. Within a run
of it the session's time follows it exactly; where it leaps, the time of arrival says where the
sound belongs. Where a piece is missing, the chunk ends.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from archive.sessions import MAX_CHUNK_BYTES, PACKET_MS, Chunk, pack
from archive.wire import Piece

SAMPLE_RATE_HZ: Final = 48_000
PACKET_FRAMES: Final = SAMPLE_RATE_HZ * PACKET_MS // 1000
CHUNK_PACKETS: Final = 50
_MOST_BYTES: Final = MAX_CHUNK_BYTES - 4096  # room for one more packet
_MOST_DRIFT_MS: Final = 3000

Encode = Callable[[npt.NDArray[np.float32]], bytes]
"""Makes a packet of float32 (960, 2)."""


class Roll:
    """One session's way from pieces to chunks."""

    def __init__(self, encode: Encode) -> None:
        """Begin an empty session."""
        self._encode = encode
        self._base_ms = 0
        self._base_time: int | None = None
        self._next_time = 0  # media time behind what has come
        self._end_ms = 0  # session time behind the last chunk
        self._rest = np.zeros((PACKET_FRAMES, 2), np.float32)
        self._filled = 0
        self._packets: list[bytes] = []
        self._bytes = 0
        self._at_ms = 0

    def push(self, piece: Piece, arrival_ms: int) -> list[Chunk]:
        """Take a piece; return the chunks that are complete now.

        Args:
            piece: The sound.
            arrival_ms: When it came, in the session's time.
        """
        done = []
        if self._leaps(piece, arrival_ms):
            done += self.flush()
            begun_ms = arrival_ms - len(piece.pcm) * 1000 // SAMPLE_RATE_HZ
            self._base_ms, self._base_time = max(begun_ms, self._end_ms), piece.media_time
        elif piece.media_time != self._next_time:
            done += self.flush()
        sound = piece.pcm.astype(np.float32) / 32768
        time, self._next_time = piece.media_time, piece.media_time + len(sound)
        at = 0
        while at < len(sound):
            if not self._packets and not self._filled:
                self._at_ms = max(self._session_ms(time + at), self._end_ms)
            step = min(PACKET_FRAMES - self._filled, len(sound) - at)
            self._rest[self._filled : self._filled + step] = sound[at : at + step]
            self._filled += step
            at += step
            if self._filled == PACKET_FRAMES:
                self._finish_packet()
                if len(self._packets) == CHUNK_PACKETS or self._bytes > _MOST_BYTES:
                    done += self.flush()
        return done

    def flush(self) -> list[Chunk]:
        """Return what has not been returned yet, filled up with silence to whole packets."""
        if self._filled:
            self._rest[self._filled :] = 0.0
            self._finish_packet()
        if not self._packets:
            return []
        chunk = Chunk(self._at_ms, PACKET_MS * len(self._packets), pack(self._packets))
        self._end_ms = chunk.end_ms
        self._packets, self._bytes = [], 0
        return [chunk]

    def _finish_packet(self) -> None:
        packet = self._encode(self._rest)
        self._packets.append(packet)
        self._bytes += len(packet) + 2
        self._filled = 0

    def _leaps(self, piece: Piece, arrival_ms: int) -> bool:
        if self._base_time is None or piece.media_time < self._next_time:
            return True
        return abs(self._session_ms(piece.media_time) - arrival_ms) > _MOST_DRIFT_MS

    def _session_ms(self, media_time: int) -> int:
        assert self._base_time is not None
        return self._base_ms + (media_time - self._base_time) * 1000 // SAMPLE_RATE_HZ
