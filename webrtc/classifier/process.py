"""The classifier process: reads sounds from a socket, forms opinions, writes them back.

It works in the time that nobody else wants: its priority is low, and what it does not read in time
the workers drop. Nothing else depends on it; while it is away, strips stay as
they are.
"""

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import time
from pathlib import Path
from typing import Final

from dsp.genre import head, musicnn
from webrtc.classifier.service import Classifier
from webrtc.classifier.wire import (
    FromClassifier,
    classifier_path,
    classifier_side_decoder,
    frame,
)
from webrtc.errors import ControlProtocolError
from webrtc.supervisor_pulse import keep_beating

logger = logging.getLogger(__name__)

_NICENESS: Final = 5
_READ_BYTES: Final = 1 << 18
_IDLE_S: Final = 0.1
_BUSY_EVERY_S: Final = 1.0
_MOST_UNSENT_BYTES: Final = 1 << 18


def run_classifier(folder: Path, pulse: Path) -> None:
    """Classify until SIGTERM.

    Args:
        folder: Where the workers have their sockets, and this process will.
        pulse: Where it shows the supervisor that it lives.
    """
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    head.load()
    for name in musicnn.NAMES:
        musicnn.load(name)
    asyncio.run(_serve(folder, pulse))


async def _serve(folder: Path, pulse: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    beating = asyncio.create_task(keep_beating(pulse), name="pulse")
    shell = Shell()
    path = classifier_path(folder)
    path.unlink(missing_ok=True)  # of one that was killed
    server = await asyncio.start_unix_server(shell.serve, str(path))
    working = asyncio.create_task(shell.work(), name="classify")
    ending = asyncio.create_task(stop.wait(), name="wait for the end")
    logger.info("the classifier listens")
    try:
        done, _ = await asyncio.wait([working, ending], return_when=asyncio.FIRST_COMPLETED)
        if working in done:
            working.result()
    finally:
        server.close()
        for task in (working, ending, beating):
            task.cancel()


class Shell:
    """Connections and clock around the classifier."""

    def __init__(self) -> None:
        """Serve nobody yet."""
        self._classifier = Classifier()
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._numbers = itertools.count()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take in what a worker says until it leaves."""
        worker = next(self._numbers)
        self._writers[worker] = writer
        decoder = classifier_side_decoder()
        try:
            while data := await reader.read(_READ_BYTES):
                now_s = time.monotonic()
                for message in decoder.feed(data):
                    self._classifier.handle(worker, message, now_s)
        except (OSError, asyncio.CancelledError):
            pass  # it died, or this process ends
        except ControlProtocolError as error:
            logger.error("a worker's connection is closed: %s", error)
        finally:
            del self._writers[worker]
            self._classifier.forget(worker)
            writer.close()

    async def work(self) -> None:
        """Think and answer, for ever."""
        busy_s = 0.0
        while True:
            now_s = time.monotonic()
            for worker, judged in self._classifier.work(now_s):
                self._send(worker, judged)
            if now_s - busy_s >= _BUSY_EVERY_S:
                busy_s = now_s
                busy = self._classifier.busy(time.process_time())
                for worker in self._writers:
                    self._send(worker, busy)
            await asyncio.sleep(0 if self._classifier.is_behind else _IDLE_S)

    def _send(self, worker: int, message: FromClassifier) -> None:
        writer = self._writers.get(worker)
        if writer is not None and writer.transport.get_write_buffer_size() < _MOST_UNSENT_BYTES:
            writer.write(frame(message))  # else it does not read, and is told again
