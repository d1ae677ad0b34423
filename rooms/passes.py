"""What a join token says once its signature has been checked: whom it lets into which rooms.

A room pattern is a room id, or one with a single `*` for any run of characters: `*` is every room,
`band-*` those that begin so.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rooms.models import DEFAULT_TENANT

MAX_TOKEN_CHARS: Final = 4096
"""Of a whole token."""
MAX_GRANTS: Final = 32
MAX_TOKEN_ID_CHARS: Final = 128
MAX_TENANT_CHARS: Final = 32
_WILD: Final = "*"

# No control characters: a subject may be shown to an operator. `(?![\s\S])` is the very end.
_PRINTABLE: Final = r"^[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*(?![\s\S])"
ROOM_PATTERN: Final = r"^(?:\*|[A-Za-z0-9])[A-Za-z0-9._~-]*\*?[A-Za-z0-9._~-]*(?![\s\S])"
TENANT_PATTERN: Final = r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?![\s\S])"

Subject = Annotated[str, Meta(min_length=1, max_length=128, pattern=_PRINTABLE)]
RoomPattern = Annotated[str, Meta(min_length=1, max_length=64, pattern=ROOM_PATTERN)]
TenantId = Annotated[str, Meta(min_length=1, max_length=MAX_TENANT_CHARS, pattern=TENANT_PATTERN)]
GrantName = Annotated[str, Meta(max_length=64)]


class Pass(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The claims of a join token that matter here; others are ignored.

    Attributes:
        sub: whom it is for, as its issuer knows them.
        exp: seconds since the epoch, when it stops opening doors.
        room: which rooms.
        grants: see `rooms.rights`; those that this version does not know open nothing.
        name: what others are shown instead of what the holder asks for; None lets the holder ask.
        jti: its own id, "" for a token that cannot be revoked alone.
        tenant: whose rooms it is for, among those that `room` names.
    """

    sub: Subject
    exp: float
    room: RoomPattern
    grants: Annotated[list[GrantName], Meta(max_length=MAX_GRANTS)]
    name: Annotated[str, Meta(max_length=64, pattern=_PRINTABLE)] | None = None
    jti: Annotated[str, Meta(max_length=MAX_TOKEN_ID_CHARS)] = ""
    tenant: TenantId = DEFAULT_TENANT

    def __post_init__(self) -> None:
        if self.room.count(_WILD) > 1:
            raise ValueError("a room pattern has at most one *")

    @property
    def only_room(self) -> str | None:
        """The one room that it names, if it names one."""
        return None if _WILD in self.room else self.room

    @property
    def opens_every_room(self) -> bool:
        """Whether it names all of them."""
        return self.room == _WILD

    def opens(self, room_id: str) -> bool:
        """Return whether it is good for a room."""
        before, wild, after = self.room.partition(_WILD)
        if not wild:
            return room_id == self.room
        long_enough = len(room_id) >= len(before) + len(after)
        return long_enough and room_id.startswith(before) and room_id.endswith(after)


def tenant_of(shown: Pass | None) -> str:
    """Return for whom somebody comes; None is who needs no token, where rooms stand open."""
    return DEFAULT_TENANT if shown is None else shown.tenant
