"""Why scripts refuse, as errors of the store."""

from rooms import shared_scripts as scripts
from rooms.models import Participant, Room
from rooms.store import (
    CapacityError,
    ParticipantExistsError,
    ParticipantMissingError,
    RoomExistsError,
    RoomMissingError,
    StoreError,
    TenantCapacityError,
)


class ChangedMeanwhile(Exception):  # noqa: N818 — nothing is wrong, it is tried again
    """Somebody else was quicker."""


def refusal(reason: bytes, script: str, room: Room | None, person: Participant | None) -> Exception:
    """Return what a script's refusal means to who asked."""
    room_id = room.room_id if room is not None else person.room_id if person is not None else ""
    participant_id = "" if person is None else person.participant_id
    of_person = script in (scripts.ADD_PERSON, scripts.UPDATE_PERSON, scripts.REMOVE_PERSON)
    match reason:
        case scripts.CHANGED:
            return ChangedMeanwhile(room_id)
        case scripts.EXISTS:
            return ParticipantExistsError(participant_id) if of_person else RoomExistsError(room_id)
        case scripts.FULL | scripts.BUSY:
            return CapacityError(room_id)
        case scripts.TENANT_FULL:
            return TenantCapacityError(room_id)
        case scripts.MISSING if of_person and script != scripts.ADD_PERSON:
            return ParticipantMissingError(participant_id)
        case scripts.MISSING:
            return RoomMissingError(room_id)
    return StoreError(reason.decode())
