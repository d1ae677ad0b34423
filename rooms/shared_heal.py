"""After an outage: what a replica has and what Redis has become one. Sans-I/O.

| who or what                      | in Redis, too              | not in Redis                  |
|----------------------------------|----------------------------|-------------------------------|
| is served here                   | as it is there, or as it   | is written                    |
| is served elsewhere              | was changed here meanwhile | is gone; kept for a while if  |
| a room                           |                            | Redis has lost everything     |
| is another tenant's there        | is gone, with who is here  |                               |
| was removed here                 | is removed if it was ours  |                               |
| came back elsewhere meanwhile    | is theirs; if it was put   |                               |
|                                  | out here, it is there, too |                               |
| is put out, here or there        | is put out                 |                               |
| was banned from the room there   | goes on if it is in Redis  | is put out                    |
| a room's door                    | bans of both; of what else | is written                    |
|                                  | was changed here, ours     |                               |
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

import msgspec

from rooms import shared_scripts as scripts
from rooms.door import OPEN_DOOR, Door
from rooms.models import Role, Room
from rooms.shared_log import Loaded, read_room
from rooms.shared_view import (
    SharedPerson,
    SharedRoom,
    SharedView,
    UnreadableError,
    raw_person,
    raw_room,
)
from rooms.shared_watcher import StoreWatcher
from rooms.store import LEFT

logger = logging.getLogger(__name__)

ANY_NUMBER: Final = 1_000_000_000
PUT_OUT: Final = ("removed", "banned", "revoked")
"""Why somebody is gone who did not want to."""
Write = tuple[str | bytes | int, ...]


@dataclass(slots=True)
class Unwritten:
    """What has changed here while Redis was away, by id."""

    rooms: set[str] = field(default_factory=set)
    doors: dict[str, Door] = field(default_factory=dict)
    """What these rooms' doors were before."""
    people: set[str] = field(default_factory=set)
    rooms_gone: set[str] = field(default_factory=set)
    people_gone: dict[str, str] = field(default_factory=dict)
    """And why."""


@dataclass(slots=True)
class Healed:
    """What is so from now on.

    Attributes:
        writes: scripts with arguments that make Redis say the same.
        doors: of rooms that were changed here, as both they and what is in Redis had them.
        doubtful_rooms: ids of rooms that others may write, or not.
        doubtful_people: ids of people that others may write, or not.
    """

    view: SharedView
    writes: list[Write] = field(default_factory=list)
    doors: dict[str, Door] = field(default_factory=dict)
    doubtful_rooms: set[str] = field(default_factory=set)
    doubtful_people: set[str] = field(default_factory=set)


def view_of(loaded: Loaded, before: SharedView, place: Callable[[], int]) -> SharedView:
    """Return what Redis has; a room that is new here is mixed by the worker that `place` names."""
    view = SharedView()
    found = []
    for room_id, (rev, value) in loaded.rooms.items():
        known = before.rooms.get(room_id)
        worker = place() if known is None else known.room.worker
        room = read_room(value, worker, rev)
        if room is not None:
            found.append(room)
    for room in sorted(found, key=lambda one: one.seq):
        view.put_room(room)
        people = []
        for value in loaded.people[room.room.room_id].values():
            try:
                people.append(SharedPerson.read(value))
            except UnreadableError:
                logger.error("a participant in Redis cannot be read")
        for person in sorted(people, key=lambda one: one.seq):
            view.put_person(person)
    return view


def heal(
    before: SharedView,
    theirs: SharedView,
    unwritten: Unwritten,
    replica: int,
    others: Collection[int],
) -> Healed:
    """Bring both together; `theirs` is used up.

    Args:
        before: What this replica has.
        theirs: What Redis has.
        unwritten: What has changed here meanwhile.
        replica: This one.
        others: Replicas whose people are known here, not to Redis any more, and live.
    """
    healed = Healed(theirs)
    for participant_id, reason in unwritten.people_gone.items():
        person = theirs.person(participant_id)
        if person is not None and person.owner == replica:
            theirs.drop_person(participant_id)
            healed.writes.append((scripts.REMOVE_PERSON, participant_id, reason))
        elif person is not None and reason in PUT_OUT and not person.participant.put_out:
            _put_out(healed, person, reason)  # it came back elsewhere, where nobody knew
    for room_id in unwritten.rooms_gone:
        room = theirs.rooms.get(room_id)
        if room is not None and not room.people:
            theirs.drop_room(room_id)
            healed.writes.append((scripts.REMOVE_ROOM, room_id, 1))
    for room in before.rooms.values():
        if room.room.room_id in theirs.rooms and not theirs.is_same(room.room):
            continue  # another tenant has made one of this id: ours is gone
        unknown = [one for one in room.people.values() if _id(one) not in theirs]
        ours = [one for one in unknown if one.owner == replica]
        doubtful = [one for one in unknown if one.owner in others]
        _heal_room(healed, room, unwritten, ours=bool(ours), doubtful=bool(doubtful))
        for person in ours:
            _add(healed, person)
        for person in doubtful:
            theirs.put_person(person)
            healed.doubtful_people.add(_id(person))
        for participant_id in unwritten.people & room.people.keys():
            _update(healed, room.people[participant_id])
    return healed


def _id(person: SharedPerson) -> str:
    return person.participant.participant_id


def _heal_room(
    healed: Healed, room: SharedRoom, unwritten: Unwritten, *, ours: bool, doubtful: bool
) -> None:
    room_id = room.room.room_id
    known = healed.view.rooms.get(room_id)
    is_changed = room_id in unwritten.rooms
    if known is None and (ours or doubtful or is_changed):
        healed.view.put_room(SharedRoom(healed.view.next_seq(), room.raw, room.room))
    if is_changed and (known is None or known.raw != room.raw):
        base = unwritten.doors.get(room_id, OPEN_DOOR)
        if known is None:
            healed.doors[room_id] = base
            healed.writes.append((scripts.PUT_ROOM, room_id, b"", room.raw, room.room.tenant))
        else:
            healed.doors[room_id] = known.room.door
            now = healed_room(room.room, known.room, base)
            before, known.room, known.raw = known.raw, now, raw_room(now)
            healed.writes.append((scripts.PUT_ROOM, room_id, before, known.raw, now.tenant))
    elif known is None and ours:
        healed.writes.append(
            (scripts.ADD_ROOM, room_id, room.raw, ANY_NUMBER, room.room.tenant, ANY_NUMBER)
        )
    elif known is None and doubtful:
        healed.doubtful_rooms.add(room_id)


def healed_room(ours: Room, theirs: Room, base: Door) -> Room:
    """Return a room that was changed here; what others changed meanwhile of its door counts, too.

    `base` is the door as both had it. Who waits there every replica writes anew.
    """
    door = ours.door.healed(theirs.door, base)
    return msgspec.structs.replace(ours, door=door, guests=theirs.guests)


def _add(healed: Healed, person: SharedPerson) -> None:
    """Add somebody who is served here, and was given up there or forgotten."""
    participant, raw = person.participant, person.raw
    door = healed.view.rooms[participant.room_id].room.door
    if participant.role is not Role.HOST and door.names(participant.subject, participant.origin):
        participant = participant.being_put_out("banned")  # while we were away
        raw = raw_person(participant)
    seq = healed.view.next_seq()
    healed.view.put_person(SharedPerson(seq, raw, participant))
    healed.writes.append(
        (
            *(scripts.ADD_PERSON, participant.room_id, participant.participant_id),
            *(participant.csrc, person.owner, raw),
            *(ANY_NUMBER, ANY_NUMBER, participant.tenant),
        )
    )


def _put_out(healed: Healed, person: SharedPerson, reason: str) -> None:
    participant = person.participant.being_put_out(reason)
    name, raw = participant.participant_id, raw_person(participant)
    healed.view.put_person(SharedPerson(person.seq, raw, participant))
    healed.writes.append((scripts.UPDATE_PERSON, name, person.raw, person.owner, raw))


def _update(healed: Healed, person: SharedPerson) -> None:
    participant_id = person.participant.participant_id
    known = healed.view.person(participant_id)
    if known is None or known.raw == person.raw or known.owner != person.owner:
        return
    participant, raw = person.participant, person.raw
    if known.participant.put_out:
        participant = participant.being_put_out(known.participant.put_out)
        raw = raw_person(participant)
    healed.view.put_person(SharedPerson(known.seq, raw, participant))
    healed.writes.append((scripts.UPDATE_PERSON, participant_id, known.raw, person.owner, raw))


def tell_differences(before: SharedView, now: SharedView, watcher: StoreWatcher) -> None:
    """Tell a watcher, which knows what was before, what is so now."""
    for room in before.rooms.values():
        if not now.is_same(room.room):
            watcher.on_room_gone(room.room, [one.participant for one in room.people.values()])
            continue
        for name, one in room.people.items():
            if now.person(name) is None:
                watcher.on_participant_gone(one.participant, LEFT)
    for room_id, room in now.rooms.items():
        former = before.rooms[room_id] if before.is_same(room.room) else None
        if former is None or former.raw != room.raw:
            watcher.on_room(None if former is None else former.room, room.room)
        for name, one in room.people.items():
            known = before.person(name)
            if known is None or known.raw != one.raw:
                watcher.on_participant(
                    None if known is None else known.participant, one.participant
                )


def give_up(
    view: SharedView, people: set[str], rooms: set[str], watcher: StoreWatcher | None
) -> None:
    """Let go of what Redis has lost and nobody has written again; both sets are used up."""
    for participant_id in people:
        gone = view.drop_person(participant_id)
        if gone is not None and watcher is not None:
            watcher.on_participant_gone(gone.participant, LEFT)
    for room_id in rooms:
        room = view.drop_room(room_id)
        if room is not None and watcher is not None:
            watcher.on_room_gone(room.room, [one.participant for one in room.people.values()])
    people.clear()
    rooms.clear()
