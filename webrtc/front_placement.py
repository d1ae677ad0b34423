"""Which media worker serves whom.

A room stays in one worker while it fits; then others serve it, too, and exchange its sources.

| a newcomer's room                          | goes to                                          |
|--------------------------------------------|--------------------------------------------------|
| fits into a worker that serves it          | the first of these, so that the next fill up     |
| does not, and another worker has time left | the least busy of those                          |
| does not, and all are busy                 | of all, that with the fewest of the room         |

It fits while fewer than `share` of its people are in the worker and the worker is not busy. People
stay where their connection is, be the worker away for a moment or not; nor does a room spread
because its worker is being restarted.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from rooms.models import Room

BUSY = 0.75
"""Share of a core from which on a worker gets no more people of rooms that can go elsewhere."""


class Fleet(Protocol):
    """What is known of the workers."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def connected(self, worker: int) -> bool:
        """Return whether a worker is there."""
        ...

    def load(self, worker: int) -> float:
        """Return the share of a core that a worker took of late."""
        ...

    def index_of(self, number: int) -> int | None:
        """Return which of these workers has a number among all; None if none has."""
        ...


class Placement:
    """Where everybody is.

    Args:
        fleet: the workers.
        share: most people of a room in a worker while others can serve it, too.
    """

    def __init__(self, fleet: Fleet, share: int) -> None:
        self._fleet = fleet
        self._share = share
        self._people: dict[str, tuple[str, int]] = {}  # room and worker
        self._rooms: dict[str, dict[int, set[str]]] = {}
        self._expected: dict[str, set[int]] = {}

    def worker_of(self, participant_id: str) -> int | None:
        """Return who serves a participant, None for strangers."""
        return self._people[participant_id][1] if participant_id in self._people else None

    def people_of(self, worker: int) -> list[str]:
        """Return whom a worker serves."""
        return [name for name, (_, where) in self._people.items() if where == worker]

    def has_people(self, room_id: str) -> bool:
        """Return whether anybody of a room is served here."""
        return room_id in self._rooms

    def count(self, worker: int) -> int:
        """Return how many a worker serves."""
        return sum(len(where.get(worker, ())) for where in self._rooms.values())

    def workers_of(self, room: Room) -> Sequence[int]:
        """Return who serves a room, in order: those with people of it, else its own worker.

        Those that record or broadcast it serve it, too.
        """
        people = self._rooms.get(room.room_id, {})
        found = {worker for worker, names in people.items() if names}
        found |= self._expected.get(room.room_id, set())
        found.update(one for one in map(self._fleet.index_of, room.keepers) if one is not None)
        return sorted(found) or [room.worker]

    def choose(self, room: Room) -> int:
        """Return where the next one in a room goes."""
        fleet, serving = self._fleet, self.workers_of(room)
        fitting = [worker for worker in serving if self._fits(room, worker)]
        if fitting:
            return min(fitting, key=lambda worker: (worker != room.worker, worker))
        there = [worker for worker in range(len(fleet)) if fleet.connected(worker)] or serving
        others = [one for one in there if one not in serving and fleet.load(one) < BUSY]
        if others:
            return min(others, key=lambda one: (fleet.load(one), self.count(one), one))
        return min(there, key=lambda one: (self._count_in(room, one), fleet.load(one), one))

    def put(self, room_id: str, participant_id: str, worker: int) -> None:
        """Take note that a worker serves a participant of a room."""
        self.remove(participant_id)
        self._people[participant_id] = room_id, worker
        self._rooms.setdefault(room_id, {}).setdefault(worker, set()).add(participant_id)

    def remove(self, participant_id: str) -> str | None:
        """Take note that a participant is gone; return its room, None for strangers."""
        if participant_id not in self._people:
            return None
        room_id, worker = self._people.pop(participant_id)
        people = self._rooms[room_id]
        people[worker].discard(participant_id)
        if not any(people.values()):
            del self._rooms[room_id]
        return room_id

    def expect(self, room_id: str, workers: Iterable[int]) -> None:
        """Take note that these serve a room, as one of them says: they have not told us who."""
        self._expected[room_id] = set(workers)

    def has_told(self, worker: int) -> list[str]:
        """Take note that a worker has told all; return of which rooms that had been awaited."""
        rooms = [room_id for room_id, workers in self._expected.items() if worker in workers]
        for room_id in rooms:
            self._expected[room_id].discard(worker)
            if not self._expected[room_id]:
                del self._expected[room_id]
        return rooms

    def forget_room(self, room_id: str) -> None:
        """Take note that a room is gone."""
        for names in self._rooms.pop(room_id, {}).values():
            for name in names:
                del self._people[name]
        self._expected.pop(room_id, None)

    def _fits(self, room: Room, worker: int) -> bool:
        fleet = self._fleet
        return self._count_in(room, worker) < self._share and fleet.load(worker) < BUSY

    def _count_in(self, room: Room, worker: int) -> int:
        return len(self._rooms.get(room.room_id, {}).get(worker, ()))
