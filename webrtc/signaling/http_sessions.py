"""Participants that come by one HTTP request: WHIP publishes (RFC 9725), WHEP listens.

Such a participant is like any other but for its socket, which it has not. Its resume token names
its session, so that a restarted front process knows it again.

| what happens                                    | the participant       |
|-------------------------------------------------|-----------------------|
| the first offer is refused                      | leaves                |
| a host has to let it in                         | asks again, see `http_guests` |
| the client ends the session, or its connection  | leaves                |
| its media is lost with its worker               | leaves                |
| no media comes to be, or comes back             | leaves after a while  |
| the room is closed                              | is gone with it       |
| the front process is restarted                  | stays                 |
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from rooms import tokens
from rooms.models import Participant, ParticipantKind
from rooms.passes import tenant_of
from rooms.shared_store import SharedRoomStore
from webrtc.errors import ClientError
from webrtc.signaling.connection import Connection
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.dispatch import Dispatcher
from webrtc.signaling.http_guests import ASK_AGAIN_S, HttpGuests, Knock
from webrtc.signaling.messages_joining import Joined, JoinRoom
from webrtc.signaling.messages_media import SessionOffer
from webrtc.signaling.presence import Seat
from webrtc.signaling.sdp_fragments import Fragment, answered, restarted, tag_of
from webrtc.signaling.stand_in import StandIn

logger = logging.getLogger(__name__)

HttpKind = Literal[ParticipantKind.WHIP, ParticipantKind.WHEP]
LOOK_EVERY_S: Final = 1.0
WITHOUT_MEDIA_S: Final = 20.0
"""How long a session may be of which the workers know no connection."""
_ENDED: Final = ("failed", "closed")
_LIVE: Final = ("connecting", "connected", "disconnected")


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session: its secret name, our answer and the entity tag of its ICE session."""

    token: str
    room_id: str
    answer: str
    tag: str


@dataclass(slots=True, eq=False)
class _Session:
    """`offer` is the client's first one, "" after a restart of the front process."""

    seat: Seat
    connection: Connection
    offer: str
    media_s: float
    lost: bool = False


class _AtTheDoorError(Exception):
    """Somebody is not let in, or not yet; the connection is kept."""

    def __init__(self, refusal: ClientError) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


class HttpSessions:
    """All sessions of this front process."""

    def __init__(self, desk: FrontDesk, dispatcher: Dispatcher) -> None:
        self._desk = desk
        self._dispatcher = dispatcher
        self._sessions: dict[str, _Session] = {}
        self._guests = HttpGuests()
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look after sessions from now on."""
        self._looking = asyncio.create_task(self._look_on(), name="WHIP and WHEP sessions")

    async def close(self) -> None:
        """Look after none any more; they go on."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    @property
    def shared(self) -> SharedRoomStore | None:
        """The store that this replica shares with others, if it does."""
        return self._desk.shared

    # ---- what clients ask for ----

    async def open(
        self, kind: HttpKind, request: JoinRoom, offer: str, address: str = ""
    ) -> Opened:
        """Let a client in and answer its offer.

        Raises:
            ClientError: as joining and offering do; `room_not_found` for who only listens.
        """
        conference, dispatcher = self._desk.conference, self._dispatcher
        if kind is ParticipantKind.WHEP:
            shown = await self._desk.access.enter(request.token, request.room_id or "")
            await conference.room_for(tenant_of(shown), request.room_id or "")
        if dispatcher.sockets >= conference.limits.max_sockets:
            raise ClientError("server_full", "this server holds no more connections", 5.0)
        try:
            parsed = msgspec.convert({"type": "offer", "sdp": offer}, SessionOffer)
        except msgspec.ValidationError:
            raise ClientError("bad_sdp", "the offer is empty or too long") from None
        room_id, name, token = request.room_id or "", request.name or "", request.token or ""
        knock = Knock(kind.value, room_id, name, token, address)
        connection = self._guests.take(knock) or self._connect(address)
        try:
            joined = await self._join(connection, request, knock)
            seat = conference.seat_of(connection)
            answer = (await self._desk.negotiation.offer(connection, parsed)).sdp
            tag = tag_of(answer)

            def apply(participant: Participant) -> Participant:
                return msgspec.structs.replace(participant, kind=kind, ice_tag=tag)

            await conference.change(seat.participant_id, apply)
        except _AtTheDoorError as guest:
            raise guest.refusal from None
        except BaseException:
            if connection.seat is not None:
                await self._desk.entrance.leave(connection.seat, "left")
            dispatcher.disconnected(connection)
            raise
        conference.announcer.request(seat.participant_id)
        self._hold(seat, connection, offer)
        return Opened(joined.resume_token, joined.room_id, answer, tag)

    async def _join(self, connection: Connection, request: JoinRoom, knock: Knock) -> Joined:
        try:
            return await self._desk.entrance.join(connection, request)
        except ClientError as refusal:
            if refusal.reason not in ("waiting", "denied"):
                raise
            former = self._guests.keep(knock, connection, asyncio.get_running_loop().time())
            if former is not None:
                self._dispatcher.disconnected(former)
            if refusal.reason == "waiting":
                refusal = ClientError(refusal.reason, refusal.detail, ASK_AGAIN_S)
            raise _AtTheDoorError(refusal) from None

    async def trickle(self, kind: HttpKind, room_id: str, token: str, fragment: Fragment) -> None:
        """Take further candidates.

        Raises:
            ClientError: `not_found`, or what the worker refuses with.
        """
        connection = (await self._session(kind, room_id, token)).connection
        for candidate in fragment.candidates:
            await self._desk.negotiation.candidate(connection, candidate)

    async def restart(
        self, kind: HttpKind, room_id: str, token: str, fragment: Fragment
    ) -> tuple[str, str]:
        """Restart ICE; return the fragment that answers and the new entity tag.

        Raises:
            ClientError: `not_found`; `negotiation_failed` when that cannot be, and the session
                goes on as it is.
        """
        session = await self._session(kind, room_id, token)
        if not session.offer:
            raise ClientError("negotiation_failed", "this session cannot be restarted any more")
        sdp = restarted(session.offer, fragment)
        offer = SessionOffer("offer", sdp)
        answer = (await self._desk.negotiation.offer(session.connection, offer)).sdp
        tag = tag_of(answer)

        def apply(participant: Participant) -> Participant:
            return msgspec.structs.replace(participant, ice_tag=tag)

        await self._desk.conference.change(session.seat.participant_id, apply)
        return answered(answer), tag

    async def end(self, kind: HttpKind, room_id: str, token: str) -> None:
        """End a session because its client says so.

        Raises:
            ClientError: `not_found`.
        """
        await self._leave(await self._session(kind, room_id, token), "left")

    async def participant(self, kind: HttpKind, room_id: str, token: str) -> Participant:
        """Return the participant of a session.

        Raises:
            ClientError: `not_found`.
        """
        participant_id, secret = tokens.split_resume_token(token)
        participant = await self._desk.conference.store.participant(participant_id)
        if (
            participant is None
            or participant.kind is not kind
            or participant.room_id != room_id
            or not tokens.matches(secret, participant.resume_hash)
        ):
            raise ClientError("not_found", "there is no such session")
        return participant

    # ---- what becomes of them ----

    async def _session(self, kind: HttpKind, room_id: str, token: str) -> _Session:
        participant = await self.participant(kind, room_id, token)
        known = self._sessions.get(participant.participant_id)
        known = known or await self._adopt(self._desk.presence.seat(participant.participant_id))
        if known is None or known.connection.seat is None:
            raise ClientError("not_found", "there is no such session")
        return known

    def _connect(self, address: str = "") -> Connection:
        def reset() -> None:
            seat = connection.seat
            session = None if seat is None else self._sessions.get(seat.participant_id)
            if session is not None:
                session.lost = True

        connection = self._dispatcher.connected(StandIn(reset), address=address)
        return connection

    def _hold(self, seat: Seat, connection: Connection, offer: str) -> _Session:
        session = _Session(seat, connection, offer, asyncio.get_running_loop().time())
        self._sessions[seat.participant_id] = session
        return session

    async def _adopt(self, seat: Seat | None) -> _Session | None:
        """Take a seat over that a former front process had, if it is of a session."""
        if seat is None or seat.connection is not None:
            return None
        participant = await self._desk.conference.store.participant(seat.participant_id)
        if participant is None or not participant.ice_tag or seat.connection is not None:
            return None
        connection = self._connect()
        self._desk.presence.attach(seat, connection)
        return self._hold(seat, connection, "")

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self._look(asyncio.get_running_loop().time())
            except Exception:
                logger.exception("sessions were not looked after")

    async def _look(self, now_s: float) -> None:
        for seat in self._desk.presence.all_seats():
            if seat.connection is None:
                await self._adopt(seat)
        for connection in self._guests.gone(now_s):
            self._dispatcher.disconnected(connection)
        for session in list(self._sessions.values()):
            seat = session.seat
            state = self._desk.workers.peer_state(seat.participant_id)
            if state in _LIVE or not self._desk.workers.connected(seat.worker):
                session.media_s = now_s
            if session.connection.seat is None:
                self._forget(session)
            elif session.lost or state in _ENDED or now_s - session.media_s > WITHOUT_MEDIA_S:
                await self._leave(session, "left" if state == "closed" else "lost")

    async def _leave(self, session: _Session, reason: str) -> None:
        if session.connection.seat is not None:  # which leaving takes from it
            await self._desk.entrance.leave(session.seat, reason)
        self._forget(session)

    def _forget(self, session: _Session) -> None:
        if self._sessions.pop(session.seat.participant_id, None) is session:
            self._dispatcher.disconnected(session.connection)
