"""How well everybody's connection does, in a word, for everybody to see.

`QualityBook` decides from the workers' figures; `QualityFanOut` tells the rooms. A connection gets
worse at once, and better after it has done well for a while, so that a badge does not flicker.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from webrtc.control.messages import PeerStats
from webrtc.signaling.events import QualitiesChanged, Quality
from webrtc.signaling.presence import Presence, Seat
from webrtc.signaling.wire import event_frame

_NAMES: Final[tuple[Quality, ...]] = ("good", "fair", "poor")
_BETTER_AFTER: Final = 5  # readings in a row, one a second
_FEWEST_PACKETS: Final = 20  # below that a share says nothing
_LOSS: Final = (0.02, 0.06)
_ROUND_TRIP_MS: Final = (200.0, 400.0)
_JITTER_MS: Final = (30.0, 60.0)


@dataclass(slots=True)
class _Reading:
    """What is known of a participant: counters, the grade told, and for how long it was better."""

    received: int = 0
    lost: int = 0
    told: int | None = None
    better: int = 0


class QualityBook:
    """Grades connections; knows neither rooms nor sockets."""

    def __init__(self) -> None:
        """Know nobody."""
        self._known: dict[str, _Reading] = {}

    def of(self, participant_id: str) -> Quality | None:
        """Return the grade of somebody; None before there is one."""
        reading = self._known.get(participant_id)
        return None if reading is None or reading.told is None else _NAMES[reading.told]

    def take(self, figures: Iterable[PeerStats]) -> list[tuple[str, Quality]]:
        """Take in what a worker says each second; return the grades that are others now."""
        news = []
        for one in figures:
            reading = self._known.setdefault(one.participant_id, _Reading())
            grade = _grade(reading, one)
            reading.received, reading.lost = one.packets_received, one.packets_lost
            if _is_news(reading, grade):
                reading.told = grade
                news.append((one.participant_id, _NAMES[grade]))
        return news

    def forget(self, participant_id: str) -> None:
        """Drop what is known of somebody."""
        self._known.pop(participant_id, None)


def _grade(before: _Reading, now: PeerStats) -> int:
    received = now.packets_received - before.received
    lost = now.packets_lost - before.lost
    begins_anew = received < 0 or lost < 0  # another connection
    enough = not begins_anew and received + lost >= _FEWEST_PACKETS
    values = (
        (lost / (received + lost) if enough else 0.0, _LOSS),
        (now.remote_loss, _LOSS),
        (now.rtt_ms or 0.0, _ROUND_TRIP_MS),
        (max(now.jitter_ms, now.remote_jitter_ms), _JITTER_MS),
    )
    return max(sum(value >= limit for limit in limits) for value, limits in values)


def _is_news(reading: _Reading, grade: int) -> bool:
    if reading.told is None or grade > reading.told:
        reading.better = 0
        return True
    reading.better = reading.better + 1 if grade < reading.told else 0
    if reading.better < _BETTER_AFTER:
        return False
    reading.better = 0
    return True


class QualityFanOut:
    """Tells the pages of each room."""

    def __init__(self, presence: Presence) -> None:
        """Know nobody."""
        self._presence = presence
        self._book = QualityBook()

    def handle(self, figures: Iterable[PeerStats]) -> None:
        """Take in a worker's figures, and tell what is news."""
        rooms: dict[str, list[tuple[str, Quality]]] = {}
        for name, quality in self._book.take(figures):
            seat = self._presence.seat(name)
            if seat is None:
                self._book.forget(name)
            else:
                rooms.setdefault(seat.room_id, []).append((name, quality))
        for room_id, qualities in rooms.items():
            frame = event_frame("qualities", QualitiesChanged(qualities))
            for seat in self._presence.seats_in(room_id):
                if seat.connection is not None:
                    seat.connection.socket.write(frame)

    def show_all(self, seat: Seat) -> None:
        """Tell a page that has just come everybody's."""
        known = [
            (one.participant_id, quality)
            for one in self._presence.seats_in(seat.room_id)
            if (quality := self._book.of(one.participant_id)) is not None
        ]
        if known and seat.connection is not None:
            seat.connection.emit("qualities", QualitiesChanged(known))

    def forget_participant(self, participant_id: str) -> None:
        """Take note that somebody is gone."""
        self._book.forget(participant_id)
