"""A server's private folder, and what the next start does about those of killed servers."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from webrtc import runtime_dir as module
from webrtc.runtime_dir import control_path, runtime_dir

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
from webrtc.runtime_dir import control_path, runtime_dir
with runtime_dir() as folder:
    control_path(folder, 0).touch()
    print(folder, flush=True)
    input()
"""


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of our own, of a short name as usual."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="ag") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setattr(module, "_SHORT", folder)
        yield Path(folder)


def holder(temporary: Path) -> tuple[subprocess.Popen[str], Path]:
    """Return a process that is in a folder of its own, and the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_is_private_and_goes_at_the_end(temporary: Path) -> None:
    with runtime_dir() as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700
        control_path(folder, 3).touch()
    assert list(temporary.iterdir()) == []


def test_a_running_server_keeps_its_folder_and_a_killed_ones_is_removed(temporary: Path) -> None:
    process, theirs = holder(temporary)
    with process:
        with runtime_dir():
            assert control_path(theirs, 0).exists()
        process.send_signal(signal.SIGKILL)
    assert control_path(theirs, 0).exists()
    with runtime_dir() as ours:
        assert list(temporary.iterdir()) == [ours]


def test_several_servers_live_side_by_side(temporary: Path) -> None:
    with runtime_dir() as one, runtime_dir() as two:
        assert one.exists()
        assert two.exists()
        assert one != two


def test_what_is_not_surely_ours_is_left_alone(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked = temporary / "ag06-mixer-without-a-lock"
    unlocked.mkdir()
    (temporary / "ag06-mixer-file").touch()
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    (temporary / "ag06-mixer-link").symlink_to(elsewhere)
    before = set(temporary.rglob("*"))
    with runtime_dir():
        pass
    assert set(temporary.rglob("*")) == before
    (unlocked / "lock").touch()
    monkeypatch.setattr(os, "getuid", lambda: unlocked.stat().st_uid + 1)
    with runtime_dir():
        pass
    assert unlocked.exists(), "it is another user's"


def test_a_folder_that_was_taken_for_left_over_is_made_anew(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, removed = fcntl.flock, []

    def too_late(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        removed.append(next(temporary.iterdir()))
        module._remove_unless_in_use(removed[0])
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", too_late)
    with runtime_dir() as folder:
        assert folder != removed[0]
        assert list(temporary.iterdir()) == [folder]


def test_where_the_temporary_folder_has_a_long_name_sockets_still_fit(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = temporary / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with runtime_dir() as folder:
        assert len(str(control_path(folder, 99))) < 107
        assert folder.parent == temporary
    assert list(long.iterdir()) == []
    assert not folder.exists()
