"""Tickets: what a link needs to fetch one recording, and to do nothing else, for ten minutes.

A ticket is `<end>.<signature>`: until when it is good, in seconds since the epoch, and a keyed hash
of that and of what it is for. The key is drawn at each start and is nowhere else.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

TICKET_S: Final = 600
_KEY_BYTES: Final = 32
_MOST_DIGITS: Final = 12


class Tickets:
    """Gives tickets out, and knows its own again.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(_KEY_BYTES)

    def ticket(self, room_id: str, recording_id: str) -> str:
        """Return a ticket for one recording of a room."""
        end = int(self._clock()) + TICKET_S
        return f"{end}.{self._signed(end, room_id, recording_id)}"

    def is_valid(self, ticket: str, room_id: str, recording_id: str) -> bool:
        """Return whether a ticket, which may be any text, is good for a recording now."""
        end, _, signature = ticket.partition(".")
        if not end.isascii() or not end.isdigit() or len(end) > _MOST_DIGITS:
            return False
        if int(end) < self._clock():
            return False
        right = self._signed(int(end), room_id, recording_id)
        return hmac.compare_digest(signature.encode(errors="replace"), right.encode())

    def _signed(self, end: int, room_id: str, recording_id: str) -> str:
        what = f"{end}/{room_id}/{recording_id}".encode()
        return hmac.new(self._key, what, hashlib.sha256).hexdigest()
