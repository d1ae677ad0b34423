"""After a restart: rooms come back from the workers, and workers get their rooms back.

| restarted  | the worker remembers | what happens                                         |
|------------|----------------------|------------------------------------------------------|
| the front  | rooms new to us      | they are ours again, their seats wait for sockets    |
| the worker | nothing, or too few  | it is told everything, and its people `media_reset`  |
| neither    | our rooms, or older  | it is told what differs                              |
"""

import logging
from functools import partial
from typing import TypeVar

import msgspec

from rooms.models import Participant, Room
from rooms.rights import belongs
from rooms.store import StoreError
from webrtc.control.memory import Memory
from webrtc.control.messages import DropParticipant, DropRoom, KeptRoom
from webrtc.front_workers import put_participant
from webrtc.signaling.conference import Conference
from webrtc.signaling.entrance import Entrance
from webrtc.signaling.events import MediaReset
from webrtc.signaling.presence import Seat

logger = logging.getLogger(__name__)

_Model = TypeVar("_Model", Room, Participant)


class Recovery:
    """Brings the front process and a worker to the same view."""

    def __init__(self, conference: Conference, entrance: Entrance) -> None:
        self._conference = conference
        self._entrance = entrance
        self._known: set[int] = set()

    async def on_welcome(self, worker: int, memory: Memory) -> None:
        """Take over what a worker remembers if it is new to us, then tell it what differs."""
        if worker not in self._known:
            self._known.add(worker)
            await self._restore(worker, memory)
        await self._synchronise(worker, memory)

    async def _restore(self, worker: int, memory: Memory) -> None:
        taken = set()
        for kept in memory.rooms:
            room = _decoded(kept.state, Room)
            if room is not None and room.room_id == kept.room_id:
                # Where a room is, the worker knows best: indices may have changed.
                room = msgspec.structs.replace(room, worker=worker)
                if await self._restore_room(room, kept):
                    taken.add(room.room_id)
        for put in memory.participants:
            participant = _decoded(put.state, Participant)
            if (
                participant is not None
                and participant.participant_id == put.participant_id
                and participant.room_id in taken
            ):
                await self._restore_participant(worker, participant)
        await self._keep_seats(worker)
        for kept in memory.rooms:
            if await self._conference.store.count(kept.room_id) == 0:
                self._entrance.expect_use(kept.room_id)

    async def _restore_room(self, room: Room, kept: KeptRoom) -> bool:
        """Take a room over; return whether the worker serves it."""
        store, workers = self._conference.store, self._conference.workers
        known = await store.room(room.room_id)
        if known is not None and not belongs(known, room.tenant):
            logger.warning("room %s is another tenant's by now", room.room_id)
            return False
        if known is not None and room.worker in workers.workers_of(known):
            return True  # as another of its workers has said
        if known is not None and not workers.has_people(room.room_id):
            # Other replicas know it; which worker has it here is ours to say.
            at_home = partial(msgspec.structs.replace, worker=room.worker)
            await store.update_room(room.room_id, at_home)
            return True
        try:
            limits = self._conference.limits
            await store.add_room(room, limits.max_rooms, limits.max_rooms_per_tenant)
        except StoreError as error:
            logger.warning("room %s is not taken over: %r", room.room_id, error)
            return False
        ours = [one for one in map(workers.index_of, kept.workers) if one is not None]
        awaited = [one for one in ours if one not in self._known]
        workers.expect(room.room_id, [room.worker, *awaited])
        return True

    async def _restore_participant(self, worker: int, participant: Participant) -> None:
        conference = self._conference
        known = await conference.store.participant(participant.participant_id)
        if known is not None and conference.workers.index_of(known.home) == worker:
            await self._keep_seat(worker, known)
            return
        # As it was with an older version of this program, or under another number of this one.
        home = conference.workers.number_of(worker)
        participant = msgspec.structs.replace(participant, home=home)
        try:
            limits = conference.limits
            most = (limits.max_participants_per_room, limits.max_participants_per_tenant)
            await conference.store.add_participant(participant, *most)
        except StoreError as error:
            logger.warning(
                "participant %s is not taken over: %r", participant.participant_id, error
            )
            return
        known = await conference.store.participant(participant.participant_id)
        await self._keep_seat(worker, participant if known is None else known)

    async def _keep_seats(self, worker: int) -> None:
        """Keep the seats of those who are the worker's, though it does not remember them."""
        conference = self._conference
        for room in await conference.store.rooms():
            for participant in await conference.store.participants(room.room_id):
                is_here = conference.presence.seat(participant.participant_id) is not None
                if conference.workers.index_of(participant.home) == worker and not is_here:
                    await self._keep_seat(worker, participant)

    async def _keep_seat(self, worker: int, participant: Participant) -> None:
        conference = self._conference
        conference.note(participant)
        conference.workers.place_kept(worker, participant)
        seat = Seat(
            participant.participant_id,
            participant.room_id,
            worker,
            participant.publishes,
            negotiated=True,
        )
        conference.presence.keep(seat)
        if participant.put_out:  # while we were not there
            await self._entrance.put_out(seat, participant.put_out)

    async def _synchronise(self, worker: int, memory: Memory) -> None:
        """Make the worker's view ours, sending only what differs: it may be in full swing."""
        workers = self._conference.workers
        here = workers.is_needed
        kept_rooms = {kept.room_id: kept for kept in memory.rooms}
        rooms = {
            room.room_id: room
            for room in await self._conference.store.rooms()
            if worker in workers.workers_of(room)
            and (room.room_id in kept_rooms or workers.is_put(room.room_id) or here(room))
            and (here(room) or not workers.elsewhere(room.room_id))
        }
        remembered = {put.participant_id: put for put in memory.participants}
        for room_id in kept_rooms.keys() - rooms.keys():
            workers.send(worker, DropRoom(room_id))
        for room in rooms.values():
            kept = kept_rooms.get(room.room_id)
            if kept is None:
                workers.put_room(room)
            else:
                workers.keep_room(worker, room, kept)
            for participant in await self._conference.store.participants(room.room_id):
                if workers.worker_of(participant.participant_id) != worker:
                    continue
                known = remembered.pop(participant.participant_id, None)
                if known != put_participant(participant):
                    workers.put_participant(worker, participant)
                if known is None:
                    self._reset_media(participant.participant_id)
        for participant_id in remembered:
            workers.send(worker, DropParticipant(participant_id))

    def _reset_media(self, participant_id: str) -> None:
        seat = self._conference.presence.seat(participant_id)
        if seat is None or not seat.negotiated:
            return
        seat.negotiated = False
        seat.server_offer = None
        self._conference.levels.forget_participant(seat.room_id, participant_id)
        if seat.connection is None:
            seat.missed_reset = True
        else:
            seat.connection.emit("media_reset", MediaReset("worker_restarted"))


def _decoded(state: bytes, kind: type[_Model]) -> _Model | None:
    try:
        return msgspec.msgpack.decode(state, type=kind)
    except msgspec.MsgspecError:
        logger.error("a worker remembers a %s that cannot be read", kind.__name__)
        return None
