"""How the supervisor notices a child that hangs without dying.

A child's event loop writes the time into a file of the runtime folder, twice a second. Whoever has
not done so for `HUNG_S` is stopped, stuck in a loop, or waits for something that does not come: the
supervisor ends it, and it is replaced like one that died. The clock is the kernel's monotonic one,
the same for all processes; it stands still while the machine sleeps.
"""

import asyncio
import os
import struct
import time
from pathlib import Path
from typing import Final, NamedTuple

BEAT_S: Final = 0.5
HUNG_S: Final = 4.0
"""Longer than anything a healthy child does at once, shorter than patience."""
IDLE_HUNG_S: Final = 60.0
"""The same for a child of low priority, which a busy machine may leave waiting for long."""

_RECORD: Final = struct.Struct("=qd")


class Beat(NamedTuple):
    """A sign of life: who gave it, and when (seconds of the monotonic clock)."""

    pid: int
    at_s: float


async def keep_beating(path: Path) -> None:
    """Show that this event loop turns, until cancelled."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while True:
            os.pwrite(handle, _RECORD.pack(os.getpid(), time.monotonic()), 0)
            await asyncio.sleep(BEAT_S)
    finally:
        os.close(handle)


def last_beat(path: Path) -> Beat | None:
    """Return the last sign of life in a file; None before the first."""
    try:
        record = path.read_bytes()
    except FileNotFoundError:
        return None
    return Beat(*_RECORD.unpack(record)) if len(record) == _RECORD.size else None
