"""The client's line to the server and its datagrams; it comes back by itself.

| state | event | next | effect |
|---|---|---|---|
| connecting | `welcome` | joined | datagrams may flow |
| connecting | refused | connecting, or ended | `resume_failed` joins afresh; else it is over |
| joined | the line is lost, or silent for 15 s | connecting | back by the resume token, soon |
| joined | `bye` of a closed or replaced seat | ended | |
"""

import asyncio
import contextlib
import random
from typing import Final, Literal, Protocol

from gateway.client.options import Options
from gateway.wire.lines import (
    PING_EVERY_S,
    SILENT_LINE_S,
    Bye,
    Error,
    FromClient,
    FromServer,
    Hello,
    LineError,
    LineReader,
    Ping,
    Pong,
    User,
    Users,
    Welcome,
    read_server_line,
    write_line,
)

State = Literal["connecting", "joined", "ended"]

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 8.0
_CONNECT_WITHIN_S: Final = 5.0
_KEEP_ALIVE_S: Final = 5.0
_WAITS: Final = frozenset({"draining", "worker_unavailable", "rate_limited", "internal_error"})


class SessionOwner(Protocol):
    """Who is told; everything is called in the session's event loop."""

    def state_changed(self, state: State, detail: str) -> None:
        """The session is in another state; `detail` says why."""

    def users_changed(self, users: list[User]) -> None:
        """Others are in the room, or they changed."""

    def sound_came(self, payload: bytes, now_s: float) -> None:
        """A datagram came."""

    def silence(self) -> bytes:
        """Return a payload of silence: the server wants to hear from us now and then."""


class _Refused(Exception):  # noqa: N818 — the server's word, not an error of ours
    def __init__(self, error: Error) -> None:
        super().__init__(error.detail)
        self.reason = error.reason


class _Ended(Exception):  # noqa: N818
    pass


class Session(asyncio.DatagramProtocol):
    """One client's session with one server.

    Attributes:
        welcome: What the server said last; None before.
        state: Of the table above.
    """

    def __init__(self, options: Options, owner: SessionOwner) -> None:
        """Prepare; `run` connects."""
        self.welcome: Welcome | None = None
        self.state: State = "connecting"
        self._options = options
        self._owner = owner
        self._writer: asyncio.StreamWriter | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._sent_s = float("-inf")

    async def run(self) -> None:
        """Be in the room until the server ends it or the task is cancelled."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                await self._attend()
                why = "the server closed the line"
            except (OSError, TimeoutError, LineError) as error:
                why = str(error) or "the server does not answer"
            except _Refused as refused:
                why = str(refused)
                if refused.reason == "resume_failed":
                    self.welcome = None
                elif refused.reason not in _WAITS:
                    self._enter("ended", why)
                    return
            except _Ended as ended:
                self._enter("ended", str(ended))
                return
            if self.state == "joined":
                pause_s = _FIRST_PAUSE_S
            self._enter("connecting", why)
            await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))  # noqa: S311
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)

    def say(self, line: FromClient) -> None:
        """Send a line, if there is one."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(write_line(line))

    def send(self, payload: bytes) -> None:
        """Send a datagram, if joined."""
        if self._transport is not None and self.welcome is not None:
            self._sent_s = asyncio.get_running_loop().time()
            self._transport.sendto(self.welcome.client_id.encode() + payload)

    # ---- asyncio.DatagramProtocol ----------------------------------------------------------

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: D102
        self._owner.sound_came(data, asyncio.get_running_loop().time())

    def error_received(self, exc: Exception) -> None:  # noqa: D102
        pass  # the line will tell whether the server is gone

    # ---- the line --------------------------------------------------------------------------

    async def _attend(self) -> None:
        """Connect, say hello, and listen until the line ends."""
        options = self._options
        async with asyncio.timeout(_CONNECT_WITHIN_S):
            reader, writer = await asyncio.open_connection(options.host, options.port)
        self._writer = writer
        former = self.welcome
        self.say(
            Hello(
                name=options.name,
                room_id=options.room_id if former is None else former.room_id,
                payload=options.payload,
                token=options.token,
                resume_token=None if former is None else former.resume_token,
            )
        )
        keeper = asyncio.create_task(self._keep_alive(), name="keep alive")
        try:
            await self._listen(reader)
        except asyncio.CancelledError:
            self.say(Bye())
            raise
        finally:
            keeper.cancel()
            if self._transport is not None:
                self._transport.close()
                self._transport = None
            writer.close()
            self._writer = None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        lines = LineReader()
        while True:
            async with asyncio.timeout(SILENT_LINE_S):
                data = await reader.read(4096)
            if not data:
                return
            for text in lines.feed(data):
                await self._hear(read_server_line(text))

    async def _hear(self, said: FromServer) -> None:
        match said:
            case Welcome():
                await self._join(said)
            case Users(users=users):
                self._owner.users_changed(users)
            case Ping():
                self.say(Pong())
            case Error() if self.state != "joined":
                raise _Refused(said)
            case Bye(reason=reason) if reason != "draining":
                raise _Ended(reason)
            case _:
                pass

    async def _join(self, welcome: Welcome) -> None:
        self.welcome = welcome
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, remote_addr=(self._options.host, welcome.udp_port)
        )
        self._knock()
        self._enter("joined", welcome.room_id)

    async def _keep_alive(self) -> None:
        """Say something now and then, so that the server goes on sending."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(_KEEP_ALIVE_S, PING_EVERY_S))
            self.say(Ping())
            if loop.time() - self._sent_s >= _KEEP_ALIVE_S:
                self._knock()

    def _knock(self) -> None:
        """Send a datagram of silence; the first one tells the server our address."""
        with contextlib.suppress(OSError):
            self.send(self._owner.silence())

    def _enter(self, state: State, detail: str) -> None:
        self.state = state
        self._owner.state_changed(state, detail)
