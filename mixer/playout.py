"""One publisher's way from packets to blocks of sound.

Positions are RTP time in samples at 48 kHz, extended over wrap-around. The head is at the position
that is decoded next; what was decoded ahead waits in the pool. Every rule follows from one figure,
the *spare*: how long before this pull the last packet that the block needs should have been here,
by the deadline of `TransitWindow`.

State   | event                                  | next    | done
--------|----------------------------------------|---------|----------------------------------------
idle    | pull, a packet's deadline has passed   | playing | drop backlog, fade in, within the
        |                                        |         | block where its place is
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
playing | `lend`                                 | lent    | somebody else plays, packet by packet
lent    | `take_back`                            | playing | go on as if it had played itself

Positions never go backwards but at such a jump. Sequence numbers only tell loss from silence (DTX)
and find duplicates.
"""

from mixer import stretch
from mixer.jitter import Transit, TransitWindow
from mixer.playout_deadline import Deadline
from mixer.playout_head import PlayHead
from mixer.playout_loss import LossWatch
from mixer.playout_packet import (
    SAMPLE_RATE_HZ,
    Block,
    DecodeError,
    FrameDecoder,
    MediaPacket,
    Pull,
)
from mixer.playout_pool import History
from mixer.playout_queue import PacketQueue, Queued
from mixer.playout_settings import PlayoutSettings
from mixer.playout_sound import SoundMaker
from mixer.playout_stats import PlayoutStats
from mixer.playout_stream import SteadyStream
from mixer.playout_watch import MIN_SIMILARITY, DelayWatch

CONCEAL_STEP = 480
HISTORY_KEPT = 12_000  # what was played is kept for so long after expansion was near
CALM_BLOCKS = 50  # played packet by packet, before a stream is lent


class Playout:
    """Jitter buffer and decoder of one publisher; never reads a clock."""

    def __init__(self, decoder: FrameDecoder, settings: PlayoutSettings | None = None) -> None:
        if settings is None:
            settings = PlayoutSettings()
        self._decoder = decoder
        self._compress_above_s = settings.compress_above_ms / 1000
        self._skip_above = _samples(settings.skip_above_ms)
        self._max_payload_bytes = settings.max_payload_bytes
        self._max_ahead = _samples(settings.skip_above_ms)
        self._stats = PlayoutStats()
        self._sound = SoundMaker(
            decoder,
            self._stats,
            _samples(settings.fade_after_ms),
            _samples(settings.silent_after_ms),
        )
        self._pool = self._sound.pool
        self._losses = LossWatch()
        self._queue = PacketQueue(
            self._stats, self._losses, settings.max_packets, _samples(settings.max_backlog_ms)
        )
        self._packets = self._queue.packets
        self._head = PlayHead(self._queue, self._sound, self._stats)
        self._transits = TransitWindow(settings.transits)
        self._deadline = Deadline(
            self._queue, self._transits, self._losses, settings.margin_ms / 1000
        )
        self._history = History(stretch.LONGEST_PERIOD)
        self._history_left = 0
        self._block = 480
        self._plain_blocks = 0
        self._lent = False
        self._lent_waiting = 0
        self._rest()
        self._watch = DelayWatch()

    # ---- what the caller sees ----------------------------------------------------------------

    def push(self, packet: MediaPacket) -> None:
        """Take one packet from the network, in any order; bad ones are counted and dropped."""
        stats = self._stats
        stats.received += 1
        try:
            samples = self._decoder.samples(packet.payload)
        except DecodeError:
            stats.malformed += 1
            return
        if len(packet.payload) > self._max_payload_bytes:
            stats.malformed += 1
            return
        self._accept(packet, samples)

    def _accept(self, packet: MediaPacket, samples: int) -> None:
        queue = self._queue
        numbers = queue.admit(packet)
        if numbers is None:
            return
        position = numbers[0]
        if packet.redundant:
            if position - queue.newest_position > self._max_ahead:
                return  # it cannot be a copy of anything near
            self._losses.repairs_come(samples)
        else:
            arrival_s = packet.arrival_s
            transit_s = arrival_s - position / SAMPLE_RATE_HZ
            if self._transits.add(transit_s, arrival_s) is Transit.JUMP:
                self.reset()
                self._accept(packet, samples)
                return
            if self._losses.watching and self._decoder.carries_fec(packet.payload):
                self._losses.repairs_come(samples)
        queue.add(
            Queued(*numbers, samples, packet.arrival_s, packet.payload, packet.redundant),
            self._head.next,
        )

    def pull(self, out: Block, now_s: float) -> Pull:
        """Write the next block to `out`, float32 (n, 2), C-contiguous, n up to 120 ms.

        `out` is untouched when the outcome is SILENT.
        """
        samples = self._block = len(out)
        if self._lent:
            return Pull.LENT
        if not self._playing and not (self._packets and self._start(samples, now_s)):
            return Pull.SILENT
        if self._debt and self._packets:
            self._settle_debt(samples, now_s)
        self._steer(samples, now_s)
        concealed = self._fill(out, now_s)
        if self._history_left > 0:
            self._history.add(out)
        else:
            self._history.clear()
        if self._sound.faded_out:
            self._rest()
        return Pull.CONCEALED if concealed else Pull.SOUND

    def reset(self) -> None:
        """Start afresh, as for a new SSRC; counters stay."""
        self._stats.resets += 1
        self._decoder.reset()
        self._transits.reset()
        self._losses.reset()
        self._queue.reset()
        self._rest()
        self._head.next = 0

    def move_path(self, by_s: float) -> None:
        """Take note that packets are sent so much later from now on, or earlier if negative."""
        self._transits.move(by_s)

    def safe_time_s(self) -> float | None:
        """Return when the packets that the next pull needs should all be here.

        In the clock of `now_s`, for a block as long as the last; None while nothing is to play.
        """
        if self._playing:
            return self._deadline.due_s(self._head.next - len(self._pool), self._block)
        if self._packets:
            return self._deadline.due_s(self._packets[0].position, self._block)
        return None

    @property
    def decoder(self) -> FrameDecoder:
        """What it decodes with; whom the stream is lent to, uses it."""
        return self._decoder

    @property
    def packet_samples(self) -> int:
        """Length of the newest packet in samples."""
        return self._queue.newest_samples

    @property
    def is_buffering(self) -> bool:
        """Whether anything waits to be played: a pull now or later gives sound."""
        return bool(self._packets) or self._playing

    @property
    def mean_wait_s(self) -> float:
        """Time from arrival to pull of the packets played, averaged over the last 32 or so."""
        return self._head.mean_wait_s

    def stats(self) -> PlayoutStats:
        """Return the counters, with the present figures filled in; the object is live."""
        stats = self._stats
        waiting = len(self._pool) + sum(packet.samples for packet in self._packets)
        waiting += self._lent_waiting * self._queue.newest_samples
        stats.buffer_ms = waiting * 1000 / SAMPLE_RATE_HZ
        stats.target_ms = self._deadline.target_s * 1000
        stats.jitter_ms = self._transits.jitter_s * 1000
        stats.mean_wait_ms = self._head.mean_wait_s * 1000 if self._head.waits else None
        return stats

    # ---- lending -----------------------------------------------------------------------------

    @property
    def is_calm(self) -> bool:
        """Whether `lend` is worth a try."""
        return self._plain_blocks >= CALM_BLOCKS and not self._lent

    def lend(self) -> SteadyStream | None:
        """Give the stream away while nothing special happens to it; None when something does.

        Until `take_back`, blocks are written by whoever has it: `pull` does nothing but say so;
        `push` and `reset` must not be called. The decoder goes with it.
        """
        self._plain_blocks = 0
        queue = self._queue
        calm = (
            self._playing
            and self._sound.full
            and not self._pool
            and not self._debt
            and not self._sound.made_up
            and self._history_left <= 0
            and not self._block % queue.newest_samples
            and self._losses.is_quiet
            and self._transits.is_settled
            and queue.is_plain(self._head.next)
            and not any(self._decoder.is_dtx(queued.payload) for queued in queue.packets)
        )
        if not calm:
            return None
        self._lent = True
        watch = self._watch
        watch.patience = MIN_SIMILARITY
        packets = [(queued.payload, queued.arrival_s) for queued in queue.packets]
        queue.packets.clear()
        self._lent_waiting = len(packets)
        return SteadyStream(
            queue.newest_samples,
            queue.newest_position,
            self._head.next,
            watch.low,
            watch.low_before,
            watch.low_left,
            watch.cooldown,
            self._head.mean_wait_s,
            self._transits.deadline_s + self._deadline.margin_s,
            self._transits.deadline_s,
            self._compress_above_s,
            self._skip_above,
            self._transits.last_transit_s,
            len(packets),
            packets,
        )

    def follow(self, stream: SteadyStream) -> bool:
        """Take note of what happened to the lent stream, which stays lent.

        `stream` gets the deadline that follows from it.

        Returns:
            False when the path jumped: take it back.
        """
        self._head.next = stream.next
        self._head.mean_wait_s = stream.wait_s
        self._lent_waiting = stream.waiting
        self._stats.received += stream.arrived
        self._queue.catch_up(stream.arrived)
        stream.arrived = 0
        steady = True
        for transit_s, arrival_s in stream.transits:
            steady = steady and self._transits.add(transit_s, arrival_s) is not Transit.JUMP
        stream.transits.clear()
        stream.late_after_s = self._transits.deadline_s
        stream.deadline_s = self._transits.deadline_s + self._deadline.margin_s
        return steady

    def take_back(self, stream: SteadyStream) -> None:
        """Play the lent stream again from here on, with the packets that are left in it."""
        steady = self.follow(stream)
        watch = self._watch
        watch.low, watch.low_before = stream.low, stream.low_before
        watch.low_left, watch.cooldown = stream.low_left, stream.cooldown
        self._lent = False
        self._lent_waiting = 0
        self._queue.put_back(stream.packets)
        if not steady:
            self.reset()

    # ---- timing ------------------------------------------------------------------------------

    def _start(self, samples: int, now_s: float) -> bool:
        """Begin to play when the deadline of what waits has passed; return whether it has."""
        queue, packets = self._queue, self._packets
        queue.drop_late(self._head.next)
        while packets and self._decoder.is_dtx(packets[0].payload):
            queue.take_first()
        if not packets:
            return False
        excess = self._deadline.excess(packets[0].position, samples, now_s, 0.0)
        if excess <= -samples:
            return False
        goal = packets[0].position + excess
        while len(packets) > 1 and packets[1].position <= goal:
            queue.drop_first()
        self._head.next = packets[0].position
        if excess < 0:  # its turn is within this block: in the next, it would be late for good
            self._sound.lead_in(-excess)
        self._playing = True
        self._watch.restart()
        return True

    def _rest(self) -> None:
        """Stop playing until packets come; what the concealment stood for is given up."""
        self._playing = False
        self._debt = 0
        self._sound.silence()
        self._history.clear()

    def _settle_debt(self, samples: int, now_s: float) -> None:
        """Skip what was concealed while nothing was here, unless the deadline asks for the delay.

        Only whole packets are skipped; what is left over is excess delay for `_steer`.
        """
        excess = self._deadline.excess(
            self._head.next - len(self._pool), samples, now_s, -self._deadline.margin_s
        )
        goal = self._head.next + min(self._debt, max(excess, 0))
        self._debt = 0
        self._queue.drop_late(goal)
        if self._packets:
            goal = min(goal, self._packets[0].position)
        self._head.next = max(self._head.next, goal)

    # ---- holding the delay -------------------------------------------------------------------

    def _steer(self, samples: int, now_s: float) -> None:
        """Compress, skip or expand what comes next where the delay is not what it should be."""
        position = self._head.next - len(self._pool)
        deadline, watch = self._deadline, self._watch
        excess = deadline.excess(position, samples, now_s, self._compress_above_s)
        watch.see(excess, samples)
        self._history_left -= samples
        if excess < 0:
            self._history_left = HISTORY_KEPT
        if self._debt or self._sound.made_up:
            return
        if excess - self._queue.newest_samples >= self._skip_above:
            self._skip(position + excess, now_s)
        elif watch.cooldown > 0:
            return
        elif excess == 0:
            watch.patience = MIN_SIMILARITY
        elif (lasting := watch.lasting) > 0 and (
            lasting >= stretch.SHORTEST_PERIOD or len(self._pool)
        ):
            self._compress(lasting, samples, now_s)
        elif (
            excess < 0
            and self._deadline.excess(position, samples, now_s, -self._deadline.margin_s / 2) < 0
        ):
            self._expand(position, samples, now_s)

    def _compress(self, excess: int, samples: int, now_s: float) -> None:
        """Take out `excess`, or part of it, where that is hardly heard.

        Not before all of it has gone do blocks end where packets end. Until then the end of each
        packet, however little it is, leaves one packet later than the rest.
        """
        longest = min(excess, stretch.LONGEST_PERIOD)
        self._head.gather(samples + longest + stretch.OVERLAP_SAMPLES, now_s)
        pool = self._pool
        watch = self._watch
        cut = stretch.find_cut(pool.view, excess, len(pool) - samples, watch.patience)
        if cut is None or cut.similarity < watch.patience:
            watch.in_vain()
            return
        stretch.compress(pool.view, cut)
        pool.drop(cut.samples)
        watch.shed(cut.samples)
        self._stats.compressed_samples += cut.samples

    def _expand(self, position: int, samples: int, now_s: float) -> None:
        self._head.gather(samples, now_s)
        pool = self._pool
        # So much more, and blocks begin where packets begin.
        wanted = position + samples - self._deadline.last_packet_of(position, samples)
        period = stretch.find_repeat(self._history.view, pool.view, wanted)
        if period is None or period.similarity < self._watch.patience:
            self._watch.in_vain()
            return
        coming = pool.view.copy()
        pool.clear()
        longer = pool.room(len(coming) + period.samples)
        stretch.expand(self._history.view, coming, period.samples, longer)
        pool.keep(len(longer))
        self._watch.changed(period.samples)
        self._stats.expanded_samples += period.samples

    def _skip(self, goal: int, now_s: float) -> None:
        """Go on at the packet before `goal`, blended over; what lies between is dropped."""
        queue, packets = self._queue, self._packets
        self._head.gather(stretch.OVERLAP_SAMPLES, now_s)
        if len(packets) < 3 or packets[2].position > goal:
            return
        if len(self._pool) < stretch.OVERLAP_SAMPLES:
            self._sound.conceal(CONCEAL_STEP)  # a hole comes next: fade out into a guess
        ending = self._pool.view[: stretch.OVERLAP_SAMPLES].copy()
        before = self._head.next - len(self._pool)
        while len(packets) > 2 and packets[2].position <= goal:
            queue.drop_first()
        self._head.next = packets[0].position
        self._head.decode_first(now_s)  # brings the decoder into the sound; not played
        self._pool.clear()
        self._head.next = packets[0].position
        self._stats.skipped_samples += self._head.next - before
        self._head.decode_first(now_s)
        stretch.crossfade(ending, self._pool.view)
        self._watch.restart()

    # ---- making sound ------------------------------------------------------------------------

    def _fill(self, out: Block, now_s: float) -> bool:
        """Fill `out`; return whether any of it was concealed in this call."""
        pool = self._pool
        samples = len(out)
        if not pool and self._sound.full and self._queue.is_run(self._head.next, samples):
            self._plain_blocks += 1
            return self._head.decode_run(out, now_s)
        self._plain_blocks = 0
        concealed = False
        while len(pool) < samples:
            concealed |= self._refill(samples, now_s)
        pool.take(out)
        return concealed

    def _refill(self, samples: int, now_s: float) -> bool:
        """Put more towards `samples` into the pool; return whether it is concealment."""
        queue, packets, sound = self._queue, self._packets, self._sound
        queue.drop_late(self._head.next)
        step = min(queue.newest_samples, CONCEAL_STEP)
        missing = _whole(samples - len(self._pool), step)
        if not packets:
            self._debt += missing
            return sound.conceal(missing)
        first = packets[0]
        hole = first.position - self._head.next
        if hole <= 0:
            return self._head.decode_first(now_s)
        if not queue.lost_before_first():
            return self._bridge(hole, missing, samples, now_s)
        if self._decoder.carries_fec(first.payload):
            if hole <= first.samples:
                self._head.next = first.position
                return sound.repair(first.payload, first.samples, first.samples - hole)
            hole -= first.samples
        # Whole packets at a time: one that still comes is late, never cut into.
        made_up = _whole(min(hole, max(queue.newest_samples, missing)), step)
        self._head.next += min(hole, made_up)
        return sound.conceal(made_up)

    def _bridge(self, hole: int, missing: int, samples: int, now_s: float) -> bool:
        """Cross a silence that the publisher left out, and decide on the delay after it afresh."""
        excess = self._deadline.excess(self._head.next - len(self._pool), samples, now_s, 0.0)
        if excess >= hole:
            self._head.next += hole
            return False
        # No more than is due: what follows would be late by the rest, and the block may want it.
        made_up = min(missing, _whole(hole - excess, min(self._queue.newest_samples, CONCEAL_STEP)))
        self._head.next += max(0, min(hole, made_up + excess))
        return self._sound.conceal(made_up)


def _whole(samples: int, step: int) -> int:
    """Return `samples` rounded up to a multiple of `step`."""
    return -(-samples // step) * step


def _samples(milliseconds: float) -> int:
    return round(milliseconds * SAMPLE_RATE_HZ / 1000)
