"""The room store of one of several replicas: all of them see the same rooms, by way of Redis.

| state   | event                  | next    | effect                                           |
|---------|------------------------|---------|--------------------------------------------------|
| away    | Redis is connected     | loading | changes are put by until everything is read      |
| loading | everything is read     | healing | the view is what Redis has, and what we have     |
| healing | what we have is there  | there   | the watcher is told what differs                 |
| there   | a change by us         | there   | a script changes Redis, what it says the view    |
| there   | a change by others     | there   | the view follows, the watcher is told            |
| healing | a change by us         | healing | it waits                                         |
| away    | a change by us         | away    | the view is changed; Redis is when it is back    |
| any     | the connection is lost | away    | the watcher is told                              |

Reading never waits: every replica has a copy of all rooms. While Redis is away each goes on with
its own copy. When it is back, who is served here is written as it is here, everybody else is taken
as it is there; of a room that was changed in two places, the last who comes back wins.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import msgspec

from rooms import shared_scripts as scripts
from rooms.door import Door
from rooms.models import Broadcast, Participant, Room
from rooms.redis_connection import RedisAddress
from rooms.redis_line import RedisAwayError
from rooms.replicas import replica_of
from rooms.shared_heal import (
    Unwritten,
    give_up,
    heal,
    healed_room,
    tell_differences,
    view_of,
)
from rooms.shared_leases import Leases
from rooms.shared_log import Change, SharedLog, read_room
from rooms.shared_refusals import ChangedMeanwhile, refusal
from rooms.shared_revocations import MOST, SharedRevocations
from rooms.shared_times import DEFAULT_TIMES, SharedTimes
from rooms.shared_view import (
    SharedPerson,
    SharedRoom,
    SharedView,
    UnreadableError,
    raw_person,
    raw_room,
)
from rooms.shared_watcher import StoreWatcher
from rooms.store import (
    LEFT,
    NO_LIMIT,
    ParticipantMissingError,
    RoomMissingError,
    StoreError,
)

logger = logging.getLogger(__name__)

_REAP_AT_ONCE: Final = 100
_AGAIN_S: Final = 0.05
_ATTEMPTS: Final = 100


class SharedRoomStore:
    """See `rooms.store.RoomStore`."""

    def __init__(
        self,
        address: RedisAddress,
        replica: int,
        place: Callable[[], int] = lambda: 0,
        times: SharedTimes = DEFAULT_TIMES,
    ) -> None:
        """Make one; nothing happens before `start`.

        Args:
            address: Where Redis is.
            replica: Number of this one, see `rooms.replicas`.
            place: Says which worker of this replica mixes a room that was made elsewhere.
            times: How long things take.
        """
        self.watcher: StoreWatcher | None = None
        self.url = ""
        """Where other replicas reach this one; set it before `start`."""
        self.around_writes: Callable[[], AbstractContextManager[object]] = nullcontext
        """Made and entered while Redis is asked for a change, for whoever measures that."""
        self.leases = Leases(replica)
        self.is_there = False
        self.times_away = 0
        self._address = address
        self._replica = self.number = replica
        self._place = place
        self._times = times
        self._lease_ms = round(times.lease_s * 1000)
        self._view = SharedView()
        self._epoch = b""
        self._backlog: list[Change] | None = []
        self._floor = 0
        self._unwritten = Unwritten()
        self.revocations = SharedRevocations(self._write)
        self._doubtful_rooms: set[str] = set()
        self._doubtful_people: set[str] = set()
        self._log: SharedLog | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._ready = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._dropped = asyncio.Event()

    async def start(self) -> None:
        """Connect, and read all rooms unless that takes too long."""
        self._log = SharedLog(self._address, self._replica, self._on_change, self._go_away)
        self._tasks = [asyncio.create_task(self._keep(self._log), name="rooms in Redis")]
        try:
            async with asyncio.timeout(self._times.start_s):
                await self._ready.wait()
        except TimeoutError:
            logger.warning("Redis is away: this replica begins alone")

    async def leave(self) -> None:
        """Give the lease up, so that the others need not wait for its end; then close."""
        if self._log is not None:
            with contextlib.suppress(RedisAwayError):
                await self._log.leave()
        await self.close()

    async def close(self) -> None:
        """Disconnect; what is in Redis stays until the lease is over."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._log is not None:
            await self._log.close()

    def broadcast(self, broadcast_id: str) -> Broadcast | None:
        """Return a broadcast of any replica's."""
        found = (room.room.broadcast for room in self._view.rooms.values())
        return next(
            (it for it in found if it is not None and it.broadcast_id == broadcast_id), None
        )

    def serving_elsewhere(self, room_id: str) -> set[int]:
        """Return which workers of other replicas that live have people of a room, or keep it."""
        room = self._view.rooms.get(room_id)
        if room is None:
            return set()
        homes = {one.participant.home for one in room.people.values()} | room.room.keepers
        leases = self.leases
        return {one for one in homes if not (leases.is_own(one) or leases.is_lost(one))}

    def known(self, room_id: str) -> Room | None:
        """Return a room, at once."""
        room = self._view.rooms.get(room_id)
        return None if room is None else room.room

    # ---- RoomStore: reading ----------------------------------------------------------------

    async def room(self, room_id: str) -> Room | None:
        """See `RoomStore`."""
        return self.known(room_id)

    async def rooms(self) -> list[Room]:
        """See `RoomStore`."""
        return [room.room for room in self._view.rooms.values()]

    async def participant(self, participant_id: str) -> Participant | None:
        """See `RoomStore`."""
        person = self._view.person(participant_id)
        return None if person is None else person.participant

    async def participants(self, room_id: str) -> list[Participant]:
        """See `RoomStore`."""
        return self.members(room_id)

    def members(self, room_id: str) -> list[Participant]:
        """Return who is in a room, at once."""
        room = self._view.rooms.get(room_id)
        return [] if room is None else [one.participant for one in room.people.values()]

    async def count(self, room_id: str) -> int:
        """See `RoomStore`."""
        room = self._view.rooms.get(room_id)
        return 0 if room is None else len(room.people)

    # ---- RoomStore: changing ---------------------------------------------------------------

    async def add_room(self, room: Room, max_rooms: int, max_of_tenant: int = NO_LIMIT) -> None:
        """See `RoomStore`."""
        raw = raw_room(room)
        limits = (max_rooms, room.tenant, max_of_tenant)
        if await self._write(scripts.ADD_ROOM, room.room_id, raw, *limits, room=room):
            self._settle_room(room.room_id, room.worker)
            return
        self._view.check_room(room, max_rooms, max_of_tenant)
        self._view.put_room(SharedRoom(self._view.next_seq(), raw, room))
        self._unwritten.rooms.add(room.room_id)
        self._unwritten.rooms_gone.discard(room.room_id)

    async def update_room(self, room_id: str, change: Callable[[Room], Room]) -> Room:
        """See `RoomStore`."""
        for _ in range(_ATTEMPTS):
            known = self._view.rooms.get(room_id)
            if known is None:
                raise RoomMissingError(room_id)
            updated = change(known.room)
            raw = raw_room(updated)
            if raw == known.raw:
                known.room = updated
                return updated
            try:
                if await self._write(scripts.UPDATE_ROOM, room_id, known.raw, raw, room=known.room):
                    self._settle_room(room_id, updated.worker)
                    return updated
            except ChangedMeanwhile:
                continue
            if self._view.rooms.get(room_id) is known:
                before = known.room
                known.room, known.raw = updated, raw
                # Who waits at the door is written anew by all, and brings back nothing else.
                if msgspec.structs.replace(updated, guests=before.guests) != before:
                    self._unwritten.doors.setdefault(room_id, before.door)
                    self._unwritten.rooms.add(room_id)
                return updated
        raise RoomMissingError(room_id)

    async def remove_room(self, room_id: str) -> list[Participant]:
        """See `RoomStore`."""
        members = self.members(room_id)
        try:
            if await self._write(scripts.REMOVE_ROOM, room_id, 0):
                return members
        except RoomMissingError:
            return []
        self._remove_unwritten(room_id)
        return members

    async def remove_empty_room(self, room_id: str) -> bool:
        """See `RoomStore`."""
        try:
            if await self._write(scripts.REMOVE_ROOM, room_id, 1):
                return True
        except StoreError:
            return False
        room = self._view.rooms.get(room_id)
        if room is None or room.people:
            return False
        self._remove_unwritten(room_id)
        return True

    async def add_participant(
        self, participant: Participant, max_participants: int, max_of_tenant: int = NO_LIMIT
    ) -> None:
        """See `RoomStore`."""
        room_id, participant_id = participant.room_id, participant.participant_id
        raw = raw_person(participant)
        owner = replica_of(participant.home)
        if await self._write(
            *(scripts.ADD_PERSON, room_id, participant_id, participant.csrc, owner, raw),
            *(max_participants, max_of_tenant, participant.tenant),
            person=participant,
        ):
            return
        self._view.check_person(participant, max_participants, max_of_tenant)
        self._view.put_person(SharedPerson(self._view.next_seq(), raw, participant))
        self._unwritten.people.add(participant_id)
        self._unwritten.people_gone.pop(participant_id, None)

    async def update_participant(
        self, participant_id: str, change: Callable[[Participant], Participant]
    ) -> Participant:
        """See `RoomStore`."""
        for _ in range(_ATTEMPTS):
            known = self._view.person(participant_id)
            if known is None:
                raise ParticipantMissingError(participant_id)
            updated = change(known.participant)
            raw = raw_person(updated)
            if raw == known.raw:
                return known.participant
            try:
                if await self._write(
                    *(scripts.UPDATE_PERSON, participant_id, known.raw),
                    *(replica_of(updated.home), raw),
                    person=updated,
                ):
                    return updated
            except ChangedMeanwhile:
                continue
            if self._view.person(participant_id) is known:
                self._view.put_person(SharedPerson(known.seq, raw, updated))
                self._unwritten.people.add(participant_id)
                return updated
        raise ParticipantMissingError(participant_id)

    async def remove_participant(
        self, participant_id: str, reason: str = LEFT
    ) -> Participant | None:
        """See `RoomStore`."""
        person = self._view.person(participant_id)
        try:
            if await self._write(scripts.REMOVE_PERSON, participant_id, reason):
                return None if person is None else person.participant
        except ParticipantMissingError:
            return None
        if self._view.drop_person(participant_id) is not None:
            self._unwritten.people.discard(participant_id)
            self._unwritten.people_gone[participant_id] = reason
        return None if person is None else person.participant

    # ---- writing ---------------------------------------------------------------------------

    async def _write(
        self,
        script: str,
        *arguments: bytes | str | int,
        room: Room | None = None,
        person: Participant | None = None,
    ) -> bool:
        """Have Redis changed, and the view with it; return False if Redis is away.

        Raises:
            StoreError: Redis refuses.
            ChangedMeanwhile: what was to be changed is not what it was.
        """
        await self._settled.wait()
        log = self._log
        if log is None or not self.is_there:
            return False
        try:
            with self.around_writes():
                refused = await log.write(script, *arguments)
        except RedisAwayError:
            return False
        if refused is not None:
            raise refusal(refused, script, room, person)
        return True

    def _settle_room(self, room_id: str, worker: int) -> None:
        room = self._view.rooms.get(room_id)
        if room is not None:
            room.room = msgspec.structs.replace(room.room, worker=worker)

    def _remove_unwritten(self, room_id: str) -> None:
        room = self._view.drop_room(room_id)
        if room is not None:
            self._unwritten.rooms.discard(room_id)
            self._unwritten.doors.pop(room_id, None)
            self._unwritten.rooms_gone.add(room_id)

    # ---- following -------------------------------------------------------------------------

    def _on_change(self, change: Change) -> None:
        if self._backlog is not None:
            self._backlog.append(change)
        else:
            self._follow(change, None if change.origin == self._replica else self.watcher)

    def _follow(self, change: Change, watcher: StoreWatcher | None) -> None:
        """Make the view as a change says, and tell the watcher."""
        room = self._view.rooms.get(change.room_id)
        if change.rev <= (self._floor if room is None else room.rev):
            return  # it is older than what was read
        if room is not None:
            room.rev = change.rev
        match change.kind:
            case scripts.REVOKED:
                self._follow_revoked(change.participant_id, float(change.value), watcher)
            case scripts.ROOM_PUT:
                self._follow_room(change, room, watcher)
            case scripts.ROOM_GONE if room is not None:
                self._drop_room(room, watcher)
            case scripts.PERSON_PUT if room is not None:
                self._follow_person(change.value, watcher)
            case scripts.PERSON_GONE:
                gone = self._view.drop_person(change.participant_id)
                if gone is not None and watcher is not None:
                    watcher.on_participant_gone(
                        gone.participant, change.value.decode(errors="replace") or LEFT
                    )

    def _follow_room(
        self, change: Change, known: SharedRoom | None, watcher: StoreWatcher | None
    ) -> None:
        self._doubtful_rooms.discard(change.room_id)
        worker = self._place() if known is None else known.room.worker
        room = read_room(change.value, worker, change.rev)
        if room is not None:
            if known is not None and not self._view.is_same(room.room):
                # Two made it while Redis was away, and theirs is what counts.
                self._drop_room(known, self.watcher)
                known = None
            self._view.put_room(room)
            if watcher is not None:
                watcher.on_room(None if known is None else known.room, room.room)

    def _drop_room(self, room: SharedRoom, watcher: StoreWatcher | None) -> None:
        self._view.drop_room(room.room.room_id)
        if watcher is not None:
            watcher.on_room_gone(room.room, [one.participant for one in room.people.values()])

    def _follow_person(self, value: bytes, watcher: StoreWatcher | None) -> None:
        try:
            person = SharedPerson.read(value)
        except UnreadableError:
            logger.error("a participant in Redis cannot be read")
            return
        self._doubtful_people.discard(person.participant.participant_id)
        before = self._view.put_person(person)
        if watcher is not None:
            watcher.on_participant(
                None if before is None else before.participant, person.participant
            )

    def _follow_revoked(self, name: str, until: float, watcher: StoreWatcher | None) -> None:
        if self.revocations.follow(name, until) and watcher is not None:
            watcher.on_revoked(name)

    # ---- coming back -----------------------------------------------------------------------

    async def _keep(self, log: SharedLog) -> None:
        while True:
            await log.connected()
            self._dropped.clear()
            try:
                await self._come_back(log)
                await self._serve(log)
            except RedisAwayError:
                self._go_away()
            except Exception:  # a defect: the next reading may go well
                logger.exception("rooms in Redis cannot be followed")
                self._go_away()
                log.reconnect()
            await asyncio.sleep(_AGAIN_S)

    def _go_away(self) -> None:
        self._backlog = []
        self._dropped.set()
        if self.is_there:
            self.is_there = False
            self.times_away += 1
            logger.warning("Redis is away: this replica goes on alone")
            if self.watcher is not None:
                self.watcher.on_connected(False)

    async def _come_back(self, log: SharedLog) -> None:
        self._backlog = []
        self.leases.urls = await log.beat(self._lease_ms, self.url)
        loaded = await log.load()
        before, unwritten = self._view, self._unwritten
        is_new = bool(self._epoch) and loaded.epoch != self._epoch
        others = before.owners() - self.leases.lost if is_new else set()
        theirs = view_of(loaded, before, self._place)
        healed = heal(before, theirs, unwritten, self._replica, others)
        ours = {name: healed.view.rooms[name].room for name in healed.doors}
        self._view, self._unwritten = healed.view, Unwritten()
        self._doubtful_rooms = healed.doubtful_rooms
        self._doubtful_people = healed.doubtful_people
        self._epoch, self._floor = loaded.epoch, loaded.rev
        for token_id, until in self.revocations.unknown_to(loaded.revoked).items():
            healed.writes.append((scripts.REVOKE, token_id, repr(until), "0", MOST))
        for token_id, until in loaded.revoked.items():
            self._follow_revoked(token_id, until, self.watcher)
        backlog, self._backlog = self._backlog, None
        for change in backlog:  # of rooms and people only what differs in the end is told
            self._follow(change, self.watcher if change.kind == scripts.REVOKED else None)
        if self.watcher is not None:
            tell_differences(before, self._view, self.watcher)
        self._settled.clear()
        try:
            for script, *arguments in healed.writes:
                refused = await log.write(str(script), *arguments)
                room_id = str(arguments[0])
                if refused == scripts.CHANGED and script == scripts.PUT_ROOM:
                    await self._put_again(log, ours[room_id], healed.doors[room_id])
        except RedisAwayError:
            self._unwritten = unwritten
            raise
        else:
            self.is_there = True
        finally:
            self._settled.set()
        logger.info("Redis is there: %d rooms", len(self._view.rooms))
        if self.watcher is not None:
            self.watcher.on_connected(True)
        self._ready.set()

    async def _put_again(self, log: SharedLog, ours: Room, base: Door) -> None:
        """Bring a room together with what others have made of it since it was read."""
        for _ in range(_ATTEMPTS):
            known = self._view.rooms.get(ours.room_id)
            if known is None or not self._view.is_same(ours):
                return
            theirs, tenant = known.room, ours.tenant
            now = healed_room(ours, theirs, base)
            refused = await log.write(
                scripts.PUT_ROOM, ours.room_id, known.raw, raw_room(now), tenant
            )
            if refused is None and self.watcher is not None:
                self.watcher.on_room(theirs, now)
            if refused != scripts.CHANGED:
                return
            ours, base = now, theirs.door

    # ---- leases ----------------------------------------------------------------------------

    async def _serve(self, log: SharedLog) -> None:
        """Keep the lease, and see who else does, until Redis is lost."""
        loop = asyncio.get_running_loop()
        judge_from_s = loop.time() + self._times.lease_s  # others have to come back first
        while not self._dropped.is_set():
            self.leases.urls = await log.beat(self._lease_ms, self.url)
            if loop.time() >= judge_from_s:
                await self._judge(log)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._times.beat_s):
                    await self._dropped.wait()

    async def _judge(self, log: SharedLog) -> None:
        give_up(self._view, self._doubtful_people, self._doubtful_rooms, self.watcher)
        await self._sweep(log)
        lost, back = self.leases.judge(self._view.owners() | self._view.keepers())
        if (lost or back) and self.watcher is not None:
            self.watcher.on_replicas(lost, back)
        for replica in self.leases.lost:
            await log.reap(replica, round(self._times.keep_s * 1000), _REAP_AT_ONCE)

    async def _sweep(self, log: SharedLog) -> None:
        """Remove rooms that have been empty for long: their makers may be dead."""
        now_s = asyncio.get_running_loop().time()
        for room in self._view.empty_for(self._times.empty_s, now_s):
            refused = await log.write(scripts.REMOVE_ROOM, room.room_id, 1)
            if refused is None and self.watcher is not None:
                self.watcher.on_room_gone(room, [])
