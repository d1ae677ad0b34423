"""Which request is being handled, and whom it is about: log lines say so by themselves.

A request is an event of a client, a REST request, or what a worker is asked on behalf of one. What
goes on after it in tasks that it began, such as a handshake, still belongs to it.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final

_ID: Final = re.compile(r"[0-9A-Fa-f-]{8,64}\Z")


@dataclass(frozen=True, slots=True)
class LogContext:
    """What a line is about.

    Attributes:
        request_id: The same in all processes and replicas that a request comes to; "": none.
        room_id: "" if it is about no room, or not known yet.
        participant_id: Likewise.
    """

    request_id: str = ""
    room_id: str = ""
    participant_id: str = ""


_NOTHING: Final = LogContext()
_current: ContextVar[LogContext] = ContextVar("log_context", default=_NOTHING)


def current() -> LogContext:
    """Return what is being done."""
    return _current.get()


def new_request_id() -> str:
    """Return an id that no other request has: 32 hexadecimal digits, as traces have (W3C)."""
    return secrets.token_hex(16)


def usable_request_id(given: str | None) -> str:
    """Return the id that somebody before us gave a request if it is one, else a new one.

    Hexadecimal digits and dashes, as in UUIDs and traces: nobody gets words into the log.

    Args:
        given: whatever a client sent as such.
    """
    return given if given is not None and _ID.match(given) else new_request_id()


@contextmanager
def about(request_id: str, room_id: str = "", participant_id: str = "") -> Iterator[None]:
    """Handle a request: lines that are written meanwhile are about it."""
    token = _current.set(LogContext(request_id, room_id, participant_id))
    try:
        yield
    finally:
        _current.reset(token)


def learn(room_id: str = "", participant_id: str = "") -> None:
    """It has turned out whom the request is about; what is "" stays as it is."""
    known = _current.get()
    _current.set(
        replace(
            known,
            room_id=room_id or known.room_id,
            participant_id=participant_id or known.participant_id,
        )
    )
