"""What a replica knows of all rooms: a copy of what is in Redis. Sans-I/O."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from rooms.models import Participant, Room
from rooms.replicas import replica_of
from rooms.rights import belongs
from rooms.store import (
    CapacityError,
    ParticipantExistsError,
    RoomExistsError,
    RoomMissingError,
    TenantCapacityError,
)

_encode = msgspec.msgpack.Encoder().encode
_rooms = msgspec.msgpack.Decoder(Room)
_people = msgspec.msgpack.Decoder(Participant)


class UnreadableError(Exception):
    """What is in Redis is no room or participant that this version can read."""


@dataclass(frozen=True, slots=True)
class SharedPerson:
    """A participant, and the bytes that stand for it in Redis."""

    seq: int
    raw: bytes
    participant: Participant

    @classmethod
    def read(cls, value: bytes) -> "SharedPerson":
        """Read `seq:csrc:replica:participant`.

        Raises:
            UnreadableError: it is none.
        """
        try:
            seq, _, _, raw = value.split(b":", 3)
            return cls(int(seq), raw, _people.decode(raw))
        except (ValueError, msgspec.MsgspecError) as error:
            raise UnreadableError(str(error)) from None

    @property
    def owner(self) -> int:
        """The replica that serves it."""
        return replica_of(self.participant.home)


@dataclass(slots=True)
class SharedRoom:
    """A room and who is in it, by id in the order of coming; `rev` is of the last change."""

    seq: int
    raw: bytes
    room: Room
    rev: int = 0
    people: dict[str, SharedPerson] = field(default_factory=dict)

    @classmethod
    def read(cls, value: bytes, worker: int, rev: int = 0) -> "SharedRoom":
        """Read `seq:room`; `worker` is the one of this replica that is to mix it.

        Raises:
            UnreadableError: it is none.
        """
        try:
            seq, _, raw = value.partition(b":")
            room = msgspec.structs.replace(_rooms.decode(raw), worker=worker)
            return cls(int(seq), raw, room, rev)
        except (ValueError, msgspec.MsgspecError) as error:
            raise UnreadableError(str(error)) from None


def raw_room(room: Room) -> bytes:
    """Return a room as it stands in Redis: which worker mixes it is each replica's own affair."""
    return _encode(msgspec.structs.replace(room, worker=0))


def raw_person(participant: Participant) -> bytes:
    """Return a participant as it stands in Redis."""
    return _encode(participant)


class SharedView:
    """All rooms and everybody in them."""

    def __init__(self) -> None:
        self.rooms: dict[str, SharedRoom] = {}
        self._room_of: dict[str, str] = {}
        self._seq = 0
        self._empty_since_s: dict[str, float] = {}

    def person(self, participant_id: str) -> SharedPerson | None:
        """Return a participant."""
        room_id = self._room_of.get(participant_id)
        return None if room_id is None else self.rooms[room_id].people[participant_id]

    def __contains__(self, participant_id: str) -> bool:
        """Whether somebody is known."""
        return participant_id in self._room_of

    def people(self) -> Iterator[SharedPerson]:
        """Yield everybody."""
        for room in self.rooms.values():
            yield from room.people.values()

    def owners(self) -> set[int]:
        """Return which replicas serve anybody."""
        return {person.owner for person in self.people()}

    def keepers(self) -> set[int]:
        """Return which replicas record or broadcast any room, or have guests at its door."""
        rooms = [room.room for room in self.rooms.values()]
        keep = {replica_of(one) for room in rooms for one in room.keepers}
        return keep | {guest.replica for room in rooms for guest in room.guests}

    def next_seq(self) -> int:
        """Return a place behind all others, while Redis cannot give one."""
        self._seq += 1
        return self._seq

    def put_room(self, room: SharedRoom) -> SharedRoom | None:
        """Add a room, or put it in place of what it was; return what it was."""
        room_id = room.room.room_id
        before = self.rooms.get(room_id)
        if before is not None and room.people is not before.people and not room.people:
            room.people = before.people
        self.rooms[room_id] = room
        for participant_id in room.people:
            self._room_of[participant_id] = room_id
        self._seq = max(self._seq, room.seq)
        return before

    def drop_room(self, room_id: str) -> SharedRoom | None:
        """Remove a room and everybody in it; return it."""
        room = self.rooms.pop(room_id, None)
        for participant_id in () if room is None else room.people:
            del self._room_of[participant_id]
        return room

    def put_person(self, person: SharedPerson) -> SharedPerson | None:
        """Add a participant to its room, which is there, or replace it; return what it was."""
        participant = person.participant
        people = self.rooms[participant.room_id].people
        before = people.get(participant.participant_id)
        people[participant.participant_id] = person
        self._room_of[participant.participant_id] = participant.room_id
        self._seq = max(self._seq, person.seq)
        return before

    def drop_person(self, participant_id: str) -> SharedPerson | None:
        """Remove a participant; return it."""
        room_id = self._room_of.pop(participant_id, None)
        return None if room_id is None else self.rooms[room_id].people.pop(participant_id)

    def empty_for(self, seconds: float, now_s: float) -> list[Room]:
        """Return rooms in which nobody has been for so long, as far as was looked."""
        empty = [name for name, room in self.rooms.items() if not room.people]
        self._empty_since_s = {name: self._empty_since_s.get(name, now_s) for name in empty}
        since = self._empty_since_s
        return [self.rooms[name].room for name in empty if now_s - since[name] >= seconds]

    def check_room(self, room: Room, max_rooms: int, max_of_tenant: int) -> None:
        """Let it pass that a room is added; raises what `RoomStore.add_room` does."""
        if room.room_id in self.rooms:
            raise RoomExistsError(room.room_id)
        if len(self.rooms) >= max_rooms:
            raise CapacityError(room.room_id)
        if len(self._rooms_of(room.tenant)) >= max_of_tenant:
            raise TenantCapacityError(room.room_id)

    def check_person(self, one: Participant, max_participants: int, max_of_tenant: int) -> None:
        """Let it pass that somebody is added; raises what `RoomStore.add_participant` does."""
        room = self.rooms.get(one.room_id)
        if room is None or not belongs(room.room, one.tenant):
            raise RoomMissingError(one.room_id)
        csrcs = {other.participant.csrc for other in room.people.values()}
        if one.participant_id in self or one.csrc in csrcs:
            raise ParticipantExistsError(one.participant_id)
        if len(room.people) >= max_participants:
            raise CapacityError(one.room_id)
        if sum(len(of.people) for of in self._rooms_of(room.room.tenant)) >= max_of_tenant:
            raise TenantCapacityError(one.room_id)

    def is_same(self, room: Room) -> bool:
        """Return whether a room is known, and is not another tenant's of the same id."""
        known = self.rooms.get(room.room_id)
        return known is not None and belongs(known.room, room.tenant)

    def _rooms_of(self, tenant: str) -> list[SharedRoom]:
        return [room for room in self.rooms.values() if belongs(room.room, tenant)]


def pairs(flat: Iterable[object]) -> Iterator[tuple[bytes, bytes]]:
    """Yield fields and values of what HGETALL returns in a script."""
    items = iter(flat)
    for key, value in zip(items, items, strict=True):
        assert isinstance(key, bytes)
        assert isinstance(value, bytes)
        yield key, value
