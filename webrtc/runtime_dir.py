"""The private folder of one running server: the control sockets of its media workers."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PREFIX: Final = "ag06-mixer-"
_LONGEST: Final = 90  # of the 107 bytes that a Unix socket's path may have


@contextmanager
def runtime_dir() -> Iterator[Path]:
    """Make a folder that only this user may enter (mode 0700); it goes when the context ends."""
    made = tempfile.mkdtemp(prefix=_PREFIX)
    if len(made) > _LONGEST:
        shutil.rmtree(made)
        made = tempfile.mkdtemp(prefix=_PREFIX, dir="/tmp")
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def control_path(folder: Path, worker: int) -> Path:
    """Return where the worker of this index listens for the front process."""
    return folder / f"worker-{worker}.sock"
