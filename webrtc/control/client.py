"""The front process's end of one control socket.

| state    | event                   | next    | effect                                          |
|----------|-------------------------|---------|-------------------------------------------------|
| away     | connected               | greeted | `Hello` is sent                                 |
| away     | refused                 | away    | tried again after `RETRY_S`                     |
| greeted  | `Welcome`, same version | told    |                                                 |
| told     | `Kept`                  | told    | it is put to the rest                           |
| told     | `KeptAll`               | syncing | `on_welcome` is awaited; sending works          |
| syncing  | `on_welcome` returned   | there   | requests work                                   |
| there    | any other message       | there   | answers a request, or goes to `on_message`      |
| any      | anything else           | away    |                                                 |
| any      | the connection is lost  | away    | open requests fail; `on_lost` after a `KeptAll` |

What is sent while the worker is away is dropped: rooms and participants are full states, and
whoever holds them sends all of them again from `on_welcome`.
"""

import asyncio
import contextlib
import enum
import itertools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from webrtc.control.codec import encode_frame, front_side_decoder
from webrtc.control.memory import Memory
from webrtc.control.messages import (
    CONTROL_VERSION,
    Answer,
    Candidate,
    Done,
    Failed,
    Hello,
    Kept,
    KeptAll,
    Offer,
    RemoteAnswer,
    ToFront,
    ToWorker,
    Welcome,
)
from webrtc.errors import REASONS, ClientError, ControlProtocolError
from webrtc.log_context import current
from webrtc.tracing import span

logger = logging.getLogger(__name__)

RETRY_S = 0.1
READ_BYTES = 256 * 1024
MAX_OPEN_REQUESTS = 4096
MAX_UNSENT_BYTES = 64 << 20
"""A worker that reads this little is hung; closing the connection makes that visible."""

Request = Offer | RemoteAnswer | Candidate
RequestBuilder = Callable[[int], Request]


class LinkOwner(Protocol):
    """Who is told what a worker says."""

    async def on_welcome(self, worker: int, memory: Memory) -> None:
        """The worker is there and may be sent to; `memory` is what it remembers.

        Requests wait until this returns, so that none overtakes the participant it concerns.
        """
        ...

    def on_message(self, worker: int, message: ToFront) -> None:
        """The worker said something that answers no request."""
        ...

    def on_lost(self, worker: int) -> None:
        """The worker is away."""
        ...


class _State(enum.Enum):
    AWAY = enum.auto()
    GREETED = enum.auto()
    TOLD = enum.auto()
    SYNCING = enum.auto()
    THERE = enum.auto()


class WorkerLink:
    """Keeps one connection to one worker, for ever."""

    def __init__(self, worker: int, path: Path, owner: LinkOwner) -> None:
        self.worker = worker
        self.welcome: Welcome | None = None
        """What the worker said last time it came."""
        self._path = path
        self._owner = owner
        self._state = _State.AWAY
        self._memory = Memory()
        self._writer: asyncio.StreamWriter | None = None
        self._requests: dict[int, asyncio.Future[Done | Answer | Failed]] = {}
        self._ids = itertools.count(1)

    @property
    def connected(self) -> bool:
        """Whether the worker is there."""
        return self._state is _State.THERE

    async def run(self) -> None:
        """Connect, read, reconnect, until cancelled."""
        try:
            while True:
                try:
                    await self._serve_connection()
                except OSError:
                    pass  # not there (yet); the supervisor restarts it
                except ControlProtocolError as error:
                    logger.error("control connection to worker %d closed: %s", self.worker, error)
                finally:
                    self._lose()
                await asyncio.sleep(RETRY_S)
        finally:
            self._lose()

    def send(self, message: ToWorker) -> None:
        """Send `message` if the worker is there; never blocks."""
        if self._writer is None or self._state not in (_State.SYNCING, _State.THERE):
            return
        transport = self._writer.transport
        # While both sides are brought together, all that we hold may have to go out at once.
        is_full = transport.get_write_buffer_size() > MAX_UNSENT_BYTES
        if is_full and self._state is _State.THERE:
            logger.error("worker %d does not read: control connection closed", self.worker)
            transport.abort()
            return
        self._writer.write(encode_frame(message))

    async def drain(self) -> None:
        """Wait until the worker has read most of what was sent.

        Raises:
            OSError: the connection is lost.
        """
        if self._writer is not None:
            await self._writer.drain()

    async def request(self, build: RequestBuilder, timeout_s: float) -> Done | Answer:
        """Send the request that `build` makes of an id, and return what answers it.

        The request is on its way before this waits for the first time.

        Raises:
            ClientError: the worker refused, is away, or did not answer within `timeout_s`.
        """
        if not self.connected or len(self._requests) >= MAX_OPEN_REQUESTS:
            raise _unavailable()
        number = next(self._ids)
        future: asyncio.Future[Done | Answer | Failed]
        future = asyncio.get_running_loop().create_future()
        self._requests[number] = future
        message = replace(build(number), request_id=current().request_id)
        try:
            with span(f"worker {type(message).__name__}"):
                self.send(message)
                async with asyncio.timeout(timeout_s):
                    answer = await future
        except TimeoutError:
            raise ClientError(
                "negotiation_timeout", "the media worker did not answer in time", RETRY_S
            ) from None
        finally:
            del self._requests[number]
        if isinstance(answer, Failed):
            known = answer.reason in REASONS
            raise ClientError(answer.reason if known else "negotiation_failed", answer.detail)
        return answer

    async def _serve_connection(self) -> None:
        reader, self._writer = await asyncio.open_unix_connection(str(self._path))
        self._state, self._memory = _State.GREETED, Memory()
        self._writer.write(encode_frame(Hello()))
        decoder = front_side_decoder()
        while data := await reader.read(READ_BYTES):
            for message in decoder.feed(data):
                await self._handle(message)

    async def _handle(self, message: ToFront) -> None:
        match message:
            case Welcome() if self._state is _State.GREETED:
                if message.version != CONTROL_VERSION:
                    raise ControlProtocolError(f"Welcome of version {message.version}")
                self.welcome = message
                self._state = _State.TOLD
            case Kept() if self._state is _State.TOLD:
                self._memory.add(message)
            case KeptAll() if self._state is _State.TOLD:
                self._memory.media = message.media
                await self._synchronise()
            case Welcome() | Kept() | KeptAll():
                raise ControlProtocolError(f"{type(message).__name__} out of place")
            case _ if self._state is not _State.THERE:
                raise ControlProtocolError(f"{type(message).__name__} before KeptAll")
            case Done() | Answer() | Failed():
                future = self._requests.get(message.id)
                if future is not None and not future.done():
                    future.set_result(message)
            case _:
                self._owner.on_message(self.worker, message)

    async def _synchronise(self) -> None:
        self._state = _State.SYNCING
        memory, self._memory = self._memory, Memory()
        await self._owner.on_welcome(self.worker, memory)
        self._state = _State.THERE

    def _lose(self) -> None:
        was_there = self._state in (_State.SYNCING, _State.THERE)
        self._state = _State.AWAY
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.close()
            self._writer = None
        for future in self._requests.values():
            if not future.done():
                future.set_exception(_unavailable())
        if was_there:
            self._owner.on_lost(self.worker)


def _unavailable() -> ClientError:
    return ClientError("worker_unavailable", "the room's media worker is restarting", 0.5)
