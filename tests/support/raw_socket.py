"""A websocket that says what no client library would."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support.front import RunningFront
from tests.support.patience import PATIENCE_S

SOCKETIO_URL = "/socket.io/?EIO=4&transport=websocket"


class RawSocket:
    """Speaks Engine.IO frames by hand."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self._websocket = websocket
        self.opened: dict[str, Any] = {}

    async def send(self, frame: str | bytes) -> None:
        """Send one frame as it is."""
        if isinstance(frame, bytes):
            await self._websocket.send_bytes(frame)
        else:
            await self._websocket.send_str(frame)

    async def receive(self) -> str | None:
        """Return the next text frame, None when the server closed."""
        message = await self._websocket.receive(timeout=PATIENCE_S)
        return message.data if message.type is aiohttp.WSMsgType.TEXT else None

    async def ack(self, ack_id: int) -> Any:
        """Return what acknowledges `ack_id`, skipping everything else."""
        while (frame := await self.receive()) is not None:
            if frame.startswith(f"43{ack_id}["):
                return json.loads(frame[len(f"43{ack_id}") :])[0]
        raise EOFError

    async def closed(self) -> bool:
        """Wait for the server to close; return whether it did."""
        while await self.receive() is not None:
            pass
        return self._websocket.closed

    async def is_well(self) -> bool:
        """Return whether an event is still answered."""
        await self.send('429999["get_stats"]')
        return (await self.ack(9999))["error"]["reason"] in ("not_joined", "rate_limited")


@asynccontextmanager
async def raw_socket(front: RunningFront, *, connect: bool = True) -> AsyncIterator[RawSocket]:
    """Open a websocket and, unless told otherwise, the Socket.IO connection on it."""
    async with front.http.ws_connect(SOCKETIO_URL) as websocket:
        socket = RawSocket(websocket)
        opened = await socket.receive()
        assert opened is not None
        assert opened[0] == "0"
        socket.opened = json.loads(opened[1:])
        if connect:
            await socket.send("40")
            while (answer := await socket.receive()) == "2":
                pass  # a test may have pings come before anything else
            assert answer is not None
            assert answer.startswith("40{")
        yield socket
