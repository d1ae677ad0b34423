"""Those who wait at the door of a room until a host lets them in.

A guest waits with the socket on which it asked. Who is let in asks again, on the same socket, and
finds the door open for it; who is not is refused from then on.

| the guest  | event                    | next      | effect                                    |
|------------|--------------------------|-----------|-------------------------------------------|
| (new)      | asks                     | waiting   | refused, `waiting`; the hosts are told    |
| waiting    | asks again               | waiting   | the same                                  |
| waiting    | a host lets it in        | admitted  | told `admission`                          |
| waiting    | a host does not          | denied    | told `admission`                          |
| waiting    | its socket is gone       | (none)    | the hosts are told                        |
| waiting    | the room is gone         | (none)    | told `room_closed`                        |
| admitted   | asks                     | (inside)  |                                           |
| denied     | asks                     | denied    | refused, `denied`                         |
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from rooms import tokens
from rooms.models import Room
from webrtc.errors import ClientError
from webrtc.signaling.connection import Connection
from webrtc.signaling.events import Admission, Guest, GuestsWaiting, RoomClosed

MAX_GUESTS: Final = 100
"""Of a room."""


class _Waiting(NamedTuple):
    """A guest, and what tells the room apart from others of the same id, before it and after."""

    connection: Connection
    name: str
    room: bytes


class WaitingRoom:
    """All guests of this front process.

    Args:
        tell_hosts: sends an event to those in a room who may let guests in.
    """

    def __init__(self, tell_hosts: Callable[[str, GuestsWaiting], None]) -> None:
        self._tell_hosts = tell_hosts
        self._guests: dict[str, dict[str, _Waiting]] = {}

    def ask(self, room: Room, connection: Connection, name: str) -> None:
        """Return if a guest has been let in; else let it wait.

        Raises:
            ClientError: `waiting`, `denied`, `room_full`.
        """
        room_id, mark = room.room_id, room.host_key_hash
        if connection.admitted_to == mark:
            return
        if mark in connection.denied_from:
            raise ClientError("denied", "a host did not let you in")
        guests = self._guests.setdefault(room_id, {})
        if connection.guest_id not in guests:
            if len(guests) >= MAX_GUESTS:
                raise ClientError("room_full", "too many wait at the door already", 10.0)
            self.forget(connection)
            connection.guest_id = tokens.new_id()
            guests[connection.guest_id] = _Waiting(connection, name, mark)
            self._guests[room_id] = guests
            self._tell(room_id)
        raise ClientError("waiting", "a host has to let you in")

    def answer(self, room_id: str, guest_id: str, *, admit: bool) -> None:
        """Let a guest in, or not.

        Raises:
            ClientError: `participant_not_found`.
        """
        found = self._guests.get(room_id, {}).get(guest_id)
        if found is None:
            raise ClientError("participant_not_found", "nobody of this id waits here")
        connection = found.connection
        self.forget(connection)
        if admit:
            connection.admitted_to = found.room
        else:
            connection.denied_from.add(found.room)
        connection.emit("admission", Admission(room_id, admit))

    def admit_all(self, room_id: str) -> None:
        """Let everybody in, because nobody has to wait any more."""
        for guest_id in list(self._guests.get(room_id, ())):
            self.answer(room_id, guest_id, admit=True)

    def close(self, room_id: str, reason: str) -> None:
        """Send everybody away, because the room is gone."""
        for connection, _, _ in self._guests.pop(room_id, {}).values():
            connection.guest_id = ""
            connection.emit("room_closed", RoomClosed(reason))

    def forget(self, connection: Connection) -> None:
        """Take note that a socket is gone, or asks elsewhere."""
        for room_id, guests in list(self._guests.items()):
            if guests.pop(connection.guest_id, None) is not None:
                if not guests:
                    del self._guests[room_id]
                self._tell(room_id)
        connection.guest_id = ""

    def shown(self, room_id: str) -> GuestsWaiting:
        """Return who waits for a room, in the order of asking."""
        guests = self._guests.get(room_id, {})
        return GuestsWaiting([Guest(name, shown) for name, (_, shown, _) in guests.items()])

    def _tell(self, room_id: str) -> None:
        self._tell_hosts(room_id, self.shown(room_id))
