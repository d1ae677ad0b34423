"""What messages of clients are made of: limits, fields, and the answers that add nothing."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from rooms.passes import MAX_TOKEN_CHARS

PROTOCOL_VERSION: Final = 1
MAX_MESSAGE_BYTES: Final = 128 * 1024
"""A longer websocket message closes the socket."""
MAX_SDP_CHARS: Final = 64 * 1024
MAX_WATCHED: Final = 32
"""Most strips whose meters one page sees."""
TRACKS: Final = "tracks"
"""The capability of clients that can be sent more than one track."""

# `$` would let a trailing newline pass; `(?![\s\S])` is the end in Python and in ECMAScript.
_ROOM_ID_PATTERN: Final = r"^(?:[A-Za-z0-9][A-Za-z0-9._~-]{0,63})?(?![\s\S])"

RoomId = Annotated[
    str,
    Meta(
        pattern=_ROOM_ID_PATTERN,
        max_length=64,
        description="Letters, digits and . _ ~ -, the first one a letter or a digit; or empty.",
    ),
]
Name = Annotated[
    str,
    Meta(
        max_length=64,
        # control characters and those that turn the writing direction
        pattern="^[^\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]*(?![\\s\\S])",
        description="What others see; no control characters.",
    ),
]
SceneName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern="^[^\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]*(?![\\s\\S])",
        description="What the scene is called; no control characters.",
    ),
]
FadeMs = Annotated[
    int,
    Meta(
        ge=0,
        le=10_000,
        description="How long strips take to get to the scene.",
        extra_json_schema={"unit": "ms"},
    ),
]
Secret = Annotated[str, Meta(max_length=256)]
AccessToken = Annotated[str, Meta(max_length=MAX_TOKEN_CHARS, description="See [tokens](#tokens).")]
Capability = Annotated[str, Meta(max_length=64)]
Capabilities = Annotated[list[Capability], Meta(max_length=32)]
ParticipantId = Annotated[str, Meta(min_length=1, max_length=64)]
WatchedStrips = Annotated[list[ParticipantId], Meta(max_length=MAX_WATCHED)]
Sdp = Annotated[str, Meta(min_length=1, max_length=MAX_SDP_CHARS)]
CandidateLine = Annotated[str, Meta(max_length=1024)]
ShortText = Annotated[str, Meta(max_length=256)]
MLineIndex = Annotated[int, Meta(ge=0, le=255)]
RoleName = Literal["publisher", "subscriber", "both"]
GivenRole = Literal["listener", "speaker", "engineer"]


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every payload that is an object."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something was refused."""

    reason: str
    detail: str
    retry_after: float | None = None


class Refused(msgspec.Struct, frozen=True):
    """The acknowledgement of what was not done."""

    error: Problem
    ok: Literal[False] = False


class Done(msgspec.Struct, frozen=True):
    """The acknowledgement that adds nothing."""

    ok: Literal[True] = True
