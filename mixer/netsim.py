"""A network made of chance: packets in, the same packets out, later, fewer, twice or in disorder.

It never reads a clock: `send` and `poll` are told the time, `poll_timeout` tells when to come back.
The order of effects is that of a real path: bandwidth (a queue, then drops), loss, delay with
jitter and scatter, duplication. All chance comes from the seed, and each effect draws from a source
of its own: the same packets get lost whether or not others are delayed.
"""

import heapq
import random
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from mixer.netsim_settings import CLEAN, NetworkConditions

T = TypeVar("T")

MAX_PACKETS = 10_000
"""On their way at the same time; more are dropped as by a full queue."""


@dataclass(slots=True)
class NetworkStats:
    """Counters of one simulated network; `sent` is always the sum of the next three."""

    sent: int = 0
    lost: int = 0
    dropped: int = 0
    """The queue was full."""
    passed: int = 0
    """Delivered or on their way, copies not counted."""
    duplicated: int = 0
    reordered: int = 0


class Delivery(NamedTuple, Generic[T]):
    """A packet that arrives."""

    time_s: float
    packet: T


class NetworkSimulator(Generic[T]):
    """One direction of one path.

    Attributes:
        stats: What happened so far.
    """

    def __init__(self, conditions: NetworkConditions = CLEAN, seed: int = 0) -> None:
        """Make a path on which nothing is.

        Args:
            conditions: What it does.
            seed: Of all chance.
        """
        self.stats = NetworkStats()
        self._conditions = conditions
        self._loss = _chance(seed, "loss")
        self._delay = _chance(seed, "delay")
        self._scatter = _chance(seed, "scatter")
        self._order = _chance(seed, "order")
        self._copy = _chance(seed, "copy")
        self._bad = False  # a bad spell
        self._free_s = float("-inf")  # when the bottleneck has sent everything
        self._newest_s = float("-inf")  # arrival of the last packet that kept its place
        self._count = 0
        self._flying: list[tuple[float, int, T]] = []

    @property
    def conditions(self) -> NetworkConditions:
        """What it does to packets; may be set at any time, and holds for those sent then."""
        return self._conditions

    @conditions.setter
    def conditions(self, conditions: NetworkConditions) -> None:
        self._conditions = conditions
        if not conditions.is_bursty:
            self._bad = False

    def send(self, packet: T, size_bytes: int, now_s: float) -> None:
        """Put a packet of `size_bytes` on its way; times never go back between calls."""
        stats = self.stats
        stats.sent += 1
        leaves_s = self._pass_bottleneck(size_bytes, now_s)
        if leaves_s is None or len(self._flying) >= MAX_PACKETS:
            stats.dropped += 1
            return
        if self._is_lost():
            stats.lost += 1
            return
        stats.passed += 1
        self._launch(packet, self._arrival_s(leaves_s))
        if self._copy.random() * 100 < self._conditions.duplicate_percent:
            stats.duplicated += 1
            self._launch(packet, self._arrival_s(leaves_s))

    def poll(self, now_s: float) -> list[Delivery[T]]:
        """Return what has arrived by `now_s`, in order of arrival."""
        arrived = []
        flying = self._flying
        while flying and flying[0][0] <= now_s:
            time_s, _, packet = heapq.heappop(flying)
            arrived.append(Delivery(time_s, packet))
        return arrived

    def poll_timeout(self) -> float | None:
        """Return when the next packet arrives; None while none is on its way."""
        return self._flying[0][0] if self._flying else None

    def _launch(self, packet: T, arrival_s: float) -> None:
        self._count += 1  # of two that arrive at the same time the first one sent is first
        heapq.heappush(self._flying, (arrival_s, self._count, packet))

    def _pass_bottleneck(self, size_bytes: int, now_s: float) -> float | None:
        """Return when the packet has left the bottleneck, None if it found the queue full."""
        kbps = self._conditions.bandwidth_kbps
        if kbps <= 0:
            return now_s
        begins_s = max(now_s, self._free_s)
        if begins_s - now_s > self._conditions.queue_ms / 1000:
            return None
        self._free_s = begins_s + size_bytes * 8 / (kbps * 1000)
        return self._free_s

    def _is_lost(self) -> bool:
        conditions = self._conditions
        drawn, turn = self._loss.random() * 100, self._loss.random()
        if not conditions.is_bursty:
            return drawn < conditions.loss_percent
        to_bad, to_good = conditions.transitions()
        self._bad = turn >= to_good if self._bad else turn < to_bad
        return self._bad and drawn < conditions.burst_loss_percent

    def _arrival_s(self, leaves_s: float) -> float:
        conditions = self._conditions
        # A sum of two exponentials: rarely next to nothing, now and then several times the mean.
        jitter_ms = self._delay.gammavariate(2.0, conditions.jitter_ms / 2 or 1e-9)
        arrival_s = leaves_s + (conditions.delay_ms + jitter_ms) / 1000
        arrival_s = max(arrival_s, self._newest_s)  # a queue keeps the order
        if self._order.random() * 100 < conditions.reorder_percent:
            self.stats.reordered += 1
            arrival_s += conditions.reorder_ms / 1000
        else:
            self._newest_s = arrival_s
        return arrival_s + self._scatter.random() * conditions.scatter_ms / 1000


def _chance(seed: int, effect: str) -> random.Random:
    return random.Random(f"{seed} {effect}")  # noqa: S311  (nothing secret about it)


class LineNoise:
    """White noise on a line, seeded."""

    def __init__(self, seed: int = 0) -> None:
        """Make a source of noise."""
        self._random = np.random.default_rng(seed)

    def add(self, block: npt.NDArray[np.float32], noise_percent: float) -> None:
        """Add noise of that effective value to float32 samples of any shape, in place."""
        if noise_percent > 0:
            noise = self._random.standard_normal(block.shape, np.float32)
            block += noise * np.float32(noise_percent / 100)
