"""Rooms of this worker that are recorded, or broadcast: a tap in each."""

import logging
from collections.abc import Callable

from webrtc.control.messages import RecordRoom
from webrtc.log_context import about
from webrtc.media.hall import Room
from webrtc.recording.ring import RingWriter
from webrtc.recording.tap import RECORDER, RecordingTap, Wanted, intervals_of

logger = logging.getLogger(__name__)


class RecordingTaps:
    """Keeps the taps as the front process wants them."""

    def __init__(
        self, worker: int, media_time: Callable[[Room, float], int], listener: str = RECORDER
    ) -> None:
        """Record nothing.

        Args:
            worker: Number of this worker.
            media_time: Tells the media time of a room at an instant.
            listener: Who hears the mixes.
        """
        self._listener = listener
        self._worker = worker
        self._media_time = media_time
        self._taps: dict[str, tuple[str, RecordingTap]] = {}

    def put(self, room: Room, order: RecordRoom | None) -> None:
        """Record of a room what is wanted now; the room is awake if anything is.

        What has no memory for this worker is another replica's to record.
        """
        if order is not None and self._worker not in order.rings:
            order = None
        known = self._taps.get(room.room_id)
        is_alone = known is not None or room.mixer.tap is None
        if known is not None and (order is None or order.recording_id != known[0]):
            self.forget(room)
            known = None
        if order is None:
            return
        if known is None:
            tap = self._open(room, order)
            if tap is None:
                return
            known = self._taps[room.room_id] = order.recording_id, tap
        tap = known[1]
        tap.wanted = self._wanted(order)
        # What has begun keeps its place, so that nothing moves within a stretch.
        begun = [one.begin for one in tap.intervals]
        new = order.spans[len(begun) :]
        if new and is_alone:
            room.shifted = 0
        times = begun + [self._media_time(room, begin_s) for begin_s, _ in new]
        tap.intervals = intervals_of(order.spans, times)

    def forget(self, room: Room) -> None:
        """Record nothing of a room any more."""
        known = self._taps.pop(room.room_id, None)
        if known is not None:
            known[1].close()

    def _open(self, room: Room, order: RecordRoom) -> RecordingTap | None:
        try:
            ring = RingWriter(order.rings[self._worker])
        except (OSError, ValueError) as error:  # the recorder has ended
            with about("", room.room_id):
                logger.warning("a recording cannot be written: %s", error)
            return None
        return RecordingTap(room.mixer, ring, self._wanted(order), self._listener)

    def _wanted(self, order: RecordRoom) -> Wanted:
        return Wanted(order.mix_by == self._worker, order.dry, order.processed)
