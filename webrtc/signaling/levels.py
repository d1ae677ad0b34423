"""Levels on their way to the pages: who gets them how often, and who speaks.

`RoomLevels` decides and never reads a clock; `LevelFanOut` feeds it and writes. What changed within
a period is one message, whichever workers it came from: encoded once for everyone who publishes,
and once, at a slower pace, for those who only listen.
"""

import asyncio
from collections.abc import Callable, Iterable

from webrtc.control.messages import SourceLevel
from webrtc.signaling.events import ActiveSpeakers, LevelsChanged
from webrtc.signaling.presence import Presence, Seat
from webrtc.signaling.wire import event_frame

SILENT_DBOV = 127

_Levels = dict[str, tuple[int, bool]]


class PendingLevels:
    """What one kind of people has not been told yet.

    Args:
        period_s: shortest time between two messages to them.
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._pending: _Levels = {}
        self._told_at: float | None = None

    def note(self, participant_id: str, news: tuple[int, bool]) -> None:
        """Take a new level in."""
        self._pending[participant_id] = news

    def forget(self, participant_id: str) -> None:
        """Drop a source."""
        self._pending.pop(participant_id, None)

    def wait_s(self, now: float) -> float:
        """Return how long they have to wait for what is pending."""
        if self._told_at is None:
            return 0.0
        return max(0.0, self._told_at + self._period_s - now)

    def take(self, now: float) -> LevelsChanged | None:
        """Return what they have not been told, as told now; None if there is nothing."""
        if not self._pending:
            return None
        self._told_at = now
        pending, self._pending = self._pending, {}
        return _event(pending)


class RoomLevels:
    """The levels of one room: what they are now and what people have not been told yet.

    Attributes:
        publishers: For those who publish.
        listeners: For those who do not.
    """

    def __init__(self, publisher_period_s: float, listener_period_s: float) -> None:
        self.publishers = PendingLevels(publisher_period_s)
        self.listeners = PendingLevels(listener_period_s)
        self._current: _Levels = {}
        self._speakers: list[str] = []
        self._told_speakers: list[str] = []

    def update(self, levels: Iterable[SourceLevel]) -> bool:
        """Take new levels in; return whether somebody started or stopped speaking."""
        for item in levels:
            news = (item.level_dbov, item.speaking)
            self._current[item.participant_id] = news
            self.publishers.note(item.participant_id, news)
            self.listeners.note(item.participant_id, news)
        self._speakers = self._by_loudness()
        return set(self._speakers) != set(self._told_speakers)

    def forget(self, participant_id: str) -> bool:
        """Drop a source; return whether it was speaking."""
        self.publishers.forget(participant_id)
        self.listeners.forget(participant_id)
        _, speaking = self._current.pop(participant_id, (SILENT_DBOV, False))
        self._speakers = self._by_loudness()
        return speaking

    def speaking(self, participant_id: str) -> bool:
        """Return whether a source speaks now."""
        return self._current.get(participant_id, (SILENT_DBOV, False))[1]

    def everything(self) -> LevelsChanged:
        """Return all levels, for someone who has seen none."""
        return _event(self._current)

    def told_speakers(self) -> ActiveSpeakers:
        """Return who speaks, as everybody was told last."""
        return ActiveSpeakers(self._told_speakers)

    def take_speakers(self) -> ActiveSpeakers | None:
        """Return who speaks if that, or the order, is news; as told now."""
        if self._speakers == self._told_speakers:
            return None
        self._told_speakers = self._speakers
        return ActiveSpeakers(self._speakers)

    def _by_loudness(self) -> list[str]:
        speaking = [(level, name) for name, (level, speaks) in self._current.items() if speaks]
        return [name for _, name in sorted(speaking)]


class LevelFanOut:
    """Sends levels to the sockets of each room.

    Args:
        presence: who is here.
        publisher_period_s: shortest time between two messages to those who publish.
        listener_period_s: the same to those who do not.
        knows: whether there is a participant of this id, here or at another replica.
    """

    def __init__(
        self,
        presence: Presence,
        publisher_period_s: float,
        listener_period_s: float,
        knows: Callable[[str], bool],
    ) -> None:
        self._presence = presence
        self._knows = knows
        self._periods_s = publisher_period_s, listener_period_s
        self._rooms: dict[str, RoomLevels] = {}
        self._timers: dict[tuple[str, bool], asyncio.TimerHandle] = {}

    def handle(self, room_id: str, levels: list[SourceLevel]) -> None:
        """Take what a media worker measured: changed levels, at most ten times a second."""
        known = [item for item in levels if self._knows(item.participant_id)]
        if not known:
            return
        room = self._rooms.setdefault(room_id, RoomLevels(*self._periods_s))
        speakers_changed = room.update(known)
        self._tell_in_time(room_id, room, publishers=True)
        if speakers_changed:
            self._tell_speakers(room_id, room)
        self._tell_in_time(room_id, room, publishers=False)

    def speaking(self, room_id: str, participant_id: str) -> bool:
        """Return whether a participant speaks now."""
        room = self._rooms.get(room_id)
        return room is not None and room.speaking(participant_id)

    def show_all(self, seat: Seat) -> None:
        """Send one participant every level of the room, and who speaks."""
        room = self._rooms.get(seat.room_id)
        if room is not None and seat.connection is not None:
            seat.connection.emit("levels", room.everything())
            seat.connection.emit("active_speakers", room.told_speakers())

    def forget_participant(self, room_id: str, participant_id: str) -> None:
        """Drop the levels of someone who left."""
        room = self._rooms.get(room_id)
        if room is not None and room.forget(participant_id):
            self._tell_speakers(room_id, room)

    def forget_room(self, room_id: str) -> None:
        """Drop the levels of a room that is gone."""
        self._rooms.pop(room_id, None)
        for publishers in (True, False):
            timer = self._timers.pop((room_id, publishers), None)
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        """Stop."""
        for room_id in list(self._rooms):
            self.forget_room(room_id)

    def _tell_in_time(self, room_id: str, room: RoomLevels, *, publishers: bool) -> None:
        if (room_id, publishers) in self._timers:
            return
        loop = asyncio.get_running_loop()
        wait_s = (room.publishers if publishers else room.listeners).wait_s(loop.time())
        if wait_s > 0:
            self._timers[room_id, publishers] = loop.call_later(
                wait_s, self._tell, room_id, room, publishers
            )
        else:
            self._tell(room_id, room, publishers)

    def _tell(self, room_id: str, room: RoomLevels, publishers: bool) -> None:
        self._timers.pop((room_id, publishers), None)
        pending = room.publishers if publishers else room.listeners
        event = pending.take(asyncio.get_running_loop().time())
        if event is not None:
            self._send(room_id, event, publishers=publishers)
        if not publishers:
            self._tell_speakers(room_id, room)

    def _tell_speakers(self, room_id: str, room: RoomLevels) -> None:
        event = room.take_speakers()
        if event is None:
            return
        frame = event_frame("active_speakers", event)
        for seat in self._presence.seats_in(room_id):
            if seat.visible and seat.connection is not None:
                # Not lossy: it is said once, and a page that missed it would be wrong for long.
                seat.connection.socket.write(frame)

    def _send(self, room_id: str, event: LevelsChanged, *, publishers: bool) -> None:
        frame: bytes | None = None
        for seat in self._presence.seats_in(room_id):
            if seat.publishes is publishers and seat.visible and seat.connection is not None:
                frame = frame or event_frame("levels", event)
                seat.connection.socket.write_lossy(frame)


def _event(levels: _Levels) -> LevelsChanged:
    return LevelsChanged([(name, level, int(speaks)) for name, (level, speaks) in levels.items()])
