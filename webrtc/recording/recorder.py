"""The process that writes one recording.

::

    python -m webrtc.recording.recorder --folder DIR --workers 2 --supervisor PID

It makes the memory that the media workers write into, says on its standard output where that is,
and then needs nobody: it follows `order.json`, and ends when that says so, at SIGTERM, when the
disk is full, or when the supervisor is gone. A front process may come and go.
"""

import logging
import os
import select
import shutil
import sys
import time
from pathlib import Path
from typing import Final

from mixer.arena import BLOCK_10MS, SAMPLE_RATE_HZ
from webrtc.recording import child, files
from webrtc.recording.files import Manifest, Order, RecordingState
from webrtc.recording.ring import RingReader
from webrtc.recording.tracks import Tracks

logger = logging.getLogger(__name__)

MODULE: Final = "webrtc.recording.recorder"
_LOOK_S: Final = 0.2  # the ring holds ten times that
_MANIFEST_S: Final = 0.5
_AFTER_STOP_S: Final = 0.3  # until then the workers have heard of it
_WARN_S: Final = 600.0


class Recorder:
    """Empties the rings into files."""

    def __init__(self, folder: Path, rings: list[RingReader]) -> None:
        """Record what `order.json` in `folder` says."""
        order = files.read(folder, files.ORDER, Order)
        if order is None:
            raise ValueError("there is no order")
        self._folder = folder
        self._rings = rings
        self._order = order
        self._order_seen = 0
        self._tracks = Tracks(folder, order.format)
        self._warning = ""
        self._bytes = 0
        self._ends: list[RecordingState] = []

    def stop(self) -> None:
        """End soon, as if the order said so."""
        self._ends.append("stopped")

    def run(self, supervisor: int) -> RecordingState:
        """Record until the end; return why it ended."""
        end = self._ends
        poll = select.poll()
        poll.register(os.pidfd_open(supervisor), select.POLLIN)
        stop_s, manifest_s = float("inf"), 0.0
        try:
            while not end:
                now_s = time.monotonic()
                if poll.poll(0) or now_s >= stop_s:
                    end.append("stopped")
                self._empty()
                if now_s >= manifest_s:
                    manifest_s = now_s + _MANIFEST_S
                    if not self._look_around():
                        end.append("disk_full")
                    self.tell("paused" if self._order.state == "paused" else "recording")
                if self._order.state == "stopped":
                    stop_s = min(stop_s, now_s + _AFTER_STOP_S)
                time.sleep(_LOOK_S)
            self._empty()
        except OSError:
            logger.exception("a recording cannot be written")
            end.insert(0, "disk_full" if self._is_full() else "failed")
        self._finish(end[0])
        return end[0]

    def _empty(self) -> None:
        for ring in self._rings:
            self._tracks.take(ring.take())
        self._tracks.keep_step()

    def _look_around(self) -> bool:
        """Follow the order and the disk; return whether there is room left."""
        self._tracks.renew()
        seen = (self._folder / files.ORDER).stat().st_mtime_ns
        if seen != self._order_seen:
            self._order_seen = seen
            self._order = files.read(self._folder, files.ORDER, Order) or self._order
        self._bytes = sum(one.stat().st_size for one in self._folder.iterdir())
        left = self._left()
        seconds = self._tracks.samples / SAMPLE_RATE_HZ
        lasts_s = left / (self._bytes / seconds) if self._bytes and seconds > 1 else float("inf")
        self._warning = f"the disk is full in {lasts_s / 60:.0f} min" if lasts_s < _WARN_S else ""
        return left > 0

    def _left(self) -> int:
        """Return how many bytes may still be written."""
        free = shutil.disk_usage(self._folder).free
        return min(self._order.most_bytes - self._bytes, free - self._order.least_free_bytes)

    def _is_full(self) -> bool:
        return shutil.disk_usage(self._folder).free < 1 << 20 or self._left() <= 0

    def _finish(self, state: RecordingState) -> None:
        try:
            self._tracks.close()
        except OSError:
            logger.exception("a track's end cannot be written")
        try:
            self._bytes = sum(one.stat().st_size for one in self._folder.iterdir())
            self.tell(state)
        except OSError:
            logger.exception("a recording cannot be finished")

    def tell(self, state: RecordingState) -> None:
        """Write the manifest.

        Raises:
            OSError: the disk does not take it.
        """
        order = self._order
        dropped = sum(ring.dropped for ring in self._rings)
        manifest = Manifest(
            recording_id=order.recording_id,
            room_id=order.room_id,
            state=state,
            started_at=order.started_at,
            format=order.format,
            sample_rate_hz=SAMPLE_RATE_HZ,
            duration_s=round(self._tracks.samples / SAMPLE_RATE_HZ, 3),
            bytes=self._bytes,
            dropped_ms=dropped * BLOCK_10MS * 1000 // SAMPLE_RATE_HZ,
            warning=self._warning,
            pid=os.getpid(),
            tracks=self._tracks.all,
            people=order.people,
            chapters=order.chapters,
        )
        files.write(self._folder, files.MANIFEST, manifest)


def main() -> int:
    """Record; return the exit status."""
    folder, supervisor, rings = begun = child.begin(MODULE, "ag06-recording")
    recorder = Recorder(folder, rings)
    recorder.tell("recording")
    child.ready(begun.paths, recorder.stop)
    with child.logging_as("recorder"):
        return 0 if recorder.run(supervisor) == "stopped" else 1


if __name__ == "__main__":
    sys.exit(main())
