"""Who is here: the seats of this process and the sockets that hold them.

A seat is taken by `join_room` and given up by leaving, by a closed room, or by a socket that was
lost and did not come back within the resume window. Who has no socket is shown to the others as
long as media flows, because then they hear each other; else, after a moment, they are told that
the participant is gone, although it may still come back.

| state      | event                       | next     | effect                                     |
|------------|-----------------------------|----------|--------------------------------------------|
| (none)     | `sit`                       | attached |                                            |
| (none)     | `keep` (front restarted)    | detached | its window begins                          |
| attached   | the socket is lost          | detached | its window begins; nobody is told          |
| attached   | `attach` by another socket  | attached | the older socket is closed                 |
| detached   | `attach`                    | attached | the window ends                            |
| detached   | `lost_after_s`, no media    | lost     | `on_lost`                                  |
| detached   | later: media ended          | lost     | `on_lost`                                  |
| lost       | media flows again           | detached | `on_returned`                              |
| lost       | `attach`                    | attached | `on_returned`; the window ends             |
| both       | the window is over          | (none)   | `on_expired`                               |
| any        | `stand_up`                  | (none)   |                                            |
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from webrtc.signaling.connection import Connection
from webrtc.signaling.events import Event
from webrtc.signaling.wire import event_frame

LOOK_EVERY_S: Final = 1.0
"""How often it is asked whether media of a seat without a socket flows."""


@dataclass(slots=True, eq=False)
class Seat:
    """A participant's place in a room.

    Attributes:
        worker: index of the media worker that mixes the room.
        visible: whether the page wants levels.
        shown: whether the others see the participant.
        negotiated: whether there is, or was, a media connection that can be lost.
        offering: whether an offer of the client is under way.
        server_offer: the open offer of the server, if there is one.
        missed_reset: whether media was lost while no socket was there to be told.
    """

    participant_id: str
    room_id: str
    worker: int
    publishes: bool
    connection: Connection | None = None
    visible: bool = True
    shown: bool = True
    negotiated: bool = False
    offering: bool = False
    server_offer: str | None = None
    missed_reset: bool = False
    window: asyncio.TimerHandle | None = None
    look: asyncio.TimerHandle | None = None


class PresenceOwner(Protocol):
    """Who knows about media and is told what becomes of seats."""

    def has_media(self, seat: Seat) -> bool | None:
        """Return whether media flows, or is about to; None while nobody can tell."""
        ...

    def on_lost(self, seat: Seat) -> None:
        """Neither socket nor media: the others should not see the participant any more."""
        ...

    def on_returned(self, seat: Seat) -> None:
        """The others should see the participant again."""
        ...

    def on_expired(self, seat: Seat) -> None:
        """The socket did not come back within the resume window."""
        ...


class Presence:
    """All seats, by participant and by room.

    Args:
        resume_window_s: how long a seat waits for its socket.
        lost_after_s: how long at least one without socket and media is shown to the others.
        owner: is told.
    """

    def __init__(self, resume_window_s: float, lost_after_s: float, owner: PresenceOwner) -> None:
        self._resume_window_s = resume_window_s
        self._lost_after_s = lost_after_s
        self._owner = owner
        self._seats: dict[str, Seat] = {}
        self._rooms: dict[str, dict[str, Seat]] = {}

    def seat(self, participant_id: str) -> Seat | None:
        """Return a participant's seat."""
        return self._seats.get(participant_id)

    @property
    def count(self) -> int:
        """How many seats there are."""
        return len(self._seats)

    def seats_in(self, room_id: str) -> Iterable[Seat]:
        """Return the seats of a room."""
        return self._rooms.get(room_id, {}).values()

    def is_seated(self, room_id: str) -> bool:
        """Return whether anybody of a room is here."""
        return room_id in self._rooms

    def all_seats(self) -> list[Seat]:
        """Return every seat."""
        return list(self._seats.values())

    def sit(self, seat: Seat, connection: Connection) -> None:
        """Take a new seat."""
        self._add(seat)
        self.attach(seat, connection)

    def keep(self, seat: Seat) -> None:
        """Add a seat whose socket a former front process held."""
        self._add(seat)
        self._start_window(seat)

    def attach(self, seat: Seat, connection: Connection) -> None:
        """Give the seat to `connection`, closing the socket that held it."""
        older, seat.connection = seat.connection, connection
        connection.seat = seat
        seat.visible = True
        self._end_window(seat)
        self._show(seat, True)
        if older is not None:
            older.seat = None
            older.socket.hang_up()

    def detach(self, seat: Seat) -> None:
        """Note that the seat's socket is lost."""
        if seat.connection is not None:
            seat.connection.seat = None
            seat.connection = None
        self._start_window(seat)

    def stand_up(self, seat: Seat) -> None:
        """Remove a seat."""
        self._end_window(seat)
        if seat.connection is not None:
            seat.connection.seat = None
            seat.connection = None
        self._seats.pop(seat.participant_id, None)
        room = self._rooms.get(seat.room_id)
        if room is not None:
            room.pop(seat.participant_id, None)
            if not room:
                del self._rooms[seat.room_id]

    def broadcast(self, room_id: str, name: str, event: Event, skip: Seat | None = None) -> None:
        """Send an event to everyone who is connected in a room, encoded once."""
        self.broadcast_frame(room_id, event_frame(name, event), skip)

    def broadcast_frame(self, room_id: str, frame: bytes, skip: Seat | None = None) -> None:
        """Send a frame to everyone who is connected in a room."""
        for seat in self.seats_in(room_id):
            if seat.connection is not None and seat is not skip:
                seat.connection.socket.write(frame)

    def close(self) -> None:
        """Stop every window; nobody leaves."""
        for seat in self._seats.values():
            self._end_window(seat)

    def _add(self, seat: Seat) -> None:
        self._seats[seat.participant_id] = seat
        self._rooms.setdefault(seat.room_id, {})[seat.participant_id] = seat

    def _start_window(self, seat: Seat) -> None:
        self._end_window(seat)
        loop = asyncio.get_running_loop()
        seat.window = loop.call_later(self._resume_window_s, self._owner.on_expired, seat)
        seat.look = loop.call_later(self._lost_after_s, self._look_after, seat)

    def _end_window(self, seat: Seat) -> None:
        for timer in (seat.window, seat.look):
            if timer is not None:
                timer.cancel()
        seat.window = seat.look = None

    def _look_after(self, seat: Seat) -> None:
        seat.look = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look_after, seat)
        has_media = self._owner.has_media(seat)
        if has_media is not None:
            self._show(seat, has_media)

    def _show(self, seat: Seat, shown: bool) -> None:
        if shown is not seat.shown:
            seat.shown = shown
            if shown:
                self._owner.on_returned(seat)
            else:
                self._owner.on_lost(seat)
