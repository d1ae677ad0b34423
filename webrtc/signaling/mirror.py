"""What other replicas do, as the people here are told of it and our workers have to know it.

| elsewhere                               | here                                                   |
|-----------------------------------------|--------------------------------------------------------|
| a room is changed                       | our workers and everyone in it are told                |
| a room is removed                       | so it is here                                          |
| somebody comes, goes, is hidden or back | everyone in the room is told; sound is exchanged anew  |
| one of theirs is changed                | everyone in the room is told                           |
| one of ours is changed                  | the same, and our worker                               |
| one of ours is put out                  | so it is here, and told why                            |
| one is put out, and then is not any more| it is again: their replica heard of it too late        |
| one of ours comes back there            | the seat here is given up, quietly                     |
| a join token is revoked                 | whoever came in with it here is put out                |
| guests come to a door, or leave it      | hosts are told                                         |
| a host there answers a guest of ours    | so it is done                                          |
| a replica dies, or lives again          | its people are hidden, or shown                        |
| one dies that records or broadcasts     | that is over: everyone in the room is told             |

Nothing is sent from replica to replica but the state itself, so an outage loses no event: what has
become different meanwhile is told afterwards.
"""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any, Literal

import msgspec

from rooms.models import Participant, Room
from rooms.replicas import replica_of
from rooms.shared_store import SharedRoomStore
from rooms.store import ParticipantMissingError
from webrtc.errors import ClientError
from webrtc.signaling.conference import Conference
from webrtc.signaling.entrance import Entrance
from webrtc.signaling.events import ParticipantLeft, ScenesChanged, ServerState
from webrtc.signaling.far_guests import FarGuests
from webrtc.signaling.messages_desk import scene_list
from webrtc.signaling.wire import event_frame

logger = logging.getLogger(__name__)


class Mirror:
    """Follows the other replicas; see `rooms.shared_watcher.StoreWatcher`."""

    def __init__(self, store: SharedRoomStore, conference: Conference, entrance: Entrance) -> None:
        """Watch a store from now on."""
        self._store = store
        self._conference = conference
        self._entrance = entrance
        self._tasks: set[asyncio.Task[None]] = set()
        self._showing = asyncio.Lock()
        conference.is_lost = lambda one: store.leases.is_lost(one.home)
        conference.shows_elsewhere = self._show_elsewhere
        conference.workers.elsewhere = store.serving_elsewhere
        self._guests = FarGuests(store, entrance.waiting, self._run)
        store.watcher = self

    async def close(self) -> None:
        """Stop."""
        self._store.watcher = None
        self._guests.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- StoreWatcher ----------------------------------------------------------------------

    def on_room(self, before: Room | None, after: Room) -> None:
        """See `StoreWatcher`."""
        conference, room_id = self._conference, after.room_id
        if conference.workers.is_put(room_id) and not _is_same_inside(before, after):
            conference.workers.put_room(after)
        self._guests.follow(before, after)
        if before is None:
            return
        shown = ("settings", "recording", "broadcast", "network")
        if any(getattr(before, name) != getattr(after, name) for name in shown):
            conference.tell_room(after)
        if before.door != after.door:
            self._entrance.follow_door(after)
        if before.scenes != after.scenes:
            scenes = ScenesChanged(scene_list(after))
            conference.presence.broadcast(room_id, "scenes_changed", scenes)

    def on_room_gone(self, room: Room, people: list[Participant]) -> None:
        """See `StoreWatcher`."""
        self._entrance.forget_room(room, people, "deleted" if people else "empty")

    def on_participant(self, before: Participant | None, after: Participant) -> None:
        """See `StoreWatcher`."""
        conference, name = self._conference, after.participant_id
        if before is not None and before.put_out and not after.put_out:
            after = after.being_put_out(before.put_out)
            self._run(self._insist(after))
        seat = conference.presence.seat(name)
        was_shown = before is not None and conference.is_shown(before)
        if seat is not None and not self._store.leases.is_own(after.home):
            conference.note(after)
            self._entrance.release(seat)
        elif seat is not None:
            self._follow_own(before, after)
            return
        elif after.put_out and self._store.leases.is_own(after.home):
            self._entrance.bury_later(name)
        conference.note(after)
        is_shown = conference.is_shown(after)
        if is_shown and not was_shown:
            self._show(after)
        elif was_shown and not is_shown:
            self._hide(after)
        elif is_shown and conference.presence.is_seated(after.room_id):
            conference.announcer.request(name)
        conference.workers.arrange_if_new(after.room_id)

    def on_participant_gone(self, participant: Participant, reason: str) -> None:
        """See `StoreWatcher`."""
        conference = self._conference
        seat = conference.presence.seat(participant.participant_id)
        was_shown = conference.is_shown(participant)
        if seat is not None:
            self._entrance.release(seat)
        conference.forget_elsewhere(participant, reason, was_shown=was_shown)

    def on_revoked(self, token_id: str) -> None:
        """See `StoreWatcher`."""

        async def put_out() -> None:
            for seat in self._conference.presence.all_seats():
                one = await self._store.participant(seat.participant_id)
                if one is not None and one.token_id == token_id:
                    await self._entrance.put_out(seat, "revoked")

        self._run(put_out())

    def on_replicas(self, lost: set[int], back: set[int]) -> None:
        """See `StoreWatcher`."""
        conference = self._conference
        logger.warning("replicas lost: %d, back: %d", len(lost), len(back))
        for room_id in {seat.room_id for seat in conference.presence.all_seats()}:
            for one in self._store.members(room_id):
                replica = replica_of(one.home)
                if replica in lost and one.present:
                    self._hide(one)
                elif replica in back and one.present and not one.put_out:
                    self._show(one)
            conference.workers.arrange_if_new(room_id)
        if lost:
            self._run(self._end_what_is_lost())
        self._run(self._guests.tell_anew())

    def on_connected(self, connected: bool) -> None:
        """See `StoreWatcher`."""
        frame = event_frame("server_state", ServerState(degraded(self._store)))
        for seat in self._conference.presence.all_seats():
            if seat.connection is not None:
                seat.connection.socket.write(frame)
        self._run(self._guests.tell_anew())

    # ---- what becomes of it ----------------------------------------------------------------

    def _follow_own(self, before: Participant | None, after: Participant) -> None:
        """Do as others wish who may change somebody whom we serve."""
        conference = self._conference
        if after.put_out:
            self._run(self._put_out(after.participant_id, after.put_out))
            return
        conference.note(after)
        worker = conference.workers.worker_of(after.participant_id)
        if worker is not None:
            conference.workers.put_participant(worker, after)
        if before is None or before.role is not after.role:
            conference.follow_role(after)
        conference.announcer.request(after.participant_id)

    async def _put_out(self, participant_id: str, reason: str) -> None:
        seat = self._conference.presence.seat(participant_id)
        if seat is not None:
            await self._entrance.put_out(seat, reason)

    async def _insist(self, participant: Participant) -> None:
        with contextlib.suppress(ClientError):  # it is gone
            await self._entrance.put_out_elsewhere(participant, participant.put_out)

    async def _end_what_is_lost(self) -> None:
        """Say that nothing is recorded or broadcast any more by replicas that are dead.

        One that only was out of reach says when it is back that it goes on.
        """
        conference, leases = self._conference, self._store.leases
        for room in await self._store.rooms():
            recording, broadcast = room.recording, room.broadcast
            with contextlib.suppress(ClientError):  # the room is gone
                if recording is not None and leases.is_lost(recording.keeper):
                    await conference.change_recording(room.room_id, recording.recording_id, None)
                if broadcast is not None and leases.is_lost(broadcast.keeper):
                    await conference.change_broadcast(room.room_id, broadcast.broadcast_id, None)

    def _show(self, participant: Participant) -> None:
        if self._conference.presence.is_seated(participant.room_id):
            frame = event_frame("participant_joined", self._conference.shown(participant))
            self._conference.presence.broadcast_frame(participant.room_id, frame)

    def _hide(self, participant: Participant) -> None:
        conference, name = self._conference, participant.participant_id
        left = ParticipantLeft(name, participant.put_out or "lost")
        conference.presence.broadcast(participant.room_id, "participant_left", left)
        conference.levels.forget_participant(participant.room_id, name)
        conference.announcer.forget(name)

    def _show_elsewhere(self, participant_id: str, shown: bool) -> None:
        def apply(participant: Participant) -> Participant:
            return msgspec.structs.replace(participant, present=shown and not participant.put_out)

        async def tell() -> None:
            async with self._showing:  # the latest is written last
                try:
                    updated = await self._store.update_participant(participant_id, apply)
                except ParticipantMissingError:
                    return
            self._conference.note(updated)

        self._run(tell())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="mirror")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_same_inside(before: Room | None, after: Room) -> bool:
    """Return whether a room is as it was, but for who waits at its door."""
    return before is not None and msgspec.structs.replace(after, guests=before.guests) == before


def degraded(store: SharedRoomStore | None) -> list[Literal["replicas"]]:
    """Return what does not work at the moment: people of other `replicas` are out of reach."""
    return [] if store is None or store.is_there else ["replicas"]
