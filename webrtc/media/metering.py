"""Meters on their way from the rooms to the front process, 25 times a second for all together."""

from collections.abc import Iterable
from typing import Final

from dsp.spectrum import Picture
from mixer.meters import Meter
from webrtc.control.messages import Meters, StripMeters, StripSpectrum, WatchMeters
from webrtc.media.hall import Room

METERS_EVERY_S: Final = 0.04


class Metering:
    """Which rooms somebody looks at, and when they are due."""

    def __init__(self) -> None:
        """Begin with nobody looking."""
        self._watched: dict[str, Room] = {}
        self._next_s = 0.0

    def watch(self, room: Room, message: WatchMeters) -> None:
        """Measure from now on what `message` says, in this room."""
        room.mixer.treatment.watch(message.strips, message.spectra)
        if room.mixer.treatment.is_watched:
            self._watched[room.room_id] = room
        else:
            self._watched.pop(room.room_id, None)

    def forget(self, room: Room) -> None:
        """Take note that a room is gone."""
        self._watched.pop(room.room_id, None)

    def clear(self) -> None:
        """Measure nothing any more: nobody who was there remembers having asked."""
        for room in self._watched.values():
            room.mixer.treatment.watch((), ())
        self._watched.clear()

    def take(self, now_s: float) -> Meters | None:
        """Return what is new in the rooms that are awake, if it is time and there is anything."""
        if not self._watched or now_s < self._next_s:
            return None
        due_s = self._next_s + METERS_EVERY_S  # what is late does not delay what follows
        self._next_s = due_s if due_s > now_s else now_s + METERS_EVERY_S
        return _message(room for room in self._watched.values() if room.awake)


def _message(rooms: Iterable[Room]) -> Meters | None:
    strips: list[StripMeters] = []
    spectra: list[StripSpectrum] = []
    limiters: dict[str, float] = {}
    for room in rooms:
        meters, pictures = room.mixer.treatment.take_meters(room.mixer.sources)
        strips += map(_strip, meters)
        spectra += [_spectrum(name, picture) for name, picture in pictures]
        if meters or pictures:
            limiters[room.room_id] = round(room.mixer.mixes.limiter_db, 1)
    return Meters(strips, spectra, limiters) if strips or spectra else None


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
