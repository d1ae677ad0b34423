"""The room store of a single replica: dictionaries.

Nothing here waits, so every method is atomic on the event loop.
"""

from collections import Counter
from collections.abc import Callable

from rooms.models import Participant, Room
from rooms.rights import belongs
from rooms.store import (
    LEFT,
    NO_LIMIT,
    CapacityError,
    ParticipantExistsError,
    ParticipantMissingError,
    RoomExistsError,
    RoomMissingError,
    TenantCapacityError,
)


class MemoryRoomStore:
    """Keeps rooms as long as the process lives; see `rooms.store.RoomStore`."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}
        self._members: dict[str, dict[str, Participant]] = {}
        self._csrcs: dict[str, set[int]] = {}
        self._room_of: dict[str, str] = {}
        self._rooms_of: Counter[str] = Counter()  # by tenant, none with nothing
        self._people_of: Counter[str] = Counter()

    async def add_room(self, room: Room, max_rooms: int, max_of_tenant: int = NO_LIMIT) -> None:
        """See `RoomStore`."""
        if room.room_id in self._rooms:
            raise RoomExistsError(room.room_id)
        if len(self._rooms) >= max_rooms:
            raise CapacityError(room.room_id)
        if self._rooms_of[room.tenant] >= max_of_tenant:
            raise TenantCapacityError(room.room_id)
        self._rooms_of[room.tenant] += 1
        self._rooms[room.room_id] = room
        self._members[room.room_id] = {}
        self._csrcs[room.room_id] = set()

    async def room(self, room_id: str) -> Room | None:
        """See `RoomStore`."""
        return self._rooms.get(room_id)

    async def rooms(self) -> list[Room]:
        """See `RoomStore`."""
        return list(self._rooms.values())

    async def update_room(self, room_id: str, change: Callable[[Room], Room]) -> Room:
        """See `RoomStore`."""
        room = self._rooms.get(room_id)
        if room is None:
            raise RoomMissingError(room_id)
        updated = self._rooms[room_id] = change(room)
        return updated

    async def remove_room(self, room_id: str) -> list[Participant]:
        """See `RoomStore`."""
        room = self._rooms.pop(room_id, None)
        self._csrcs.pop(room_id, None)
        members = list(self._members.pop(room_id, {}).values())
        if room is not None:
            _take(self._rooms_of, room.tenant, 1)
            _take(self._people_of, room.tenant, len(members))
        for member in members:
            del self._room_of[member.participant_id]
        return members

    async def remove_empty_room(self, room_id: str) -> bool:
        """See `RoomStore`."""
        is_empty = room_id in self._rooms and not self._members[room_id]
        if is_empty:
            await self.remove_room(room_id)
        return is_empty

    async def add_participant(
        self, participant: Participant, max_participants: int, max_of_tenant: int = NO_LIMIT
    ) -> None:
        """See `RoomStore`."""
        room = self._rooms.get(participant.room_id)
        if room is None or not belongs(room, participant.tenant):
            raise RoomMissingError(participant.room_id)
        members = self._members[participant.room_id]
        csrcs = self._csrcs[participant.room_id]
        if participant.participant_id in self._room_of or participant.csrc in csrcs:
            raise ParticipantExistsError(participant.participant_id)
        if len(members) >= max_participants:
            raise CapacityError(participant.room_id)
        if self._people_of[room.tenant] >= max_of_tenant:
            raise TenantCapacityError(participant.room_id)
        self._people_of[room.tenant] += 1
        members[participant.participant_id] = participant
        csrcs.add(participant.csrc)
        self._room_of[participant.participant_id] = participant.room_id

    async def participant(self, participant_id: str) -> Participant | None:
        """See `RoomStore`."""
        room_id = self._room_of.get(participant_id)
        return None if room_id is None else self._members[room_id][participant_id]

    async def participants(self, room_id: str) -> list[Participant]:
        """See `RoomStore`."""
        return list(self._members.get(room_id, {}).values())

    async def count(self, room_id: str) -> int:
        """See `RoomStore`."""
        return len(self._members.get(room_id, {}))

    async def update_participant(
        self, participant_id: str, change: Callable[[Participant], Participant]
    ) -> Participant:
        """See `RoomStore`."""
        room_id = self._room_of.get(participant_id)
        if room_id is None:
            raise ParticipantMissingError(participant_id)
        updated = change(self._members[room_id][participant_id])
        self._members[room_id][participant_id] = updated
        return updated

    async def remove_participant(
        self, participant_id: str, reason: str = LEFT
    ) -> Participant | None:
        """See `RoomStore`; nobody shares it."""
        room_id = self._room_of.pop(participant_id, None)
        if room_id is None:
            return None
        participant = self._members[room_id].pop(participant_id)
        self._csrcs[room_id].discard(participant.csrc)
        _take(self._people_of, self._rooms[room_id].tenant, 1)
        return participant


def _take(counts: Counter[str], tenant: str, number: int) -> None:
    counts[tenant] -= number
    if counts[tenant] <= 0:
        del counts[tenant]
