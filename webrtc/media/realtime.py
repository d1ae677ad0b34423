"""Keeping the tick on time: priority, and a garbage collector that runs when nobody hears it."""

import gc
import logging
import os

from webrtc.garbage import set_aside_what_is_there

logger = logging.getLogger(__name__)

_OLD = 2  # the generation that is never collected by the way
PRIORITY = 10  # of 1 to 99; enough to pass every ordinary process


def ask_for_realtime(priority: int = PRIORITY) -> bool:
    """Ask for SCHED_RR for the calling thread and return whether it was granted.

    Children, threads among them, fall back to ordinary scheduling until they ask.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except (PermissionError, OSError):
        logger.info("real-time priority was not granted; ticks may be late beside busy neighbours")
        return False
    return True


class Collector:
    """Runs the garbage collector in the slack behind a tick instead of in the middle of one.

    What survives one look is old, and looked at again once a minute, while people play too: a
    worker that is never alone would otherwise keep every cycle that lived for a second.

    How many objects there are is counted by what comes: to ask for them takes a third as long as to
    look at them.
    """

    YOUNG_S = 1.0
    YOUNG_MOST = 3000
    """New objects that are looked at before their second is over: whoever comes brings hundreds."""
    OLD_S = 60.0
    OVERDUE_S = 600.0
    LEAST_SLACK_S = 0.004
    OBJECT_S = 200e-9
    """What one object costs, at most: 34 to 42 ns were measured (80,000 objects, cold caches)."""

    def __init__(self, now_s: float) -> None:
        """Take the collector over; everything that exists now is never looked at again."""
        set_aside_what_is_there()
        gc.disable()
        self._next_young_s = now_s + self.YOUNG_S
        self._next_old_s = now_s + self.OLD_S
        self._kept = 0
        """About how many objects survived a look."""

    def run(self, now_s: float, slack_s: float) -> None:
        """Collect if it is time and the slack allows.

        Where there are so many old objects that half of the slack would not do, they wait for a
        moment in which nothing plays, but for `OVERDUE_S` at most.

        Args:
            now_s: The present.
            slack_s: Time until the next tick; infinite when nothing plays.
        """
        young = gc.get_count()[0]
        is_time = now_s >= self._next_young_s or young >= self.YOUNG_MOST
        if not is_time or slack_s < self.LEAST_SLACK_S:
            return
        self._next_young_s = now_s + self.YOUNG_S
        self._kept += young
        if now_s >= self._next_old_s and self._has_time(now_s, slack_s):
            self._next_old_s = now_s + self.OLD_S
            gc.collect()
            self._kept = len(gc.get_objects(generation=_OLD))
        else:
            gc.collect(0)

    def _has_time(self, now_s: float, slack_s: float) -> bool:
        if now_s >= self._next_old_s + self.OVERDUE_S:
            return True
        return self._kept * self.OBJECT_S <= slack_s / 2
