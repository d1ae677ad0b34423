"""Python imports this at its start: at SIGUSR1 a process writes down what it holds.

Garbage is collected first, so that what is counted is held by somebody. `tests.support.holdings`
asks and reads.
"""

import asyncio
import ctypes
import gc
import heapq
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

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


def _forget_cancelled_timers(loop: Any) -> None:
    """Do what asyncio does itself only where there are a hundred: each keeps a context."""
    for timer in loop._scheduled:
        timer._scheduled = not timer.cancelled()
    loop._scheduled[:] = [timer for timer in loop._scheduled if timer._scheduled]
    heapq.heapify(loop._scheduled)
    loop._timer_cancelled_count = 0


def _tell(loop: asyncio.AbstractEventLoop) -> None:
    _forget_cancelled_timers(loop)
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


def _on_signal(*_: object) -> None:
    loop = asyncio.get_running_loop()
    loop.call_soon_threadsafe(_tell, loop)


if FOLDER in os.environ:
    signal.signal(signal.SIGUSR1, _on_signal)
