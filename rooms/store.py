"""Where rooms and participants are kept: the interface that memory and Redis share.

`rooms.memory_store` is for a server that is alone, `rooms.shared_store` for one of several.

Every method is one atomic step. All stores pass the contract suite in tests/rooms.
"""

from collections.abc import Callable
from typing import Final, Protocol

from rooms.models import Participant, Room


class StoreError(Exception):
    """The store refuses a step; nothing was changed."""


class RoomExistsError(StoreError):
    """There is a room of this id already."""


class RoomMissingError(StoreError):
    """There is no room of this id."""


class ParticipantExistsError(StoreError):
    """There is a participant of this id already, or of this csrc in the room."""


class ParticipantMissingError(StoreError):
    """There is no participant of this id."""


class CapacityError(StoreError):
    """The limit that the caller named is reached."""


class TenantCapacityError(CapacityError):
    """It is the limit of the room's tenant."""


NO_LIMIT: Final = 1 << 31
"""More than there can be."""


LEFT: Final = "left"
"""Why somebody is gone of whom nobody says otherwise."""


class RoomStore(Protocol):
    """Rooms and their participants."""

    async def add_room(self, room: Room, max_rooms: int, max_of_tenant: int = NO_LIMIT) -> None:
        """Add a room.

        Raises:
            RoomExistsError: its id is taken, by whomever.
            CapacityError: there are `max_rooms` already.
            TenantCapacityError: its tenant has `max_of_tenant` already.
        """
        ...

    async def room(self, room_id: str) -> Room | None:
        """Return a room."""
        ...

    async def rooms(self) -> list[Room]:
        """Return all rooms, oldest first."""
        ...

    async def update_room(self, room_id: str, change: Callable[[Room], Room]) -> Room:
        """Replace a room by what `change` makes of it, and return that.

        `change` keeps the id; it may be called more than once, and what it raises passes through
        with nothing changed.

        Raises:
            RoomMissingError: there is no such room.
        """
        ...

    async def remove_room(self, room_id: str) -> list[Participant]:
        """Remove a room, if it is there, and everyone in it; return who was in it."""
        ...

    async def remove_empty_room(self, room_id: str) -> bool:
        """Remove a room if nobody is in it; return whether that was so."""
        ...

    async def add_participant(
        self, participant: Participant, max_participants: int, max_of_tenant: int = NO_LIMIT
    ) -> None:
        """Add a participant to the room that it names.

        Raises:
            RoomMissingError: there is no such room of the participant's tenant.
            ParticipantExistsError: its id is taken, or its csrc within the room.
            CapacityError: there are `max_participants` in the room already.
            TenantCapacityError: there are `max_of_tenant` in all rooms of the room's tenant.
        """
        ...

    async def participant(self, participant_id: str) -> Participant | None:
        """Return a participant."""
        ...

    async def participants(self, room_id: str) -> list[Participant]:
        """Return who is in a room, in the order of joining; nobody if there is no such room."""
        ...

    async def count(self, room_id: str) -> int:
        """Return how many are in a room."""
        ...

    async def update_participant(
        self, participant_id: str, change: Callable[[Participant], Participant]
    ) -> Participant:
        """Replace a participant by what `change` makes of it, and return that.

        `change` keeps id, room and csrc; it may be called more than once, and what it raises
        passes through with nothing changed.

        Raises:
            ParticipantMissingError: there is no such participant.
        """
        ...

    async def remove_participant(
        self, participant_id: str, reason: str = LEFT
    ) -> Participant | None:
        """Remove a participant and return who it was; None if there was none.

        `reason` is what those who share the store are told.
        """
        ...
