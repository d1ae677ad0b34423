"""The worker's end of the control socket.

Invariant: at most one connection is active, the one that said `Hello` last; only it is listened to
and only it receives. Answers to requests go to the connection that asked, for another front process
counts its request ids from the start again.

| state   | event                    | next    | effect                                            |
|---------|--------------------------|---------|---------------------------------------------------|
| new     | `Hello`, same version    | telling | `Welcome`; the connection active until now closes |
| new     | anything else            | closed  |                                                   |
| telling | the loop turns           | telling | `Kept`, if those before have been read            |
| telling | all is told              | greeted | `KeptAll`; it is sent to from now on              |
| telling | any message              | closed  |                                                   |
| greeted | any message but `Hello`  | greeted | handed to the handler, in order                   |
| greeted | `Hello`                  | closed  |                                                   |
| any     | a newer one says `Hello` | closed  | its running requests end unanswered               |

Nothing here blocks the worker's tick: messages are handled a few per turn of the loop, what is
remembered is told a part per turn, and writing never waits. While it is told nobody is listened to,
so that it stays true; what is to be sent meanwhile is lost as if no front process were there, and
`KeptAll` says how the media are then. A front process that reads too slowly loses levels and stats
first; when what may not be lost fills its queue, the connection is closed, and the greeting of the
next one repairs everything.
"""

import asyncio
import contextlib
import inspect
import logging
import os
from collections import deque
from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, cast

from webrtc.control.codec import encode_frame, worker_side_decoder
from webrtc.control.memory import in_parts
from webrtc.control.messages import (
    CONTROL_VERSION,
    Candidate,
    Failed,
    Hello,
    KeptAll,
    KeptRoom,
    Levels,
    Offer,
    PutParticipant,
    RemoteAnswer,
    ToFront,
    ToWorker,
    Welcome,
    WorkerStats,
)
from webrtc.errors import ControlProtocolError
from webrtc.log_context import about

logger = logging.getLogger(__name__)

MESSAGES_PER_TURN = 16
"""How many messages are handled before the loop may run a tick again."""
MAX_RUNNING_REQUESTS = 1024
"""Requests in progress; one more is answered `Failed` at once."""
LOSSY_LIMIT_BYTES = 1 << 20
"""Unsent bytes above which levels and stats are dropped, and telling what is kept pauses."""
HARD_LIMIT_BYTES = 16 << 20
"""Unsent bytes above which the connection is given up."""


class WorkerHandler(Protocol):
    """What the control server needs of a media worker."""

    def welcome(self) -> Welcome:
        """Say what this worker is."""
        ...

    def kept(self) -> Sequence[KeptRoom | PutParticipant]:
        """Return what it remembers; nothing of it changes before the next message is handled."""
        ...

    def kept_all(self) -> KeptAll:
        """Say how the media are now; right after this, a new front process is there."""
        ...

    def handle(self, message: ToWorker) -> Awaitable[ToFront | None] | ToFront | None:
        """Carry out one message; messages come in order.

        A request is answered by the returned message, or by what the returned awaitable gives:
        that one runs as a task of its own while later messages are handled already.
        """
        ...


class ControlServer:
    """Listens on a Unix socket and serves one front process."""

    def __init__(self, handler: WorkerHandler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._connections: set[_Connection] = set()
        self._active: _Connection | None = None
        self.dropped_messages = 0
        """Messages that were not sent: no front process was there, or it was too slow."""

    async def start(self, path: str | os.PathLike[str]) -> None:
        """Listen on `path`, replacing a socket that a dead process left there.

        Raises:
            OSError: the path cannot be bound (not writable, or above 107 bytes long).
        """
        self._path = Path(path)
        self._path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._new_connection, path=str(path))
        self._path.chmod(0o600)

    def send(self, message: ToFront) -> None:
        """Send `message` to the front process, if there is one that keeps up; never blocks."""
        if self._active is None or not self._active.send(message):
            self.dropped_messages += 1

    async def close(self) -> None:
        """Stop listening, close every connection and end every running request."""
        if self._server is not None:
            self._server.close()
        tasks = [task for connection in set(self._connections) for task in connection.abort()]
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _new_connection(self) -> "_Connection":
        connection = _Connection(self)
        self._connections.add(connection)
        return connection

    def greet(self, connection: "_Connection") -> None:
        """Make `connection` the active one, and tell it what the worker remembers."""
        older, self._active = self._active, connection
        if older is not None:
            logger.info("a newer front process took over")
            older.abort()
        connection.tell(self._greeting())

    def _greeting(self) -> Iterator[ToFront]:
        yield self._handler.welcome()
        yield from in_parts(self._handler.kept())
        yield self._handler.kept_all()

    def forget(self, connection: "_Connection") -> None:
        """Take note that `connection` is gone."""
        self._connections.discard(connection)
        if self._active is connection:
            self._active = None

    def handle(self, message: ToWorker) -> Awaitable[ToFront | None] | ToFront | None:
        """Hand `message` to the worker."""
        return self._handler.handle(message)


class _Connection(asyncio.Protocol):
    """One front process, from connecting to closing."""

    def __init__(self, server: ControlServer) -> None:
        self._server = server
        self._decoder = worker_side_decoder()
        self._transport: asyncio.Transport | None = None
        self._backlog: deque[ToWorker] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._greeted = False  # what it says is for the worker, what the worker says for it
        self._greeting: Iterator[ToFront] | None = None
        self._is_full = False

    # ---- asyncio.Protocol ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=LOSSY_LIMIT_BYTES)

    def data_received(self, data: bytes) -> None:
        idle = not self._backlog
        try:
            self._backlog.extend(self._decoder.feed(data))
        except ControlProtocolError as error:
            logger.error("control connection closed: %s", error)
            self.abort()
            return
        if self._backlog and idle:
            self._handle_some()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.abort()

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._tell_next()

    # ---- sending ----

    def tell(self, greeting: Iterator[ToFront]) -> None:
        """Write `greeting`, as fast as it is read; only then others are on their way."""
        self._greeting = greeting
        self._tell_next()

    def _tell_next(self) -> None:
        if self._greeting is None or self._transport is None or self._transport.is_closing():
            return
        try:
            part = next(self._greeting)
            self._transport.write(encode_frame(part))
        except Exception:
            logger.exception("what is remembered cannot be told: control connection closed")
            self.abort()
            return
        if isinstance(part, KeptAll):
            self._greeting, self._greeted = None, True
        elif not self._is_full:
            asyncio.get_running_loop().call_soon(self._tell_next)

    def send(self, message: ToFront) -> bool:
        """Write `message`; return whether it is on its way."""
        if self._transport is None or self._transport.is_closing() or not self._greeted:
            return False
        waiting = self._transport.get_write_buffer_size()
        if waiting > LOSSY_LIMIT_BYTES and isinstance(message, Levels | WorkerStats):
            return False
        if waiting > HARD_LIMIT_BYTES:
            logger.error("the front process does not read: control connection closed")
            self.abort()
            return False
        self._transport.write(encode_frame(message))
        return True

    def abort(self) -> list[asyncio.Task[None]]:
        """Close at once; return the tasks that are ending."""
        self._backlog.clear()
        self._greeting = None
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        for task in self._tasks:
            task.cancel()
        self._server.forget(self)
        return list(self._tasks)

    # ---- handling ----

    def _handle_some(self) -> None:
        for _ in range(min(MESSAGES_PER_TURN, len(self._backlog))):
            self._handle(self._backlog.popleft())
            if not self._backlog:
                break
        if self._transport is None:
            return
        if self._backlog:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._handle_some)
        else:
            self._transport.resume_reading()

    def _handle(self, message: ToWorker) -> None:
        if isinstance(message, Hello) or not self._greeted:
            self._handle_greeting(message)
            return
        request_id = getattr(message, "request_id", "")
        room_id = getattr(message, "room_id", "")
        with about(request_id, room_id, getattr(message, "participant_id", "")):
            try:
                result = self._server.handle(message)
            except Exception:
                self._record_defect(message)
                return
            if inspect.isawaitable(result):
                self._run(message, result)
            elif result is not None:
                self.send(result)

    def _handle_greeting(self, message: ToWorker) -> None:
        is_first = not self._greeted and self._greeting is None
        known = isinstance(message, Hello) and message.version == CONTROL_VERSION
        if not is_first or not known:
            logger.error("control connection closed: %s out of place", type(message).__name__)
            self.abort()
            return
        self._server.greet(self)

    def _run(self, message: ToWorker, result: Awaitable[ToFront | None]) -> None:
        if len(self._tasks) >= MAX_RUNNING_REQUESTS:
            if inspect.iscoroutine(result):
                result.close()
            self._refuse(message, "worker_unavailable", "the media worker has too much to do")
            return
        name = f"control {type(message).__name__}"
        task = asyncio.create_task(self._answer(message, result), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: ToWorker, result: Awaitable[ToFront | None]) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                answer = await result
            except Exception:
                self._record_defect(message)
                return
            if answer is not None:
                self.send(answer)

    def _record_defect(self, message: ToWorker) -> None:
        logger.exception("%s failed", type(message).__name__)
        self._refuse(message, "internal_error", "the media worker made a mistake")

    def _refuse(self, message: ToWorker, reason: str, detail: str) -> None:
        if isinstance(message, Offer | RemoteAnswer | Candidate):
            self.send(Failed(message.id, reason, detail))
