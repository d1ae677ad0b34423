"""How short the packets and blocks of a room are.

Packets to a participant are as short as its own: 10 ms for those who send 10 ms packets, are
engaged and have somebody to hear, 20 ms for all others. While nobody has 10 ms packets from us,
blocks are 20 ms long, which halves what a block costs beside its sound.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from mixer.arena import BLOCK_10MS, BLOCK_20MS
from mixer.outputs import OutputKey
from mixer.source import Source

Ptime = Literal["auto", 10, 20]
"""Packet time of outputs in ms; "auto": as above."""


class PacketTimes:
    """Follows the packets of a room's sources.

    Attributes:
        brief: Whether some of those who talk with each other send short packets.
    """

    def __init__(self, ptime: Ptime) -> None:
        """Begin with nobody who sends short ones."""
        self.brief = False
        self._ptime = ptime

    def follow(
        self, present: Sequence[Source], main: Sequence[Source], *, may_lengthen: bool
    ) -> bool:
        """Let what we send be as short as what we get; return whether anything changed.

        Args:
            present: Sources that sound.
            main: Those in everybody's mix.
            may_lengthen: Whether packets may become longer, too.
        """
        if self._ptime != "auto" or not present:
            return False
        changed = False
        for source in present:
            if source.remote:  # its owner is not sent our packets
                continue
            brief = source.playout.packet_samples <= BLOCK_10MS
            if brief != source.brief:
                source.brief = brief
                changed = True
        # Who talks alone has nobody to hear.
        brief = len(main) > 1 and any(source.brief for source in main)
        if brief != self.brief and (brief or may_lengthen):
            self.brief = brief
            changed = True
        return changed

    def block_for(self, outputs: Iterable[OutputKey]) -> int:
        """Return how long blocks should be, 480 or 960 samples, with these outputs."""
        if self._ptime == "auto":
            short = self.brief or any(key.ptime_ms == 10 for key in outputs)
            return BLOCK_10MS if short else BLOCK_20MS
        return BLOCK_20MS if self._ptime == 20 else BLOCK_10MS
