"""What killed processes leave in the folder of recordings, and what becomes of it at a start.

| what lies there                                     | what becomes of it               |
|-----------------------------------------------------|----------------------------------|
| a recording that goes on, whose recorder is gone    | is marked `interrupted`          |
| a recording that goes on, whose recorder lives      | stays; its room may want it      |
| half a step of a JSON file (`files.STEP`)           | is removed                       |
| an order without a manifest: it never began         | is removed when it is a minute old |
| the folder of a room without recordings             | is removed when it is a minute old |
"""

import contextlib
import shutil
import time
from pathlib import Path
from typing import Final

import msgspec

from webrtc.recording import files
from webrtc.recording.child import lives
from webrtc.recording.files import Manifest
from webrtc.recording.recorder import MODULE

_LIVE: Final = ("recording", "paused")
_OLD_S: Final = 60.0  # until then somebody may be about to begin there


def tidy(root: Path) -> list[tuple[Path, Manifest]]:
    """Put a folder of recordings in order; return the ones whose recorder lives."""
    alive = []
    for folder in root.glob("*/*/"):
        manifest = files.read(folder, files.MANIFEST, Manifest)
        with contextlib.suppress(OSError):
            if manifest is not None and manifest.state in _LIVE and lives(manifest.pid, MODULE):
                alive.append((folder, manifest))
                continue
            if manifest is None and (folder / files.ORDER).exists() and _is_old(folder):
                shutil.rmtree(folder)
                continue
            if manifest is not None and manifest.state in _LIVE:
                ended = msgspec.structs.replace(manifest, state="interrupted", warning="")
                files.write(folder, files.MANIFEST, ended)
            if manifest is not None or _is_old(folder):
                for left in folder.glob(f"*{files.STEP}"):
                    left.unlink()
    for room in root.iterdir() if root.is_dir() else ():
        if room.is_dir() and _is_old(room):
            forget_empty(room)
    return alive


def forget_empty(room: Path) -> None:
    """Remove the folder of a room if nothing is in it."""
    with contextlib.suppress(OSError):
        room.rmdir()


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > _OLD_S
