"""A recording as a project of REAPER: a track for each person, files at their places, chapters.

The format has no published description; what is used of it is what REAPER writes itself: nested
blocks of lines, words in the kind of quotes that they do not contain. The kind of a source must be
named, as REAPER chooses its decoder by it. Sounds are not doubled: tracks that the audible ones add
up to are muted.
"""

from collections.abc import Iterator
from typing import Final

from mixer.arena import SAMPLE_RATE_HZ
from webrtc.recording.encoders import Format
from webrtc.recording.files import Manifest
from webrtc.recording.tracks import TrackInfo

PROJECT: Final = "recording.rpp"
_SOURCE: Final[dict[Format, str]] = {"flac": "FLAC", "wav": "WAVE", "opus": "OPUS"}
_QUOTES: Final = "\"'`"


def project_text(manifest: Manifest) -> str:
    """Return the project, for a folder that holds the files of the recording."""
    lines = [
        '<REAPER_PROJECT 0.1 "6.0" ' + str(round(manifest.started_at)),
        f"  SAMPLERATE {manifest.sample_rate_hz} 1 0",
    ]
    for number, chapter in enumerate(manifest.chapters, 1):
        lines.append(f"  MARKER {number} {chapter.time_s:.6f} {_quoted(chapter.label)} 0")
    tracks: dict[tuple[str, int], list[TrackInfo]] = {}
    for file in manifest.tracks:
        tracks.setdefault((file.kind, file.track), []).append(file)
    has_stems = any(kind == "processed" for kind, _ in tracks)
    audible = "processed" if has_stems else "mix"
    for (kind, track), parts in tracks.items():
        person = manifest.people.get(track)
        name = kind if kind == "mix" else f"{person.name if person else track}, {kind}"
        lines += ["  <TRACK", f"    NAME {_quoted(name)}", f"    MUTESOLO {kind != audible:d} 0 0"]
        for part in parts:
            lines += _item(part, _SOURCE[manifest.format])
        lines.append("  >")
    return "\n".join([*lines, ">"]) + "\n"


def _item(part: TrackInfo, source: str) -> Iterator[str]:
    yield "    <ITEM"
    yield f"      POSITION {part.offset_samples / SAMPLE_RATE_HZ:.9f}"
    yield f"      LENGTH {part.samples / SAMPLE_RATE_HZ:.9f}"
    yield "      LOOP 0"
    yield "      FADEIN 0 0 0"  # files that follow each other belong together
    yield "      FADEOUT 0 0 0"
    yield f"      NAME {_quoted(part.file)}"
    yield f"      <SOURCE {source}"
    yield f"        FILE {_quoted(part.file)}"
    yield "      >"
    yield "    >"


def _quoted(text: str) -> str:
    """Return a word of a line; where it contains every kind of quote, one kind is replaced."""
    text = "".join(one if one.isprintable() else " " for one in text)
    quote = next((one for one in _QUOTES if one not in text), None)
    if quote is None:
        quote, text = "`", text.replace("`", "'")
    return quote + text + quote
