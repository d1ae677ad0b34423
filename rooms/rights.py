"""Who may do what: one table, and the one function that every handler asks.

| right           | listener | speaker | engineer | host |
|-----------------|----------|---------|----------|------|
| subscribe       | yes      | yes     | yes      | yes  |
| publish         |          | yes     | yes      | yes  |
| edit own strip  |          | yes     | yes      | yes  |
| edit any strip  |          |         | yes      | yes  |
| choose speakers |          |         | yes      | yes  |
| run desk        |          |         | yes      | yes  |
| set roles       |          |         |          | yes  |
| close room      |          |         |          | yes  |

Whoever may edit a strip may watch its meters.

A role never reaches beyond its own room.
"""

import enum
from typing import Final

import msgspec

from rooms.models import Direction, Participant, Role, Room


class Right(enum.StrEnum):
    """Something a participant may do in a room; the names stand in `rights` on the wire."""

    SUBSCRIBE = "subscribe"
    PUBLISH = "publish"
    EDIT_OWN_STRIP = "edit_own_strip"
    EDIT_ANY_STRIP = "edit_any_strip"
    CHOOSE_SPEAKERS = "choose_speakers"
    """How many are heard at the same time, mixed or forwarded, and who comes first."""
    RUN_DESK = "run_desk"
    """Automix, ducking and loudness of the room, and its scenes."""
    SET_ROLES = "set_roles"
    """Who is listener, speaker or engineer."""
    CLOSE_ROOM = "close_room"


_LISTENER: Final = frozenset({Right.SUBSCRIBE})
_SPEAKER: Final = _LISTENER | {Right.PUBLISH, Right.EDIT_OWN_STRIP}
_ENGINEER: Final = _SPEAKER | {Right.EDIT_ANY_STRIP, Right.CHOOSE_SPEAKERS, Right.RUN_DESK}
_HOST: Final = _ENGINEER | {Right.SET_ROLES, Right.CLOSE_ROOM}

_RIGHTS: Final = {
    Role.LISTENER: _LISTENER,
    Role.SPEAKER: _SPEAKER,
    Role.ENGINEER: _ENGINEER,
    Role.HOST: _HOST,
}


def may(actor: Participant, action: Right, room: Room) -> bool:
    """Return whether `actor` may do `action` in `room`."""
    at_home = actor.room_id == room.room_id and actor.tenant == room.tenant
    return at_home and action in _RIGHTS[actor.role]


def rights_of(role: Role) -> list[str]:
    """Return the rights of a role as the wire lists them, in alphabetical order."""
    return sorted(right.value for right in _RIGHTS[role])


def role_for(direction: Direction, *, host: bool) -> Role:
    """Return the role of someone who asks for `direction` and did, or did not, prove to be host."""
    if host:
        return Role.HOST
    return Role.SPEAKER if direction.publishes else Role.LISTENER


def with_role(participant: Participant, role: Role) -> Participant:
    """Return `participant` in another role, with audio that goes the ways which the role allows.

    A listener publishes nothing any more; who only listened until now and may publish does both.
    """
    direction = participant.direction
    if Right.PUBLISH not in _RIGHTS[role]:
        direction = Direction.SUBSCRIBER
    elif not direction.publishes:
        direction = Direction.BOTH
    return msgspec.structs.replace(participant, role=role, direction=direction)
