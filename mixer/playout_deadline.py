"""When the packets of a block should all be here, and how much later it could be.

Everything that a playout does about its delay follows from one figure, the *spare*: how long before
a pull the last packet that the block needs should have been here.
"""

import math

from mixer.jitter import TransitWindow
from mixer.playout_loss import LossWatch
from mixer.playout_packet import SAMPLE_RATE_HZ
from mixer.playout_queue import PacketQueue


class Deadline:
    """The deadline of one publisher's packets.

    Attributes:
        margin_s: What is waited beside what transits ask for.
    """

    def __init__(
        self, queue: PacketQueue, transits: TransitWindow, losses: LossWatch, margin_s: float
    ) -> None:
        """Follow what is known of a publisher's packets: which are here, how they come and go."""
        self.margin_s = margin_s
        self._queue = queue
        self._transits = transits
        self._losses = losses

    @property
    def target_s(self) -> float:
        """Delay that is aimed at, from the earliest arrival on."""
        return self._transits.target_s + self.margin_s + self._losses.extension_s

    def last_packet_of(self, position: int, samples: int) -> int:
        """Return where the packet begins that holds the last sample of a block at `position`.

        Packets are taken to be as long as the newest, in line with it.
        """
        newest, length = self._queue.newest_position, self._queue.newest_samples
        return newest + (position + samples - 1 - newest) // length * length

    def due_s(self, position: int, samples: int) -> float:
        """Return when the packets of a block at `position` should all have come, margin added."""
        return (
            self.last_packet_of(position, samples) / SAMPLE_RATE_HZ
            + self._transits.deadline_s
            + self.margin_s
            + self._losses.extension_s
        )

    def excess(self, position: int, samples: int, now_s: float, guard_s: float) -> int:
        """Return by how many samples a block at `position` could be later in the media.

        Negative: what it needs may not be here in time. `guard_s` is asked beside the margin.
        """
        length = self._queue.newest_samples
        last = self.last_packet_of(position, samples)
        spare_s = now_s - self.due_s(position, samples) - guard_s
        packets_spare = math.floor(spare_s * SAMPLE_RATE_HZ / length)
        return packets_spare * length + last + length - position - samples
