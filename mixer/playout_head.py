"""Where a publisher's packets are being read: one after the other, decoded as they are taken."""

from typing import Final

from mixer.playout_packet import Block
from mixer.playout_queue import PacketQueue
from mixer.playout_sound import SoundMaker
from mixer.playout_stats import PlayoutStats

_WAITS: Final = 32  # over which the mean wait is taken, as the compiled blocks do


class PlayHead:
    """Takes packets from a queue to a sound maker.

    Attributes:
        next: Extended RTP time that is decoded next.
        mean_wait_s: Time from arrival to pull of the packets played.
        waits: Of which that is the mean, as many as count.
    """

    def __init__(self, queue: PacketQueue, sound: SoundMaker, stats: PlayoutStats) -> None:
        """Begin at 0.

        Args:
            queue: The packets that wait.
            sound: What decodes them.
            stats: Where recovered ones are counted.
        """
        self.next = 0
        self.mean_wait_s = 0.0
        self.waits = 0
        self._queue = queue
        self._sound = sound
        self._stats = stats

    def decode_run(self, out: Block, now_s: float) -> bool:
        """Fill `out` with whole packets; return whether any of it had to be concealed."""
        concealed = False
        at = 0
        while at < len(out):
            first = self._queue.packets[0]
            self._take_first(now_s)
            room = out[at : at + first.samples]
            concealed |= self._sound.decode_into(first.payload, room)
            at += first.samples
        return concealed

    def gather(self, samples: int, now_s: float) -> None:
        """Decode up to `samples` into the pool, of what is here without a hole."""
        packets, pool = self._queue.packets, self._sound.pool
        self._queue.drop_late(self.next)
        while len(pool) < samples and packets and packets[0].position <= self.next:
            self.decode_first(now_s)
            self._queue.drop_late(self.next)

    def decode_first(self, now_s: float) -> bool:
        """Decode the first packet into the pool; return whether it had to be concealed."""
        played_to = self.next
        first = self._queue.packets[0]
        self._take_first(now_s)
        # Packets that overlap: what was played of the earlier one counts.
        return self._sound.decode(first.payload, first.samples, played_to - first.position)

    def _take_first(self, now_s: float) -> None:
        first = self._queue.take_first()
        self.next = first.end
        if first.redundant:
            self._stats.recovered += 1
        self.waits = min(self.waits + 1, _WAITS)
        self.mean_wait_s += (now_s - first.arrival_s - self.mean_wait_s) / self.waits
