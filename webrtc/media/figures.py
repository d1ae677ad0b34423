"""Counters and timings of a worker, on their way to `/api/stats` and `/metrics`."""

import os
import time
from collections import Counter
from collections.abc import Mapping

import numpy as np

from mixer.outputs import Output
from mixer.playout_stats import PlayoutStats
from webrtc.control.messages import PeerStats, WorkerStats
from webrtc.media.encoding import OutputEncoder
from webrtc.media.hall import Hall
from webrtc.media.participant import Participant
from webrtc.media.spread import ROUND_TRIP_BOUNDS_S, TICK_BOUNDS_S, WAIT_BOUNDS_S, Spread

LATE_S = 0.005
_WINDOW = 1024  # turns over which percentiles are taken


class Figures:
    """What a worker counts about itself.

    Attributes:
        turns: Turns of the clock so far.
        connecting: Peers whose handshake is under way.
        skipped_turns: Turns of 20 ms left out because the worker was held up.
        shedding: What else is left out because time is short: a step of `mixer.shedding`.
        counters: Whatever else is counted, by name.
        bus_round_trip: See `WorkerStats`.
    """

    def __init__(self, index: int) -> None:
        """Begin at zero."""
        self.pid = os.getpid()
        self.connecting = 0
        self.skipped_turns = 0
        self.shedding = 0
        self.counters: Counter[str] = Counter()
        self._index = index
        self._started_s = time.monotonic()
        self.turns = 0
        self._late = 0
        self._overruns = 0
        self._lateness = np.zeros(_WINDOW)
        self._work = np.zeros(_WINDOW)
        self._tick = Spread(TICK_BOUNDS_S)
        self._mix_wait = Spread(WAIT_BOUNDS_S)
        self.bus_round_trip = Spread(ROUND_TRIP_BOUNDS_S)
        self._peers: dict[str, PeerStats] = {}
        self._playouts: dict[str, tuple[PlayoutStats, dict[str, int]]] = {}

    def turn(self, lateness_s: float, work_s: float) -> None:
        """Take note of a turn: how late it began and how long it took."""
        position = self.turns % _WINDOW
        self._lateness[position] = lateness_s
        self._work[position] = work_s
        self._tick.add(work_s)
        self.turns += 1
        if lateness_s > LATE_S:
            self._late += 1
        if work_s > 2 * LATE_S:
            self._overruns += 1

    def count_connecting(self, participants: Mapping[str, Participant]) -> None:
        """Count the handshakes under way."""
        self.connecting = sum(
            1 for p in participants.values() if p.peer is not None and p.peer.state == "connecting"
        )

    def note_peer(self, participant: Participant) -> None:
        """Take note of one connection's figures."""
        peer = participant.peer
        if peer is None:
            return
        name = participant.put.participant_id
        packets, octets = peer.sent()
        listener = participant.room.mixer.listeners.get(name)
        output = listener.output if listener is not None else None
        stats = participant.playout.stats() if participant.playout is not None else None
        self._count_playout(name, stats)
        if stats is not None and stats.mean_wait_ms is not None:
            self._mix_wait.add(stats.mean_wait_ms / 1000)
        reception = peer.reception
        self._peers[name] = PeerStats(
            participant_id=name,
            state=peer.state,
            rtt_ms=_rounded(None if peer.round_trip_s is None else peer.round_trip_s * 1e3),
            packets_received=reception.packets if reception else 0,
            packets_lost=max(0, reception.lost) if reception else 0,
            packets_late=stats.late if stats else 0,
            packets_sent=packets,
            bytes_received=peer.bytes_received,
            bytes_sent=octets,
            jitter_ms=round(reception.jitter / 48, 2) if reception else 0.0,
            concealed_ms=round(stats.concealed_samples / 48, 1) if stats else 0.0,
            fec_ms=round(stats.fec_samples / 48, 1) if stats else 0.0,
            buffer_ms=round(stats.buffer_ms, 2) if stats else 0.0,
            target_ms=round(stats.target_ms, 2) if stats else 0.0,
            mix_wait_ms=_rounded(stats.mean_wait_ms) if stats else None,
            strip_ms=round(participant.room.mixer.strip_delay_samples(name) / 48, 2),
            remote_loss=round(peer.remote_loss, 4),
            remote_jitter_ms=round(peer.remote_jitter_s * 1e3, 2),
            ptime_ms=output.key.ptime_ms if output is not None else 20,
            bitrate_bps=_bitrate_bps(output),
            own_mix=output is not None and bool(output.key.mix.owner),
            tracks=len(peer.outputs),
            packets_refused=peer.allowance.refused,
        )

    def stats(
        self, hall: Hall, participants: Mapping[str, Participant], counters: Mapping[str, int]
    ) -> WorkerStats:
        """Return what is pushed to the front process now; peers are told once per visit."""
        count = min(self.turns, _WINDOW)
        work = np.percentile(self._work[:count], (50, 99)) if count else (0.0, 0.0)
        lateness = np.percentile(self._lateness[:count], 99) if count else 0.0
        peers, self._peers = self._peers, {}
        for name in [name for name in self._playouts if name not in participants]:
            self._count_playout(name, None)
        return WorkerStats(
            worker=self._index,
            uptime_s=round(time.monotonic() - self._started_s, 1),
            cpu_s=round(time.process_time(), 3),
            rooms=len(hall.rooms),
            participants=len(participants),
            peers=sum(1 for p in participants.values() if p.peer is not None),
            ticks=self.turns,
            tick_overruns=self._overruns,
            late_ticks=self._late,
            tick_p50_ms=round(float(work[0]) * 1e3, 3),
            tick_p99_ms=round(float(work[1]) * 1e3, 3),
            lateness_p99_ms=round(float(lateness) * 1e3, 3),
            encodes=hall.encodes,
            counters={**_ZEROS, **counters, "skipped_turns": self.skipped_turns},
            peer_stats=list(peers.values()),
            shedding=self.shedding,
            tick=self._tick.stats(),
            mix_wait=self._mix_wait.stats(),
            bus_round_trip=self.bus_round_trip.stats(),
        )

    def _count_playout(self, name: str, stats: PlayoutStats | None) -> None:
        """Add to the worker's counters what a participant's playout has counted since last time."""
        known = self._playouts.pop(name, None)
        before: dict[str, int] = {}
        if known is not None:  # a playout that is gone has counted until the end
            before = self._add(*known)
        if stats is not None:
            same = known is not None and known[0] is stats
            self._playouts[name] = stats, before if same else self._add(stats, {})

    def _add(self, stats: PlayoutStats, before: Mapping[str, int]) -> dict[str, int]:
        now = _playout_counters(stats)
        for counter, value in now.items():
            self.counters[counter] += value - before.get(counter, 0)
        return now


def _playout_counters(stats: PlayoutStats) -> dict[str, int]:
    return {
        "packets_late": stats.late,
        "packets_lost": stats.lost,
        "packets_recovered": stats.recovered,
        "packets_duplicate": stats.duplicates,
        "packets_reordered": stats.reordered,
        "packets_malformed": stats.malformed,
        "packets_dropped": stats.dropped,
        "playout_resets": stats.resets,
        "concealed_ms": stats.concealed_samples // 48,
        "fec_ms": stats.fec_samples // 48,
        "skipped_ms": stats.skipped_samples // 48,
    }


_ZEROS = _playout_counters(PlayoutStats())  # a counter is told of before it has counted anything


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 2)


def _bitrate_bps(output: Output | None) -> int:
    """Return what is spent on a listener while there is sound; 0 for who hears nothing."""
    if output is None or output.key.mix.silent or not isinstance(output.cookie, OutputEncoder):
        return 0
    return output.cookie.bitrate_bps
