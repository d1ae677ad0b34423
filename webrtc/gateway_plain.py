"""Clients of the gateway's old kind, who have no control line: let into one room, if at all.

A media worker hears one of them and says so; what comes then is a participant like any other.

| what happens                                        | the participant             |
|-----------------------------------------------------|-----------------------------|
| it is refused: a door, a limit, a token is wanted   | is none; asks again in 2 s  |
| it is silent for 15 s                               | leaves (`timeout`)          |
| it sends nothing more after having asked            | leaves (`timeout`)          |
| a host puts it out, or closes the room              | leaves, and may ask again   |
| the front process is restarted                      | stays                       |
"""

import asyncio
import ipaddress
import logging
from dataclasses import dataclass
from typing import Final

import msgspec

from rooms.models import Participant, ParticipantKind, UdpAccess
from webrtc.control.messages import PlainClient
from webrtc.errors import ClientError
from webrtc.signaling.connection import Connection
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.dispatch import Dispatcher
from webrtc.signaling.messages_joining import JoinRoom
from webrtc.signaling.presence import Seat
from webrtc.signaling.stand_in import StandIn

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
FIRST_SOUND_WITHIN_S: Final = 10.0


@dataclass(slots=True, eq=False)
class _Plain:
    client_id: str
    seat: Seat
    connection: Connection
    heard_s: float


class PlainClients:
    """All clients of the old kind.

    Args:
        desk: where rooms and people are.
        dispatcher: counts sockets, of which each of them takes the place of one.
        room_id: the one room into which they come; "" lets nobody in.
    """

    def __init__(self, desk: FrontDesk, dispatcher: Dispatcher, room_id: str) -> None:
        self._desk = desk
        self._dispatcher = dispatcher
        self._room_id = room_id
        self._clients: dict[str, _Plain] = {}
        self._coming: dict[str, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        desk.on_plain_client = self._heard

    def start(self) -> None:
        """Let them in from now on."""
        if self._room_id:
            self._looking = asyncio.create_task(self._look_on(), name="plain clients")

    async def close(self) -> None:
        """Let nobody in any more; who is there stays."""
        tasks = [*self._coming.values(), *([self._looking] if self._looking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _heard(self, worker: int, message: PlainClient) -> None:
        name = message.client_id
        if self._looking is None or name in self._clients or name in self._coming:
            return
        task = asyncio.create_task(self._let_in(worker, message), name="let a plain client in")
        self._coming[name] = task
        task.add_done_callback(lambda _: self._coming.pop(name, None))

    async def _let_in(self, worker: int, message: PlainClient) -> None:
        dispatcher, entrance = self._dispatcher, self._desk.entrance
        if dispatcher.sockets >= self._desk.conference.limits.max_sockets:
            return
        address = str(ipaddress.IPv4Address(message.host))
        connection = dispatcher.connected(StandIn(), address=address)
        connection.only_worker = worker  # it knows no other port
        try:
            wanted = {"room_id": self._room_id, "name": message.client_id}
            await entrance.join(connection, msgspec.convert(wanted, JoinRoom))
            seat = self._desk.conference.seat_of(connection)
            access = UdpAccess(message.client_id, "pcm", message.host, plain=True)

            def apply(participant: Participant) -> Participant:
                return msgspec.structs.replace(participant, kind=ParticipantKind.UDP, udp=access)

            await self._desk.conference.change(seat.participant_id, apply)
        except (ClientError, msgspec.ValidationError) as error:
            logger.info("a plain client of the gateway is refused: %s", error)
            if connection.seat is not None:
                await entrance.leave(connection.seat, "left")
            dispatcher.disconnected(connection)
            return
        self._desk.conference.announcer.request(seat.participant_id)
        self._hold(message.client_id, seat, connection)

    def _hold(self, client_id: str, seat: Seat, connection: Connection) -> None:
        now_s = asyncio.get_running_loop().time()
        self._clients[client_id] = _Plain(client_id, seat, connection, now_s)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look(asyncio.get_running_loop().time())
            except Exception:
                logger.exception("plain clients were not looked after")

    async def look(self, now_s: float) -> None:
        """Adopt those whom a former front process let in, and take leave of the silent."""
        for seat in self._desk.presence.all_seats():
            if seat.connection is None:
                await self._adopt(seat)
        workers = self._desk.workers
        for one in list(self._clients.values()):
            state = workers.peer_state(one.seat.participant_id)
            if state == "connected" or not workers.connected(one.seat.worker):
                one.heard_s = now_s
            silent = state == "disconnected" or now_s - one.heard_s > FIRST_SOUND_WITHIN_S
            if silent and one.connection.seat is not None:
                await self._desk.entrance.leave(one.seat, "timeout")
            if one.connection.seat is None:
                self._clients.pop(one.client_id, None)
                self._dispatcher.disconnected(one.connection)

    async def _adopt(self, seat: Seat) -> None:
        participant = await self._desk.conference.store.participant(seat.participant_id)
        udp = None if participant is None else participant.udp
        if udp is None or not udp.plain or seat.connection is not None:
            return
        connection = self._dispatcher.connected(StandIn())
        self._desk.presence.attach(seat, connection)
        self._hold(udp.client_id, seat, connection)
