"""Every RTP packet that came, as columns of numbers, and what they say about each stream."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.load.rtp import ReportBlock
from benchmarks.load.sockets import Batch

SAMPLE_RATE_HZ = 48_000

_HEADER = np.dtype(
    [("first", "u1"), ("second", "u1"), ("sequence", ">u2"), ("time", ">u4"), ("ssrc", ">u4")]
)
_CHUNK_ROWS = 1 << 16

IntColumn = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Packets in order of arrival, one row each.

    Attributes:
        participant: who received it.
        sequence: RTP sequence number, 0 to 65535.
        timestamp: RTP timestamp, 48 kHz, 0 to 2**32 − 1.
        stamp_ns: kernel's arrival time, Unix epoch.
        size: bytes of the datagram.
        ssrc: the stream; a participant may get several.
    """

    participant: IntColumn
    sequence: IntColumn
    timestamp: IntColumn
    stamp_ns: IntColumn
    size: IntColumn
    ssrc: IntColumn

    @classmethod
    def join(cls, parts: "list[Arrivals]") -> "Arrivals":
        """Return the rows of several logs."""
        return cls(
            np.concatenate([part.participant for part in parts]),
            np.concatenate([part.sequence for part in parts]),
            np.concatenate([part.timestamp for part in parts]),
            np.concatenate([part.stamp_ns for part in parts]),
            np.concatenate([part.size for part in parts]),
            np.concatenate([part.ssrc for part in parts]),
        )


class ArrivalLog:
    """Collects the rows of one window of time, and each stream's state since it began."""

    def __init__(self, participants: int) -> None:
        self._rows = np.zeros((6, _CHUNK_ROWS), np.int64)
        self._count = 0
        self._sequence = np.full(participants, -1, np.int64)
        self._cycles = np.zeros(participants, np.int64)
        self._first = np.full(participants, -1, np.int64)
        self._received = np.zeros(participants, np.int64)
        self._ssrc = np.zeros(participants, np.int64)
        self._transit = np.zeros(participants)
        self._jitter = np.zeros(participants)
        self._reported = np.zeros((2, participants), np.int64)  # expected, received
        self.first_stamp_ns = np.zeros(participants, np.int64)

    def clear(self) -> None:
        """Begin a new window; the streams' state goes on."""
        self._count = 0

    def window(self) -> Arrivals:
        """Return a copy of the rows since `clear`."""
        rows = self._rows[:, : self._count].copy()
        return Arrivals(*rows)

    def handle_batch(self, batch: Batch) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Take the RTP packets of a batch; return the rows that are RTP and those that are not."""
        first, second = batch.data[:, 0], batch.data[:, 1]
        is_rtp = ((first & 0xC0) == 0x80) & ((second < 192) | (second > 223)) & (batch.length >= 12)
        rows = np.flatnonzero(is_rtp)
        if rows.size:
            self._append(batch, rows)
        return rows, np.flatnonzero(~is_rtp)

    def report(self, participant: int, last_sr: int, delay_since_sr: int) -> ReportBlock | None:
        """Return the report block for the stream that `participant` receives, None without one."""
        if self._sequence[participant] < 0:
            return None
        highest = int(self._cycles[participant] + self._sequence[participant])
        expected = highest - int(self._first[participant]) + 1
        received = int(self._received[participant])
        expected_now = expected - int(self._reported[0, participant])
        lost_now = expected_now - (received - int(self._reported[1, participant]))
        self._reported[:, participant] = expected, received
        fraction = min(max(lost_now / expected_now, 0.0), 1.0) if expected_now > 0 else 0.0
        return ReportBlock(
            int(self._ssrc[participant]),
            fraction,
            max(expected - received, 0),
            highest,
            int(self._jitter[participant]),
            last_sr,
            delay_since_sr,
        )

    def _append(self, batch: Batch, rows: npt.NDArray[np.intp]) -> None:
        header = np.ascontiguousarray(batch.data[rows, :12]).view(_HEADER)[:, 0]
        participant = batch.participant[rows]
        stamp_ns = batch.stamp_ns[rows]
        self._make_room(rows.size)
        target = self._rows[:, self._count : self._count + rows.size]
        target[0] = participant
        target[1] = header["sequence"]
        target[2] = header["time"]
        target[3] = stamp_ns
        target[4] = batch.length[rows]
        target[5] = header["ssrc"]
        self._count += rows.size
        self._follow(participant, target[1], target[2], stamp_ns, header["ssrc"])

    def _make_room(self, more: int) -> None:
        while self._count + more > self._rows.shape[1]:
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)], axis=1)

    def _follow(
        self,
        participant: IntColumn,
        sequence: IntColumn,
        timestamp: IntColumn,
        stamp_ns: IntColumn,
        ssrc: npt.NDArray[np.uint32],
    ) -> None:
        """Bring the streams' reception state up to date (RFC 3550, appendix A.1 and A.8).

        Of several packets of one stream in a batch the last one counts for jitter and wrap-around.
        """
        fresh = self._first[participant] < 0
        if fresh.any():
            new = participant[fresh]
            self._first[new[::-1]] = sequence[fresh][::-1]
            self.first_stamp_ns[new[::-1]] = stamp_ns[fresh][::-1]
            self._sequence[new] = sequence[fresh]
        before = self._sequence[participant]
        wrapped = np.zeros_like(self._cycles)
        wrapped[participant[sequence - before < -32768]] = 65536
        self._cycles += wrapped
        self._sequence[participant] = sequence
        self._ssrc[participant] = ssrc
        np.add.at(self._received, participant, 1)
        # A sample is 20,833.3 ns; a transit is only ever compared with the one before it.
        transit = stamp_ns * (SAMPLE_RATE_HZ / 1e9) - timestamp
        change = np.abs(transit - self._transit[participant])
        steady = change < SAMPLE_RATE_HZ  # not the first packet, nor a wrapped timestamp
        known = self._jitter[participant]
        self._jitter[participant] = np.where(steady, known + (change - known) / 16, known)
        self._transit[participant] = transit


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How a set of streams kept to its media clock.

    Attributes:
        expected: packets that should have come.
        lost: those that did not.
        late: those that came more than the limit after the stream's own earliest.
        silent: streams of which nothing came at all.
        lateness_ms: (received,) delay behind the stream's earliest packet, ms.
    """

    expected: int
    lost: int
    late: int
    silent: int
    lateness_ms: npt.NDArray[np.float64]

    @property
    def bad_share(self) -> float:
        """Return the share of the expected packets that were lost or late."""
        return (self.lost + self.late) / self.expected if self.expected else 1.0


def punctuality(arrivals: Arrivals, streams: int, limit_ms: float = 20.0) -> Punctuality:
    """Judge every stream of a window against its own media clock.

    A packet's transit is its arrival minus its RTP time; the earliest transit of the stream stands
    for an undelayed packet. Of a silent stream, as many packets count as lost as the others have.

    Args:
        arrivals: the window.
        streams: how many streams there should be.
        limit_ms: beyond it a packet is late.
    """
    expected = lost = late = heard = 0
    all_lateness = [np.zeros(0)]
    order = np.lexsort((arrivals.ssrc, arrivals.participant))
    another = np.diff(arrivals.participant[order]) | np.diff(arrivals.ssrc[order])
    borders = np.flatnonzero(another) + 1
    for rows in np.split(order, borders):
        if not rows.size:
            continue
        sequence = unwrap(arrivals.sequence[rows], 16)
        timestamp = unwrap(arrivals.timestamp[rows], 32)
        lateness = arrivals.stamp_ns[rows] / 1e6 - timestamp * (1e3 / SAMPLE_RATE_HZ)
        lateness -= lateness.min()
        span = int(sequence.max() - sequence.min()) + 1
        heard += 1
        expected += span
        lost += span - np.unique(sequence).size
        late += int(np.count_nonzero(lateness > limit_ms))
        all_lateness.append(lateness)
    silent = max(streams - heard, 0)
    missing = silent * (expected // heard) if heard else 0
    return Punctuality(
        expected + missing, lost + missing, late, silent, np.concatenate(all_lateness)
    )


def unwrap(values: IntColumn, bits: int) -> IntColumn:
    """Return a counter of so many bits without its wrap-arounds; steps are below half its range."""
    half, full = 1 << (bits - 1), 1 << bits
    steps = (np.diff(values) + half) % full - half
    return np.cumsum(np.concatenate([values[:1], steps]))
