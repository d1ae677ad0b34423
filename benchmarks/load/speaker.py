"""When a participant's packets leave, and what the network does to them on the way."""

from dataclasses import dataclass

import numpy as np

from benchmarks.load.sources import PacketSource

MILLISECOND_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Impairment:
    """A bad network between a participant and the server, seeded.

    Attributes:
        loss: share of the packets that never arrive, independently, 0 to 1.
        jitter_ms: each packet is delayed by `jitter_ms` ± `jitter_ms`, uniformly and by itself, so
            that packets overtake each other.
        seed: of the random numbers.
    """

    loss: float = 0.0
    jitter_ms: float = 0.0
    seed: int = 1

    @property
    def mean_delay_ms(self) -> float:
        """Return the delay that the network adds on average."""
        return self.jitter_ms


class ImpairedPath:
    """Decides the fate of each packet in turn."""

    def __init__(self, impairment: Impairment) -> None:
        self._impairment = impairment
        self._random = np.random.default_rng(impairment.seed)

    def leave_at(self, ready_ns: int) -> int | None:
        """Return when a packet that is ready at `ready_ns` leaves, or None if it is lost."""
        lost = self._random.random() < self._impairment.loss
        delay_ms = self._impairment.jitter_ms * 2 * self._random.random()
        if lost:
            return None
        return ready_ns + int(delay_ms * MILLISECOND_NS)


class Speaker:
    """Counts packets of one source on an exact schedule.

    Attributes:
        number: of the next packet.
        begins_talkspurt: whether the packet before it went unsent.
    """

    def __init__(self, source: PacketSource, start_ns: int, path: ImpairedPath | None) -> None:
        """Begin at `start_ns` on the monotonic clock."""
        self.source = source
        self.path = path
        self.number = 0
        self.begins_talkspurt = True
        self._start_ns = start_ns
        self._packet_ns = source.packet_samples * 1_000_000_000 // 48_000

    @property
    def due_ns(self) -> int:
        """Return when packet `number` is ready."""
        return self._start_ns + self.number * self._packet_ns
