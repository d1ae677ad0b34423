"""What all handlers share: the rooms, the people, the workers, and how a participant is shown."""

from collections.abc import Callable

import msgspec

from rooms.models import Broadcast, Participant, Recording, Room, RoomSettings, SimulatedNetwork
from rooms.rights import Right, belongs, held, listed, may
from rooms.store import ParticipantMissingError, RoomMissingError, RoomStore
from rooms.strip import to_wire
from webrtc.control.messages import Content
from webrtc.errors import ClientError
from webrtc.front_limits import FrontLimits
from webrtc.front_workers import WorkerPool
from webrtc.signaling.announcer import Announcer
from webrtc.signaling.assignments import Assignments
from webrtc.signaling.connection import Connection
from webrtc.signaling.contents import Contents
from webrtc.signaling.events import GuestsWaiting, ParticipantLeft, RoomUpdated
from webrtc.signaling.levels import LevelFanOut
from webrtc.signaling.messages_desk import broadcast_info, recording_info
from webrtc.signaling.messages_joining import ParticipantInfo, Track
from webrtc.signaling.meters import MeterFanOut
from webrtc.signaling.presence import Presence, Seat
from webrtc.signaling.qualities import QualityFanOut
from webrtc.signaling.wire import event_frame, to_raw


class Conference:
    """The state of this front process."""

    def __init__(
        self,
        store: RoomStore,
        workers: WorkerPool,
        presence: Presence,
        limits: FrontLimits,
    ) -> None:
        self.store = store
        self.workers = workers
        self.presence = presence
        self.limits = limits
        self.is_lost: Callable[[Participant], bool] = lambda _: False
        """Returns whether the replica that serves a participant is dead."""
        self.shows_elsewhere: Callable[[str, bool], None] = lambda _, __: None
        """Tells other replicas whether somebody of ours is to be seen."""
        self.simulates = False
        """Whether the operator lets engineers make networks worse."""
        self.everywhere: SimulatedNetwork | None = None
        """What sound in rooms without a network of their own goes through, if anything."""
        self.levels = LevelFanOut(
            presence,
            limits.publisher_levels_period_s,
            limits.listener_levels_period_s,
            self._knows,
        )
        self.meters = MeterFanOut(presence, workers)
        self.assignments = Assignments(presence)
        self.qualities = QualityFanOut(presence)
        self.contents = Contents(presence, self)
        self.announcer = Announcer(self._announce, limits.update_period_s)
        self._latest: dict[str, Participant] = {}
        self._shown: dict[str, tuple[Participant, bool, Content | None, msgspec.Raw]] = {}

    def close(self) -> None:
        """Stop every timer; rooms and people stay as they are."""
        self.announcer.close()
        self.levels.close()
        self.contents.close()
        self.presence.close()

    # ---- who is asking ----

    def seat_of(self, connection: Connection) -> Seat:
        """Return the seat that a socket holds.

        Raises:
            ClientError: `not_joined`.
        """
        if connection.seat is None:
            raise ClientError("not_joined", "join a room first")
        return connection.seat

    async def me(self, seat: Seat) -> Participant:
        """Return the participant of a seat.

        Raises:
            ClientError: `not_joined`, when it is gone meanwhile.
        """
        participant = await self.store.participant(seat.participant_id)
        if participant is None:
            raise ClientError("not_joined", "this participant is gone")
        return participant

    async def require(self, actor: Participant, right: Right) -> Room:
        """Return the actor's room if the actor may do `right` there.

        Raises:
            ClientError: `forbidden`, or `room_not_found` when the room is gone meanwhile.
        """
        room = await self.store.room(actor.room_id)
        if room is None:
            raise ClientError("room_not_found", "this room is gone")
        if not may(actor, right, room):
            raise ClientError("forbidden", f"this takes the right {right.value}")
        return room

    async def known_room(self, room_id: str) -> Room:
        """Return a room, whose ever it is: who asks has been asked for a right in it.

        Raises:
            ClientError: `room_not_found`.
        """
        room = await self.store.room(room_id)
        if room is None:
            raise _no_such_room()
        return room

    async def room_for(self, tenant: str, room_id: str) -> Room:
        """Return a room of a tenant's.

        Raises:
            ClientError: `room_not_found`, for rooms of others, too.
        """
        return self.seen_by(tenant, await self.known_room(room_id))

    def seen_by(self, tenant: str, room: Room) -> Room:
        """Return a room if it is a tenant's.

        Raises:
            ClientError: `room_not_found`, in the words for one that is not there.
        """
        if not belongs(room, tenant):
            raise _no_such_room()
        return room

    async def require_place_to_speak(self, room_id: str) -> None:
        """Return if one more may speak in a room.

        Raises:
            ClientError: `room_full`.
        """
        people = [one for one in await self.store.participants(room_id) if not one.put_out]
        if sum(one.publishes for one in people) >= self.limits.max_publishers_per_room:
            retry_after_s = self.limits.full_retry_after_s
            raise ClientError("room_full", "as many speak here as may", retry_after_s)

    # ---- changing ----

    async def change(
        self,
        participant_id: str,
        change: Callable[[Participant], Participant],
        ramp_ms: int = 0,
    ) -> Participant:
        """Store what `change` makes of a participant, and tell its worker and the room.

        A strip that is changed takes `ramp_ms` to become so.

        Raises:
            ClientError: `participant_not_found`, or what `change` raises.
        """
        try:
            updated = await self.store.update_participant(participant_id, change)
        except ParticipantMissingError:
            raise ClientError("participant_not_found", "this participant is gone") from None
        self.note(updated)
        worker = self.workers.worker_of(participant_id)
        if worker is not None:
            self.workers.put_participant(worker, updated, ramp_ms)
        return updated

    async def change_room(
        self, room_id: str, change: Callable[[RoomSettings], RoomSettings]
    ) -> Room:
        """Store what `change` makes of a room's settings, and tell the worker and the room.

        Raises:
            ClientError: `room_not_found`.
        """

        def apply(room: Room) -> Room:
            return msgspec.structs.replace(room, settings=change(room.settings))

        return await self._change_whole(room_id, apply)

    async def change_recording(
        self, room_id: str, before: str | None, recording: Recording | None
    ) -> bool:
        """Store what is recorded of a room, and tell the worker and the room.

        Args:
            room_id: of the room.
            before: id of the recording that there is; None for none. Another one is left alone,
                which another replica began or ended meanwhile.
            recording: what there is now.

        Returns:
            Whether it is so now.

        Raises:
            ClientError: `room_not_found`.
        """

        def apply(room: Room) -> Room:
            now = None if room.recording is None else room.recording.recording_id
            return msgspec.structs.replace(room, recording=recording) if now == before else room

        return (await self._change_whole(room_id, apply)).recording == recording

    async def change_broadcast(
        self, room_id: str, before: str | None, broadcast: Broadcast | None
    ) -> bool:
        """Store where a room is broadcast to, and tell the worker and the room.

        Args, result and errors are those of `change_recording`.
        """

        def apply(room: Room) -> Room:
            now = None if room.broadcast is None else room.broadcast.broadcast_id
            return msgspec.structs.replace(room, broadcast=broadcast) if now == before else room

        return (await self._change_whole(room_id, apply)).broadcast == broadcast

    async def change_network(self, room_id: str, network: SimulatedNetwork | None) -> None:
        """Store what a room's sound goes through, and tell the worker and the room.

        Raises:
            ClientError: `room_not_found`.
        """
        await self._change_whole(
            room_id, lambda room: msgspec.structs.replace(room, network=network)
        )

    async def _change_whole(self, room_id: str, change: Callable[[Room], Room]) -> Room:
        try:
            updated = await self.store.update_room(room_id, change)
        except RoomMissingError:
            raise ClientError("room_not_found", "this room is gone") from None
        self.workers.put_room(updated)
        self.tell_room(updated)
        return updated

    def tell_room(self, room: Room) -> None:
        """Tell everyone in a room how it is now."""
        network = self.network_of(room)
        event = RoomUpdated(room.settings, recording_info(room), network, broadcast_info(room))
        self.presence.broadcast(room.room_id, "room_updated", event)

    def network_of(self, room: Room) -> SimulatedNetwork | None:
        """Return what the sound in a room goes through, but for those with a network of their own.

        None for nothing.
        """
        return room.network or self.everywhere

    def follow_role(self, participant: Participant) -> None:
        """Let levels and meters go on as a participant's role allows it now."""
        seat = self.presence.seat(participant.participant_id)
        if seat is None:
            return
        seat.publishes = participant.publishes
        if not participant.publishes:
            self.levels.forget_participant(seat.room_id, seat.participant_id)
        rights = held(participant)
        if Right.EDIT_ANY_STRIP not in rights:
            own = {seat.participant_id} if Right.EDIT_OWN_STRIP in rights else set[str]()
            self.meters.restrict(seat, frozenset(own))

    def tell_hosts(self, room_id: str, event: GuestsWaiting) -> None:
        """Tell those in a room who may let guests in."""
        for seat in self.presence.seats_in(room_id):
            if seat.connection is not None and self.moderates(seat.participant_id):
                seat.connection.emit("guests_waiting", event)

    def moderates(self, participant_id: str) -> bool:
        """Return whether a participant may let guests in."""
        known = self._latest.get(participant_id)
        return known is not None and Right.MODERATE in held(known)

    def note(self, participant: Participant) -> None:
        """Remember how a participant is now."""
        self._latest[participant.participant_id] = participant

    def latest(self, participant_id: str) -> Participant | None:
        """Return how a participant was when it was last noted; None for strangers."""
        return self._latest.get(participant_id)

    def announce(self, participant_id: str) -> None:
        """Let the room know, soon, that a participant has changed."""
        self.announcer.request(participant_id)

    def forget(self, participant_id: str) -> None:
        """Remember a participant no more."""
        self._latest.pop(participant_id, None)
        self._shown.pop(participant_id, None)
        self.announcer.forget(participant_id)
        self.assignments.forget(participant_id)
        self.qualities.forget_participant(participant_id)
        self.contents.forget(participant_id)

    def forget_elsewhere(self, participant: Participant, reason: str, *, was_shown: bool) -> None:
        """Forget somebody who is gone from another replica, and tell those here who saw them."""
        name, room_id = participant.participant_id, participant.room_id
        self.forget(name)
        if was_shown:
            self.presence.broadcast(room_id, "participant_left", ParticipantLeft(name, reason))
        self.levels.forget_participant(room_id, name)
        self.workers.arrange_if_new(room_id)

    # ---- showing ----

    async def present(self, room_id: str) -> list[Participant]:
        """Return who is shown in a room, in the order of joining."""
        return [one for one in await self.store.participants(room_id) if self.is_shown(one)]

    async def count_present(self, room_id: str) -> int:
        """Return how many are shown in a room."""
        return len(await self.present(room_id))

    def hide(self, seat: Seat) -> None:
        """Tell the others that somebody is gone, who may come back."""
        self.shows_elsewhere(seat.participant_id, False)
        event = ParticipantLeft(seat.participant_id, "lost")
        self.presence.broadcast(seat.room_id, "participant_left", event, skip=seat)
        self.levels.forget_participant(seat.room_id, seat.participant_id)
        self.announcer.forget(seat.participant_id)

    def show_again(self, seat: Seat) -> None:
        """Tell the others that somebody is back."""
        self.shows_elsewhere(seat.participant_id, True)
        participant = self._latest.get(seat.participant_id)
        if participant is not None:
            frame = event_frame("participant_joined", self.shown(participant))
            self.presence.broadcast_frame(seat.room_id, frame, skip=seat)

    def shown(self, participant: Participant) -> msgspec.Raw:
        """Return a participant as everyone sees it; encoded once for each change.

        A join is answered with everyone in the room, so encoding them afresh would cost a room
        of n participants n² encodings while it fills.
        """
        speaking = self.levels.speaking(participant.room_id, participant.participant_id)
        content = self.contents.of(participant.participant_id)
        known = self._shown.get(participant.participant_id)
        if known is not None and known[0] is participant and known[1:3] == (speaking, content):
            return known[3]
        raw = to_raw(participant_info(participant, speaking=speaking, content=content))
        self._shown[participant.participant_id] = (participant, speaking, content, raw)
        return raw

    def _announce(self, participant_id: str) -> None:
        participant = self._latest.get(participant_id)
        if participant is not None and self.is_shown(participant):
            frame = event_frame("participant_updated", self.shown(participant))
            self.presence.broadcast_frame(participant.room_id, frame)

    def is_shown(self, participant: Participant) -> bool:
        """Return whether the others see a participant."""
        seat = self.presence.seat(participant.participant_id)
        if seat is not None:
            return seat.shown
        is_there = participant.present and not participant.put_out
        return is_there and not self.is_lost(participant)

    def _knows(self, participant_id: str) -> bool:
        return participant_id in self._latest


def _no_such_room() -> ClientError:
    return ClientError("room_not_found", "there is no such room")


def participant_info(
    participant: Participant, *, speaking: bool, content: Content | None = None
) -> ParticipantInfo:
    """Return what others see of a participant."""
    return ParticipantInfo(
        participant_id=participant.participant_id,
        name=participant.name,
        role=participant.direction.value,
        rights=listed(held(participant)),
        kind=participant.kind.value,
        muted=participant.muted,
        deafened=participant.deafened,
        priority=participant.priority,
        pinned=participant.pinned,
        speaking=speaking,
        csrc=participant.csrc,
        joined_at=participant.joined_at,
        tracks=[Track()] if participant.publishes else [],
        genre=None if content is None else content.genre,
        confidence=0.0 if content is None else content.confidence,
        settings=to_wire(participant.strip) if participant.publishes else msgspec.UNSET,
        network=participant.network,
    )
