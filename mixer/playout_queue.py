"""Packets that wait for their turn, in the order of the media.

RTP timestamps and sequence numbers are extended over wrap-around as they come in. Positions say
what is played when; sequence numbers only tell loss from silence and find duplicates.
"""

from bisect import insort
from typing import NamedTuple

from mixer.playout_loss import LossWatch
from mixer.playout_packet import MediaPacket
from mixer.playout_stats import PlayoutStats

SEEN_PACKETS = 256
SEEN_MASK = (1 << SEEN_PACKETS) - 1
MAX_LOST_AT_ONCE = 1_000  # beyond, the sequence numbers say nothing about loss


class Queued(NamedTuple):
    """A packet that waits; sorts by position."""

    position: int
    """Extended RTP timestamp of its first sample."""
    sequence: int
    """Extended sequence number."""
    samples: int
    arrival_s: float
    payload: bytes
    redundant: bool
    """A copy whose original did not come."""

    @property
    def end(self) -> int:
        """Position behind its last sample."""
        return self.position + self.samples


class PacketQueue:
    """Bounded, sorted, free of duplicates; counts what it refuses.

    `packets` is read freely by the owner; only the methods change it.
    """

    __slots__ = (
        "_known",
        "_last_sequence",
        "_losses",
        "_max_packets",
        "_max_samples",
        "_newest_sequence",
        "_seen",
        "_stats",
        "newest_position",
        "newest_samples",
        "packets",
    )

    def __init__(
        self, stats: PlayoutStats, losses: LossWatch, max_packets: int, max_samples: int
    ) -> None:
        """Hold at most `max_packets`, spanning at most `max_samples`; the oldest give way."""
        self._stats = stats
        self._losses = losses
        self._max_packets = max_packets
        self._max_samples = max_samples
        self.packets: list[Queued] = []
        self.newest_position: int = 0
        self._newest_sequence: int = 0
        self.reset()

    def reset(self) -> None:
        """Forget every packet and where the numbers stood."""
        self.packets.clear()
        self._known = False
        self.newest_position = 0
        self.newest_samples = 960
        self._newest_sequence = 0
        self._last_sequence: int | None = None
        self._seen = 0

    def admit(self, packet: MediaPacket) -> tuple[int, int] | None:
        """Return the extended timestamp and sequence number of `packet`; None for a duplicate."""
        if not self._known:
            self._known = True
            # One turn up leaves room below for packets that were overtaken.
            self.newest_position = packet.timestamp + (1 << 32)
            self._newest_sequence = packet.sequence + (1 << 16)
            self._seen = 1
            return self.newest_position, self._newest_sequence
        sequence = self._newest_sequence + _signed(packet.sequence - self._newest_sequence, 16)
        if self._is_duplicate(sequence, packet.redundant):
            return None
        position = self.newest_position + _signed(packet.timestamp - self.newest_position, 32)
        return position, sequence

    def add(self, queued: Queued, played_to: int) -> None:
        """Queue an admitted packet unless its turn is over, which has come up to `played_to`."""
        position = queued.position
        if position >= self.newest_position:
            self.newest_position = position
            self.newest_samples = queued.samples
        if position + queued.samples <= played_to:
            self._stats.late += not queued.redundant
            return
        packets = self.packets
        if not packets or position > packets[-1].position:
            packets.append(queued)
        else:
            insort(packets, queued)
        while (
            len(packets) > self._max_packets
            or packets[-1].end - packets[0].position > self._max_samples
        ):
            self.drop_first()

    def _is_duplicate(self, sequence: int, redundant: bool) -> bool:
        """Note `sequence`; return whether it was here before, as far as memory goes."""
        ahead = sequence - self._newest_sequence
        if ahead > 0:
            self._seen = (self._seen << min(ahead, SEEN_PACKETS) | 1) & SEEN_MASK
            self._newest_sequence = sequence
            return False
        if ahead <= -SEEN_PACKETS:
            return False
        bit = 1 << -ahead
        if self._seen & bit:
            if redundant:
                return True
            overtaken = self._drop_copy(sequence)
            self._stats.duplicates += not overtaken
            return not overtaken
        self._seen |= bit
        self._stats.reordered += not redundant
        return False

    def _drop_copy(self, sequence: int) -> bool:
        """Make room for an original that was overtaken by its copy; return whether it was."""
        for index, queued in enumerate(self.packets):
            if queued.sequence == sequence and queued.redundant:
                del self.packets[index]
                return True
        return False

    def lost_before_first(self) -> int:
        """Return how many packets are missing between the last one taken and the first here."""
        if self._last_sequence is None:
            return 0
        missing = self.packets[0].sequence - self._last_sequence - 1
        return missing if 0 < missing <= MAX_LOST_AT_ONCE else 0

    def take_first(self) -> Queued:
        """Remove and return the first packet; what is missing before it is lost."""
        lost = self.lost_before_first()
        self._stats.lost += lost
        first = self.packets.pop(0)
        self._losses.played(lost + first.redundant)
        self._last_sequence = first.sequence
        return first

    def is_run(self, position: int, samples: int) -> bool:
        """Whether whole packets that are here fill a block of `samples` at `position`."""
        end = position + samples
        for queued in self.packets:
            if queued.position != position:
                return False
            position = queued.end
            if position >= end:
                return position == end
        return False

    def is_plain(self, next_position: int) -> bool:
        """Whether what waits goes on from `next_position`, packet by packet, without a hole."""
        position, sequence = next_position, self._last_sequence
        for queued in self.packets:
            if (
                sequence is None
                or (queued.position, queued.sequence) != (position, sequence + 1)
                or queued.samples != self.newest_samples
                or queued.redundant
            ):
                return False
            position, sequence = queued.end, queued.sequence
        return sequence == self._newest_sequence and position == (
            self.newest_position + self.newest_samples
        )

    def catch_up(self, arrived: int) -> None:
        """Take note of packets that came to somebody else, in order and as long as the newest."""
        self._newest_sequence += arrived
        self.newest_position += arrived * self.newest_samples
        self._seen = (self._seen << arrived | (1 << arrived) - 1) & SEEN_MASK

    def put_back(self, packets: list[tuple[bytes, float]]) -> None:
        """Queue what somebody else has left: payload and arrival, without a hole to the newest."""
        count, samples = len(packets), self.newest_samples
        self._last_sequence = self._newest_sequence - count
        self.packets[:] = [
            Queued(
                self.newest_position - (count - 1 - i) * samples,
                self._last_sequence + 1 + i,
                samples,
                arrival_s,
                payload,
                False,
            )
            for i, (payload, arrival_s) in enumerate(packets)
        ]

    def drop_first(self) -> None:
        """Throw the first packet away unplayed."""
        self.take_first()
        self._stats.dropped += 1

    def drop_late(self, played_to: int) -> None:
        """Throw away what ends at or before `played_to`."""
        packets = self.packets
        while packets and packets[0].end <= played_to:
            if self.take_first().redundant:
                self._stats.lost += 1
            else:
                self._stats.late += 1


def _signed(difference: int, bits: int) -> int:
    """Return `difference` modulo 2^`bits` as a signed number (RFC 3550, appendix A.1)."""
    half = 1 << (bits - 1)
    return (difference + half) % (1 << bits) - half
