"""The audio bus between the workers of one machine: Unix datagrams in the runtime folder.

Each worker listens on one socket and has one more for each other worker, so that one who does not
read holds up nobody else. What the kernel does not take at once is dropped: a late block is worth
nothing.
"""

import asyncio
import contextlib
import socket
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from mixer.exchange_frames import BusFrame
from rooms.bus import Arrived, BusCodec

_BUFFER_BYTES: Final = 1 << 20
_LARGEST_BYTES: Final = 1 << 18
_MOST_AT_ONCE: Final = 64
_NOBODY: Final = (ConnectionRefusedError, FileNotFoundError, ConnectionResetError)


class LocalBus:
    """See `rooms.bus.AudioBus`; both ends' clocks are the same."""

    def __init__(self, folder: Path, worker: int) -> None:
        """Listen as a worker, in the running event loop.

        Args:
            folder: Where all workers have their sockets.
            worker: Number of this one.
        """
        self.counters: Counter[str] = Counter(
            dict.fromkeys(("bus_sent", "bus_received", "bus_dropped", "bus_unreachable"), 0)
        )
        self._folder = folder
        self._shared: dict[str, frozenset[int]] = {}
        self._codec = BusCodec()
        self._senders: dict[int, socket.socket] = {}
        self._tell: Callable[[], None] | None = None
        path = self._path(worker)
        path.unlink(missing_ok=True)  # of a worker of this number that was killed
        self._socket = _make_socket()
        self._socket.bind(str(path))
        self._worker = worker

    def share(self, room_id: str, workers: Collection[int]) -> None:
        """See `AudioBus`."""
        others = frozenset(workers) - {self._worker}
        if others:
            self._shared[room_id] = others
        else:
            self._shared.pop(room_id, None)
        wanted = frozenset[int]().union(*self._shared.values())
        for worker in self._senders.keys() - wanted:
            self._senders.pop(worker).close()

    def publish(self, frame: BusFrame) -> None:
        """See `AudioBus`."""
        workers = self._shared.get(frame.room_id)
        if workers:
            message = self._codec.encode(frame, time.monotonic())
            for worker in workers:
                self._send(worker, message)

    def flush(self) -> None:
        """See `AudioBus`: nothing is put aside."""

    def take(self) -> list[Arrived]:
        """See `AudioBus`."""
        arrived = []
        for _ in range(_MOST_AT_ONCE):
            try:
                message = self._socket.recv(_LARGEST_BYTES)
            except BlockingIOError:
                break
            try:
                item = self._codec.decode(message)
            except ValueError:
                self.counters["bus_malformed"] += 1
                continue
            if item.frame.worker in self._shared.get(item.frame.room_id, ()):
                self.counters["bus_received"] += 1
                arrived.append(item)
        return arrived

    def on_arrival(self, tell: Callable[[], None]) -> None:
        """See `AudioBus`."""
        self._tell = tell
        asyncio.get_running_loop().add_reader(self._socket.fileno(), tell)

    def close(self) -> None:
        """See `AudioBus`."""
        if self._socket.fileno() < 0:
            return
        if self._tell is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        for sender in self._senders.values():
            sender.close()
        self._path(self._worker).unlink(missing_ok=True)

    def _send(self, worker: int, message: bytes) -> None:
        try:
            sender = self._senders.get(worker) or self._connect(worker)
            sender.send(message)
        except BlockingIOError:
            self.counters["bus_dropped"] += 1
        except _NOBODY:
            self.counters["bus_unreachable"] += 1
            with contextlib.suppress(KeyError):  # it may come back, with another socket
                self._senders.pop(worker).close()
        except OSError:  # too large, or no memory
            self.counters["bus_dropped"] += 1
        else:
            self.counters["bus_sent"] += 1

    def _connect(self, worker: int) -> socket.socket:
        sender = _make_socket()
        try:
            sender.connect(str(self._path(worker)))
        except OSError:
            sender.close()
            raise
        self._senders[worker] = sender
        return sender

    def _path(self, worker: int) -> Path:
        return self._folder / f"bus-{worker}.sock"


def _make_socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    return made
