"""Our touches of python-socketio and python-engineio, private ones included, all in this file.

The library keeps the handshake, the pings and the life of a socket. Four things are ours, because
with the library's own way a client could make the server log tracebacks, because one emit to a
room would start one task per listener, and because a closed socket would be kept for 25 s:

- `_WebSocket` takes the place of the library's aiohttp wrapper: it lets only well-formed Engine.IO
  frames through, and offers whole frames to the transport at once (no compression, no queue).
- `_Engine` knows the task that waits for a socket's next ping, so that it can be ended with it.
- `_handle_eio_message` parses Socket.IO packets strictly and hands events to our dispatcher; a
  client cannot call the library's `connect` and `disconnect` handlers by sending events so named.
- `_send_packet` writes through the same path, so that acknowledgements and events keep their order.

tests/signaling/test_socketio_adapter.py holds the contract with the pinned versions.
"""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

import engineio
import socketio
from aiohttp import WSCloseCode, WSMsgType, web
from engineio.async_socket import AsyncSocket

from webrtc.errors import ClientError
from webrtc.front_addresses import Addresses
from webrtc.signaling.connection import Connection
from webrtc.signaling.dispatch import Dispatcher
from webrtc.signaling.messages_parts import MAX_MESSAGE_BYTES
from webrtc.signaling.wire import (
    parse_binary_event_packet,
    parse_connect_token,
    parse_event_packet,
    text_frame,
)

SOCKETIO_PATH: Final = "/socket.io/"
PING_INTERVAL_S: Final = 25
PING_TIMEOUT_S: Final = 20
LOSSY_LIMIT_BYTES: Final = 64 * 1024
"""Unsent bytes of a socket above which it gets no levels."""
UNSENT_LIMIT_BYTES: Final = 4 << 20
"""Unsent bytes of a socket above which it is disconnected."""
CONNECT_TIMEOUT_S: Final = 10.0
"""How long an open websocket may take to become a Socket.IO connection."""
CLOSE_TIMEOUT_S: Final = 2.0
MAX_NAMESPACE_CHARS: Final = 100

_NAMESPACE: Final = "/"
_CONNECT, _DISCONNECT, _EVENT, _BINARY_EVENT = "0", "1", "2", "5"
_PACKET_TYPES: Final = frozenset("0123456")
_ENGINE_PONG, _ENGINE_MESSAGE = "3", "4"
_library_logger = logging.getLogger("webrtc.socketio")
_library_logger.setLevel(logging.ERROR)
_DISCONNECT_FRAME: Final = text_frame(b"41")


class _WebSocket:
    """One websocket, in the place and with the methods of engineio's aiohttp wrapper."""

    def __init__(self, server: "SignalingServer", handler: Any, _engine: Any) -> None:
        self.engine_id: str = handler.__self__.sid
        self.connection: Connection | None = None
        self.token: str | None = None
        self.address = ""
        self._server = server
        self._handler = handler
        self._response = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES, compress=False)
        self._transport: asyncio.Transport | None = None
        self._opened = asyncio.Event()
        self._patience: asyncio.TimerHandle | None = None
        self._hung_up = False

    # ---- what engineio calls ----

    async def __call__(self, environ: dict[str, Any]) -> web.StreamResponse:
        request: web.Request = environ["aiohttp.request"]
        self.address = self._server.addresses.of(request)
        try:
            await self._response.prepare(request)
            self._transport = request.transport
            self._server.add(self)
            await self._handler(self)
        finally:
            self._be_patient_no_more()
            self._server.remove(self)
        return self._response

    async def wait(self) -> str | None:
        """Return the next well-formed frame; None ends the connection.

        An exception would end it too, but its traceback and engineio's frame would hold each
        other, and the whole connection with them, until the garbage collector gets to it.
        """
        await self._opened.wait()  # our OPEN packet goes first, even to a hasty client
        while True:
            message = await self._response.receive()
            if message.type is WSMsgType.TEXT and _well_formed(message.data):
                return str(message.data)
            if message.type is not WSMsgType.BINARY:
                return None
            # An attachment of a binary event, which was refused when it came.

    async def send(self, message: str) -> None:
        """Send one of engineio's own packets."""
        await self._response.send_str(message)
        if not self._opened.is_set():
            self._opened.set()
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(CONNECT_TIMEOUT_S, self.hang_up)

    async def close(self) -> None:
        """Close the websocket."""
        self._opened.set()
        await self._response.close()

    # ---- what we call (Socket) ----

    def write(self, frame: bytes) -> None:
        """See `Socket`."""
        transport = self._writable()
        if transport is None:
            return
        if transport.get_write_buffer_size() > UNSENT_LIMIT_BYTES:
            self._server.slow_sockets += 1
            transport.abort()
            return
        transport.write(frame)

    def write_lossy(self, frame: bytes) -> None:
        """See `Socket`."""
        transport = self._writable()
        if transport is None:
            return
        if transport.get_write_buffer_size() > LOSSY_LIMIT_BYTES:
            self._server.dropped_levels += 1
            return
        transport.write(frame)

    def hang_up(self) -> None:
        """See `Socket.hang_up`."""
        if not self._hung_up:
            self._hung_up = True
            self.write(_DISCONNECT_FRAME)
            self._server.run(self._response.close())

    def accept(self, connection: Connection) -> None:
        """Become a Socket.IO connection."""
        self._be_patient_no_more()
        self.connection = connection

    async def go_away(self) -> None:
        """Close because the server stops."""
        await self._response.close(code=WSCloseCode.GOING_AWAY)

    def _writable(self) -> asyncio.Transport | None:
        transport = self._transport
        if transport is None or transport.is_closing() or self._response.closed:
            return None
        return transport

    def _be_patient_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


class _Engine(engineio.AsyncServer):  # type: ignore[misc]
    """engineio's server, whose pings can be stopped."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._pings: dict[str, asyncio.Task[None]] = {}

    def start_background_task(
        self, target: Any, *arguments: Any, **options: Any
    ) -> asyncio.Task[None]:
        """Start a task, as engineio does when a socket's next ping is to be waited for."""
        task: asyncio.Task[None] = super().start_background_task(target, *arguments, **options)
        if getattr(target, "__func__", None) is AsyncSocket._send_ping:
            self._pings[target.__self__.sid] = task
        return task

    def stop_pings(self, engine_id: str) -> None:
        """Let go of a socket that is closed; its next ping would be due in up to 25 s."""
        ping = self._pings.pop(engine_id, None)
        if ping is not None:
            ping.cancel()


class SignalingServer(socketio.AsyncServer):  # type: ignore[misc]
    """Socket.IO for the dispatcher: websocket transport, the root namespace, text only."""

    def __init__(
        self, dispatcher: Dispatcher, max_sockets: int, addresses: Addresses | None = None
    ) -> None:
        super().__init__(
            async_mode="aiohttp",
            transports=["websocket"],
            max_http_buffer_size=MAX_MESSAGE_BYTES,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            # A websocket that is silent for longer than both ends by itself.
            monitor_clients=False,
            # Origins are checked before a request gets here.
            cors_allowed_origins=[],
            http_compression=False,
            # Below ERROR the library logs whole packets: names, tokens, session descriptions. By
            # default it would also write to stderr itself, and wait for it.
            logger=_library_logger,
            engineio_logger=_library_logger,
        )
        self.eio._async = {**self.eio._async, "websocket": partial(_WebSocket, self)}
        self.on("connect", self._on_connect)
        self.on("disconnect", self._on_disconnect)
        self._dispatcher = dispatcher
        self._max_sockets = max_sockets
        self.addresses = addresses or Addresses()
        self._websockets: dict[str, _WebSocket] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.slow_sockets = 0
        """Sockets that were closed because they did not read."""
        self.dropped_levels = 0
        """Levels that lagging sockets did not get."""

    @property
    def socket_count(self) -> int:
        """Open websockets."""
        return len(self._websockets)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer an HTTP request to the Socket.IO path.

        Raises:
            ClientError: `bad_message` for anything but a websocket, `server_full`.
        """
        if not _is_handshake(request):
            raise ClientError("bad_message", "Socket.IO 5 is served here, over websockets only")
        if self.socket_count >= self._max_sockets:
            raise ClientError("server_full", "this server holds no more sockets", 5.0)
        response: web.StreamResponse = await self.handle_request(request)
        return response

    async def close(self) -> None:
        """Close every socket; clients come back by themselves."""
        closing = [asyncio.create_task(one.go_away()) for one in self._websockets.values()]
        if closing:
            _, late = await asyncio.wait(closing, timeout=CLOSE_TIMEOUT_S)
            for task in (*late, *self._tasks):
                task.cancel()

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run `work` as a task of this server."""
        task = asyncio.create_task(work, name="closing a websocket")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def add(self, websocket: _WebSocket) -> None:
        """Take a websocket that is open."""
        self._websockets[websocket.engine_id] = websocket

    def remove(self, websocket: _WebSocket) -> None:
        """Forget a websocket; engineio itself would keep one whose handshake failed."""
        self._websockets.pop(websocket.engine_id, None)
        self.eio.stop_pings(websocket.engine_id)
        engine_socket = self.eio.sockets.get(websocket.engine_id)
        if engine_socket is not None and not engine_socket.connected:
            engine_socket.closed = True
            del self.eio.sockets[websocket.engine_id]
            self.environ.pop(websocket.engine_id, None)

    # ---- what the library calls ----

    def _engineio_server_class(self) -> type[_Engine]:
        return _Engine

    async def _on_connect(self, sid: str, _environ: dict[str, Any]) -> None:
        websocket = self._websockets[self.manager.eio_sid_from_sid(sid, _NAMESPACE)]
        connection = self._dispatcher.connected(websocket, websocket.token, websocket.address)
        websocket.accept(connection)

    async def _on_disconnect(self, sid: str, _reason: str) -> None:
        engine_id = self.manager.eio_sid_from_sid(sid, _NAMESPACE)
        websocket = self._websockets.get(engine_id)
        if websocket is None or websocket.connection is None:
            return
        connection, websocket.connection = websocket.connection, None
        self._dispatcher.disconnected(connection)

    async def _handle_eio_message(self, eio_sid: str, data: str) -> None:
        websocket = self._websockets[eio_sid]
        kind, text = data[0], data[1:]
        if kind == _CONNECT:
            websocket.token = parse_connect_token(text)
            await self._handle_connect(eio_sid, _namespace(text), None)
        elif kind == _DISCONNECT:
            if _namespace(text) == _NAMESPACE:
                await self._handle_disconnect(eio_sid, _NAMESPACE, self.reason.CLIENT_DISCONNECT)
        elif websocket.connection is not None:
            if kind == _EVENT:
                await self._dispatcher.handle(websocket.connection, parse_event_packet(text))
            elif kind == _BINARY_EVENT:
                packet = parse_binary_event_packet(text)
                await self._dispatcher.handle(websocket.connection, packet)

    async def _send_packet(self, eio_sid: str, pkt: Any) -> None:
        websocket = self._websockets.get(eio_sid)
        if websocket is not None:
            websocket.write(text_frame(b"4" + pkt.encode().encode()))


def _is_handshake(request: web.Request) -> bool:
    """Return whether engineio will make a websocket of a request, and not fail half-way."""
    query = request.query
    return (
        query.getall("EIO", []) == ["4"]
        and query.get("transport") == "websocket"
        and not {"sid", "j"} & query.keys()
        and "upgrade" in request.headers.get("Connection", "").lower().replace(" ", "").split(",")
        and bool(web.WebSocketResponse().can_prepare(request))
    )


def _well_formed(text: str) -> bool:
    """Return whether engineio can take `text` without raising.

    Its own close packet is none of these: the websocket is closed for it at once.
    """
    if text == _ENGINE_PONG:
        return True
    return text[:1] == _ENGINE_MESSAGE and text[1:2] in _PACKET_TYPES


def _namespace(text: str) -> str:
    """Return the namespace that a packet names; none means the root."""
    if not text.startswith("/"):
        return _NAMESPACE
    return text.partition(",")[0].partition("?")[0][:MAX_NAMESPACE_CHARS]
