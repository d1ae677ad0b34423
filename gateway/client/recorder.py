"""What is heard, in a WAV file."""

import queue
import threading
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from gateway.client.coding import Mono
from mixer.arena import SAMPLE_RATE_HZ

_MOST_BLOCKS: Final = 500  # 5 s: a disk that is slower loses some


class Recorder:
    """Writes blocks in a thread of its own, so that no disk holds up the sound.

    Attributes:
        dropped: Blocks that were not written because the disk was too slow.
    """

    def __init__(self, path: Path) -> None:
        """Begin a file.

        Raises:
            OSError: It cannot be written.
        """
        self.dropped = 0
        try:
            self._file = soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, "PCM_16")
        except soundfile.LibsndfileError as error:
            raise OSError(str(error)) from error
        self._blocks: queue.Queue[Mono | None] = queue.Queue(_MOST_BLOCKS)
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def add(self, block: Mono) -> None:
        """Append a block; never waits."""
        try:
            self._blocks.put_nowait(np.array(block))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what is left."""
        self._blocks.put(None)
        self._thread.join()
        self._file.close()

    def _write(self) -> None:
        while (block := self._blocks.get()) is not None:
            self._file.write(block)
