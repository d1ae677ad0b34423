"""What the classifier hears of this worker's publishers, and what it makes of them.

Blocks are taken as they are fetched, before anything is done to them, so that no profile is judged
by its own effect. Of those who are muted nothing is taken. Nothing here waits: portions that the
classifier does not take are dropped and counted, and without a classifier blocks are not even
looked at.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from mixer.source import Source
from webrtc.classifier.wire import (
    PORTION,
    Busy,
    Gone,
    Judged,
    Sound,
    ToClassifier,
    classifier_path,
    frame,
    worker_side_decoder,
)
from webrtc.control.messages import Content
from webrtc.errors import ControlProtocolError

logger = logging.getLogger(__name__)

_RETRY_S: Final = 0.5
_READ_BYTES: Final = 1 << 16
_MOST_UNSENT_BYTES: Final = 1 << 20
_SCALE: Final = np.float32(32767 / 2)  # of the sum of both channels


class Hearing:
    """One worker's end of the line to the classifier.

    Attributes:
        counters: `heard_sent` and `heard_dropped` portions, `looks_late` of the classifier.
    """

    def __init__(self, folder: Path, tell: Callable[[Judged], None]) -> None:
        """Begin without a classifier.

        Args:
            folder: Where it has its socket.
            tell: Is told what it thinks.
        """
        self.counters: Counter[str] = Counter(heard_sent=0, heard_dropped=0)
        self._path = classifier_path(folder)
        self._tell = tell
        self._writer: asyncio.StreamWriter | None = None
        self._portions: dict[str, _Portion] = {}

    async def run(self) -> None:
        """Connect, listen, connect again, until cancelled."""
        try:
            while True:
                with contextlib.suppress(OSError):  # not there (yet)
                    await self._listen()
                self._leave()
                await asyncio.sleep(_RETRY_S)
        finally:
            self._leave()

    @property
    def is_on(self) -> bool:
        """Whether anybody listens."""
        return self._writer is not None

    def take(self, present: Sequence[Source], count: int, time: int) -> None:
        """Take a block of those who sound.

        Args:
            present: Who sounds.
            count: Samples of the block.
            time: Media time of its first sample.
        """
        if self._writer is None:
            return
        for source in present:
            if source.muted or source.remote:
                continue
            portion = self._portions.get(source.source_id)
            if portion is None:
                portion = self._portions[source.source_id] = _Portion()
            if portion.add(source.view[:count], time):
                self._send(Sound(source.source_id, portion.begin, portion.taken()))

    def forget(self, source_id: str) -> None:
        """Take note that a source is gone."""
        if self._portions.pop(source_id, None) is not None:
            self._send(Gone(source_id))

    async def _listen(self) -> None:
        reader, self._writer = await asyncio.open_unix_connection(str(self._path))
        decoder = worker_side_decoder()
        try:
            while data := await reader.read(_READ_BYTES):
                for message in decoder.feed(data):
                    match message:
                        case Judged():
                            self._tell(message)
                        case Busy():
                            self._note(message)
        except ControlProtocolError as error:
            logger.error("the classifier's connection is closed: %s", error)

    def _note(self, busy: Busy) -> None:
        self.counters["classifier_streams"] = busy.streams
        self.counters["classifier_refused"] = busy.refused
        self.counters["classifier_looks"] = busy.looks
        self.counters["classifier_looks_late"] = busy.looks_late
        self.counters["classifier_cpu_ms"] = busy.cpu_ms

    def _send(self, message: ToClassifier) -> None:
        writer = self._writer
        if writer is None:
            return
        if writer.transport.get_write_buffer_size() > _MOST_UNSENT_BYTES:
            self.counters["heard_dropped"] += 1
            return
        writer.write(frame(message))
        self.counters["heard_sent"] += 1

    def _leave(self) -> None:
        writer, self._writer = self._writer, None
        self._portions.clear()
        if writer is not None:
            with contextlib.suppress(OSError):
                writer.close()


class _Portion:
    """100 ms of one source, as they come together."""

    __slots__ = ("_samples", "_used", "begin")

    def __init__(self) -> None:
        self.begin = 0
        self._samples = np.zeros(PORTION + 960, np.float32)
        self._used = 0

    def add(self, block: npt.NDArray[np.float32], time: int) -> bool:
        """Add a block (n, 2) of this media time; return whether there is enough to send."""
        used = self._used
        if used and time != self.begin + used:  # it had paused: what there is goes as it is
            self._used = used = 0
        if not used:
            self.begin = time
        end = used + len(block)
        np.add(block[:, 0], block[:, 1], out=self._samples[used:end])
        self._used = end
        return end >= PORTION

    def taken(self) -> bytes:
        """Return what has come together, and begin anew."""
        used, self._used = self._used, 0
        scaled = self._samples[:used] * _SCALE
        np.clip(scaled, -32768, 32767, out=scaled)
        return bytes(np.nan_to_num(scaled).astype("<i2"))


def content_of(judged: Judged) -> Content:
    """Return what the classifier thinks in the words of the front process."""
    return Content(
        participant_id=judged.stream,
        genre=judged.label,
        confidence=judged.confidence,
        firm=judged.firm,
        speech=judged.speech,
        probabilities=judged.probabilities,
        profile=judged.profile,
    )
