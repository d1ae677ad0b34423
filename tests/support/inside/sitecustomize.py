"""Python imports this at its start: at SIGUSR1 a process writes down what it holds.

Garbage is collected first, so that what is counted is held by somebody. `tests.support.holdings`
asks and reads.
"""

import asyncio
import ctypes
import gc
import json
import os
import signal
import sys
from pathlib import Path

FOLDER = "AG06_TEST_HOLDINGS"
"""Environment: where to write `PID.json`."""

_FIELDS = (
    "arena",
    "ordblks",
    "smblks",
    "hblks",
    "hblkhd",
    "usmblks",
    "fsmblks",
    "uordblks",
    "fordblks",
    "keepcost",
)


class _MallInfo(ctypes.Structure):
    """See mallinfo(3); good for 2 GB."""

    _fields_ = [(name, ctypes.c_int) for name in _FIELDS]


def _heap_bytes() -> int:
    """Return what malloc has given out: everything that is too large for Python's own arenas."""
    mallinfo = ctypes.CDLL(None).mallinfo  # mallinfo2 is not everywhere yet
    mallinfo.restype = _MallInfo
    info = mallinfo()
    return int(info.uordblks + info.hblkhd)


def _tell(*_: object) -> None:
    gc.collect()
    holdings = {
        "tasks": len(asyncio.all_tasks()),
        "objects": len(gc.get_objects()),
        "blocks": sys.getallocatedblocks(),
        "heap_kb": _heap_bytes() // 1024,
    }
    path = Path(os.environ[FOLDER], f"{os.getpid()}.json")
    path.with_suffix(".new").write_text(json.dumps(holdings), "utf-8")
    path.with_suffix(".new").rename(path)


if FOLDER in os.environ:
    signal.signal(signal.SIGUSR1, _tell)
