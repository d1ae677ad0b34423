"""How much sound one publisher may send. Sans-I/O: `now_s` is passed in."""

from typing import Final

LEEWAY: Final = 2.5
"""Share of the stated bitrate that passes: redundancy (RFC 2198) sends each packet twice, and an
encoder with a variable bitrate keeps to its figure on average only."""
BURST_S: Final = 2.0


class Allowance:
    """A token bucket over the octets of a publisher's payloads; starts full.

    Attributes:
        refused: Packets that were not let through.
    """

    __slots__ = ("_burst", "_octets", "_rate_per_s", "_updated_s", "refused")

    def __init__(self, bitrate_bps: int, now_s: float) -> None:
        """Allow `LEEWAY` times a bitrate, and `BURST_S` of that at once."""
        self.refused = 0
        self._rate_per_s = bitrate_bps * LEEWAY / 8
        self._burst = self._rate_per_s * BURST_S
        self._octets = self._burst
        self._updated_s = now_s

    def admits(self, octets: int, now_s: float) -> bool:
        """Return whether a packet may pass, and count it either way."""
        self._gain(now_s)
        if octets > self._octets:
            self.refused += 1
            return False
        self._octets -= octets
        return True

    def charge(self, octets: int, now_s: float) -> bool:
        """Count what has passed already; return whether that was too much."""
        self._gain(now_s)
        self._octets = max(0.0, self._octets - octets)
        return self._octets == 0.0

    def is_ample(self, now_s: float) -> bool:
        """Return whether there is enough for the sender not to be watched packet by packet."""
        self._gain(now_s)
        return self._octets >= self._burst / 2

    def _gain(self, now_s: float) -> None:
        gained = max(0.0, now_s - self._updated_s) * self._rate_per_s
        self._octets = min(self._burst, self._octets + gained)
        self._updated_s = max(self._updated_s, now_s)
