"""How a participant gets into a room: the doors of the servers that are measured."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.load.sdp import Direction
from benchmarks.load.websocket import Websocket

_ANSWER_TIMEOUT_S = 30.0


class DoorError(Exception):
    """The server refused, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A seat in a room.

    Attributes:
        answer: the server's SDP answer.
        connection: the signaling connection that keeps the seat.
        resume_token: brings the same seat back after a reload; empty where there is none.
    """

    answer: str
    connection: "SignalingConnection"
    resume_token: str = ""


class SignalingConnection(Protocol):
    """A signaling connection that can be let go."""

    def close(self) -> None:
        """Leave."""


class Door(Protocol):
    """Takes an offer into a room."""

    async def enter(self, room: str, direction: Direction, offer: str) -> Entry:
        """Join `room` and return the server's answer.

        Raises:
            DoorError: the server refused or stayed silent.
        """


class SocketIoConnection:
    """Socket.IO v5 over a websocket: events with acknowledgements.

    Attributes:
        on_event: Gets the server's own events, if anybody wants them.
        is_closed: Whether the server has hung up.
    """

    def __init__(self) -> None:
        self._websocket = Websocket(self._on_text, self._on_closed)
        self._next_id = 0
        self._frozen = False
        self.is_closed = False
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.on_event: Callable[[str, Any], None] | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def connect(cls, base_url: str) -> "SocketIoConnection":
        """Connect to a server's http:// address and open the default namespace."""
        connection = cls()
        url = base_url.replace("http://", "ws://", 1).rstrip("/")
        await connection._websocket.connect(f"{url}/socket.io/?EIO=4&transport=websocket")
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            await connection._ready
        return connection

    async def call(self, event: str, *arguments: object) -> Any:
        """Emit an event and return its acknowledgement.

        Raises:
            DoorError: the server stayed silent or hung up.
        """
        self._next_id += 1
        number = self._next_id
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._websocket.send_text(f"42{number}" + json.dumps([event, *arguments]))
        try:
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                return await answer
        except TimeoutError:
            raise DoorError(f"no acknowledgement of {event}") from None
        finally:
            self._waiting.pop(number, None)

    def send_frame(self, text: str) -> None:
        """Send any Engine.IO frame, well-formed or not."""
        self._websocket.send_text(text)

    def close(self) -> None:
        """Hang up."""
        self._websocket.close()

    def freeze(self) -> None:
        """Fall silent without a goodbye, as a machine does that lost its power."""
        self._frozen = True

    def _on_text(self, text: str) -> None:
        if self._frozen:
            return
        if text.startswith("43"):
            bracket = text.index("[")
            waiting = self._waiting.get(int(text[2:bracket]))
            if waiting is not None and not waiting.done():
                values = json.loads(text[bracket:])
                waiting.set_result(values[0] if values else None)
        elif text.startswith("42") and self.on_event is not None:
            name, *payload = json.loads(text[2:])
            self.on_event(name, payload[0] if payload else None)
        elif text == "2":
            self._websocket.send_text("3")
        elif text.startswith("0"):
            self._websocket.send_text("40")
        elif text.startswith("40") and not self._ready.done():
            self._ready.set_result(None)
        elif text.startswith("44") and not self._ready.done():
            self._ready.set_exception(DoorError(text[2:]))

    def _on_closed(self) -> None:
        self.is_closed = True
        for waiting in (self._ready, *self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(DoorError("the server hung up"))


@dataclass(frozen=True, slots=True)
class SocketIoDoor:
    """Our own server's door: `join_room`, then `offer`.

    With `resume_token`, for who comes back.
    """

    base_url: str
    resume_token: str = ""

    async def enter(self, room: str, direction: Direction, offer: str) -> Entry:
        """Join `room` with the role that the direction means."""
        role = {"sendrecv": "both", "sendonly": "publisher", "recvonly": "subscriber"}[direction]
        connection = await SocketIoConnection.connect(self.base_url)
        wish = {"room_id": room, "role": role}
        if self.resume_token:
            wish["resume_token"] = self.resume_token
        joined = await connection.call("join_room", wish)
        check(joined)
        answer = await connection.call("offer", {"type": "offer", "sdp": offer})
        check(answer)
        return Entry(answer["sdp"], connection, joined.get("resume_token", ""))


def check(acknowledgement: Any) -> None:
    """See that an event was not refused.

    Raises:
        DoorError: it was.
    """
    if not isinstance(acknowledgement, dict) or not acknowledgement.get("ok"):
        raise DoorError(f"refused: {acknowledgement}")
