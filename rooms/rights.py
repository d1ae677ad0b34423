"""Who may do what: one table, and the one function that every handler asks.

| right           | listener | speaker | engineer | host |
|-----------------|----------|---------|----------|------|
| subscribe       | yes      | yes     | yes      | yes  |
| publish         |          | yes     | yes      | yes  |
| edit own strip  |          | yes     | yes      | yes  |
| edit any strip  |          |         | yes      | yes  |
| choose speakers |          |         | yes      | yes  |
| play files      |          |         | yes      | yes  |
| run desk        |          |         | yes      | yes  |
| hear sessions   |          |         | yes      | yes  |
| set roles       |          |         |          | yes  |
| run archive     |          |         |          | yes  |
| close room      |          |         |          | yes  |
| record          |          |         |          | yes  |
| broadcast       |          |         |          | yes  |
| moderate        |          |         |          | yes  |

Whoever may edit a strip may watch its meters.

A role never reaches beyond its own room, and nobody beyond the rooms of their own tenant: to all
others a room is not there (`belongs`, which every door asks that looks a room up). Where join
tokens are wanted, a token's grants are the ceiling: whatever role its holder is given, it carries
no right that no grant opens. The one right that a grant adds to a role is `record`.

| grant     | opens the rights                                                        |
|-----------|-------------------------------------------------------------------------|
| subscribe | subscribe                                                               |
| publish   | publish                                                                 |
| own_strip | edit own strip                                                          |
| engineer  | those of an engineer                                                    |
| host      | those of a host                                                         |
| record    | record                                                                  |
| admin     | all, in every room that the token names, and the server's own figures   |

The server's own figures are the operator's: `admin` opens them to no tenant but the default one.
"""

import enum
from collections.abc import Collection
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
    PLAY_FILES = "play_files"
    """Play files into the room, and steer what is played."""
    RUN_DESK = "run_desk"
    """Automix, ducking and loudness of the room, and its scenes."""
    HEAR_SESSIONS = "hear_sessions"
    """See, play and download what the room's archive keeps."""
    RUN_ARCHIVE = "run_archive"
    """Switch the archive on and off, and delete what it keeps."""
    SET_ROLES = "set_roles"
    """Who is listener, speaker or engineer."""
    CLOSE_ROOM = "close_room"
    RECORD = "record"
    BROADCAST = "broadcast"
    """Let everybody hear the room who knows an address."""
    MODERATE = "moderate"
    """The door of the room; muting others, and putting them out."""


class Grant(enum.StrEnum):
    """What a join token opens to its holder."""

    SUBSCRIBE = "subscribe"
    PUBLISH = "publish"
    OWN_STRIP = "own_strip"
    ENGINEER = "engineer"
    HOST = "host"
    RECORD = "record"
    ADMIN = "admin"


_LISTENER: Final = frozenset({Right.SUBSCRIBE})
_SPEAKER: Final = _LISTENER | {Right.PUBLISH, Right.EDIT_OWN_STRIP}
_ENGINEER: Final = _SPEAKER | {
    Right.EDIT_ANY_STRIP,
    Right.CHOOSE_SPEAKERS,
    Right.RUN_DESK,
    Right.PLAY_FILES,
    Right.HEAR_SESSIONS,
}
_HOST: Final = _ENGINEER | {
    Right.SET_ROLES,
    Right.RUN_ARCHIVE,
    Right.CLOSE_ROOM,
    Right.RECORD,
    Right.BROADCAST,
    Right.MODERATE,
}

_RIGHTS: Final = {
    Role.LISTENER: _LISTENER,
    Role.SPEAKER: _SPEAKER,
    Role.ENGINEER: _ENGINEER,
    Role.HOST: _HOST,
}


_MARKS: Final = {
    Role.LISTENER: Right.SUBSCRIBE,
    Role.SPEAKER: Right.PUBLISH,
    Role.ENGINEER: Right.RUN_DESK,
    Role.HOST: Right.SET_ROLES,
}
"""The right without which a role would be none."""

_OPENS: Final[dict[Grant, frozenset[Right]]] = {
    Grant.SUBSCRIBE: frozenset({Right.SUBSCRIBE}),
    Grant.PUBLISH: frozenset({Right.PUBLISH}),
    Grant.OWN_STRIP: frozenset({Right.EDIT_OWN_STRIP}),
    Grant.ENGINEER: _ENGINEER,
    Grant.HOST: _HOST,
    Grant.RECORD: frozenset({Right.RECORD}),
    Grant.ADMIN: _HOST,
}


def belongs(room: Room, tenant: str) -> bool:
    """Return whether a room is a tenant's; to all others it must look as if it were not there."""
    return room.tenant == tenant


def may(actor: Participant, action: Right, room: Room) -> bool:
    """Return whether `actor` may do `action` in `room`."""
    at_home = actor.room_id == room.room_id and belongs(room, actor.tenant)
    return at_home and action in held(actor)


def held(participant: Participant) -> frozenset[Right]:
    """Return the rights of a participant in its room."""
    role = _RIGHTS[participant.role]
    if participant.grants is None:
        return role
    opened = opened_by(participant.grants)
    return role & opened | opened & {Right.RECORD}


def opened_by(grants: Collection[str]) -> frozenset[Right]:
    """Return the rights that grants open; one that this version does not know opens nothing."""
    return frozenset().union(*(_OPENS[grant] for grant in Grant if grant in grants))


def listed(rights: Collection[Right]) -> list[str]:
    """Return rights as the wire lists them, in alphabetical order."""
    return sorted(right.value for right in rights)


def rights_of(role: Role) -> list[str]:
    """Return the rights of a role as the wire lists them; a token may leave fewer."""
    return listed(_RIGHTS[role])


def role_for(direction: Direction, *, host: bool) -> Role:
    """Return the role of someone who asks for `direction` and did, or did not, prove to be host."""
    if host:
        return Role.HOST
    return Role.SPEAKER if direction.publishes else Role.LISTENER


def role_granted(direction: Direction, grants: Collection[str]) -> Role:
    """Return the role of someone whose token has `grants`, and who asks for `direction`."""
    if Grant.HOST in grants or Grant.ADMIN in grants:
        return Role.HOST
    return Role.ENGINEER if Grant.ENGINEER in grants else role_for(direction, host=False)


def direction_granted(direction: Direction, grants: Collection[str]) -> Direction | None:
    """Return what is left of `direction` under a token with `grants`; None for nothing."""
    opened = opened_by(grants)
    publishes = direction.publishes and Right.PUBLISH in opened
    subscribes = direction.subscribes and Right.SUBSCRIBE in opened
    if publishes:
        return Direction.BOTH if subscribes else Direction.PUBLISHER
    return Direction.SUBSCRIBER if subscribes else None


def reaches(participant: Participant, role: Role) -> bool:
    """Return whether a participant's token lets it have a role at all."""
    return participant.grants is None or _MARKS[role] in opened_by(participant.grants)


def with_role(participant: Participant, role: Role) -> Participant:
    """Return `participant` in another role, with audio that goes the ways which the role allows.

    A listener publishes nothing any more; who only listened until now and may publish does both.
    """
    changed = msgspec.structs.replace(participant, role=role)
    direction = participant.direction
    if Right.PUBLISH not in held(changed):
        direction = Direction.SUBSCRIBER
    elif not direction.publishes:
        direction = Direction.BOTH
    return msgspec.structs.replace(changed, direction=direction)
