"""The process that makes HLS of one room's mix.

::

    python -m webrtc.broadcast.broadcaster --folder DIR --workers 2 --supervisor PID

It makes the memory that the media workers write into and says on its standard output where that is.
Then it needs nobody: a front process may come and go, and while a worker restarts it broadcasts
silence. It ends when the file `LIVE` is gone from its folder: the stream is finished, can be read
for `LINGER_S`, and then the folder goes. At SIGTERM, or with the supervisor, it goes at once.
"""

import logging
import os
import select
import shutil
import sys
import time
from pathlib import Path
from typing import Final

from mixer.arena import SAMPLE_RATE_HZ
from webrtc.broadcast.segments import Segments
from webrtc.broadcast.timeline import PATIENCE, Timeline
from webrtc.recording import child
from webrtc.recording.ring import Kind, RingReader

logger = logging.getLogger(__name__)

MODULE: Final = "webrtc.broadcast.broadcaster"
LIVE: Final = "live"
"""Empty; whoever removes it ends the broadcast."""
LINGER_S: Final = 20.0
_LOOK_S: Final = 0.1


class Broadcaster:
    """Empties the rings into segments.

    Args:
        folder: Where they are written, and where `LIVE` stands.
        rings: Memory of the workers.
        begin_s: Beginning of the stream on the monotonic clock.
    """

    def __init__(self, folder: Path, rings: list[RingReader], begin_s: float) -> None:
        self._folder = folder
        self._rings = rings
        self._begin_s = begin_s
        self._timeline = Timeline()
        self._segments = Segments(folder)
        self._is_stopped = False

    def stop(self) -> None:
        """End at once."""
        self._is_stopped = True

    def run(self, supervisor: int) -> None:
        """Broadcast until the end.

        Raises:
            OSError: the folder does not take it.
        """
        poll = select.poll()
        poll.register(os.pidfd_open(supervisor), select.POLLIN)
        while (self._folder / LIVE).exists():
            if self._is_stopped or poll.poll(0):
                return
            self.step(time.monotonic())
            time.sleep(_LOOK_S)
        self._segments.close()
        end_s = time.monotonic() + LINGER_S
        while not (self._is_stopped or poll.poll(_LOOK_S * 1000)) and time.monotonic() < end_s:
            pass

    def step(self, now_s: float) -> None:
        """Take what there is, and keep step with the clock.

        Raises:
            OSError: the folder does not take it.
        """
        clock = round((now_s - self._begin_s) * SAMPLE_RATE_HZ)
        for ring in self._rings:
            for slot in ring.take():
                if slot["kind"] == Kind.MIX:
                    at, sound = int(slot["position"]), slot["sound"]
                    for piece in self._timeline.take(at, sound, clock):
                        self._segments.write(piece)
        for piece in self._timeline.keep_up(clock - PATIENCE):
            self._segments.write(piece)


def main() -> int:
    """Broadcast; return the exit status."""
    folder, supervisor, rings = begun = child.begin(MODULE, "ag06-broadcast")
    begin_s = time.monotonic()
    (folder / LIVE).touch()
    broadcaster = Broadcaster(folder, rings, begin_s)
    child.ready({"rings": begun.paths, "begin_s": begin_s}, broadcaster.stop)
    with child.logging_as("broadcaster"):
        try:
            broadcaster.run(supervisor)
        except OSError:
            logger.exception("a broadcast cannot be written")
            return 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
