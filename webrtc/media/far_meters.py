"""Meters of strips whose people are connected with other servers, by way of the audio bus.

Of each server the first of a room's workers, by number, asks for all its pages, of people whom it
knows to be elsewhere, and again every `ASK_EVERY_S`. Whoever is asked measures its own people for
`LASTS_S`, and says what it finds at most 25 times a second, in one frame for all who asked. Nobody
asks for more than `MOST_STRIPS` and `MOST_SPECTRA` of a room, so traffic stays bounded, and there
is none while nobody looks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from mixer.exchange_frames import BusFrame, MeterNews
from mixer.meter_news import meter_of, picture_of, spectrum_news, strip_news
from mixer.meters import Meter, Spectra
from rooms.replicas import replica_of
from webrtc.control.messages import Meters, WatchMeters
from webrtc.media.hall import Room
from webrtc.media.metering import NOTHING, Metering, Watched, message_of

ASK_EVERY_S: Final = 0.5
LASTS_S: Final = 2.0
MOST_STRIPS: Final = 64
MOST_SPECTRA: Final = 8


class MeterBus(Protocol):
    """What carries them."""

    @property
    def number(self) -> int:
        """This worker's number among all."""

    def workers_of(self, room: Room) -> list[int]:
        """Return the workers of a room, none if this is the only one."""

    def publish(self, frame: BusFrame) -> None:
        """Send a frame to all other workers of its room."""


@dataclass(slots=True)
class _Room:
    """A room of which pages here look at anything.

    Attributes:
        room: It.
        wanted: What they look at, wherever it is.
        asked: What others were asked for last.
        next_s: When to ask next.
    """

    room: Room
    wanted: Watched
    asked: Watched = NOTHING
    next_s: float = 0.0


class FarMeters:
    """Asks others for meters, and is asked.

    Args:
        bus: to others.
        metering: measures what others ask for.
        tell: passes meters on to the front process.
    """

    def __init__(self, bus: MeterBus, metering: Metering, tell: Callable[[Meters], None]) -> None:
        self._bus = bus
        self._metering = metering
        self._tell = tell
        self._rooms: dict[str, _Room] = {}
        self._asking: dict[str, dict[int, tuple[Room, Watched, float]]] = {}  # who asks us
        metering.tell_others = self._tell_others

    def watch(self, room: Room, message: WatchMeters) -> None:
        """Ask for what pages here look at from now on, at the next `look`."""
        wanted = Watched(frozenset(message.strips), frozenset(message.spectra))
        known = self._rooms.get(room.room_id)
        if known is not None:
            known.wanted, known.next_s = wanted, 0.0
        elif wanted != NOTHING:
            self._rooms[room.room_id] = _Room(room, wanted)

    def forget(self, room: Room) -> None:
        """Take note that a room is gone."""
        self._rooms.pop(room.room_id, None)
        self._asking.pop(room.room_id, None)

    def clear(self) -> None:
        """Ask for nothing any more: nobody who was there remembers having looked."""
        for known in self._rooms.values():
            known.wanted, known.next_s = NOTHING, 0.0

    def look(self, now_s: float) -> None:
        """Ask where it is time, and measure no more for those who have not asked again."""
        for room_id, known in list(self._rooms.items()):
            if now_s >= known.next_s:
                known.next_s = now_s + ASK_EVERY_S
                self._ask(known)
            if known.wanted == NOTHING:
                del self._rooms[room_id]
        for room_id, asking in list(self._asking.items()):
            for worker, (room, _, until_s) in list(asking.items()):
                if now_s >= until_s:
                    del asking[worker]
                    self._follow(room)
            if not asking:
                del self._asking[room_id]

    def handle(self, room: Room, frame: BusFrame, now_s: float) -> None:
        """Take what another worker says.

        Raises:
            ValueError: it says no meters.
        """
        news, workers = frame.meters, self._bus.workers_of(room)
        if news is None or frame.worker not in workers or not self._is_far(frame.worker):
            return
        if news.watched is not None:
            asked = Watched(
                frozenset(news.watched[:MOST_STRIPS]), frozenset(news.drawn[:MOST_SPECTRA])
            )
            until_s = now_s + LASTS_S if asked != NOTHING else now_s
            asking = self._asking.setdefault(room.room_id, {})
            asking[frame.worker] = room, asked, until_s
            self._follow(room)
        known = self._rooms.get(room.room_id)
        if known is not None and (news.strips or news.spectra):
            meters, pictures = known.asked.of(
                map(meter_of, news.strips),
                [(one.source_id, picture_of(one)) for one in news.spectra],
            )
            if meters or pictures:
                self._tell(message_of(room, meters, pictures))

    def _ask(self, known: _Room) -> None:
        workers = self._bus.workers_of(known.room)
        if not any(map(self._is_far, workers)) or not self._is_first(workers):
            known.asked = NOTHING
            return
        asked = Watched(
            frozenset(self._elsewhere(known.room, known.wanted.strips)[:MOST_STRIPS]),
            frozenset(self._elsewhere(known.room, known.wanted.spectra)[:MOST_SPECTRA]),
        )
        if asked != NOTHING or known.asked != NOTHING:
            known.asked = asked
            self._say(known.room, MeterNews(sorted(asked.strips), sorted(asked.spectra)))

    @staticmethod
    def _elsewhere(room: Room, names: Iterable[str]) -> list[str]:
        """Return those of these who are connected with other servers, in order."""
        sources = room.mixer.sources
        found = ((name, sources.get(name)) for name in sorted(names))
        return [name for name, one in found if one is not None and one.remote and one.foreign]

    def _is_far(self, worker: int) -> bool:
        return replica_of(worker) != replica_of(self._bus.number)

    def _is_first(self, workers: Iterable[int]) -> bool:
        return self._bus.number == min(one for one in workers if not self._is_far(one))

    def _follow(self, room: Room) -> None:
        """Have measured what others ask for."""
        wanted = NOTHING
        for _, asked, _ in self._asking.get(room.room_id, {}).values():
            wanted |= asked
        self._metering.watch_for_others(room, wanted)

    def _tell_others(self, room: Room, meters: list[Meter], pictures: Spectra) -> None:
        if meters or pictures:
            strips = [strip_news(one) for one in meters]
            spectra = [spectrum_news(*one) for one in pictures]
            self._say(room, MeterNews(strips=strips, spectra=spectra))

    def _say(self, room: Room, news: MeterNews) -> None:
        number = self._bus.number
        self._bus.publish(
            BusFrame(room.room_id, number, 0, 0, 0, 0, None, b"", [], meters=news),
        )
