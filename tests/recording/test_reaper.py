"""The REAPER project of a recording, read by a parser of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc.recording.encoders import Format
from webrtc.recording.files import Chapter, Manifest, Person
from webrtc.recording.reaper import project_text
from webrtc.recording.tracks import TrackInfo


@dataclass
class Block:
    """`<NAME words…`, lines, `>`."""

    words: list[str]
    lines: list[list[str]] = field(default_factory=list)
    blocks: list["Block"] = field(default_factory=list)

    def of(self, name: str) -> list["Block"]:
        return [one for one in self.blocks if one.words[0] == name]

    def __getitem__(self, name: str) -> list[str]:
        (found,) = [line[1:] for line in self.lines if line[0] == name]
        return found


def words(line: str) -> Iterator[str]:
    while line := line.lstrip():
        if line[0] in "\"'`":
            word, quote, line = line[1:].partition(line[0])
            assert quote, "a quote that does not end"
        else:
            word, _, line = line.partition(" ")
        yield word


def parsed(text: str) -> Block:
    root = Block([])
    stack = [root]
    for line in map(str.strip, text.split("\n")[:-1]):
        if line == ">":
            stack.pop()
        elif line.startswith("<"):
            stack[-1].blocks.append(Block(list(words(line[1:]))))
            stack.append(stack[-1].blocks[-1])
        else:
            stack[-1].lines.append(list(words(line)))
    assert stack == [root], "every block ends"
    (project,) = root.blocks
    assert project.words[0] == "REAPER_PROJECT"
    return project


def manifest(
    tracks: list[TrackInfo],
    form: Format = "flac",
    people: dict[int, Person] | None = None,
    chapters: list[Chapter] | None = None,
) -> Manifest:
    return Manifest(
        recording_id="r",
        room_id="studio",
        state="stopped",
        started_at=1_700_000_000.5,
        format=form,
        sample_rate_hz=48_000,
        duration_s=10.0,
        bytes=1,
        dropped_ms=0,
        warning="",
        pid=1,
        tracks=tracks,
        people=people or {},
        chapters=chapters or [],
    )


ADA = {7: Person("p", "Ada")}
SESSION = [
    TrackInfo("mix.flac", "mix", 0, 0, 480_000),
    TrackInfo("track-001-dry.flac", "dry", 7, 12_345, 48_000),
    TrackInfo("track-001-processed.flac", "processed", 7, 12_345, 48_000),
    TrackInfo("track-001-dry-2.flac", "dry", 7, 200_001, 96_000),
    TrackInfo("track-002-dry.flac", "dry", 9, 5, 10),
]


def test_every_file_stands_at_its_place_on_the_track_of_its_person() -> None:
    project = parsed(project_text(manifest(SESSION, people=ADA)))
    placed = [
        (
            track["NAME"][0],
            [
                (
                    round(float(item["POSITION"][0]) * 48_000, 3),
                    round(float(item["LENGTH"][0]) * 48_000, 3),
                    item.of("SOURCE")[0]["FILE"][0],
                )
                for item in track.of("ITEM")
            ],
        )
        for track in project.of("TRACK")
    ]
    assert placed == [
        ("mix", [(0, 480_000, "mix.flac")]),
        (
            "Ada, dry",
            [(12_345, 48_000, "track-001-dry.flac"), (200_001, 96_000, "track-001-dry-2.flac")],
        ),
        ("Ada, processed", [(12_345, 48_000, "track-001-processed.flac")]),
        ("9, dry", [(5, 10, "track-002-dry.flac")]),
    ]
    assert project["SAMPLERATE"][0] == "48000"


@pytest.mark.parametrize(("form", "kind"), [("flac", "FLAC"), ("wav", "WAVE"), ("opus", "OPUS")])
def test_the_decoder_is_named(form: Format, kind: str) -> None:
    project = parsed(project_text(manifest(SESSION[:1], form)))
    assert project.of("TRACK")[0].of("ITEM")[0].of("SOURCE")[0].words == ["SOURCE", kind]


@pytest.mark.parametrize(
    ("tracks", "muted"),
    [(SESSION, {"mix": 1, "Ada, dry": 1, "Ada, processed": 0, "9, dry": 1}), (SESSION[:1], {})],
)
def test_nothing_sounds_twice(tracks: list[TrackInfo], muted: dict[str, int]) -> None:
    project = parsed(project_text(manifest(tracks, people=ADA)))
    for track in project.of("TRACK"):
        assert int(track["MUTESOLO"][0]) == muted.get(track["NAME"][0], 0)


@given(label=st.text(), name=st.text())
def test_chapters_are_markers_whatever_they_and_people_are_called(label: str, name: str) -> None:
    told = manifest(SESSION, people={7: Person("p", name)}, chapters=[Chapter(1.25, label)])
    project = parsed(project_text(told))
    (marker,) = [line for line in project.lines if line[0] == "MARKER"]
    assert marker[1] == "1"
    assert float(marker[2]) == 1.25
    assert len(marker) == 5
    printable = "".join(one if one.isprintable() else " " for one in label)
    assert marker[3].replace("`", "'") == printable.replace("`", "'")
    assert len(project.of("TRACK")) == 4
