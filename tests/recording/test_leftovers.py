"""What a start makes of what killed processes have left in the folder of recordings."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from webrtc.recording import files
from webrtc.recording.files import Manifest, Order, RecordingState
from webrtc.recording.leftovers import tidy


def manifest(state: RecordingState, pid: int) -> Manifest:
    return Manifest(
        recording_id="r",
        room_id="studio",
        state=state,
        started_at=1.0,
        format="wav",
        sample_rate_hz=48_000,
        duration_s=1.0,
        bytes=1,
        dropped_ms=0,
        warning="the disk is full in 3 min",
        pid=pid,
        tracks=[],
        people={},
        chapters=[],
    )


def order() -> Order:
    return Order(
        recording_id="r",
        room_id="studio",
        key="00",
        started_at=1.0,
        format="wav",
        most_bytes=1,
        least_free_bytes=1,
    )


def made_old(path: Path) -> None:
    os.utime(path, (1.0, 1.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "studio" / "r"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def recorder() -> Iterator[int]:
    """A process whose command line is that of a recorder."""
    program = "print('here', flush=True); input()"
    command = [sys.executable, "-c", program, "webrtc.recording.recorder"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()  # before, /proc may say nothing of it yet
        yield process.pid
        process.kill()


def test_who_was_killed_leaves_a_recording_that_says_so(folder: Path, tmp_path: Path) -> None:
    files.write(folder, files.MANIFEST, manifest("paused", pid=2**22 + 1))
    files.write(folder, files.ORDER, order())
    (folder / "mix.wav").write_bytes(b"RIFF")
    for name in (files.MANIFEST, files.ORDER):
        (folder / (name + files.STEP)).write_bytes(b"{")
    assert tidy(tmp_path) == []
    told = files.read(folder, files.MANIFEST, Manifest)
    assert told is not None
    assert (told.state, told.warning) == ("interrupted", "")
    assert {one.name for one in folder.iterdir()} == {"mix.wav", files.MANIFEST, files.ORDER}


def test_a_recorder_that_lives_is_let_alone(folder: Path, tmp_path: Path, recorder: int) -> None:
    told = manifest("recording", pid=recorder)
    files.write(folder, files.MANIFEST, told)
    (folder / (files.MANIFEST + files.STEP)).write_bytes(b"{")
    made_old(folder)
    assert tidy(tmp_path) == [(folder, told)]
    assert files.read(folder, files.MANIFEST, Manifest) == told
    assert (folder / (files.MANIFEST + files.STEP)).exists(), "it may write just now"


def test_what_is_over_stays_and_its_half_steps_go(folder: Path, tmp_path: Path) -> None:
    files.write(folder, files.MANIFEST, manifest("stopped", pid=1))
    (folder / (files.ORDER + files.STEP)).write_bytes(b"{")
    before = (folder / files.MANIFEST).read_bytes()
    assert tidy(tmp_path) == []
    assert [one.name for one in folder.iterdir()] == [files.MANIFEST]
    assert (folder / files.MANIFEST).read_bytes() == before


def test_what_never_began_goes_once_nobody_can_be_about_to(folder: Path, tmp_path: Path) -> None:
    files.write(folder, files.ORDER, order())
    (folder / (files.MANIFEST + files.STEP)).write_bytes(b"{")
    tidy(tmp_path)
    assert (folder / files.ORDER).exists()
    made_old(folder)
    tidy(tmp_path)
    assert not folder.exists()
    made_old(folder.parent)
    tidy(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_are_none_of_our_business(tmp_path: Path) -> None:
    (tmp_path / "studio" / "mine").mkdir(parents=True)
    (tmp_path / "studio" / "mine" / "notes.txt").write_text("keep")
    made_old(tmp_path / "studio" / "mine")
    made_old(tmp_path / "studio")
    tidy(tmp_path)
    assert (tmp_path / "studio" / "mine" / "notes.txt").exists()


def test_a_folder_that_is_not_there_yet_is_no_trouble(tmp_path: Path) -> None:
    assert tidy(tmp_path / "recordings") == []
