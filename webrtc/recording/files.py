"""The two JSON files in a recording's folder.

`order.json` is the front process's word: what is wanted, and who is who. `manifest.json` is the
recorder's: what there is. Each has one writer and is replaced in one step.
"""

from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from rooms.models import DEFAULT_TENANT
from webrtc.recording.encoders import Format
from webrtc.recording.tracks import TrackInfo

ORDER: Final = "order.json"
MANIFEST: Final = "manifest.json"
STEP: Final = ".new"

RecordingState = Literal["recording", "paused", "stopped", "interrupted", "disk_full", "failed"]


class Person(msgspec.Struct, frozen=True):
    """Who is behind a track's number."""

    participant_id: str
    name: str


class Chapter(msgspec.Struct, frozen=True):
    """A mark; `time_s` is seconds of recorded sound."""

    time_s: float
    label: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted. `key` is the fingerprint of the room's host key, in hexadecimal.

    `tenant` is the room's: another tenant may have a room of this id when it is gone.
    """

    recording_id: str
    room_id: str
    key: str
    started_at: float
    format: Format
    state: Literal["recording", "paused", "stopped"] = "recording"
    most_bytes: int
    least_free_bytes: int
    people: dict[int, Person] = {}
    chapters: list[Chapter] = []
    tenant: str = DEFAULT_TENANT


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What there is.

    `warning` says that the disk will be full within minutes. `dropped_ms` is sound that the
    recorder was too late for. Tracks begin `offset_samples` after the recording, at 48 kHz.
    """

    recording_id: str
    room_id: str
    state: RecordingState
    started_at: float
    format: Format
    sample_rate_hz: int
    duration_s: float
    bytes: int
    dropped_ms: int
    warning: str
    pid: int
    tracks: list[TrackInfo]
    people: dict[int, Person]
    chapters: list[Chapter]


_File = TypeVar("_File", Order, Manifest)


def read(folder: Path, name: str, kind: type[_File]) -> _File | None:
    """Return what a file says, None if it is not there or none of ours."""
    try:
        return msgspec.json.decode((folder / name).read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def write(folder: Path, name: str, value: Order | Manifest) -> None:
    """Replace a file.

    Raises:
        OSError: the disk does not take it.
    """
    new = folder / (name + STEP)
    new.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1))
    new.replace(folder / name)
