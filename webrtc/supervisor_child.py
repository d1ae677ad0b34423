"""When a child is started, started again, ended and given up on. Never reads a clock.

Invariant: between `Start` and the exit that answers it the child runs; there is never a second
`Start` before that exit, and none at all after `stop`.

| state   | event                               | next    | actions                              |
|---------|-------------------------------------|---------|--------------------------------------|
| waiting | its time has come                   | running | `Start`                              |
| waiting | stop                                | ended   |                                      |
| running | exit                                | waiting | at once, or after a growing pause    |
| running | exit with status 2 during the start | ended   | `GiveUp`                             |
| running | third exit during the start         | ended   | `GiveUp`                             |
| running | it hangs                            | running | `Signal(SIGKILL)`                    |
| running | stop                                | ending  | `Signal(SIGTERM)`                    |
| ending  | its time has come                   | ending  | `Signal(SIGKILL)`, once              |
| ending  | stop                                | ending  | `Signal(SIGKILL)`, once              |
| ending  | exit                                | ended   |                                      |
| ended   | anything                            | ended   |                                      |

"During the start" lasts until `confirm`: a child that has worked once is always started again, for
what ended it may pass; one that never worked tells the operator why instead of trying for ever.
"""

import enum
import signal
from dataclasses import dataclass
from typing import Final

RESTART_PAUSES_S: Final = (0.0, 0.0, 0.5, 1.0, 2.0, 5.0)
"""Pause before the first, second, … restart in a row; the last one repeats."""
CALM_S: Final = 30.0
"""A child that lived this long starts the row anew."""
GRACE_S: Final = 3.0
"""Time between SIGTERM and SIGKILL."""
START_ATTEMPTS: Final = 3
STATUS_OPERATOR: Final = 2
"""Exit status of a child that only the operator can help; it has said why."""


class State(enum.Enum):
    """Where a child is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDING = "ending"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Start:
    """Start the process."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Send this signal to the process."""

    number: signal.Signals


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End the whole server with this exit status."""

    status: int


Action = Start | Signal | GiveUp


class Child:
    """One place in the server that a process fills; begins in `waiting`, due at once.

    Feed it with `handle_*`, then carry out `poll_actions()`, and call `handle_timeout` when
    `poll_timeout()` has come. All times are seconds of one monotonic clock.
    """

    def __init__(self, now: float) -> None:
        self.state = State.WAITING
        self._due: float | None = now
        self._started = now
        self._exits_in_a_row = 0
        self._confirmed = False
        self._actions: list[Action] = []

    def poll_timeout(self) -> float | None:
        """Return when `handle_timeout` is due, or None for never."""
        return self._due

    def poll_actions(self) -> list[Action]:
        """Return what is to be done now, in order, once."""
        actions, self._actions = self._actions, []
        return actions

    def confirm(self) -> None:
        """The server has been ready once: from now on there is no giving up."""
        self._confirmed = True

    def handle_timeout(self, now: float) -> None:
        """Time has passed; harmless when nothing is due."""
        if self._due is None or now < self._due:
            return
        self._due = None
        if self.state is State.WAITING:
            self.state = State.RUNNING
            self._started = now
            self._actions.append(Start())
        elif self.state is State.ENDING:
            self._actions.append(Signal(signal.SIGKILL))

    def handle_exit(self, status: int, now: float) -> None:
        """The process has ended with this exit status (negative: by that signal)."""
        if self.state is State.ENDING:
            self._end()
            return
        assert self.state is State.RUNNING, f"an exit while {self.state.value}"
        if now - self._started >= CALM_S:
            self._exits_in_a_row = 0
        self._exits_in_a_row += 1
        if not self._confirmed and self._is_hopeless(status):
            self._end()
            self._actions.append(GiveUp(STATUS_OPERATOR if status == STATUS_OPERATOR else 1))
            return
        pause = RESTART_PAUSES_S[min(self._exits_in_a_row, len(RESTART_PAUSES_S)) - 1]
        self.state = State.WAITING
        self._due = now + pause

    def handle_hang(self) -> None:
        """The process gives no sign of life."""
        if self.state is State.RUNNING:
            self._actions.append(Signal(signal.SIGKILL))

    def handle_stop(self, now: float, grace_s: float = GRACE_S) -> None:
        """The server ends; asked a second time, it ends without grace."""
        if self.state is State.WAITING:
            self._end()
        elif self.state is State.RUNNING:
            self.state = State.ENDING
            self._due = now + grace_s
            self._actions.append(Signal(signal.SIGTERM))
        elif self.state is State.ENDING and self._due is not None:
            self._due = None
            self._actions.append(Signal(signal.SIGKILL))

    def _is_hopeless(self, status: int) -> bool:
        return status == STATUS_OPERATOR or self._exits_in_a_row >= START_ATTEMPTS

    def _end(self) -> None:
        self.state = State.ENDED
        self._due = None
