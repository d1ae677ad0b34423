"""What rooms whose archive is on hand over of their publishers, block by block.

Runs inside the tick, so it never waits: samples are put into a buffer of the source, and every
100 ms one datagram goes to the front process. What the kernel does not take at once is dropped and
counted. Of a muted source nothing is handed over.
"""

import contextlib
import socket
from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np

from archive.wire import MAX_PIECE_BYTES, PIECE_FRAMES, Pcm, Piece, write_piece
from mixer.room import RoomMixer
from mixer.source import Source

_BUFFER_BYTES: Final = 1 << 20
_AWAY: Final = (FileNotFoundError, ConnectionError)


class _Pending:
    """Samples of one source that wait until there are 100 ms."""

    __slots__ = ("count", "media_time", "pcm")

    def __init__(self) -> None:
        self.pcm: Pcm = np.zeros((PIECE_FRAMES, 2), np.int16)
        self.count = 0
        self.media_time = 0


class ArchiveTap:
    """The tap of all rooms of a worker.

    Attributes:
        counters: `archive_sent`, `archive_dropped` (the front process did not keep up) and
            `archive_unheard` (it was away), in pieces of 100 ms.
    """

    def __init__(self, path: Path) -> None:
        """Hand over to whoever listens at `path`."""
        self.counters: Counter[str] = Counter(
            dict.fromkeys(("archive_sent", "archive_dropped", "archive_unheard"), 0)
        )
        self._path = str(path)
        self._rooms: dict[RoomMixer, dict[str, _Pending]] = {}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def forget(self, mixer: RoomMixer) -> None:
        """Hand over what is left of a room, whose archive is off or which is gone."""
        for source_id, pending in self._rooms.pop(mixer, {}).items():
            self._send(source_id, pending)

    def take(self, mixer: RoomMixer) -> None:
        """Take a block of a room, right after it was mixed."""
        waiting = self._rooms.setdefault(mixer, {})
        for source in mixer.sources.values():
            if source.remote or source.muted or not source.present:
                if source.source_id in waiting:
                    self._send(source.source_id, waiting.pop(source.source_id))
                continue
            pending = waiting.get(source.source_id)
            if pending is None:
                pending = waiting[source.source_id] = _Pending()
            self._add(source, pending, mixer)
        if len(waiting) > len(mixer.sources):
            for source_id in waiting.keys() - mixer.sources.keys():
                self._send(source_id, waiting.pop(source_id))

    def _add(self, source: Source, pending: _Pending, mixer: RoomMixer) -> None:
        block, time = mixer.block, mixer.block_time
        goes_on = pending.media_time + pending.count == time
        if pending.count and (not goes_on or pending.count + block > PIECE_FRAMES):
            self._send(source.source_id, pending)
        if not pending.count:
            pending.media_time = time
        scaled = source.view[:block] * np.float32(32767)
        np.clip(scaled, -32768, 32767, out=scaled)
        pending.pcm[pending.count : pending.count + block] = scaled
        pending.count += block

    def _send(self, source_id: str, pending: _Pending) -> None:
        pcm = pending.pcm[: pending.count]
        pending.count = 0
        if not len(pcm):
            return
        if np.array_equal(pcm[:, 0], pcm[:, 1]):
            pcm = pcm[:, :1]
        datagram = write_piece(Piece(source_id, pending.media_time, pcm))
        assert len(datagram) <= MAX_PIECE_BYTES
        try:
            self._socket.sendto(datagram, self._path)
        except _AWAY:
            self.counters["archive_unheard"] += 1
        except OSError:  # its buffer is full
            self.counters["archive_dropped"] += 1
        else:
            self.counters["archive_sent"] += 1
