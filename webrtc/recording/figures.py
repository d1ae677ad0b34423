"""What an operator is told about recordings: those that go on, and what became of the others."""

from collections import Counter

import msgspec

from webrtc.recording.files import Manifest, RecordingState


class RecordingFigures(msgspec.Struct, frozen=True):
    """A recording that goes on; `dropped_ms` is sound that its recorder was too late for."""

    room_id: str
    recording_id: str
    state: RecordingState
    duration_s: float
    bytes: int
    tracks: int
    dropped_ms: int
    warning: str


class RecordingLedger:
    """Keeps the latest manifests.

    Attributes:
        ended: Recordings that are over, by how they ended.
    """

    def __init__(self) -> None:
        """Begin with no recording."""
        self.ended: Counter[str] = Counter()
        self._dropped_ms = 0  # of those that are over
        self._live: dict[str, Manifest] = {}

    @property
    def live(self) -> list[RecordingFigures]:
        """Recordings that go on."""
        return [
            RecordingFigures(
                one.room_id,
                one.recording_id,
                one.state,
                one.duration_s,
                one.bytes,
                len(one.tracks),
                one.dropped_ms,
                one.warning,
            )
            for one in self._live.values()
        ]

    @property
    def dropped_ms(self) -> int:
        """Sound that recorders were too late for, so far."""
        return self._dropped_ms + sum(one.dropped_ms for one in self._live.values())

    def note(self, manifest: Manifest) -> None:
        """Take note of how a recording is doing."""
        self._live[manifest.recording_id] = manifest

    def close(self, recording_id: str) -> None:
        """Take note that a recording is over, which its last manifest need not say yet."""
        last = self._live.pop(recording_id, None)
        if last is None:
            self.ended["stopped"] += 1
            return
        self._dropped_ms += last.dropped_ms
        self.ended["stopped" if last.state in ("recording", "paused") else last.state] += 1
