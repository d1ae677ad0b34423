"""A thread beside the tick for what takes too long for it: neural networks.

Their libraries leave the interpreter to others while they compute. The thread asks for real-time
priority too, below the tick's: when it is interrupted while it has the interpreter, then by the
tick alone, which at once waits for it, so that it goes on.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

from webrtc.media.realtime import PRIORITY, ask_for_realtime

logger = logging.getLogger(__name__)

_MOST_WAITING: Final = 64  # pieces; with 0.2 ms for each, what comes last is late for its block


class ThreadBeside:
    """Does pieces of work in order; see `dsp.beside.Beside`.

    Attributes:
        counters: `beside_refused` because too much waited, `beside_defects` that broke off.
    """

    def __init__(self) -> None:
        """Begin without a thread; the first piece of work starts it."""
        self.counters: Counter[str] = Counter(beside_refused=0, beside_defects=0)
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def __call__(self, work: Callable[[], None]) -> bool:
        """Take a piece of work, unless too much of it waits."""
        if self._waiting.qsize() >= _MOST_WAITING:
            self.counters["beside_refused"] += 1
            return False
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="beside", daemon=True)
            self._thread.start()
        self._waiting.put(work)
        return True

    def close(self) -> None:
        """End the thread behind what waits, and wait for it."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        ask_for_realtime(PRIORITY - 1)
        while (work := self._waiting.get()) is not None:
            try:
                work()
            except Exception:  # a defect: the next piece is somebody else's
                self.counters["beside_defects"] += 1
                if (count := self.counters["beside_defects"]) & (count - 1) == 0:  # ever rarer
                    logger.exception("defect %d: work beside the tick broke off", count)
