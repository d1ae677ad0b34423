"""A websocket client without frills (RFC 6455), because a load test holds a thousand of them."""

import asyncio
import base64
import os
from collections.abc import Callable
from urllib.parse import urlsplit

_TEXT = 1
_CLOSE = 8
_PING = 9
_PONG = 10
_MAX_FRAME_BYTES = 8 << 20


class WebsocketError(Exception):
    """The server did not become, or is no longer, a websocket."""


class Websocket(asyncio.Protocol):
    """Calls `on_text` with every text message; fragments are put together."""

    def __init__(self, on_text: Callable[[str], None], on_closed: Callable[[], None]) -> None:
        self._on_text = on_text
        self._on_closed = on_closed
        self._buffer = bytearray()
        self._fragments: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_open = False

    async def connect(self, url: str, subprotocol: str | None = None) -> None:
        """Connect to a ws:// URL; called once.

        Raises:
            WebsocketError: the server answered with anything but a websocket.
            OSError: there is no server.
        """
        parts = urlsplit(url)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, parts.hostname or "", parts.port or 80)
        key = base64.b64encode(os.urandom(16)).decode()
        wanted = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
        self._write(
            f"GET {parts.path or '/'}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n{wanted}\r\n".encode()
        )
        await self._open

    def send_text(self, text: str) -> None:
        """Send one text message."""
        self._send_frame(_TEXT, text.encode())

    def close(self) -> None:
        """Say goodbye and close."""
        if self._transport is not None and not self._transport.is_closing():
            self._send_frame(_CLOSE, b"")
            self._transport.close()

    # ---- asyncio.Protocol ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        if not self._open.done():
            self._open.set_exception(WebsocketError(f"connection lost: {error}"))
        self._on_closed()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the server."""
        self._buffer += data
        if not self._is_open and not self._read_handshake():
            return
        self._read_frames()

    # ---- below -----------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def _read_handshake(self) -> bool:
        head, separator, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not separator:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            if not self._open.done():
                self._open.set_exception(WebsocketError(head.split(b"\r\n")[0].decode()))
            assert self._transport is not None
            self._transport.close()
            return False
        self._buffer = bytearray(rest)
        self._is_open = True
        if not self._open.done():
            self._open.set_result(None)
        return True

    def _read_frames(self) -> None:
        buffer = self._buffer
        at = 0
        while len(buffer) - at >= 2:
            first, size, start = buffer[at], buffer[at + 1] & 0x7F, at + 2
            if size == 126:
                size, start = int.from_bytes(buffer[start : start + 2], "big"), start + 2
            elif size == 127:
                size, start = int.from_bytes(buffer[start : start + 8], "big"), start + 8
            if size > _MAX_FRAME_BYTES:
                raise WebsocketError("frame too large")
            if len(buffer) < start + size:
                break
            self._handle_frame(first, bytes(buffer[start : start + size]))
            at = start + size
        del buffer[:at]

    def _handle_frame(self, first: int, payload: bytes) -> None:
        kind = first & 0x0F
        if kind == _PING:
            self._send_frame(_PONG, payload)
        elif kind == _CLOSE:
            assert self._transport is not None
            self._transport.close()
        elif kind in (0, _TEXT):
            self._fragments.append(payload)
            if first & 0x80:
                text = b"".join(self._fragments).decode()
                self._fragments.clear()
                self._on_text(text)

    def _send_frame(self, kind: int, payload: bytes) -> None:
        """Send a masked frame; the mask is zero, so that masking costs nothing."""
        size = len(payload)
        if size < 126:
            head = bytes((0x80 | kind, 0x80 | size))
        elif size < 1 << 16:
            head = bytes((0x80 | kind, 0x80 | 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | kind, 0x80 | 127)) + size.to_bytes(8, "big")
        self._write(head + bytes(4) + payload)
