"""One client's socket, as everything above the Socket.IO library sees it."""

import asyncio
from typing import TYPE_CHECKING, Protocol

import msgspec

from webrtc.signaling.events import Event
from webrtc.signaling.rate import TokenBucket
from webrtc.signaling.wire import event_frame

if TYPE_CHECKING:
    from webrtc.signaling.presence import Seat


class Socket(Protocol):
    """A websocket that takes whole frames."""

    def write(self, frame: bytes) -> None:
        """Send `frame`; a client that does not read is disconnected. Never blocks."""
        ...

    def write_lossy(self, frame: bytes) -> None:
        """Send `frame` unless the client lags behind. Never blocks."""
        ...

    def hang_up(self) -> None:
        """Tell the client not to come back with this socket, and close it."""
        ...


class Connection:
    """A socket, the seat that it holds, and what runs on its behalf.

    Args:
        socket: takes what is to be sent.
        bucket: how many events it may send.
        token: the join token that was shown when it was opened, if one was.
        address: IP address of the client, "" where nobody knows. Personal: never logged.
    """

    def __init__(
        self, socket: Socket, bucket: TokenBucket, token: str | None = None, address: str = ""
    ) -> None:
        self.socket = socket
        self.bucket = bucket
        self.token = token
        self.address = address
        self.is_known = False
        """Whether a good token was shown on it."""
        self.is_gone = False
        self.only_worker: int | None = None
        """The one media worker that can serve the client; None for any."""
        self.guest_id = ""
        """While it waits at a door, see `webrtc.signaling.waiting_room`."""
        self.admitted_to: bytes | None = None
        self.denied_from: set[bytes] = set()
        """Both by the room's `host_key_hash`: another room may later have its id."""
        self.seat: Seat | None = None
        self.refusals = 0
        """How many events in a row were over the rate."""
        self.tasks: set[asyncio.Task[None]] = set()
        """Negotiations under way; cancelled when the socket is gone."""

    def emit(self, name: str, event: Event | msgspec.Raw) -> None:
        """Send one event."""
        self.socket.write(event_frame(name, event))
