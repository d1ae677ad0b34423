"""Whether it pays to wait one packet longer, so that a lost one can be repaired by the next."""

from mixer.playout_packet import SAMPLE_RATE_HZ

SMOOTHING = 1 / 128
WAIT_ABOVE = 0.01
STOP_BELOW = 0.003
REPAIRS_REMEMBERED = 500  # packets


class LossWatch:
    """Extends the delay by one packet while packets are lost and their successors can repair them.

    In-band FEC and RED copies arrive one packet time after the original.
    """

    __slots__ = ("_repair_s", "_repairs_left", "_share", "_waiting", "extension_s")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget every loss and repair."""
        self.extension_s = 0.0
        """Delay asked for beyond the jitter deadline."""
        self._share = 0.0
        self._waiting = False
        self._repairs_left = 0
        self._repair_s = 0.0

    @property
    def watching(self) -> bool:
        """Whether it is worth finding out if packets carry repairs."""
        return self._share > STOP_BELOW

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was lost for so long that a further packet in time changes nothing."""
        return not self._share

    def repairs_come(self, samples: int) -> None:
        """Note that a packet of `samples` brought a copy of its predecessor."""
        self._repairs_left = REPAIRS_REMEMBERED
        self._repair_s = samples / SAMPLE_RATE_HZ

    def played(self, lost_before: int) -> None:
        """Note one packet's turn, and how many were missing between it and the one before."""
        if not lost_before and not self._share:
            return
        for _ in range(min(lost_before, 4)):  # a burst is one event, as far as repair goes
            self._share += (1 - self._share) * SMOOTHING
        self._share -= self._share * SMOOTHING
        if self._share < STOP_BELOW / 10:
            self._share = 0.0
        self._repairs_left -= 1
        if self._waiting:
            self._waiting = self._share > STOP_BELOW and self._repairs_left > 0
        else:
            self._waiting = self._share > WAIT_ABOVE and self._repairs_left > 0
        self.extension_s = self._repair_s if self._waiting else 0.0
