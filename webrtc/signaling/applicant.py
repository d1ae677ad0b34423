"""Somebody who wants into a room: what they ask for, within what their join token opens."""

from dataclasses import dataclass

from rooms.models import Direction, Role
from rooms.passes import Pass, tenant_of
from rooms.rights import direction_granted, role_for, role_granted
from webrtc.errors import ClientError
from webrtc.signaling.messages_joining import JoinRoom


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who wants in.

    Attributes:
        room_id: "" for a new room.
        name: what others will see; may be empty.
        direction: which way the audio is going to go.
        shown: what the token says; None where rooms stand open.
        tenant: whose rooms are there for them.
    """

    room_id: str
    name: str
    direction: Direction
    shown: Pass | None
    tenant: str

    @classmethod
    def unknown(cls, request: JoinRoom, tenant: str = tenant_of(None)) -> "Applicant":
        """Return who asks without a token."""
        room_id, name = request.room_id or "", request.name or ""
        return cls(room_id, name, request.direction, None, tenant)

    @classmethod
    def with_pass(cls, request: JoinRoom, shown: Pass) -> "Applicant":
        """Return who asks with a token.

        Raises:
            ClientError: `forbidden`, when the token opens neither hearing nor being heard.
        """
        direction = direction_granted(request.direction, shown.grants)
        if direction is None:
            raise ClientError("forbidden", f"this token lets nobody in as {request.role}")
        room_id = request.room_id or shown.only_room or ""
        name = (request.name or "") if shown.name is None else shown.name
        return cls(room_id, name, direction, shown, tenant_of(shown))

    def role(self, *, host: bool) -> Role:
        """Return the role to begin with; `host` is whether they hold the room's host key."""
        if self.shown is None:
            return role_for(self.direction, host=host)
        return role_granted(self.direction, self.shown.grants)

    @property
    def grants(self) -> tuple[str, ...] | None:
        """What the token opens; None where none is wanted."""
        return None if self.shown is None else tuple(sorted(set(self.shown.grants)))

    @property
    def subject(self) -> str:
        """Whom the token is for."""
        return "" if self.shown is None else self.shown.sub

    @property
    def token_id(self) -> str:
        """The token's own id."""
        return "" if self.shown is None else self.shown.jti
