"""Logging that never makes its caller wait.

A log call puts a finished line into a bounded queue; one thread writes the lines to the error
stream. When the reader of that stream stalls, the queue fills and further lines are dropped and
counted; the count is written once there is room again. What the media worker's tick pays is the
formatting of one line, never the writing.

What may stand in a line: ids of rooms, participants and processes, figures, reason codes. Never
names that people gave themselves, addresses, tokens, session descriptions or audio.
"""

import logging
import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from webrtc.log_format import formatter

QUEUE_LINES: Final = 2000
_FLUSH_TIMEOUT_S: Final = 2.0

# These libraries tell candidates' and clients' addresses at INFO.
_TALKATIVE: Final = ("aioice", "aiortc", "aiohttp.access", "socketio", "engineio", "numba")


class LineQueue(logging.Handler):
    """Formats records into lines and hands them to a writer thread; drops when that lags.

    Attributes:
        capacity_lines: most lines that wait to be written.
        dropped: lines thrown away since the start because that many waited.
    """

    def __init__(self, stream: TextIO, capacity_lines: int = QUEUE_LINES) -> None:
        super().__init__()
        self.dropped = 0
        self._stream = stream
        self.capacity_lines = capacity_lines
        # SimpleQueue: putting is one C call that takes no lock a writer could hold for long.
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._told = 0
        self._writer = threading.Thread(target=self._write, name="log-writer", daemon=True)
        self._writer.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one line, or count it as dropped."""
        if self._lines.qsize() >= self.capacity_lines:
            self.dropped += 1
            return
        try:
            self._lines.put(self.format(record))
        except Exception:  # a log call must not break its caller; logging's own way to say so
            self.handleError(record)

    def close(self) -> None:
        """Write what is queued, waiting at most two seconds, and end the thread."""
        self._lines.put(None)
        self._writer.join(_FLUSH_TIMEOUT_S)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(line + "\n")
                self._tell_drops()
                self._stream.flush()
            except (OSError, ValueError):  # the reader is gone; nobody is left to tell
                self.dropped += 1

    def _tell_drops(self) -> None:
        missing = self.dropped - self._told
        if missing:
            self._told += missing
            told = f"({missing} log lines were dropped here)"
            record = logging.LogRecord(__name__, logging.WARNING, "", 0, told, (), None)
            self._stream.write(self.format(record) + "\n")


@contextmanager
def writing(
    process: str, level: str, stream: TextIO | None = None, kind: str = "text"
) -> Iterator[LineQueue]:
    """Send this process's log lines to `stream` (stderr by default) while the context lasts.

    Args:
        process: who is speaking, such as "worker 0"; stands in every line.
        level: DEBUG, INFO, WARNING or ERROR.
        stream: where the lines go.
        kind: what they look like, see `webrtc.log_format`.
    """
    handler = LineQueue(stream or sys.stderr)
    handler.setFormatter(formatter(kind, process))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()
