"""The front process's side of the UDP gateway: one TCP line for each client, beside its datagrams.

A client is a participant like any other, and its line is its socket: the same entrance, rights and
limits. What other sockets are told as events becomes `users` here, once for all lines of a room.

| the line ends because | the participant |
|---|---|
| the client said `bye` or closed it | leaves |
| it was silent for 15 s | leaves (`timeout`) |
| this server stops, or the seat was resumed by another line | stays, and can be resumed |
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable
from typing import Any, Final

import msgspec

from gateway.wire.datagrams import new_client_id
from gateway.wire.lines import (
    PING_EVERY_S,
    SILENT_LINE_S,
    Bye,
    Deafen,
    Error,
    FromClient,
    FromServer,
    Hello,
    LineError,
    LineReader,
    Mute,
    Ping,
    Pong,
    User,
    Users,
    Volume,
    Welcome,
    read_client_line,
    write_line,
)
from rooms.models import Participant, ParticipantKind, UdpAccess
from webrtc.errors import ClientError
from webrtc.signaling.connection import Connection
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.dispatch import Dispatcher
from webrtc.signaling.messages_desk import ListenerMix
from webrtc.signaling.messages_joining import JoinRoom

logger = logging.getLogger(__name__)

_HELLO_WITHIN_S: Final = 10.0
_USERS_EVERY_S: Final = 0.1
_MOST_UNREAD_BYTES: Final = 256 * 1024
_USERS_EVENTS: Final = (b'["participant_', b'["active_speakers"')
_HEAD_BYTES: Final = 48


class _Gone(Exception):  # noqa: N818 — nothing went wrong
    """The client is gone; the text is the reason that others are told."""


class _Line:
    """A client's line, as what everything above takes for its socket."""

    def __init__(self, writer: asyncio.StreamWriter, on_users: Callable[["_Line"], None]) -> None:
        self.room_id: str | None = None
        self._writer = writer
        self._on_users = on_users

    def write(self, frame: bytes) -> None:
        """See `Socket`: an event, of which only some matter here."""
        head = frame[:_HEAD_BYTES]
        if any(event in head for event in _USERS_EVENTS):
            self._on_users(self)
        elif b'["room_closed"' in head:
            self.say(Bye(reason="room_closed"))
            self._writer.close()
        elif b'["server_draining"' in head:
            self.say(Bye(reason="draining"))

    def write_lossy(self, frame: bytes) -> None:
        """See `Socket`: levels, which nobody here asked for."""

    def hang_up(self) -> None:
        """See `Socket`."""
        self.say(Bye(reason="replaced"))
        self._writer.close()

    def say(self, line: FromServer) -> None:
        """Send a line."""
        self.send(write_line(line))

    def send(self, line: bytes) -> None:
        """Send a line that is written already; a client that does not read is disconnected."""
        if self._writer.is_closing():
            return
        self._writer.write(line)
        if self._writer.transport.get_write_buffer_size() > _MOST_UNREAD_BYTES:
            self._writer.transport.abort()


class GatewayControl:
    """Serves the lines of all clients."""

    def __init__(self, desk: FrontDesk, dispatcher: Dispatcher) -> None:
        """Serve nobody yet."""
        self._desk = desk
        self._dispatcher = dispatcher
        self._lines: dict[str, set[_Line]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._closing = False

    async def start(self, listener: socket.socket) -> None:
        """Serve on a listening socket."""
        self._server = await asyncio.start_server(self._serve, sock=listener)

    async def close(self) -> None:
        """Close every line; their participants can be resumed."""
        self._closing = True
        for timer in self._timers.values():
            timer.cancel()
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._attend(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client's business, or our end
        except Exception:
            logger.exception("a line of the UDP gateway broke off")
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = _Line(writer, self._users_changed)
        if self._dispatcher.sockets >= self._desk.conference.limits.max_sockets:
            line.say(Error(reason="server_full", detail="this server takes no more lines"))
            return
        address = writer.get_extra_info("peername")
        if address is None:  # it was gone before we looked
            return
        connection = self._dispatcher.connected(line, address=address[0])
        reason = "left"
        try:
            conversation = _Conversation(self._desk, connection, line, address[0])
            lines = _lines(reader)
            await conversation.greet(await anext(lines))
            self._enter(line)
            async for text in lines:
                if text is None:
                    line.say(Ping())
                else:
                    await conversation.handle(text)
        except _Gone as gone:
            reason = str(gone)
        except StopAsyncIteration:
            pass
        except TimeoutError:
            line.say(Error(reason="bad_message", detail="no hello came in time"))
        except (LineError, ClientError) as error:
            line.say(Error(reason=error.reason, detail=str(error)))
        finally:
            self._leave(line)
            seat = connection.seat
            if seat is not None and not self._closing:
                await self._desk.entrance.leave(seat, reason)
            self._dispatcher.disconnected(connection)

    # ---- who is told about users ------------------------------------------------------------

    def _enter(self, line: _Line) -> None:
        if line.room_id is not None:
            self._lines.setdefault(line.room_id, set()).add(line)
            self._users_changed(line)

    def _leave(self, line: _Line) -> None:
        lines = self._lines.get(line.room_id or "")
        if lines is not None:
            lines.discard(line)
            if not lines:
                del self._lines[line.room_id or ""]

    def _users_changed(self, line: _Line) -> None:
        """Tell a line's room soon who is there: once, whatever happens meanwhile."""
        room_id = line.room_id
        if room_id is not None and room_id not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[room_id] = loop.call_later(_USERS_EVERY_S, self._start_telling, room_id)

    def _start_telling(self, room_id: str) -> None:
        del self._timers[room_id]
        task = asyncio.create_task(self._tell(room_id), name="tell the users of a room")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, room_id: str) -> None:
        conference = self._desk.conference
        users = [
            User(
                participant_id=one.participant_id,
                name=one.name,
                muted=one.muted,
                deafened=one.deafened,
                speaking=conference.levels.speaking(room_id, one.participant_id),
            )
            for one in await conference.present(room_id)
        ]
        text = write_line(Users(users=users))
        for line in self._lines.get(room_id, ()):
            line.send(text)


class _Conversation:
    """What one client says, and what comes of it."""

    def __init__(self, desk: FrontDesk, connection: Connection, line: _Line, host: str) -> None:
        self._desk = desk
        self._connection = connection
        self._line = line
        self._host = int(ipaddress.IPv4Address(host))

    async def greet(self, text: bytes | None) -> None:
        """Let the client into its room.

        Raises:
            ClientError: It may not come in.
            LineError: It said something else.
            TimeoutError: It said nothing.
        """
        if text is None:
            raise TimeoutError
        hello = read_client_line(text)
        if not isinstance(hello, Hello):
            raise LineError("the first line is a hello")
        desk = self._desk
        joined = await desk.entrance.join(self._connection, _request(hello))
        seat = desk.conference.seat_of(self._connection)
        welcome = desk.workers.welcome(seat.worker)
        if welcome is None or not welcome.gateway_port:
            await desk.entrance.leave(seat, "left")
            raise ClientError("worker_unavailable", "the room's media worker is restarting", 0.5)
        access = UdpAccess(new_client_id(), hello.payload, self._host)

        def apply(participant: Participant) -> Participant:
            return msgspec.structs.replace(participant, kind=ParticipantKind.UDP, udp=access)

        await desk.conference.change(seat.participant_id, apply)
        desk.conference.announcer.request(seat.participant_id)
        self._line.room_id = joined.room_id
        self._line.say(
            Welcome(
                client_id=access.client_id,
                participant_id=joined.participant_id,
                udp_port=welcome.gateway_port,
                room_id=joined.room_id,
                payload=hello.payload,
                resume_token=joined.resume_token,
            )
        )

    async def handle(self, text: bytes) -> None:
        """Do what a line asks for; what is wrong with it is answered.

        Raises:
            _Gone: The client says goodbye.
        """
        wait_s = self._connection.bucket.take(1, asyncio.get_running_loop().time())
        try:
            if wait_s:
                raise ClientError("rate_limited", "too many lines", round(wait_s, 3))
            await self._do(read_client_line(text))
        except (LineError, ClientError) as error:
            self._line.say(Error(reason=error.reason, detail=str(error)))

    async def _do(self, said: FromClient) -> None:
        changes, connection = self._desk.changes, self._connection
        match said:
            case Mute(on=on):
                await changes.set_muted(connection, on)
            case Deafen(on=on):
                await changes.set_deafened(connection, on)
            case Volume():
                await changes.set_listener_mix(connection, _mix(said))
            case Ping():
                self._line.say(Pong())
            case Bye():
                raise _Gone("left")
            case Hello():
                raise ClientError("already_joined", "a line has one hello")
            case Pong():
                pass


async def _lines(reader: asyncio.StreamReader) -> Any:
    """Yield a client's lines until it closes; None after every few seconds without one.

    Raises:
        _Gone: It has been silent for too long.
        LineError: A line has no end.
    """
    lines = LineReader()
    loop = asyncio.get_running_loop()
    heard_s = loop.time()
    patience_s = _HELLO_WITHIN_S
    while True:
        data = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                data = await reader.read(4096)
        if data is None:
            if loop.time() - heard_s > SILENT_LINE_S:
                raise _Gone("timeout")
            yield None
            continue
        if not data:
            return
        heard_s = loop.time()
        for line in lines.feed(data):
            patience_s = PING_EVERY_S
            yield line


def _request(hello: Hello) -> JoinRoom:
    """Return what a browser would send; checked by the same definition.

    Raises:
        LineError: A value is out of range there.
    """
    wanted = {"role": "both", "name": hello.name or None, "room_id": hello.room_id or None}
    wanted |= {"token": hello.token, "resume_token": hello.resume_token}
    given = {key: value for key, value in wanted.items() if value is not None}
    try:
        return msgspec.convert(given, JoinRoom)
    except msgspec.ValidationError as error:
        raise LineError(str(error)) from None


def _mix(volume: Volume) -> ListenerMix:
    given = msgspec.structs.asdict(volume)
    return msgspec.convert(
        {key: value for key, value in given.items() if value is not msgspec.UNSET}, ListenerMix
    )
