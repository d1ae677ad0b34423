"""The time that the clock leaves, given to handshakes and negotiations one step after the other."""

import asyncio
import time

from webrtc.media.figures import Figures
from webrtc.media.ice_lite import IceLiteMux
from webrtc.media.ticker import SlotTimer

SLICE_S = 0.0008  # a step of a negotiation or handshake takes 0.2 to 0.5 ms
_BEHIND_TURN_S = 0.0003


class Slack:
    """Decides when a step that is not media may be taken."""

    def __init__(self, timer: SlotTimer, figures: Figures, mux: IceLiteMux) -> None:
        """Watch a worker's clock; `mux` holds the datagrams of its handshakes."""
        self._timer = timer
        self._figures = figures
        self._mux = mux
        self._loop = asyncio.get_running_loop()
        self._pumping = False
        self._sliced_turn = -1  # the turn behind which the last step was taken

    async def wait(self) -> None:
        """Return when a step may be taken."""
        while (wait_s := self._next_s()) > 0.0:  # noqa: ASYNC110 — nobody could set an event
            await asyncio.sleep(wait_s)

    def pump(self) -> None:
        """Deliver handshake datagrams one by one, each with a turn of the loop in between."""
        if not self._pumping and self._mux.has_handshakes:
            self._pumping = True
            self._pump_one()

    def _pump_one(self) -> None:
        if not self._mux.has_handshakes:
            self._pumping = False
            return
        wait_s = self._next_s()
        if wait_s == 0.0:
            self._mux.deliver_handshake()
            self._loop.call_soon(self._pump_one)
        else:
            self._loop.call_later(wait_s, self._pump_one)

    def _next_s(self) -> float:
        """Return 0 when a step of `SLICE_S` fits before the next turn, else how long to wait.

        A worker that hardly ever has slack must still let people in: one step is taken behind
        every turn, however little time is left.
        """
        slack = self._timer.due_s - time.monotonic()
        turns = self._figures.turns
        if slack >= SLICE_S or turns != self._sliced_turn:
            self._sliced_turn = turns
            return 0.0
        return max(0.0, slack) + _BEHIND_TURN_S
