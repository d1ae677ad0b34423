"""`participant_updated`, at once and then at most once per period for each participant."""

import asyncio
from collections.abc import Callable


class Announcer:
    """Calls `announce(key)` now, or when the key's period is over, once for all calls within it."""

    def __init__(self, announce: Callable[[str], None], period_s: float) -> None:
        self._announce = announce
        self._period_s = period_s
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._waiting: set[str] = set()

    def request(self, key: str) -> None:
        """Have `key` announced."""
        if key in self._timers:
            self._waiting.add(key)
            return
        self._start_period(key)
        self._announce(key)

    def forget(self, key: str) -> None:
        """Announce `key` no more."""
        self._waiting.discard(key)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """Stop."""
        for key in list(self._timers):
            self.forget(key)

    def _start_period(self, key: str) -> None:
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(self._period_s, self._end_period, key)

    def _end_period(self, key: str) -> None:
        del self._timers[key]
        if key in self._waiting:
            self._waiting.discard(key)
            self._start_period(key)
            self._announce(key)
