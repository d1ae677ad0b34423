"""The worker's clock: slots of 2.5 ms on an absolute schedule.

A room that works in blocks of 10 ms runs in every fourth slot, one with blocks of 20 ms in every
eighth; which of the four or eight is the room's *phase*. Only slots in which some room runs wake
the process. The kernel's timer (timerfd, absolute, monotonic) is exact to some ten microseconds;
the event loop's own timers round up to a millisecond.
"""

import asyncio
import os
import time
from collections.abc import Callable

import cffi

SLOT_S = 0.0025
SLOTS_PER_TURN = 8  # 20 ms: after a turn every phase has run

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1
_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000

_ffi = cffi.FFI()
_ffi.cdef(
    """
struct timespec { long tv_sec; long tv_nsec; };
struct itimerspec { struct timespec it_interval; struct timespec it_value; };
int timerfd_create(int clockid, int flags);
int timerfd_settime(int fd, int flags, const struct itimerspec *new_value, void *old_value);
"""
)
_libc = _ffi.dlopen(None)


class SlotTimer:
    """Calls back at given slots."""

    def __init__(self, callback: Callable[[], None]) -> None:
        """Prepare a timer in the running event loop; `callback` runs there.

        Raises:
            OSError: The platform has no timerfd.
        """
        self._fd = _libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError("timerfd_create failed")
        self._spec = _ffi.new("struct itimerspec *")
        self._words = memoryview(_ffi.buffer(self._spec)).cast("q")  # quicker than its fields
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._fired)
        self.epoch_s = time.monotonic()
        self.due_s = float("inf")

    def slot_at(self, now_s: float) -> int:
        """Return the number of the slot that contains an instant."""
        return int((now_s - self.epoch_s) / SLOT_S)

    def time_of(self, slot: int) -> float:
        """Return the instant at which a slot begins."""
        return self.epoch_s + slot * SLOT_S

    def set(self, slot: int) -> None:
        """Call back when this slot begins; at once if it has begun."""
        self.due_s = due = self.time_of(slot)
        words = self._words
        words[2] = seconds = int(due)
        words[3] = max(1, int((due - seconds) * 1e9))
        _libc.timerfd_settime(self._fd, _ABSOLUTE, self._spec, _ffi.NULL)

    def clear(self) -> None:
        """Do not call back."""
        self.due_s = float("inf")
        self._words[2] = self._words[3] = 0
        _libc.timerfd_settime(self._fd, _ABSOLUTE, self._spec, _ffi.NULL)

    def close(self) -> None:
        """Free the timer."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _fired(self) -> None:
        due_s = self.due_s
        if time.monotonic() < due_s:
            return  # it was set anew since the loop looked
        try:
            self._callback()
        finally:  # to set it anew takes the expiry back: nothing need be read
            if self.due_s == due_s:
                self.clear()
