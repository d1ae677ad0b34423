"""Meters on their way to the pages: who looks at which strips, and what each is sent.

A page names the strips that it shows, and one whose spectrum it draws; the worker is told what all
pages of a room want together. Who is gone, or does not look any more, is noticed when the next
meters of the room come, so that nobody has to say goodbye.
"""

from dataclasses import dataclass, field, replace

from webrtc.control.messages import Meters, StripMeters, StripSpectrum, WatchMeters
from webrtc.front_workers import WorkerPool
from webrtc.signaling.connection import Connection
from webrtc.signaling.events import MetersTaken
from webrtc.signaling.presence import Presence, Seat
from webrtc.signaling.wire import event_frame


@dataclass(frozen=True, slots=True)
class _Watch:
    """What one page looks at."""

    seat: Seat
    connection: Connection
    strips: frozenset[str]
    spectrum: str | None

    @property
    def is_kept(self) -> bool:
        """Whether the page is still there."""
        return self.seat.connection is self.connection


@dataclass(slots=True)
class _Room:
    """What the pages of a room look at."""

    watches: dict[str, _Watch] = field(default_factory=dict)
    told: dict[int, WatchMeters] = field(default_factory=dict)


class MeterFanOut:
    """Sends meters to the pages that look at them."""

    def __init__(self, presence: Presence, workers: WorkerPool) -> None:
        self._presence = presence
        self._workers = workers
        self._rooms: dict[str, _Room] = {}

    def watch(
        self, seat: Seat, connection: Connection, strips: frozenset[str], spectrum: str | None
    ) -> None:
        """Show a page these strips from now on, and this one's spectrum; nothing else."""
        room = self._rooms.setdefault(seat.room_id, _Room())
        if strips or spectrum is not None:
            room.watches[seat.participant_id] = _Watch(seat, connection, strips, spectrum)
        else:
            room.watches.pop(seat.participant_id, None)
        self.refresh(seat.room_id)

    def restrict(self, seat: Seat, allowed: frozenset[str]) -> None:
        """Show a page none but these strips any more."""
        room = self._rooms.get(seat.room_id)
        watch = None if room is None else room.watches.get(seat.participant_id)
        if watch is None:
            return
        spectrum = watch.spectrum if watch.spectrum in allowed else None
        kept = replace(watch, strips=watch.strips & allowed, spectrum=spectrum)
        self.watch(seat, kept.connection, kept.strips, kept.spectrum)

    def refresh(self, room_id: str) -> None:
        """Tell the room's workers what its pages look at now, if that is news.

        Each is told all, and measures those who are connected with it.
        """
        room = self._rooms.get(room_id)
        if room is None:
            return
        room.watches = {name: one for name, one in room.watches.items() if one.is_kept}
        shown = [one for one in room.watches.values() if one.seat.visible]
        strips = sorted(frozenset().union(*(one.strips for one in shown)))
        spectra = sorted({one.spectrum for one in shown if one.spectrum is not None})
        wanted = WatchMeters(room_id, strips, spectra)
        serving = self._workers.serving(room_id)
        room.told = {worker: told for worker, told in room.told.items() if worker in serving}
        for worker in serving:
            if wanted != room.told.get(worker):
                room.told[worker] = wanted
                self._workers.send(worker, wanted)
        if not room.watches:
            del self._rooms[room_id]

    def tell_again(self, worker: int) -> None:
        """Tell a worker that is back what it has to measure."""
        for room_id, room in list(self._rooms.items()):
            if worker in self._workers.serving(room_id):
                room.told.pop(worker, None)
                self.refresh(room_id)

    def forget_room(self, room_id: str) -> None:
        """Take note that a room is gone."""
        self._rooms.pop(room_id, None)

    def handle(self, message: Meters) -> None:
        """Send what a worker measured to whom it concerns; who lags behind misses it."""
        strips = {one.participant_id: one for one in message.strips}
        spectra = {one.participant_id: one for one in message.spectra}
        seats = (self._presence.seat(name) for name in strips.keys() | spectra.keys())
        here = {seat.room_id for seat in seats if seat is not None}
        for room_id in here | message.limiters.keys():  # who is elsewhere has no seat here
            room = self._rooms.get(room_id)
            if room is not None:
                self._send(room, strips, spectra, message.limiters.get(room_id, 0.0))
                if not all(one.is_kept for one in room.watches.values()):
                    self.refresh(room_id)

    @staticmethod
    def _send(
        room: _Room,
        strips: dict[str, StripMeters],
        spectra: dict[str, StripSpectrum],
        limiter_db: float,
    ) -> None:
        frames: dict[tuple[frozenset[str], str | None], bytes] = {}
        for watch in room.watches.values():
            if not (watch.is_kept and watch.seat.visible):
                continue
            wanted = (watch.strips, watch.spectrum)
            if wanted not in frames:
                shown = [meters for name, meters in strips.items() if name in watch.strips]
                spectrum = spectra.get(watch.spectrum or "")
                is_empty = not shown and spectrum is None
                event = MetersTaken(shown, spectrum, limiter_db)
                frames[wanted] = b"" if is_empty else event_frame("meters", event)
            if frames[wanted]:
                watch.connection.socket.write_lossy(frames[wanted])
