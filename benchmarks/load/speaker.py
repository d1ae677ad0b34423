"""When a participant's packets are ready, and what the network does to them on the way."""

import math

from benchmarks.load.sources import PacketSource
from mixer.netsim import NetworkSimulator


class Speaker:
    """Counts packets of one source on an exact schedule.

    Attributes:
        network: that its packets go through; None for none.
        number: of the next packet.
        begins_talkspurt: whether the packet before it went unsent.
    """

    def __init__(
        self, source: PacketSource, start_ns: int, network: NetworkSimulator[None] | None
    ) -> None:
        """Begin at `start_ns` on the monotonic clock."""
        self.source = source
        self.number = 0
        self.begins_talkspurt = True
        self.network = network
        self._start_ns = start_ns
        self._packet_ns = source.packet_samples * 1_000_000_000 // 48_000

    @property
    def due_ns(self) -> int:
        """Return when packet `number` is ready."""
        return self._start_ns + self.number * self._packet_ns

    def leave_at(self, ready_ns: int, size_bytes: int) -> list[int]:
        """Return when a packet that is ready at `ready_ns` leaves: never, once, or twice."""
        if self.network is None:
            return [ready_ns]
        self.network.send(None, size_bytes, (ready_ns - self._start_ns) / 1e9)
        arrived = self.network.poll(math.inf)
        return [self._start_ns + round(time_s * 1e9) for time_s, _ in arrived]
