"""What goes over the control line: one JSON object on each line, tagged by `type`.

| from the client | |
|---|---|
| `hello` | first; `name`, `room_id`, `payload`, and `resume_token` after a lost line |
| `mute`, `deafen` | `on`: nobody hears me, I hear nobody |
| `volume` | how I alone hear `participant_id`: `gain_db`, `pan`, `muted` |
| `pong` | to a `ping` |
| `bye` | I am gone |

| from the server | |
|---|---|
| `welcome` | to `hello`: `client_id` for the datagrams, `udp_port` for them, and who I am |
| `users` | who is there, whenever that changes |
| `ping` | every 5 s |
| `error` | what was wrong with a line; after a wrong `hello` the line is closed |
| `bye` | the line is closed: `reason` |
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gateway.wire.datagrams import PayloadKind

MOST_LINE_BYTES: Final = 4096
PING_EVERY_S: Final = 5.0
SILENT_LINE_S: Final = 15.0
"""Without a line for so long, the other side is taken to be gone."""

_Name = Annotated[str, Meta(max_length=64)]
_Id = Annotated[str, Meta(max_length=128)]


class LineError(Exception):
    """A line that cannot be read; the text says why, `reason` is a code."""

    reason = "bad_message"


class _Line(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower, kw_only=True):
    """Base of every line; the class's name in lower case is its type."""


class Hello(_Line, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line of a client."""

    name: _Name = ""
    room_id: _Id = ""
    payload: PayloadKind = "pcm"
    token: Annotated[str, Meta(max_length=3072)] | None = None
    resume_token: Annotated[str, Meta(max_length=256)] | None = None


class Mute(_Line, frozen=True, kw_only=True):
    """Nobody hears me any more, or everybody does again."""

    on: bool


class Deafen(_Line, frozen=True, kw_only=True):
    """I hear nobody any more, or everybody again."""

    on: bool


class Volume(_Line, frozen=True, kw_only=True):
    """How I alone hear somebody."""

    participant_id: _Id
    gain_db: Annotated[float, Meta(ge=-60, le=12)] | msgspec.UnsetType = msgspec.UNSET
    pan: Annotated[float, Meta(ge=-1, le=1)] | msgspec.UnsetType = msgspec.UNSET
    muted: bool | msgspec.UnsetType = msgspec.UNSET


class Ping(_Line, frozen=True):
    """Are you there?"""


class Pong(_Line, frozen=True):
    """I am."""


class Bye(_Line, frozen=True, kw_only=True):
    """The line is about to be closed."""

    reason: str = "left"


class Welcome(_Line, frozen=True, kw_only=True):
    """The client is in its room.

    Attributes:
        client_id: Goes before the payload of every datagram; a secret.
        participant_id: Who the client is to the others.
        udp_port: Where datagrams go.
        room_id: The room, whose id is new if none was asked for.
        payload: What datagrams carry, both ways.
        resume_token: Brings the same participant back after a lost line; a secret.
    """

    client_id: str
    participant_id: str
    udp_port: int
    room_id: str
    payload: PayloadKind
    resume_token: str


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in the room."""

    participant_id: str
    name: str
    muted: bool = False
    deafened: bool = False
    speaking: bool = False


class Users(_Line, frozen=True, kw_only=True):
    """Everybody in the room, oneself included, in the order of joining."""

    users: list[User]


class Error(_Line, frozen=True, kw_only=True):
    """Something was refused."""

    reason: str
    detail: str


FromClient = Hello | Mute | Deafen | Volume | Ping | Pong | Bye
FromServer = Welcome | Users | Error | Ping | Pong | Bye

_encoder: Final = msgspec.json.Encoder()
_from_client: Final = msgspec.json.Decoder(FromClient)
_from_server: Final = msgspec.json.Decoder(FromServer)


def write_line(line: FromClient | FromServer) -> bytes:
    """Return a line with its end."""
    return _encoder.encode(line) + b"\n"


def read_client_line(line: bytes) -> FromClient:
    """Read a client's line.

    Raises:
        LineError: It is none.
    """
    read: FromClient = _read(_from_client, line)
    return read


def read_server_line(line: bytes) -> FromServer:
    """Read a server's line.

    Raises:
        LineError: It is none.
    """
    read: FromServer = _read(_from_server, line)
    return read


def _read(decoder: msgspec.json.Decoder[Any], line: bytes) -> Any:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise LineError(str(error)[:200]) from None


class LineReader:
    """Cuts a stream of bytes into lines of bounded length."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take what has come and return the lines that are complete, without their ends.

        Raises:
            LineError: A line is too long; nothing more can be read.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if any(len(line) > MOST_LINE_BYTES for line in (*lines, self._rest)):
            raise LineError(f"a line is longer than {MOST_LINE_BYTES} bytes")
        return [line for line in lines if line.strip()]
