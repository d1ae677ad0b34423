"""Coming and going: join, resume, leave, and rooms that open and close."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Literal, cast

import msgspec

from rooms import tokens
from rooms.door import OPEN_DOOR, hidden
from rooms.models import DEFAULT_ROOM_SETTINGS, Participant, Role, Room, RoomSettings
from rooms.rights import held, listed
from rooms.store import (
    ParticipantExistsError,
    ParticipantMissingError,
    RoomExistsError,
    RoomMissingError,
)
from rooms.strip import to_wire
from webrtc.access import Access
from webrtc.errors import ClientError
from webrtc.signaling.applicant import Applicant
from webrtc.signaling.conference import Conference
from webrtc.signaling.connection import Connection
from webrtc.signaling.events import (
    MediaReset,
    ParticipantLeft,
    RoomClosed,
    ServerOffered,
    ServerState,
)
from webrtc.signaling.fullness import fullness_is_told
from webrtc.signaling.messages_desk import broadcast_info, recording_info, scene_list
from webrtc.signaling.messages_hosting import door_state
from webrtc.signaling.messages_joining import Joined, JoinRoom, ParticipantInfo
from webrtc.signaling.messages_parts import TRACKS
from webrtc.signaling.presence import Seat
from webrtc.signaling.resuming import Resuming
from webrtc.signaling.waiting_room import WaitingRoom
from webrtc.signaling.wire import event_frame
from webrtc.turn import IceServers

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
BURIED_AFTER_S = 5.0
"""How long somebody may be put out who has no seat: who is just coming in has one by then."""


class Entrance:
    """Lets people in and out.

    Args:
        conference: the shared state.
        access: who may come in.
        ice_servers: what clients are told to use.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        conference: Conference,
        access: Access,
        ice_servers: IceServers,
        clock: Callable[[], float],
    ) -> None:
        self._conference = conference
        self._access = access
        self._ice_servers = ice_servers
        self._clock = clock
        self._unused_rooms: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._resuming = Resuming(conference, access, self._serve)
        self.waiting = WaitingRoom(conference.tell_hosts)
        self.draining = False
        self.degraded: Callable[[], list[Literal["replicas"]]] = list
        """Returns what does not work at the moment."""

    async def close(self) -> None:
        """Stop every timer and task; rooms and people stay as they are."""
        for timer in self._unused_rooms.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- coming ----

    async def join(self, connection: Connection, request: JoinRoom) -> Joined:
        """Give a socket a seat: a new one, or the one that its resume token names.

        Raises:
            ClientError: `draining`, `already_joined`, `resume_failed`, `room_not_found`,
                `room_full`, `tenant_full`, `server_full`, or what `Access.enter` refuses with.
        """
        if self.draining:
            retry_after_s = self._conference.limits.drain_retry_after_s
            raise ClientError("draining", "this server is about to stop", retry_after_s)
        if connection.seat is not None:
            raise ClientError("already_joined", "leave the room first")
        if request.resume_token is not None:
            back = await self._resuming.resume(connection, request.resume_token)
            return await self._joined(back, request.resume_token, None, resumed=True)
        return await self._let_in(connection, request, await self._applicant(connection, request))

    async def bring_in(self, connection: Connection, request: JoinRoom, tenant: str) -> Joined:
        """Give a seat to somebody whom this server itself brings in: nobody asks for a token.

        Args:
            connection: who.
            request: what for.
            tenant: whose the room is.

        Raises:
            ClientError: as `join`.
        """
        if self.draining:
            raise ClientError("draining", "this server is about to stop")
        connection.is_known = True
        return await self._let_in(connection, request, Applicant.unknown(request, tenant))

    async def _let_in(
        self, connection: Connection, request: JoinRoom, applicant: Applicant
    ) -> Joined:
        for _ in range(_ATTEMPTS):
            # Between two steps the last one in the room may leave and take the room away.
            with contextlib.suppress(RoomMissingError):
                return await self._enter(connection, request, applicant)
        raise ClientError("room_not_found", "the room closes again and again", 0.5)

    async def _applicant(self, connection: Connection, request: JoinRoom) -> Applicant:
        shown = await self._access.enter(request.token or connection.token, request.room_id or "")
        if shown is None:
            return Applicant.unknown(request)
        connection.is_known = True
        return Applicant.with_pass(request, shown)

    async def _enter(
        self, connection: Connection, request: JoinRoom, applicant: Applicant
    ) -> Joined:
        room, host_key = await self._room(applicant, request.room_settings)
        if applicant.shown is not None:
            host_key = None  # a token decides who is host
        # A key of a former room of this id must not keep its holder out of this one.
        shown_key = host_key or request.host_key or ""
        proved = tokens.matches(shown_key, room.host_key_hash)
        self._ask_at_the_door(room, connection, applicant, applicant.role(host=proved))
        await self._ask_for_a_place(room, applicant)
        secret = tokens.new_secret()
        conference = self._conference
        worker = connection.only_worker
        if worker is None:
            worker = conference.workers.place_in(room)
        if conference.workers.is_overloaded(worker):  # and so are all that could be had
            retry_after_s = conference.limits.full_retry_after_s
            raise ClientError("server_full", "this server is busy", retry_after_s)
        participant = await self._add(
            room, request, applicant, secret, worker, _origin(applicant, connection), host=proved
        )
        await self._ask_again(participant, connection)
        self._use(room.room_id)
        seat = Seat(participant.participant_id, room.room_id, worker, participant.publishes)
        connection.admitted_to = None
        self.waiting.forget(connection)  # at another room's door
        conference.presence.sit(seat, connection)
        if connection.is_gone:  # while somebody was asked about it
            conference.presence.detach(seat)
        self._serve(room, worker, participant)
        frame = event_frame("participant_joined", conference.shown(participant))
        conference.presence.broadcast_frame(room.room_id, frame, skip=seat)
        token = tokens.resume_token(participant.participant_id, secret)
        return await self._joined(participant, token, host_key)

    def _serve(self, room: Room, worker: int, participant: Participant) -> None:
        """Have a worker serve a participant, and the room if it does not yet."""
        conference = self._conference
        conference.note(participant)
        if not conference.workers.is_put(room.room_id):  # it was made at another replica
            conference.workers.put_room(room)
        conference.workers.put_participant(worker, participant)
        conference.workers.arrange_if_new(room.room_id)  # it may have come from another replica
        conference.meters.refresh(room.room_id)  # the worker may be new to the room

    async def _ask_for_a_place(self, room: Room, applicant: Applicant) -> None:
        limits, conference = self._conference.limits, self._conference
        if conference.presence.count >= limits.max_participants:
            raise ClientError("server_full", "this server is full", limits.full_retry_after_s)
        if applicant.direction.publishes:
            await conference.require_place_to_speak(room.room_id)

    def _ask_at_the_door(
        self, room: Room, connection: Connection, applicant: Applicant, role: Role
    ) -> None:
        door = room.door
        if role is Role.HOST:
            return
        if door.bars(applicant.subject, connection.address):
            raise _banned()
        if door.locked and connection.admitted_to != room.host_key_hash:
            raise ClientError("room_locked", "the room is locked")
        if door.waiting and role is not Role.ENGINEER:
            self.waiting.ask(room, connection, applicant.name)

    async def _ask_again(self, participant: Participant, connection: Connection) -> None:
        """See whether another replica's host has put somebody out who was just coming in here.

        Raises:
            ClientError: `banned`, `denied`.
            RoomMissingError: the room has been closed meanwhile.
        """
        store = self._conference.store
        room = await store.room(participant.room_id)
        now = await store.participant(participant.participant_id)
        if room is None or now is None:
            raise RoomMissingError(participant.room_id)
        is_barred = room.door.bars(now.subject, connection.address)
        is_banned = is_barred and now.role is not Role.HOST
        if is_banned or now.put_out:
            await store.remove_participant(now.participant_id)
            raise _banned() if is_banned else ClientError("denied", "a host did not let you in")

    async def _add(
        self,
        room: Room,
        request: JoinRoom,
        applicant: Applicant,
        secret: str,
        worker: int,
        origin: bytes,
        *,
        host: bool,
    ) -> Participant:
        """Store a new participant; its csrc is random, so that it may have to be drawn again."""
        limits = self._conference.limits
        for _ in range(_ATTEMPTS):
            participant = Participant(
                participant_id=tokens.new_id(),
                room_id=room.room_id,
                csrc=1 + secrets.randbelow(0xFFFF_FFFE),
                joined_at=self._clock(),
                resume_hash=tokens.fingerprint(secret),
                name=applicant.name,
                direction=applicant.direction,
                role=applicant.role(host=host),
                grants=applicant.grants,
                subject=applicant.subject,
                token_id=applicant.token_id,
                takes_tracks=TRACKS in request.capabilities,
                tenant=room.tenant,
                home=self._conference.workers.number_of(worker),
                origin=origin,
            )
            most = (limits.max_participants_per_room, limits.max_participants_per_tenant)
            with (
                contextlib.suppress(ParticipantExistsError),
                fullness_is_told("room_full", "the room is full", limits.full_retry_after_s),
            ):
                await self._conference.store.add_participant(participant, *most)
                return participant
        raise ClientError("room_full", "the room has no free source number")

    def _catch_up(self, participant_id: str) -> None:
        """Tell someone who is new, or back, what happened meanwhile."""
        seat = self._conference.presence.seat(participant_id)
        if seat is None or seat.connection is None:
            return
        if seat.missed_reset:
            seat.missed_reset = False
            seat.connection.emit("media_reset", MediaReset("worker_restarted"))
        if seat.server_offer is not None:
            seat.connection.emit("offer", ServerOffered(seat.server_offer))
        state = self.degraded()
        if state:
            seat.connection.emit("server_state", ServerState(state))
        guests = self.waiting.shown(seat.room_id)
        if guests.guests and self._conference.moderates(participant_id):
            seat.connection.emit("guests_waiting", guests)
        self._conference.assignments.show(seat)
        self._conference.levels.show_all(seat)
        self._conference.qualities.show_all(seat)

    async def _joined(
        self,
        participant: Participant,
        token: str,
        host_key: str | None,
        *,
        resumed: bool = False,
    ) -> Joined:
        room = await self._conference.store.room(participant.room_id)
        everyone = await self._conference.present(participant.room_id)
        # Runs after the acknowledgement, which the socket writes in this turn of the loop.
        asyncio.get_running_loop().call_soon(self._catch_up, participant.participant_id)
        shown = [self._conference.shown(one) for one in everyone]
        servers = self._ice_servers.of(participant.participant_id, self._clock())
        return Joined(
            room_id=participant.room_id,
            participant_id=participant.participant_id,
            resume_token=token,
            resumed=resumed,
            role=participant.direction.value,
            rights=listed(held(participant)),
            participants=cast(list[ParticipantInfo], shown),  # encoded already
            settings=to_wire(participant.strip),
            listener_mix=participant.mix,
            room_settings=DEFAULT_ROOM_SETTINGS if room is None else room.settings,
            scenes=[] if room is None else scene_list(room),
            door=door_state(OPEN_DOOR if room is None else room.door),
            ice_servers=[one.as_json() for one in servers],
            recording=None if room is None else recording_info(room),
            broadcast=None if room is None else broadcast_info(room),
            network=None if room is None else self._conference.network_of(room),
            simulates=self._conference.simulates,
            host_key=msgspec.UNSET if host_key is None else host_key,
        )

    # ---- rooms ----

    async def open_room(
        self, room_id: str, settings: RoomSettings, tenant: str
    ) -> tuple[Room, str]:
        """Make a room, with a random id if `room_id` is empty; return it and its host key.

        Raises:
            ClientError: `room_exists`, `tenant_full`, `server_full`.
        """
        limits = self._conference.limits
        host_key = tokens.new_secret()
        room = Room(
            room_id=room_id or tokens.new_id(),
            created_at=self._clock(),
            host_key_hash=tokens.fingerprint(host_key),
            worker=self._conference.workers.place(),
            settings=settings,
            tenant=tenant,
        )
        most = (limits.max_rooms, limits.max_rooms_per_tenant)
        try:
            with fullness_is_told("server_full", "too many rooms", limits.full_retry_after_s):
                await self._conference.store.add_room(room, *most)
        except RoomExistsError:
            raise ClientError("room_exists", "there is a room of this id") from None
        self._conference.workers.put_room(room)
        self.expect_use(room.room_id)
        return room, host_key

    async def _room(self, applicant: Applicant, settings: RoomSettings) -> tuple[Room, str | None]:
        room_id = applicant.room_id
        room = await self._conference.store.room(room_id) if room_id else None
        if room is not None:
            return self._conference.seen_by(applicant.tenant, room), None
        try:
            return await self.open_room(room_id, settings, applicant.tenant)
        except ClientError as error:
            if error.reason != "room_exists":
                raise
            raise RoomMissingError(room_id) from None  # somebody was quicker: look again

    def expect_use(self, room_id: str) -> None:
        """Drop a room with nobody in it, unless somebody joins in time."""
        self._use(room_id)
        self._unused_rooms[room_id] = asyncio.get_running_loop().call_later(
            self._conference.limits.empty_room_s, lambda: self._run(self._drop_if_empty(room_id))
        )

    def _use(self, room_id: str) -> None:
        timer = self._unused_rooms.pop(room_id, None)
        if timer is not None:
            timer.cancel()

    async def _drop_if_empty(self, room_id: str) -> None:
        """Close a room in which nobody is; let go of one in which only others' people are."""
        store = self._conference.store
        room = await store.room(room_id)
        if room is None:
            return
        if await store.count(room_id) == 0:
            if await store.remove_empty_room(room_id):
                self.forget_room(room, [], "empty")
        else:
            self.let_go(room)

    def let_go(self, room: Room) -> None:
        """Let go of a room in which only others' people are, and which is not recorded here."""
        workers = self._conference.workers
        if not workers.is_needed(room) and workers.elsewhere(room.room_id):
            self._forget_room(room, [])

    async def close_room(self, room: Room, reason: str) -> None:
        """Close a room and end everyone's seat in it."""
        members = await self._conference.store.remove_room(room.room_id)
        self.forget_room(room, members, reason)

    def forget_room(self, room: Room, members: list[Participant], reason: str) -> None:
        """End everyone's seat in a room that is gone."""
        self._conference.presence.broadcast(room.room_id, "room_closed", RoomClosed(reason))
        self.waiting.close(room.room_id, reason)
        self._forget_room(room, members)

    def _forget_room(self, room: Room, members: list[Participant]) -> None:
        conference = self._conference
        self._use(room.room_id)
        conference.levels.forget_room(room.room_id)
        conference.meters.forget_room(room.room_id)
        for member in members:
            seat = conference.presence.seat(member.participant_id)
            if seat is not None:
                conference.presence.stand_up(seat)
            conference.forget(member.participant_id)
            conference.workers.forget_participant(member.participant_id)
        conference.workers.drop_room(room)

    def release(self, seat: Seat) -> None:
        """End the seat of somebody whom another replica serves now; nobody is told."""
        conference, connection = self._conference, seat.connection
        conference.presence.stand_up(seat)
        if connection is not None:
            connection.socket.hang_up()
        conference.workers.drop_participant(seat.worker, seat.participant_id)
        conference.meters.refresh(seat.room_id)
        self._run(self._drop_if_empty(seat.room_id))

    def follow_door(self, room: Room) -> None:
        """Tell everyone how the door of a room is now, and let in who need not wait any more."""
        if not room.door.waiting and not room.door.locked:
            self.waiting.admit_all(room.room_id)
        state = door_state(room.door)
        self._conference.presence.broadcast(room.room_id, "door_changed", state)

    # ---- going ----

    async def put_out(self, seat: Seat, reason: str) -> None:
        """End somebody's seat against their will, and tell them why."""
        if seat.connection is not None:
            seat.connection.emit("room_closed", RoomClosed(reason))
        await self.leave(seat, reason)

    async def put_out_elsewhere(self, participant: Participant, reason: str) -> None:
        """Have somebody put out by the replica that serves them, and tell those here.

        It is written with the participant, so that it is done however long that replica hears of
        nothing; until then nobody sees them, and nobody comes back as them.

        Raises:
            ClientError: `participant_not_found`.
        """
        conference = self._conference
        was_shown = conference.is_shown(participant)
        try:
            await conference.store.update_participant(
                participant.participant_id, lambda now: now.being_put_out(reason)
            )
        except ParticipantMissingError:
            raise ClientError("participant_not_found", "this participant is gone") from None
        seat = conference.presence.seat(participant.participant_id)
        if seat is not None:  # it has come back here meanwhile
            await self.put_out(seat, reason)
            return
        if conference.workers.index_of(participant.home) is not None:
            self.bury_later(participant.participant_id)
        conference.forget_elsewhere(participant, reason, was_shown=was_shown)

    def bury_later(self, participant_id: str) -> None:
        """Let nobody of ours who is put out count for good for want of a seat that could end."""
        self._run(self._bury(participant_id))

    async def _bury(self, participant_id: str) -> None:
        await asyncio.sleep(BURIED_AFTER_S)
        conference = self._conference
        one = await conference.store.participant(participant_id)
        if one is not None and one.put_out and conference.presence.seat(participant_id) is None:
            await conference.store.remove_participant(participant_id, one.put_out)
            await self._drop_if_empty(one.room_id)

    async def leave(self, seat: Seat, reason: str) -> None:
        """End a seat for good and tell the others."""
        conference = self._conference
        conference.presence.stand_up(seat)
        conference.forget(seat.participant_id)
        await conference.store.remove_participant(seat.participant_id, reason)
        conference.workers.drop_participant(seat.worker, seat.participant_id)
        conference.meters.refresh(seat.room_id)
        if seat.shown:  # else the others know
            event = ParticipantLeft(seat.participant_id, reason)
            conference.presence.broadcast(seat.room_id, "participant_left", event)
        conference.levels.forget_participant(seat.room_id, seat.participant_id)
        await self._drop_if_empty(seat.room_id)

    def expire(self, seat: Seat) -> None:
        """End a seat whose socket did not come back."""
        self._conference.presence.stand_up(seat)  # now: a token that comes later is too late
        self._run(self.leave(seat, "timeout"))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(work), name="entrance")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _origin(applicant: Applicant, connection: Connection) -> bytes:
    """Return by what somebody can be banned who has no token."""
    return b"" if applicant.subject else hidden(connection.address)


def _banned() -> ClientError:
    return ClientError("banned", "a host keeps you out of this room")


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        logger.exception("a seat or room could not be given up")
