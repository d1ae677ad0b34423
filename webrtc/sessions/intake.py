"""Takes what the workers hand over, makes Opus of it, and passes chunks on to the event loop.

Runs in a thread of its own: encoding must not hold up signaling. When it does not keep up, the
kernel's buffer fills, and the workers drop and count what does not fit.
"""

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from archive.rolling import Roll
from archive.sessions import Chunk, Session
from archive.wire import MAX_PIECE_BYTES, read_piece
from webrtc.media.opus import Encoder, EncoderSettings

logger = logging.getLogger(__name__)

_BUFFER_BYTES: Final = 4 << 20
_LOOK_EVERY_S: Final = 0.25
_IDLE_S: Final = 0.6
_COMPLEXITY: Final = 5

Deliver = Callable[[str, Chunk], None]


@dataclass(slots=True)
class _Source:
    session_id: str
    started_at: float
    roll: Roll
    heard_s: float


class Intake:
    """The thread and its socket.

    Attributes:
        counters: `pieces`, `strangers` (of nobody whose session is open) and `defects`.
    """

    def __init__(self, path: Path, bitrate_bps: int, deliver: Deliver) -> None:
        """Listen at `path`; sounds are dropped until `start`.

        Args:
            path: Of the socket; what is left there is removed.
            bitrate_bps: Of the Opus that is kept.
            deliver: Is given session id and chunk, in the event loop.
        """
        self.counters: Counter[str] = Counter()
        self._deliver = deliver
        self._settings = EncoderSettings(bitrate_bps=bitrate_bps, complexity=_COMPLEXITY)
        self._sources: dict[str, _Source] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)
        self._path = path
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._socket.settimeout(_LOOK_EVERY_S)
        self._socket.bind(str(path))

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def close(self) -> None:
        """Stop the thread; what it holds is lost."""
        self._ended.set()
        if self._thread.is_alive():
            with contextlib.suppress(OSError):  # there is no room: then it does not wait either
                self._socket.sendto(b"", socket.MSG_DONTWAIT, str(self._path))
            self._thread.join()
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def open(self, session: Session) -> None:
        """Take the sound of a session's participant from now on."""
        source = _Source(
            session.session_id, session.started_at, Roll(Encoder(self._settings).encode), 0.0
        )
        with self._lock:
            self._sources[session.participant_id] = source

    def end(self, participant_id: str) -> None:
        """Take no more sound of a participant; what is complete or not is delivered."""
        with self._lock:
            source = self._sources.pop(participant_id, None)
            chunks = [] if source is None else source.roll.flush()
        if source is not None:
            self._pass_on(source.session_id, chunks)

    def _run(self) -> None:
        buffer = bytearray(MAX_PIECE_BYTES)
        looked_s = time.monotonic()
        while not self._ended.is_set():
            try:
                size = self._socket.recv_into(buffer)
                self._take(bytes(buffer[:size]))
            except TimeoutError:
                pass
            except Exception:  # a defect: the others still want to be kept
                self.counters["defects"] += 1
                count = self.counters["defects"]
                if count & (count - 1) == 0:  # rarer and rarer
                    logger.exception("defect %d: a piece could not be kept", count)
            now_s = time.monotonic()
            if now_s - looked_s >= _LOOK_EVERY_S:
                looked_s = now_s
                self._flush_idle(now_s)

    def _take(self, datagram: bytes) -> None:
        piece = read_piece(datagram)
        if piece is None:
            self.counters["strangers"] += 1
            return
        with self._lock:
            source = self._sources.get(piece.source_id)
            if source is None:
                self.counters["strangers"] += 1
                return
            self.counters["pieces"] += 1
            source.heard_s = time.monotonic()
            arrival_ms = max(0, round((time.time() - source.started_at) * 1000))
            chunks = source.roll.push(piece, arrival_ms)
        self._pass_on(source.session_id, chunks)

    def _flush_idle(self, now_s: float) -> None:
        with self._lock:
            idle = [one for one in self._sources.values() if now_s - one.heard_s > _IDLE_S]
            done = [(one.session_id, one.roll.flush()) for one in idle]
        for session_id, chunks in done:
            self._pass_on(session_id, chunks)

    def _pass_on(self, session_id: str, chunks: list[Chunk]) -> None:
        assert self._loop is not None
        for chunk in chunks:
            with contextlib.suppress(RuntimeError):  # the loop is closed: we end, too
                self._loop.call_soon_threadsafe(self._deliver, session_id, chunk)
