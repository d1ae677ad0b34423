"""Meters on their way from the rooms to the front process, 25 times a second for all together.

Pages here look at strips, and so may pages of other servers, which `far_meters` speaks for.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from dsp.spectrum import Picture
from mixer.meters import Meter, Spectra
from webrtc.control.messages import Meters, StripMeters, StripSpectrum, WatchMeters
from webrtc.media.hall import Room

METERS_EVERY_S: Final = 0.04


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose meters and whose spectra are looked at."""

    strips: frozenset[str] = frozenset()
    spectra: frozenset[str] = frozenset()

    def __or__(self, other: "Watched") -> "Watched":
        """Return what both look at."""
        return Watched(self.strips | other.strips, self.spectra | other.spectra)

    def of(self, meters: Iterable[Meter], pictures: Spectra) -> tuple[list[Meter], Spectra]:
        """Return those of these that are looked at."""
        return (
            [one for one in meters if one.source_id in self.strips],
            [one for one in pictures if one[0] in self.spectra],
        )


NOTHING: Final = Watched()


@dataclass(slots=True)
class _Room:
    """A room of which anything is looked at: by pages here, and by others."""

    room: Room
    own: Watched = field(default=NOTHING)
    far: Watched = field(default=NOTHING)


class Metering:
    """Which rooms somebody looks at, and when they are due.

    Attributes:
        tell_others: Is given what pages of other servers look at, whenever it was measured.
    """

    def __init__(self) -> None:
        """Begin with nobody looking."""
        self.tell_others: Callable[[Room, list[Meter], Spectra], None] = lambda *_: None
        self._watched: dict[str, _Room] = {}
        self._next_s = 0.0

    def watch(self, room: Room, message: WatchMeters) -> None:
        """Measure from now on what pages here look at, in this room."""
        watched = self._watched.setdefault(room.room_id, _Room(room))
        watched.own = Watched(frozenset(message.strips), frozenset(message.spectra))
        self._follow(watched)

    def watch_for_others(self, room: Room, wanted: Watched) -> None:
        """Measure from now on what others look at, in this room."""
        watched = self._watched.setdefault(room.room_id, _Room(room))
        watched.far = wanted
        self._follow(watched)

    def forget(self, room: Room) -> None:
        """Take note that a room is gone."""
        self._watched.pop(room.room_id, None)

    def clear(self) -> None:
        """Measure nothing for pages here: nobody who was there remembers having asked."""
        for watched in list(self._watched.values()):
            watched.own = NOTHING
            self._follow(watched)

    def take(self, now_s: float) -> Meters | None:
        """Return what is new in the rooms that are awake, if it is time and there is anything."""
        if not self._watched or now_s < self._next_s:
            return None
        due_s = self._next_s + METERS_EVERY_S  # what is late does not delay what follows
        self._next_s = due_s if due_s > now_s else now_s + METERS_EVERY_S
        awake = [one for one in self._watched.values() if one.room.awake]
        return _message((one.room, *self._take(one)) for one in awake)

    def _take(self, watched: _Room) -> tuple[list[Meter], Spectra]:
        """Return what is new of what pages here look at, and give others what they do."""
        taken = watched.room.mixer.treatment.take_meters(watched.room.mixer.sources)
        if watched.far != NOTHING:
            self.tell_others(watched.room, *watched.far.of(*taken))
        return watched.own.of(*taken)

    def _follow(self, watched: _Room) -> None:
        room, every = watched.room, watched.own | watched.far
        room.mixer.treatment.watch(every.strips, every.spectra)
        if every == NOTHING:
            self._watched.pop(room.room_id, None)


def _message(taken: Iterable[tuple[Room, list[Meter], Spectra]]) -> Meters | None:
    strips: list[StripMeters] = []
    spectra: list[StripSpectrum] = []
    limiters: dict[str, float] = {}
    for room, meters, pictures in taken:
        if meters or pictures:
            told = message_of(room, meters, pictures)
            strips += told.strips
            spectra += told.spectra
            limiters |= told.limiters
    return Meters(strips, spectra, limiters) if strips or spectra else None


def message_of(room: Room, meters: Collection[Meter], pictures: Spectra) -> Meters:
    """Return what is told of one room."""
    return Meters(
        [_strip(meter) for meter in meters],
        [_spectrum(name, picture) for name, picture in pictures],
        {room.room_id: round(room.mixer.mixes.limiter_db, 1)},
    )


def _spectrum(name: str, picture: Picture) -> StripSpectrum:
    return StripSpectrum(
        participant_id=name,
        bands_db=picture.bands_db.tolist(),
        correlation=round(picture.correlation, 2),
        true_peak_db=round(picture.true_peak_db, 1),
    )


def _strip(meter: Meter) -> StripMeters:
    gate_db, compressor_db, limiter_db = meter.reductions
    return StripMeters(
        participant_id=meter.source_id,
        in_peak_db=round(meter.in_peak_db, 1),
        in_rms_db=round(meter.in_rms_db, 1),
        out_peak_db=round(meter.out_peak_db, 1),
        out_rms_db=round(meter.out_rms_db, 1),
        gate_db=round(gate_db, 1),
        comp_db=round(compressor_db, 1),
        limiter_db=round(limiter_db, 1),
        auto_level_db=round(meter.level_db, 1),
        balance_db=round(meter.mix_db, 1),
        short_term_lufs=round(meter.short_term_lufs, 1),
        voice=meter.speaking,
    )
