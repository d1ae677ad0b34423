"""The tracks of one recording: what comes in pieces, each with its place, becomes files.

All tracks keep step: one that is silent is filled up with silence, a second behind the newest
sound. One that has been silent for a minute ends, and goes on in a file of its own when it sounds
again, so that nobody who left costs anything. The manifest tells where each file begins.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from mixer.arena import BLOCK_10MS, SAMPLE_RATE_HZ
from webrtc.recording.encoders import SUFFIX, Encoder, Format, Samples, open_encoder
from webrtc.recording.ring import Kind, Slots

_BEHIND: Final = SAMPLE_RATE_HZ
_SILENT: Final = 60 * SAMPLE_RATE_HZ
_PIECE: Final = SAMPLE_RATE_HZ
MOST_OPEN: Final = 512
_NAMES: Final = {Kind.MIX: "mix", Kind.DRY: "dry", Kind.PROCESSED: "processed"}


class TrackInfo(msgspec.Struct):
    """A file of a recording; `track` is the participant's csrc, 0 for the mix."""

    file: str
    kind: str
    track: int
    offset_samples: int
    samples: int = 0


class _Track:
    def __init__(self, info: TrackInfo, encoder: Encoder) -> None:
        self.info = info
        self.encoder = encoder
        self.heard = info.offset_samples  # end of the last sound

    @property
    def end(self) -> int:
        return self.info.offset_samples + self.info.samples

    def write(self, position: int, block: Samples) -> None:
        """Write a block at its place; what is there already is not written again."""
        self.fill(position)
        block = block[self.end - position :] if position < self.end else block
        if len(block):
            self.encoder.write(block)
            self.info.samples += len(block)
        self.heard = self.end

    def fill(self, position: int) -> None:
        while self.end < position:
            count = min(_PIECE, position - self.end)
            self.encoder.write(np.zeros((count, 2), np.float32))
            self.info.samples += count


class Tracks:
    """Writes the files of a recording.

    Attributes:
        all: What there is, in the order of beginning.
        refused: Tracks that were not begun because there were too many.
    """

    def __init__(
        self,
        folder: Path,
        form: Format,
        opened: Callable[[Path, Format], Encoder] = open_encoder,
    ) -> None:
        """Write into `folder`."""
        self.all: list[TrackInfo] = []
        self.refused = 0
        self._folder = folder
        self._form: Format = form
        self._opened = opened
        self._open: dict[tuple[int, int], _Track] = {}
        self._end = 0
        self._numbers: dict[int, int] = {}

    @property
    def samples(self) -> int:
        """Length of the recording so far."""
        return self._end

    def take(self, slots: Slots) -> None:
        """Take what a worker has written.

        Raises:
            OSError: the disk does not take it.
        """
        if not len(slots):
            return
        keys = slots["track"].astype(np.int64) * 4 + slots["kind"]
        order = np.argsort(keys, kind="stable")
        keys, positions, sounds = keys[order], slots["position"][order], slots["sound"]
        for first, last in _runs(keys, positions):
            sound = sounds[order[first:last]].reshape(-1, 2)
            track, kind = divmod(int(keys[first]), 4)
            self._write(track, kind, int(positions[first]), sound)

    def keep_step(self) -> None:
        """Fill silent tracks up, and end those that have been silent for long.

        Raises:
            OSError: the disk does not take it.
        """
        for key, track in list(self._open.items()):
            if self._end - track.heard > _SILENT and track.info.track:
                track.encoder.close()
                del self._open[key]
            else:
                track.fill(self._end - _BEHIND)

    def renew(self) -> None:
        """Make all files readable as they are."""
        for track in self._open.values():
            track.encoder.renew()

    def close(self) -> None:
        """Finish all files, each as long as the recording.

        Raises:
            OSError: the disk does not take the end of some; the others are finished.
        """
        errors = []
        for track in self._open.values():
            try:
                try:
                    track.fill(self._end)
                finally:
                    track.encoder.close()
            except OSError as error:
                errors.append(error)
        self._open.clear()
        if errors:
            raise errors[0]

    def _write(self, track: int, kind: int, position: int, sound: Samples) -> None:
        if position < 0:  # a block that was under way when the recording began
            sound, position = sound[-position:], 0
        if not len(sound):
            return
        known = self._open.get((track, kind))
        if known is None:
            if len(self._open) >= MOST_OPEN:
                self.refused += 1
                return
            known = self._open[track, kind] = self._begin(track, Kind(kind), position)
        known.write(position, sound)
        self._end = max(self._end, known.end)

    def _begin(self, track: int, kind: Kind, position: int) -> _Track:
        number = self._numbers.setdefault(track, len(self._numbers) + 1) if track else 0
        parts = sum(one.track == track and one.kind == _NAMES[kind] for one in self.all)
        name = "mix" if kind is Kind.MIX else f"track-{number:03}-{_NAMES[kind]}"
        name += f"-{parts + 1}" if parts else ""
        offset = 0 if kind is Kind.MIX and not parts else position
        info = TrackInfo(name + SUFFIX[self._form], _NAMES[kind], track, offset)
        encoder = self._opened(self._folder / info.file, self._form)
        self.all.append(info)
        return _Track(info, encoder)


def _runs(keys: npt.NDArray[np.int64], positions: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return where slots of one track follow each other without a gap, as first and last index."""
    ends = (np.diff(keys) != 0) | (np.diff(positions) != BLOCK_10MS)
    edges = [0, *(np.flatnonzero(ends) + 1).tolist(), len(keys)]
    return list(itertools.pairwise(edges))
