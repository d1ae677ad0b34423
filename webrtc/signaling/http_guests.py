"""WHIP and WHEP clients at a door: they have no socket to wait on, so they ask again and again.

A client that a host has to let in is refused with `waiting` and `retry_after`. It stays at the door
for `STAYS_S` after it last asked, and whoever asks the same from the same address is that client;
so whom a host has denied does not become another guest by asking again.
"""

from typing import Final, NamedTuple

from webrtc.signaling.connection import Connection

ASK_AGAIN_S: Final = 5.0
STAYS_S: Final = 30.0


class Knock(NamedTuple):
    """What somebody at a door asks for, by which it is known again."""

    kind: str
    room_id: str
    name: str
    token: str
    address: str


class HttpGuests:
    """Those at doors; no more of them wait for a room than `waiting_room.MAX_GUESTS`."""

    def __init__(self) -> None:
        self._there: dict[Knock, tuple[Connection, float]] = {}

    def take(self, knock: Knock) -> Connection | None:
        """Return the connection with which somebody waits, who does so no longer."""
        connection, _ = self._there.pop(knock, (None, 0.0))
        return connection

    def keep(self, knock: Knock, connection: Connection, now_s: float) -> Connection | None:
        """Let somebody wait; return a connection that is not needed any more."""
        former = self.take(knock)
        self._there[knock] = (connection, now_s)
        return former

    def gone(self, now_s: float) -> list[Connection]:
        """Return the connections of those who have not asked for too long, and forget them."""
        late = [knock for knock, (_, asked_s) in self._there.items() if now_s - asked_s > STAYS_S]
        return [self._there.pop(knock)[0] for knock in late]
