"""The private folder of one running server: the control sockets of its media workers.

A server that is killed cannot remove its folder. It holds a lock in it, which the kernel gives back
in any case, so the next start can tell a folder that is left over from one in use; better than a
process id, which may be somebody else's by then, or belong to another container.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PREFIX: Final = "ag06-mixer-"
_LOCK: Final = "lock"
_SHORT: Final = "/tmp"  # noqa: S108 — mkdtemp makes the folder in it, unguessable and private
_LONGEST: Final = 90  # of the 107 bytes that a Unix socket's path may have


@contextmanager
def runtime_dir() -> Iterator[Path]:
    """Make a folder that only this user may enter (mode 0700); it goes when the context ends.

    Folders that killed servers of this user left behind go too.
    """
    for parent in {tempfile.gettempdir(), _SHORT}:
        _remove_left_over(Path(parent))
    made, lock = _make_locked()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(lock)


def _make_locked() -> tuple[Path, int]:
    """Return a new folder and the descriptor that holds its lock."""
    while True:
        made = Path(tempfile.mkdtemp(prefix=_PREFIX))
        if len(str(made)) > _LONGEST:
            made.rmdir()
            made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_SHORT))
        lock = os.open(made / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            return made, lock
        os.close(lock)  # another start took it for left over, just before the lock


def _remove_left_over(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # in use, somebody else's, or removed meanwhile
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
                _remove_unless_in_use(folder)


def _remove_unless_in_use(folder: Path) -> None:
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def control_path(folder: Path, worker: int) -> Path:
    """Return where the worker of this index listens for the front process."""
    return folder / f"worker-{worker}.sock"


def classifier_pulse_path(folder: Path) -> Path:
    """Return where the classifier shows that it lives."""
    return folder / "classifier.pulse"


def archive_path(folder: Path) -> Path:
    """Return where the front process takes what the workers hand over for the archive."""
    return folder / "archive.sock"


def pulse_path(folder: Path, worker: int | None = None) -> Path:
    """Return where the worker of this index, or the front process, shows that it lives."""
    return folder / ("front.pulse" if worker is None else f"worker-{worker}.pulse")
