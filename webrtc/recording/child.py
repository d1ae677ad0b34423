"""Processes that empty what the workers write: how one is started, and how it begins.

::

    python -m MODULE --folder DIR --workers 2 --supervisor PID

It makes a ring for each worker and says on its standard output, in a line of JSON, where these are.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from webrtc import logs
from webrtc.recording.ring import RingReader
from webrtc.settings import load
from webrtc.supervisor_process import ROOT

_READY_S: Final = 20.0


async def launch(
    module: str, folder: Path, workers: int, supervisor: int
) -> tuple[asyncio.subprocess.Process, Any]:
    """Start one, and return it with what it says of itself.

    Args:
        module: what runs.
        folder: where it writes.
        workers: how many rings it makes.
        supervisor: process whose end it notices.

    Raises:
        OSError: it cannot be started.
        ValueError: it said something else.
        TimeoutError: it said nothing.
    """
    # A pipe of asyncio's would be open for as long as the process lives, which may be longer than
    # the loop does.
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, "--folder", str(folder)),
            *("--workers", str(workers), "--supervisor", str(supervisor)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            cwd=ROOT,
            start_new_session=True,  # a Ctrl-C is the supervisor's business
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        async with asyncio.timeout(_READY_S):
            return process, await asyncio.to_thread(_told, reading)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()  # which ends the reading, too
        raise


def _told(reading: int) -> Any:
    """Return what is said first; close the descriptor."""
    with open(reading, "rb") as file:
        return json.loads(file.readline())


def lives(pid: int, module: str) -> bool:
    """Whether a process runs, and is one of `module`: numbers are given again."""
    try:
        return module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


class Begun(NamedTuple):
    """What a process begins with: its folder, its supervisor's number, and a ring per worker."""

    folder: Path
    supervisor: int
    rings: list[RingReader]

    @property
    def paths(self) -> list[str]:
        """Where the rings are, for the workers."""
        return [ring.path for ring in self.rings]


def begin(module: str, name: str) -> Begun:
    """Begin as such a process: read the command line, make the rings.

    Args:
        module: what runs.
        name: of the rings' memory, for whoever looks at it.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--supervisor", type=int, required=True)
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(2)
    rings = [RingReader(f"{name}-{worker}") for worker in range(given.workers)]
    return Begun(given.folder, given.supervisor, rings)


@contextlib.contextmanager
def logging_as(process: str) -> Iterator[None]:
    """Log as the server does, by the settings that it has handed on."""
    settings = load(os.environ)
    with logs.writing(process, settings.log_level, kind=settings.log_format):
        yield


def ready(told: object, stop: Callable[[], None]) -> None:
    """Say that work begins, and let SIGTERM end it."""
    signal.signal(signal.SIGTERM, lambda *_: stop())
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
