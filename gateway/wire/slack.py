"""How punctually chunks come, and how much earlier than needed they should on the whole.

A chunk's *slack* is the time between its arrival and the last moment at which some pull may need
it, in samples. How far those of the last ten seconds lie below their median is the jitter, which
counts once: the median is to be kept at the margin, so that late chunks still come in time. As for
packets (see `mixer.jitter`), what is late once in a while is not waited for.
"""

from collections import deque
from itertools import chain
from statistics import median
from typing import Final

from mixer.arena import SAMPLE_RATE_HZ
from mixer.jitter import LATE_PACKET_COST_S

SPARE: Final = 12.0
"""0.25 ms that chunks in time are to be early by."""
_FIRST_JITTER: Final = 60.0  # 1.25 ms at least, while little is known
_MOST_JITTER: Final = 3_840.0
_WINDOWS: Final = 5  # after so many, a late chunk is forgotten
_FEW: Final = 8  # chunks tell nothing
_LATE_COST: Final = LATE_PACKET_COST_S * SAMPLE_RATE_HZ


class SlackWatch:
    """Slack of one sender's chunks, in windows as long as the caller likes."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._past: deque[list[float]] = deque(maxlen=_WINDOWS)  # below each window's median
        self._slacks: list[float] = []

    def margin(self) -> float:
        """Return what the median should be."""
        late = sorted(chain(self._lateness(), *self._past), reverse=True)
        share = _LATE_COST / max(1, len(late))
        costs = ((below + share * more, below) for more, below in enumerate(late))
        best = min(costs, default=(0.0, 0.0))[1]
        if len(self._past) < _WINDOWS:
            best = max(best, _FIRST_JITTER)
        return SPARE + min(_MOST_JITTER, best)

    def typical(self) -> float | None:
        """Return the median of this window; None while there is hardly anything in it."""
        return median(self._slacks) if len(self._slacks) >= _FEW else None

    def see(self, slack: float) -> None:
        """Take a chunk's slack."""
        self._slacks.append(slack)

    def shift(self, samples: float) -> None:
        """Take note that the delay grew by so much at once."""
        self._slacks = [slack + samples for slack in self._slacks]

    def forget(self) -> None:
        """Begin the window anew: what it saw compares with nothing that comes."""
        self._slacks = []

    def end_window(self) -> None:
        """Begin the next window."""
        self._past.append(self._lateness())
        self._slacks = []

    def _lateness(self) -> list[float]:
        typical = self.typical()
        return [] if typical is None else [typical - slack for slack in self._slacks]
