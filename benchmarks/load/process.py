"""A media process and its end of the pipe."""

import asyncio
import contextlib
import gc
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe

from benchmarks.load.commands import Command, Event, Quit
from benchmarks.load.dtls import Certificate
from benchmarks.load.engine import MediaEngine
from benchmarks.load.sockets import OwnSockets, SharedSocket

_REALTIME_PRIORITY = 20
_QUIT_TIMEOUT_S = 5.0


class MediaProcess:
    """Runs a `MediaEngine` in a process of its own."""

    def __init__(
        self,
        certificate: Certificate,
        on_event: Callable[[Event], None],
        *,
        capacity: int,
        own_sockets_on: str | None,
        realtime: bool,
    ) -> None:
        """Start the process; needs a running event loop, which will call `on_event`."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_main,
            args=(theirs, certificate, capacity, own_sockets_on, realtime),
            name="load media",
            daemon=True,
        )
        self._process.start()
        theirs.close()
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._pipe.fileno(), self._read)

    def tell(self, command: Command) -> None:
        """Send a command."""
        self._pipe.send(command)

    async def close(self) -> None:
        """End the process, by force if it does not follow."""
        self._loop.remove_reader(self._pipe.fileno())
        with contextlib.suppress(BrokenPipeError):
            self._pipe.send(Quit())
        await asyncio.to_thread(self._process.join, _QUIT_TIMEOUT_S)
        if self._process.is_alive():
            self._process.kill()
        self._pipe.close()

    def _read(self) -> None:
        try:
            while self._pipe.poll():
                self._on_event(self._pipe.recv())
        except EOFError:
            self._loop.remove_reader(self._pipe.fileno())


def _main(
    pipe: Pipe, certificate: Certificate, capacity: int, own_sockets_on: str | None, realtime: bool
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver ends us
    sockets = SharedSocket() if own_sockets_on is None else OwnSockets(own_sockets_on)
    engine = MediaEngine(sockets, certificate, pipe, capacity)
    if realtime:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_REALTIME_PRIORITY))
    gc.collect()
    gc.freeze()
    gc.disable()
    with contextlib.suppress(EOFError, BrokenPipeError):
        engine.run()
