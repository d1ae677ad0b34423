"""One publisher's way from packets to blocks of sound.

Positions are RTP time in samples at 48 kHz, extended over wrap-around. `_next` is the position
that is decoded next; what was decoded ahead waits in the pool. Every rule follows from one figure,
the *spare*: how long before this pull the last packet that the block needs should have been here,
by the deadline of `TransitWindow`.

State   | event                                  | next    | done
--------|----------------------------------------|---------|----------------------------------------
idle    | pull, a packet's deadline has passed   | playing | drop backlog, fade in
idle    | pull otherwise                         | idle    | SILENT
playing | packet there                           | playing | decode
playing | hole, later packet there               | playing | in-band FEC if it has it, else conceal
playing | nothing there                          | playing | conceal; what it stands for is `_debt`
playing | packets again, debt open               | playing | skip what the debt stands for, as far
        |                                        |         | as the deadline allows; else keep delay
playing | 100 ms concealed in a row              | idle    | faded out by then
playing | more spare than the deadline asks for  | playing | compress; beyond reach of that, skip
playing | less                                   | playing | expand
any     | the media clock or the path jumps      | idle    | forget everything

Positions never go backwards but at such a jump. Sequence numbers only tell loss from silence (DTX)
and find duplicates.
"""

from bisect import insort
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mixer import stretch
from mixer.jitter import Transit, TransitWindow
from mixer.playout_loss import LossWatch
from mixer.playout_packet import (
    SAMPLE_RATE_HZ,
    Block,
    DecodeError,
    FrameDecoder,
    MediaPacket,
    Pull,
)
from mixer.playout_pool import SamplePool

__all__ = [
    "Block",
    "DecodeError",
    "FrameDecoder",
    "MediaPacket",
    "Playout",
    "PlayoutSettings",
    "PlayoutStats",
    "Pull",
]

OPUS_STEP = 120  # libopus conceals multiples of 2.5 ms
LOW_WINDOW = 12_000  # 250 ms: excess delay is real when it was there for one to two of these
STRETCH_SPACING = 9  # after a change of n samples, n × this go unchanged: one part in ten
MIN_SIMILARITY = 0.9
PATIENCE_STEP = 0.01
FADE_IN = 240  # 5 ms
SEEN_PACKETS = 256
SEEN_MASK = (1 << SEEN_PACKETS) - 1
MAX_LOST_AT_ONCE = 1_000  # beyond, the sequence numbers say nothing about loss


@dataclass(frozen=True, slots=True)
class PlayoutSettings:
    """Bounds and tastes of a playout.

    Raises:
        ValueError: a field is out of range.
    """

    margin_ms: float = 1.0
    """Waited beyond the deadline that the jitter asks for."""
    compress_above_ms: float = 1.5
    """Spare beyond the margin from which on delay is taken out."""
    skip_above_ms: float = 80.0
    """Excess delay that is skipped at once; less is compressed away."""
    fade_after_ms: float = 60.0
    silent_after_ms: float = 100.0
    """Concealment fades between these two, counted from its beginning."""
    max_packets: int = 512
    max_backlog_ms: float = 2_000.0
    max_payload_bytes: int = 4_000

    def __post_init__(self) -> None:
        if not 0 <= self.fade_after_ms < self.silent_after_ms:
            raise ValueError("concealment must begin to fade before it is silent")
        if min(self.margin_ms, self.compress_above_ms, self.skip_above_ms) < 0:
            raise ValueError("delays cannot be negative")
        if min(self.max_packets, self.max_backlog_ms, self.max_payload_bytes) < 1:
            raise ValueError("bounds must leave room for a packet")


@dataclass(slots=True)
class PlayoutStats:
    """Counters since the playout was made, and its present figures."""

    received: int = 0
    duplicates: int = 0
    late: int = 0
    """Came after their turn."""
    lost: int = 0
    """Were missing at their turn, those that came late included."""
    reordered: int = 0
    malformed: int = 0
    dropped: int = 0
    """Thrown away unplayed: backlog skipped, or a bound reached."""
    resets: int = 0
    fec_samples: int = 0
    concealed_samples: int = 0
    compressed_samples: int = 0
    expanded_samples: int = 0
    skipped_samples: int = 0
    buffer_ms: float = 0.0
    target_ms: float = 0.0
    jitter_ms: float = 0.0
    mean_wait_ms: float = 0.0


class _Queued(NamedTuple):
    """A packet that waits; sorts by position."""

    position: int
    sequence: int
    samples: int
    arrival_s: float
    payload: bytes
    marker: bool

    @property
    def end(self) -> int:
        return self.position + self.samples


class Playout:
    """Jitter buffer and decoder of one publisher; never reads a clock."""

    def __init__(self, decoder: FrameDecoder, settings: PlayoutSettings | None = None) -> None:
        self._decoder = decoder
        self._settings = settings if settings is not None else PlayoutSettings()
        self._margin_s = self._settings.margin_ms / 1000
        self._compress_above_s = self._settings.compress_above_ms / 1000
        self._skip_above = _samples(self._settings.skip_above_ms)
        self._fade_after = _samples(self._settings.fade_after_ms)
        self._silent_after = _samples(self._settings.silent_after_ms)
        self._max_backlog = _samples(self._settings.max_backlog_ms)
        self._stats = PlayoutStats()
        self._mean_wait_s = 0.0
        self._block = 480
        self._transits = TransitWindow()
        self._losses = LossWatch()
        self._pool = SamplePool()
        self._queue: list[_Queued] = []
        self._newest_position: int = 0
        self._newest_sequence: int = 0
        self._forget()

    # ---- what the caller sees ----------------------------------------------------------------

    def push(self, packet: MediaPacket) -> None:
        """Take one packet from the network, in any order; bad ones are counted and dropped."""
        stats = self._stats
        stats.received += 1
        payload = packet.payload
        try:
            samples = self._decoder.samples(payload)
        except DecodeError:
            stats.malformed += 1
            return
        if len(payload) > self._settings.max_payload_bytes:
            stats.malformed += 1
            return
        if not self._known:
            self._begin(packet)
        position = self._newest_position + _signed(packet.timestamp - self._newest_position, 32)
        if packet.redundant:
            if position > self._newest_position:
                return
            self._losses.repairs_come(samples)
        else:
            transit_s = packet.arrival_s - position / SAMPLE_RATE_HZ
            if self._transits.add(transit_s, packet.arrival_s) is Transit.JUMP:
                self.reset()
                self.push(packet)
                stats.received -= 1
                return
        sequence = self._newest_sequence + _signed(packet.sequence - self._newest_sequence, 16)
        if self._is_duplicate(sequence, packet.redundant):
            return
        if self._losses.watching and self._decoder.carries_fec(payload):
            self._losses.repairs_come(samples)
        if position >= self._newest_position:
            self._newest_position = position
            self._newest_samples = samples
        if position + samples <= self._next:
            stats.late += not packet.redundant
            return
        self._enqueue(
            _Queued(position, sequence, samples, packet.arrival_s, payload, packet.marker)
        )

    def pull(self, out: Block, now_s: float) -> Pull:
        """Write the next block to `out`, float32 (n, 2), C-contiguous, n any size up to 120 ms.

        `out` is untouched when the outcome is SILENT.
        """
        self._block = len(out)
        if not self._playing and not (self._queue and self._start(len(out), now_s)):
            return Pull.SILENT
        if self._debt and self._queue:
            self._settle_debt(len(out), now_s)
        self._steer(len(out), now_s)
        concealed = self._fill(out, now_s)
        if self._concealed_run >= self._silent_after:
            self._rest()
        return Pull.CONCEALED if concealed else Pull.SOUND

    def reset(self) -> None:
        """Start afresh, as for a new SSRC; counters stay."""
        self._stats.resets += 1
        self._decoder.reset()
        self._transits.reset()
        self._losses = LossWatch()
        self._queue.clear()
        self._pool.clear()
        self._forget()

    def safe_time_s(self) -> float | None:
        """Return when the packets that the next pull needs should all be here.

        In the clock of `now_s`, for a block as long as the last; None while nothing is to play.
        """
        if self._playing:
            return self._due_s(self._next - len(self._pool), self._block)
        if self._queue:
            return self._due_s(self._queue[0].position, self._block)
        return None

    @property
    def mean_wait_s(self) -> float:
        """Time from arrival to pull of the packets played, averaged over about 32 of them."""
        return self._mean_wait_s

    def stats(self) -> PlayoutStats:
        """Return the counters, with the present figures filled in; the object is live."""
        stats = self._stats
        waiting = len(self._pool)
        if self._queue:
            waiting += sum(queued.samples for queued in self._queue)
        stats.buffer_ms = waiting * 1000 / SAMPLE_RATE_HZ
        stats.target_ms = (
            self._transits.target_s + self._margin_s + self._losses.extension_s
        ) * 1000
        stats.jitter_ms = self._transits.jitter_s * 1000
        stats.mean_wait_ms = self._mean_wait_s * 1000
        return stats

    # ---- coming in ---------------------------------------------------------------------------

    def _forget(self) -> None:
        self._known = False
        self._playing = False
        self._next = 0
        self._newest_position = 0
        self._newest_samples = 960
        self._newest_sequence = 0
        self._last_sequence: int | None = None
        self._seen = 0
        self._debt = 0
        self._concealed_run = 0
        self._gain = 0.0
        self._resting = False
        self._calm()

    def _begin(self, packet: MediaPacket) -> None:
        self._known = True
        # Beginning one turn in leaves room below for packets that were overtaken.
        self._newest_position = packet.timestamp + (1 << 32)
        self._newest_sequence = packet.sequence + (1 << 16)
        self._seen = 0

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
            self._stats.duplicates += not redundant
            return True
        self._seen |= bit
        self._stats.reordered += ahead < 0 and not redundant
        return False

    def _enqueue(self, queued: _Queued) -> None:
        queue = self._queue
        if not queue or queued.position > queue[-1].position:
            queue.append(queued)
        else:
            insort(queue, queued)
        while (
            len(queue) > self._settings.max_packets
            or queue[-1].end - queue[0].position > self._max_backlog
        ):
            self._discard()
            self._stats.dropped += 1

    # ---- timing ------------------------------------------------------------------------------

    def _last_packet_of(self, position: int, samples: int) -> int:
        """Return where the packet begins that holds the last sample of a block at `position`.

        Packets are taken to be as long as the newest, in line with it.
        """
        newest, length = self._newest_position, self._newest_samples
        return newest + (position + samples - 1 - newest) // length * length

    def _due_s(self, position: int, samples: int) -> float:
        """Return when the packets of a block at `position` should all have come, margin added."""
        return (
            self._last_packet_of(position, samples) / SAMPLE_RATE_HZ
            + self._transits.deadline_s
            + self._margin_s
            + self._losses.extension_s
        )

    def _excess(self, position: int, samples: int, now_s: float, guard_s: float) -> int:
        """Return by how many samples a block at `position` could be later in the media.

        Negative: what it needs may not be here in time. `guard_s` is asked beside the margin.
        """
        length = self._newest_samples
        last = self._last_packet_of(position, samples)
        spare = (now_s - self._due_s(position, samples) - guard_s) * SAMPLE_RATE_HZ
        return int(spare // length) * length + last + length - position - samples

    def _start(self, samples: int, now_s: float) -> bool:
        """Begin to play when the deadline of what waits has passed; return whether it has."""
        queue = self._queue
        while queue and self._decoder.is_dtx(queue[0].payload):
            self._discard()
        if not queue:
            return False
        excess = self._excess(queue[0].position, samples, now_s, 0.0)
        if excess < 0:
            return False
        while len(queue) > 1 and excess >= queue[1].position - queue[0].position:
            excess -= queue[1].position - queue[0].position
            self._discard()
            self._stats.dropped += 1
        self._next = queue[0].position
        self._playing = True
        self._calm()
        return True

    def _rest(self) -> None:
        """Stop playing until packets come; what the concealment stood for is given up."""
        self._playing = False
        self._pool.clear()
        self._debt = 0
        self._concealed_run = 0
        self._gain = 0.0

    def _settle_debt(self, samples: int, now_s: float) -> None:
        """Skip what was concealed while nothing was here, unless the deadline asks for the delay.

        Only whole packets are skipped; what is left over is excess delay for `_steer`.
        """
        excess = self._excess(self._next - len(self._pool), samples, now_s, -self._margin_s)
        goal = self._next + min(self._debt, max(excess, 0))
        self._debt = 0
        queue = self._queue
        self._drop_late(goal)
        if queue and queue[0].position <= goal:
            self._next = max(self._next, queue[0].position)
        else:
            self._next = goal

    # ---- holding the delay -------------------------------------------------------------------

    def _calm(self) -> None:
        """Watch the excess afresh before changing the delay again."""
        self._low = 0
        self._low_before = 0
        self._low_left = LOW_WINDOW
        self._cooldown = 0
        self._patience = MIN_SIMILARITY

    def _steer(self, samples: int, now_s: float) -> None:
        """Compress, skip or expand what comes next where the delay is not what it should be."""
        position = self._next - len(self._pool)
        excess = self._excess(position, samples, now_s, self._compress_above_s)
        self._cooldown -= samples
        self._low = min(self._low, excess)
        self._low_left -= samples
        if self._low_left <= 0:
            self._low_before = self._low
            self._low = excess
            self._low_left = LOW_WINDOW
        if self._debt or self._concealed_run:
            return
        if excess - self._newest_samples >= self._skip_above:
            self._skip(position + excess, now_s)
        elif self._cooldown > 0:
            return
        elif (steady := min(self._low, self._low_before)) > 0 and (
            steady >= stretch.SHORTEST_PERIOD or len(self._pool)
        ):
            self._compress(steady, samples, now_s)
        elif self._excess(position, samples, now_s, -self._margin_s) < 0:
            self._expand(position, samples, now_s)

    def _gather(self, samples: int, now_s: float) -> None:
        """Decode up to `samples` into the pool, of what is here without a hole."""
        queue = self._queue
        self._drop_late()
        while len(self._pool) < samples and queue and queue[0].position <= self._next:
            self._decode_first(now_s)
            self._drop_late()

    def _compress(self, longest: int, samples: int, now_s: float) -> None:
        longest = min(longest, stretch.LONGEST_PERIOD)
        self._gather(samples + longest + stretch.OVERLAP_SAMPLES, now_s)
        pool = self._pool
        period = stretch.find_period(pool.view, min(longest, len(pool) - samples))
        if period is None:
            return
        if period.similarity < self._patience:
            self._patience -= PATIENCE_STEP
            return
        stretch.compress(pool.view, period.samples)
        pool.drop(period.samples)
        self._low -= period.samples
        self._low_before -= period.samples
        self._stats.compressed_samples += period.samples
        self._stretched(period.samples)

    def _expand(self, position: int, samples: int, now_s: float) -> None:
        # Ending where the packet begins that may be missing lines blocks and packets up again.
        longest = position + samples - self._last_packet_of(position, samples)
        self._gather(samples + stretch.OVERLAP_SAMPLES, now_s)
        pool = self._pool
        period = stretch.find_period(pool.view, max(longest, stretch.SHORTEST_PERIOD))
        if period is None:
            return
        if period.similarity < self._patience:
            self._patience -= PATIENCE_STEP
            return
        before = pool.view.copy()
        pool.clear()
        stretch.expand(before, period.samples, pool.room(len(before) + period.samples))
        pool.keep(len(before) + period.samples)
        self._stats.expanded_samples += period.samples
        self._stretched(period.samples)

    def _stretched(self, samples: int) -> None:
        self._cooldown = samples * STRETCH_SPACING
        self._patience = MIN_SIMILARITY

    def _skip(self, goal: int, now_s: float) -> None:
        """Go on at the packet before `goal`, blended over; what lies between is dropped."""
        queue = self._queue
        self._gather(stretch.OVERLAP_SAMPLES, now_s)
        if len(queue) < 3 or queue[2].position > goal:
            return
        ending = self._pool.view[: stretch.OVERLAP_SAMPLES].copy()
        before = self._next - len(self._pool)
        while len(queue) > 2 and queue[2].position <= goal:
            self._discard()
            self._stats.dropped += 1
        self._next = queue[0].position
        self._decode_first(now_s)  # brings the decoder into the sound; not played
        self._pool.clear()
        self._next = queue[0].position
        self._stats.skipped_samples += self._next - before
        self._decode_first(now_s)
        stretch.crossfade(ending, self._pool.view)
        self._calm()

    # ---- making sound ------------------------------------------------------------------------

    def _fill(self, out: Block, now_s: float) -> bool:
        """Fill `out`; return whether any of it was made up for this call."""
        pool = self._pool
        queue = self._queue
        samples = len(out)
        if not pool and queue and self._gain == 1.0:
            first = queue[0]
            if first.position == self._next and first.samples == samples:
                self._note(queue.pop(0), now_s)
                return self._decode_into(first, out)
        concealed = False
        while len(pool) < samples:
            concealed |= self._refill(samples - len(pool), now_s)
        pool.take(out)
        return concealed

    def _refill(self, missing: int, now_s: float) -> bool:
        """Put more into the pool; return whether it was made up."""
        queue = self._queue
        self._drop_late()
        if not queue:
            made_up = self._conceal(_whole_steps(missing))
            self._debt += made_up
            return True
        first = queue[0]
        hole = first.position - self._next
        if hole <= 0:
            return self._decode_first(now_s)
        if self._lost_before(first) and self._decoder.carries_fec(first.payload):
            if hole <= first.samples:
                return self._repair(first, hole)
            hole -= first.samples
        self._next += self._conceal(min(hole, _whole_steps(missing)))
        return True

    def _decode_first(self, now_s: float) -> bool:
        """Decode the first packet into the pool; return whether it had to be made up."""
        first = self._queue.pop(0)
        self._note(first, now_s)
        overlap = self._next - first.position  # packets that overlap: the earlier one won
        room = self._pool.room(first.samples)
        made_up = self._decode_into(first, room)
        if overlap > 0:
            room[:-overlap] = room[overlap:].copy()
        self._pool.keep(first.samples - max(overlap, 0))
        return made_up

    def _decode_into(self, first: _Queued, room: Block) -> bool:
        """Decode `first` into `room`, which it fills; return whether it had to be made up."""
        self._next = first.end
        try:
            self._decoder.decode(first.payload, room)
        except DecodeError:
            self._stats.malformed += 1
            self._decoder.conceal(room)
            self._fade(room)
            return True
        self._concealed_run = 0
        if self._gain < 1.0:
            self._fade_in(room)
        return False

    def _repair(self, carrier: _Queued, hole: int) -> bool:
        """Fill the hole before `carrier` from the copy inside it; return whether that failed."""
        samples = _whole_steps(hole)
        room = self._pool.room(samples)
        try:
            self._decoder.decode_fec(carrier.payload, room)
        except DecodeError:
            self._next += self._conceal(samples)
            return True
        self._concealed_run = 0
        if self._gain < 1.0:
            self._fade_in(room)
        self._pool.keep(hole)
        self._next = carrier.position
        self._stats.fec_samples += hole
        return False

    def _conceal(self, samples: int) -> int:
        """Append `samples` of made-up sound to the pool, rounded up; return how many."""
        whole = _whole_steps(samples)
        room = self._pool.room(whole)
        self._decoder.conceal(room)
        self._fade(room)
        self._pool.keep(samples)
        return samples

    def _fade(self, room: Block) -> None:
        """Count `room` as concealed and take it down as the run of concealment grows."""
        before = self._gain
        if not self._resting:
            self._stats.concealed_samples += len(room)
        self._concealed_run += len(room)
        if self._concealed_run > self._fade_after:
            left = self._silent_after - self._concealed_run
            self._gain = min(before, max(0.0, left / (self._silent_after - self._fade_after)))
        if before < 1.0 or self._gain < 1.0:
            room *= np.linspace(before, self._gain, len(room), dtype=np.float32)[:, None]

    def _fade_in(self, room: Block) -> None:
        head = room[:FADE_IN]
        head *= np.linspace(self._gain, 1.0, len(head), dtype=np.float32)[:, None]
        self._gain = 1.0

    # ---- accounts ----------------------------------------------------------------------------

    def _lost_before(self, queued: _Queued) -> int:
        """Return how many packets are missing between the last one played and `queued`."""
        if self._last_sequence is None:
            return 0
        return min(max(queued.sequence - self._last_sequence - 1, 0), MAX_LOST_AT_ONCE)

    def _note(self, played: _Queued, now_s: float) -> None:
        lost = self._lost_before(played)
        self._stats.lost += lost
        self._losses.played(lost)
        self._last_sequence = played.sequence
        self._resting = len(played.payload) <= 2 and self._decoder.is_dtx(played.payload)
        self._mean_wait_s += (now_s - played.arrival_s - self._mean_wait_s) / 32

    def _drop_late(self, goal: int | None = None) -> None:
        """Drop what ends at or before `goal`, by default at the position decoded next."""
        queue = self._queue
        goal = self._next if goal is None else goal
        while queue and queue[0].end <= goal:
            self._discard()
            self._stats.late += 1

    def _discard(self) -> None:
        """Take the first packet out unplayed; what is missing before it counts as lost."""
        first = self._queue.pop(0)
        self._stats.lost += self._lost_before(first)
        self._last_sequence = first.sequence


def _samples(milliseconds: float) -> int:
    return round(milliseconds * SAMPLE_RATE_HZ / 1000)


def _signed(difference: int, bits: int) -> int:
    """Return `difference` modulo 2^`bits` as a signed number (RFC 3550, appendix A.1)."""
    half = 1 << (bits - 1)
    return (difference + half) % (1 << bits) - half


def _whole_steps(samples: int) -> int:
    return -(-samples // OPUS_STEP) * OPUS_STEP
