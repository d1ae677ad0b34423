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

from collections.abc import Awaitable, Callable
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


async def _is_not_elsewhere(*_: object) -> bool:
    return False


class WaitingRoom:
    """All guests of this front process; hosts see those of other replicas with them.

    Args:
        tell_hosts: sends an event to those in a room who may let guests in.

    Attributes:
        on_change: is told which room's guests here have changed.
        elsewhere: returns who waits for a room at other replicas.
        answer_elsewhere: lets a guest of another replica in, or not; returns whether there is one.
    """

    def __init__(self, tell_hosts: Callable[[str, GuestsWaiting], None]) -> None:
        self.on_change: Callable[[str], None] = lambda _: None
        self.elsewhere: Callable[[str], list[Guest]] = lambda _: []
        self.answer_elsewhere: Callable[[str, str, bool], Awaitable[bool]] = _is_not_elsewhere
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
        guests = self._guests.get(room_id, {})
        if connection.guest_id not in guests:
            if len(self.shown(room_id).guests) >= MAX_GUESTS:
                raise ClientError("room_full", "too many wait at the door already", 10.0)
            self.forget(connection)
            connection.guest_id = tokens.new_id()
            guests[connection.guest_id] = _Waiting(connection, name, mark)
            self._guests[room_id] = guests
            self._changed(room_id)
        raise ClientError("waiting", "a host has to let you in")

    async def answer(self, room_id: str, guest_id: str, *, admit: bool) -> None:
        """Let a guest in, or not, here or elsewhere.

        Raises:
            ClientError: `participant_not_found`.
        """
        is_here = guest_id in self._guests.get(room_id, {})
        if is_here or not await self.answer_elsewhere(room_id, guest_id, admit):
            self.answer_here(room_id, guest_id, admit=admit)

    def answer_here(self, room_id: str, guest_id: str, *, admit: bool) -> None:
        """Let a guest of this front process in, or not.

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
            self.answer_here(room_id, guest_id, admit=True)

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
                self._changed(room_id)
        connection.guest_id = ""

    def here(self, room_id: str) -> list[Guest]:
        """Return who waits here for a room, in the order of asking."""
        guests = self._guests.get(room_id, {})
        return [Guest(name, shown) for name, (_, shown, _) in guests.items()]

    def shown(self, room_id: str) -> GuestsWaiting:
        """Return who waits for a room, those here first, each in the order of asking."""
        return GuestsWaiting([*self.here(room_id), *self.elsewhere(room_id)])

    def tell(self, room_id: str) -> None:
        """Tell a room's hosts here who waits for it."""
        self._tell_hosts(room_id, self.shown(room_id))

    def _changed(self, room_id: str) -> None:
        self.tell(room_id)
        self.on_change(room_id)
