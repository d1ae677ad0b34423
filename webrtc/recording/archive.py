"""A recording as one zip file that is made while it is sent: it never stands on the disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from webrtc.recording import files
from webrtc.recording.files import Chapter, Manifest
from webrtc.recording.reaper import PROJECT, project_text

_PART_BYTES: Final = 256 * 1024
_DATE: Final = (1980, 1, 1, 0, 0, 0)


class _Sink:
    """What `ZipFile` writes to; not seekable, so that it writes sizes behind the data."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def zipped(folder: Path, manifest: Manifest) -> Iterator[bytes]:
    """Yield the zip file of a recording, part by part; it reads files."""
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_STORED, allowZip64=True) as archive:
        for track in manifest.tracks:
            path = folder / track.file
            if not path.is_file():
                continue
            info = ZipInfo(f"{manifest.recording_id}/{track.file}", _DATE)
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
                while part := source.read(_PART_BYTES):
                    target.write(part)
                    yield sink.take()
        for name, text in (
            (files.MANIFEST, (folder / files.MANIFEST).read_bytes()),
            (PROJECT, project_text(manifest).encode()),
            ("chapters.txt", chapters_text(manifest.chapters, manifest.duration_s).encode()),
        ):
            archive.writestr(ZipInfo(f"{manifest.recording_id}/{name}", _DATE), text)
            yield sink.take()
    yield sink.take()


def chapters_text(chapters: list[Chapter], duration_s: float) -> str:
    """Return chapters as FFmpeg reads them (`ffmpeg -i mix.flac -i chapters.txt …`)."""
    lines = [";FFMETADATA1"]
    for number, chapter in enumerate(chapters, 1):
        end_s = chapters[number].time_s if number < len(chapters) else duration_s
        lines += [
            "[CHAPTER]",
            "TIMEBASE=1/1000",
            f"START={round(chapter.time_s * 1000)}",
            f"END={round(max(end_s, chapter.time_s) * 1000)}",
            f"title={_escaped(chapter.label)}",
        ]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return "".join("\\" + one if one in "=;#\\\n" else one for one in text)
