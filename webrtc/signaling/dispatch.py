"""From a client's event to its acknowledgement: rate, parsing, the call, and every way to fail."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from webrtc import request_log
from webrtc.errors import ClientError
from webrtc.log_context import about, current, learn, new_request_id
from webrtc.signaling.connection import Connection, Socket
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.messages import CLIENT_EVENTS, Ack, ClientEvent
from webrtc.signaling.messages_joining import Joined, JoinRoom
from webrtc.signaling.messages_parts import Done, Problem, Refused
from webrtc.signaling.rate import TokenBucket
from webrtc.signaling.wire import Packet, ack_frame, parse_payload
from webrtc.tracing import span

logger = logging.getLogger(__name__)

Handler = Callable[[Connection, Any], Awaitable[Ack]]

MAX_TASKS_PER_SOCKET = 64
MAX_REFUSALS_IN_A_ROW = 1000
"""A client that is refused this often without a pause is disconnected."""
_TOLD: Final = frozenset(
    {
        *("join_room", "leave_room", "admit", "set_door", "set_network", "set_role"),
        *("mute_participant", "remove_participant"),
    }
)
"""Who comes and goes, and what one person does to others."""


class Dispatcher:
    """Answers the events of all sockets.

    What needs the media worker's answer runs as a task of the connection, so that it holds up
    nothing that comes after it; everything else is done before the next event is read.
    """

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        self._limits = desk.conference.limits
        self.events: Counter[tuple[str, str]] = Counter()
        """How often each event was answered with which reason, `ok` for none."""
        self.sockets = 0
        changes, negotiation = desk.changes, desk.negotiation
        self._at_once: dict[str, Handler] = {
            "join_room": self._join,
            "leave_room": self._leave,
            "audio_stream_metadata": changes.update_strip,
            "set_listener_mix": changes.set_listener_mix,
            "set_room": changes.set_room,
            "set_speaker": changes.set_speaker,
            "set_role": changes.set_role,
            "set_network": desk.networks.on_set,
            "set_door": desk.hosting.set_door,
            "admit": desk.hosting.admit,
            "mute_participant": desk.hosting.mute,
            "remove_participant": desk.hosting.remove,
            "store_scene": desk.scenes.on_store,
            "recall_scene": desk.scenes.on_recall,
            "delete_scene": desk.scenes.on_delete,
            "watch_meters": changes.watch_meters,
            "set_muted": changes.set_muted,
            "set_deafened": changes.set_deafened,
            "set_visibility": changes.set_visibility,
            "watch_sessions": desk.sessions.watch,
            "get_stats": lambda connection, _: negotiation.stats(connection),
        }
        self._as_task: dict[str, Handler] = {
            "offer": negotiation.offer,
            "answer": negotiation.answer,
            "ice_candidate": negotiation.candidate,
        }

    # ---- a socket's life ----

    def connected(self, socket: Socket, token: str | None = None, address: str = "") -> Connection:
        """Take a new socket.

        Args:
            socket: takes what is to be sent.
            token: the join token that it was opened with, if any; joining may show another.
            address: IP address of the client, "" where nobody knows.
        """
        self.sockets += 1
        limits, loop = self._limits, asyncio.get_running_loop()
        bucket = TokenBucket(limits.event_rate_per_s, limits.event_burst, loop.time())
        connection = Connection(socket, bucket, token, address)
        if self._desk.access.wants_tokens:
            self._start(connection, self._recognise(connection), "recognise")
        return connection

    def disconnected(self, connection: Connection) -> None:
        """Give a socket up; its seat is kept for a while, whyever the socket is gone.

        A client that closes the socket by itself may do so to come back with a fresh one, so
        only `leave_room` means leaving.
        """
        self.sockets -= 1
        connection.is_gone = True
        for task in connection.tasks:
            task.cancel()
        self._desk.entrance.waiting.forget(connection)
        self._desk.sessions.unwatch(connection)
        if connection.seat is not None:
            self._desk.presence.detach(connection.seat)

    # ---- events ----

    async def handle(self, connection: Connection, packet: Packet) -> None:
        """Answer one event; never raises for anything that a client may send."""
        seat = connection.seat
        room_id, participant_id = (seat.room_id, seat.participant_id) if seat else ("", "")
        with about(new_request_id(), room_id, participant_id):
            await self._handle(connection, packet)

    async def _handle(self, connection: Connection, packet: Packet) -> None:
        try:
            event = self._admit(connection, packet)
            message = parse_payload(event, packet.arguments)
        except ClientError as error:
            self._answer(connection, packet, _refused(error))
            return
        handler = self._at_once.get(event.name)
        if handler is not None:
            await self._call(connection, packet, handler, message)
        elif len(connection.tasks) >= MAX_TASKS_PER_SOCKET:
            busy = ClientError("busy", "too many requests have not been answered yet")
            self._answer(connection, packet, _refused(busy))
        else:
            handler = self._as_task[event.name]
            self._start(connection, self._call(connection, packet, handler, message), event.name)

    @staticmethod
    def _start(connection: Connection, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        connection.tasks.add(task)
        task.add_done_callback(connection.tasks.discard)

    async def _recognise(self, connection: Connection) -> None:
        """Hang up on somebody who does not show a good token for a while."""
        if connection.token is not None:
            with contextlib.suppress(ClientError):
                await self._desk.access.check(connection.token)
                connection.is_known = True
                return
        await asyncio.sleep(self._limits.stranger_s)
        if not connection.is_known:
            connection.socket.hang_up()

    def _admit(self, connection: Connection, packet: Packet) -> ClientEvent:
        event = None if packet.name is None else CLIENT_EVENTS.get(packet.name)
        # Who was refused until now may still go: each leaving needs a joining, which is counted.
        leaves = packet.name == "leave_room" and connection.seat is not None
        if not leaves:
            self._take(connection, 1 if event is None else event.cost)
        if packet.name is None:
            raise ClientError("bad_message", "an event is a JSON array that begins with its name")
        if event is None:
            raise ClientError("unknown_event", "there is no such event")
        return event

    def _take(self, connection: Connection, cost: int) -> None:
        wait_s = connection.bucket.take(cost, asyncio.get_running_loop().time())
        if wait_s == 0:
            connection.refusals = 0
            return
        connection.refusals += 1
        if connection.refusals > MAX_REFUSALS_IN_A_ROW:
            connection.socket.hang_up()
        raise ClientError("rate_limited", "too many events", round(wait_s, 3))

    async def _call(
        self, connection: Connection, packet: Packet, handler: Handler, message: Any
    ) -> None:
        assert packet.name is not None
        began = time.perf_counter()
        with span(packet.name, "server") as traced:
            try:
                ack = await handler(connection, message)
            except ClientError as error:
                ack = _refused(error)
            except Exception:
                logger.exception("%s failed", packet.name)
                ack = _refused(ClientError("internal_error", "the server made a mistake"))
                traced.fail("internal_error")
            reason = ack.error.reason if isinstance(ack, Refused) else "ok"
            if (seat := connection.seat) is not None:
                learn(seat.room_id, seat.participant_id)
                traced.tell(ag06__room_id=seat.room_id, ag06__participant_id=seat.participant_id)
            traced.tell(ag06__outcome=reason, ag06__request_id=current().request_id)
            is_important = reason == "ok" and packet.name in _TOLD
            request_log.tell(packet.name, reason, began, is_important=is_important)
        self._answer(connection, packet, ack)

    def _answer(self, connection: Connection, packet: Packet, ack: Ack) -> None:
        name = packet.name if packet.name in CLIENT_EVENTS else None
        self.events[name or "unknown", ack.error.reason if isinstance(ack, Refused) else "ok"] += 1
        if packet.ack_id is not None:
            connection.socket.write(ack_frame(packet.ack_id, ack))

    async def _join(self, connection: Connection, request: JoinRoom | str) -> Joined:
        if isinstance(request, str):
            request = JoinRoom(room_id=request)
        return await self._desk.entrance.join(connection, request)

    async def _leave(self, connection: Connection, _: None) -> Done:
        seat = self._desk.conference.seat_of(connection)
        await self._desk.entrance.leave(seat, "left")
        return Done()


def _refused(error: ClientError) -> Refused:
    return Refused(Problem(error.reason, error.detail, error.retry_after_s))
