"""Messages of clients about who may be in a room, and as what: roles and the door."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from rooms.door import Door
from webrtc.signaling.messages_parts import GivenRole, ParticipantId, Payload


class RoleChange(Payload, frozen=True):
    """What somebody is in the room from now on, see [rights](#rights)."""

    participant_id: ParticipantId
    role: GivenRole


class DoorChange(Payload, frozen=True):
    """Who finds the door shut; what is left out stays as it is.

    `locked`: nobody comes in but hosts. `waiting`: who comes in waits until a host lets them, but
    for hosts and engineers. `lift_bans`: those who were banned may come in again.
    """

    locked: bool | UnsetType = UNSET
    waiting: bool | UnsetType = UNSET
    lift_bans: bool = False

    def applied_to(self, door: Door) -> Door:
        """Return `door` with what the client set."""
        return Door(
            locked=door.locked if self.locked is UNSET else self.locked,
            waiting=door.waiting if self.waiting is UNSET else self.waiting,
            bans=() if self.lift_bans else door.bans,
            key=door.key,
        )


class AdmissionChoice(Payload, frozen=True):
    """Whether somebody who waits is let in."""

    guest_id: ParticipantId
    admit: bool = True


class MutedParticipant(Payload, frozen=True):
    """Whose microphone to mute."""

    participant_id: ParticipantId


class RemovedParticipant(Payload, frozen=True):
    """Whom to put out; with `ban` they do not come in again while the room exists."""

    participant_id: ParticipantId
    ban: bool = False


class DoorState(msgspec.Struct, frozen=True):
    """How the door of the room is; `bans` is how many are kept out."""

    locked: bool
    waiting: bool
    bans: int


def door_state(door: Door) -> DoorState:
    """Return a door as the wire shows it."""
    return DoorState(door.locked, door.waiting, len(door.bans))


class EffectiveRole(msgspec.Struct, frozen=True):
    """What somebody is in the room now, and may do."""

    participant_id: str
    role: GivenRole
    rights: list[str]
    ok: Literal[True] = True


class EffectiveDoor(msgspec.Struct, frozen=True):
    """How the door is now."""

    door: DoorState
    ok: Literal[True] = True
