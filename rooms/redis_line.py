"""One connection to Redis for those who cannot wait: it is written to, never awaited.

| state    | event                                | next     | effect                         |
|----------|--------------------------------------|----------|--------------------------------|
| away     | connected                            | greeting | HELLO and what it begins with  |
| greeting | all of that was answered             | there    |                                |
| any      | refused, or lost                     | away     | again after `RETRY_S`          |
| there    | an answer is due for `HUNG_S`        | away     | what is unsent is thrown away  |
| there    | nothing was asked for `PING_EVERY_S` | there    | PING                           |
"""

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from rooms.redis_connection import Place, RedisAddress
from rooms.resp import Push, Refusal, RespError, RespReader, command

logger = logging.getLogger(__name__)

RETRY_S: Final = 0.25
CONNECT_S: Final = 1.0
HUNG_S: Final = 1.0
PING_EVERY_S: Final = 0.5
_NO_LINGERING: Final = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
MOST_UNSENT_BYTES: Final = 512 * 1024
_CONFIRMED: Final = ([b"subscribe"], [b"ssubscribe"])
"""In RESP3 these are all the answer that there is."""

LOST: Final = Refusal("LOST the connection was lost")
OnReply = Callable[[object], None]
Parts = tuple[bytes | str | int, ...]


class RedisAwayError(Exception):
    """Redis is not there."""


class RedisLine(asyncio.Protocol):
    """Keeps a connection."""

    def __init__(
        self,
        address: RedisAddress,
        find: Callable[[], Awaitable[Place]],
        begin: Sequence[Parts],
        on_push: Callable[[Push], None],
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin to connect, in the running event loop.

        Args:
            address: Credentials and encryption.
            find: Says where to connect to, each time.
            begin: Commands that each connection begins with.
            on_push: Is given what Redis sends unasked.
            on_lost: Is told when a connection that was there is not any more.
        """
        self.there = asyncio.Event()
        self._address = address
        self._find = find
        self._begin = begin
        self._on_push = on_push
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._reader = RespReader()
        self._awaited: deque[tuple[float, OnReply]] = deque()
        self._lost = asyncio.Event()
        self._complained = False
        self._task = asyncio.get_running_loop().create_task(self._keep(), name="line to Redis")

    async def request(self, *parts: bytes | str | int) -> object:
        """Send a command and return what it is answered with.

        What was pushed before the answer has been handed out by then.

        Raises:
            RedisAwayError: it is away, or was lost before it answered; who knows what it did.
        """
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def on_reply(reply: object) -> None:
            if not future.done():
                future.set_result(reply)

        if not self.send(on_reply, *parts):
            raise RedisAwayError("Redis is away")
        reply = await future
        if reply is LOST:
            raise RedisAwayError("Redis was lost")
        return reply

    def send(self, on_reply: OnReply, *parts: bytes | str | int) -> bool:
        """Send a command unless Redis is away or does not read; return whether it went out.

        The answer is `LOST` when the connection is lost before it comes.
        """
        transport = self._transport
        if transport is None or not self.there.is_set():
            return False
        if transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            return False
        self._write(transport, on_reply, parts)
        return True

    async def close(self) -> None:
        """End it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def give_up(self) -> None:
        """End it, without waiting until it has."""
        self._task.cancel()
        self.reconnect()

    def reconnect(self) -> None:
        """Throw the connection away, with all that is in it, and make another."""
        if self._transport is not None:
            # Else the system goes on sending what Redis has not got, for minutes: old sound, and
            # changes that would overtake those of the next connection.
            self._transport.get_extra_info("socket").setsockopt(*_NO_LINGERING)
            self._transport.abort()

    # ---- asyncio.Protocol ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._reader = transport, RespReader()
        credentials: Parts = ()
        if self._address.password is not None:
            credentials = ("AUTH", self._address.username or "default", self._address.password)
        self._write(transport, self._greeted, ("HELLO", 3, *credentials))
        if self._address.db:
            self._write(transport, self._greeted, ("SELECT", self._address.db))
        for parts in self._begin:
            self._write(transport, self._greeted, parts)
        self._write(transport, self._is_there, ("PING",))

    def data_received(self, data: bytes) -> None:
        """Hand out what Redis says."""
        try:
            for item in self._reader.feed(data):
                if isinstance(item, Push) and item.items[:1] not in _CONFIRMED:
                    self._on_push(item)
                elif self._awaited:
                    self._awaited.popleft()[1](item)
        except RespError as error:
            logger.error("Redis says what it cannot: %s", error)
            self.reconnect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Begin anew."""
        self._transport = None
        was_there = self.there.is_set()
        self.there.clear()
        self._lost.set()
        if was_there:
            self._on_lost()
        awaited, self._awaited = self._awaited, deque()
        for _, on_reply in awaited:
            on_reply(LOST)

    # ---- within ----------------------------------------------------------------------------

    def _write(self, transport: asyncio.Transport, on_reply: OnReply, parts: Parts) -> None:
        self._awaited.append((time.monotonic(), on_reply))
        transport.write(command(*parts))

    def _greeted(self, reply: object) -> None:
        if reply is not LOST and isinstance(reply, Refusal):
            level = logging.DEBUG if self._complained else logging.ERROR
            logger.log(level, "Redis refuses: %s", reply.text)
            self._complained = True
            self.reconnect()

    def _is_there(self, reply: object) -> None:
        if reply is not LOST and not isinstance(reply, Refusal):
            self._complained = False
            self.there.set()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                self._lost.clear()
                try:
                    async with asyncio.timeout(CONNECT_S):
                        await self._connect(loop, await self._find())
                    await self._watch()
                except Exception as error:  # whatever it is, the next try may succeed
                    self._explain(error)
                await asyncio.sleep(RETRY_S)
        finally:
            self.reconnect()

    def _explain(self, error: Exception) -> None:
        """Say once why Redis is away."""
        logger.log(logging.DEBUG if self._complained else logging.WARNING, "no Redis: %r", error)
        self._complained = True

    async def _connect(self, loop: asyncio.AbstractEventLoop, place: Place) -> None:
        if isinstance(place, str):
            await loop.create_unix_connection(lambda: self, place)
        else:
            host, port = place
            encryption = self._address.ssl_context()
            await loop.create_connection(lambda: self, host, port, ssl=encryption)

    async def _watch(self) -> None:
        """Return when the connection is lost; end it when nothing is answered any more."""
        while True:
            # Not `wait_for`: in Python 3.11 it forgets that it was cancelled if it ends just then.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PING_EVERY_S):
                    await self._lost.wait()
                return
            if self._awaited:
                if time.monotonic() - self._awaited[0][0] > HUNG_S:
                    self.reconnect()
            else:
                self.send(lambda _: None, "PING")
