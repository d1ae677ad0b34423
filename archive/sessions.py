"""What a session is: somebody's time in a room, and the latest of what was said in it.

Sound is kept as Opus, in chunks of about a second. A chunk knows where in the session it is;
between chunks nobody spoke. Only so many chunks are kept: the oldest give way.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

PACKET_MS: Final = 20
"""Length of every packet that is kept."""
MAX_CHUNK_BYTES: Final = 16 * 1024
"""Of a chunk's packets: more is refused, so that a session's memory has a bound."""

_CURSOR: Final = re.compile(r"[0-9]{15}:[0-9a-f]{1,64}")
_LENGTH: Final = struct.Struct(">H")


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody's time in a room.

    Attributes:
        session_id: Hexadecimal digits.
        vault: Whose it is: hexadecimal digits that stand for the room's host key. A room of the
            same name that is made later is another one.
        name: What the participant was called; may be empty. Personal: never logged.
        kind: How the participant was connected.
        started_at: Seconds since the epoch; where the session's own time is 0.
        ended_at: The same, None while it goes on.
        seen_at: When it was last known to go on.
        channels: 1 or 2.
    """

    session_id: str
    vault: str
    room_id: str
    participant_id: str
    started_at: float
    seen_at: float
    name: str = ""
    kind: str = "webrtc"
    ended_at: float | None = None
    channels: int = 2
    tenant: str = "default"

    @property
    def cursor(self) -> str:
        """Its place in a list, which is sorted by time."""
        return f"{round(self.started_at * 1000):015d}:{self.session_id}"


class Chunk(msgspec.Struct, frozen=True, array_like=True):
    """About a second of a session.

    Attributes:
        at_ms: Where in the session its first sample is.
        length_ms: How long it is.
        packets: Opus packets of 20 ms, one behind the other, as `pack` writes them.
    """

    at_ms: int
    length_ms: int
    packets: bytes

    @property
    def end_ms(self) -> int:
        """Where in the session the first sample behind it is."""
        return self.at_ms + self.length_ms


class Extent(msgspec.Struct, frozen=True):
    """What of a session is kept: from where to where in its own time; 0 and 0 for nothing."""

    first_ms: int = 0
    end_ms: int = 0
    chunks: int = 0

    @property
    def length_ms(self) -> int:
        """How long that is, with the pauses in it."""
        return self.end_ms - self.first_ms


class Page(msgspec.Struct, frozen=True):
    """A part of a list, the latest first; `cursor` asks for the next one, None at the end."""

    sessions: list[Session]
    cursor: str | None = None


def pack(packets: Iterable[bytes]) -> bytes:
    """Return Opus packets one behind the other, each with its length (16 bits) before it."""
    return b"".join(_LENGTH.pack(len(packet)) + packet for packet in packets)


def unpack(packed: bytes) -> Iterator[bytes]:
    """Yield the packets again; what was cut off is left out."""
    at = 0
    while at + _LENGTH.size <= len(packed):
        (size,) = _LENGTH.unpack_from(packed, at)
        at += _LENGTH.size
        if at + size > len(packed):
            return
        yield packed[at : at + size]
        at += size


def is_cursor(text: str) -> bool:
    """Return whether a client's text can be a cursor."""
    return _CURSOR.fullmatch(text) is not None
