"""How late packets come: a sliding window of transit times and the delay that suits them.

The transit of a packet is its arrival minus its RTP time, in seconds; its zero is arbitrary, only
differences mean something. `deadline_s` is the transit by which a packet should be waited for:
waiting longer would cost more delay than it saves packets, waiting less the other way round.

Rules:
- one late packet in a hundred is worth a hundredth of `late_packet_cost_s`, so a lone spike does
  not delay everything that follows, while jitter that repeats is waited for in full;
- the window slides with packets, so the deadline rises with the next packet and falls as old
  packets leave;
- a stall longer than any delay we would accept is one event, not a hundred late packets: what was
  queued behind it is left out;
- packets that come late one after the other, at their usual spacing, show a longer path: the window
  starts afresh with them;
- a sender that runs at another phase of its clock from now on says so: the window moves with it;
- a jump of the media clock makes everything before it worthless: `add` says so and the caller
  starts afresh.
"""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from enum import Enum

MAX_DELAY_S = 0.200
WINDOW_PACKETS = 400  # 4 s at 10 ms, 8 s at 20 ms
LATE_PACKET_COST_S = 0.8  # × share of late packets: 8 ms for one in a hundred
MAX_LATE_SHARE = 0.05
START_ALLOWANCE_S = 0.004  # above what was seen, shrinking until an eighth of a window was seen
MAX_ALLOWANCE_S = 0.030
STALE_S = 2.0  # without packets; clocks may have drifted apart by then
SETTLED_PACKETS = WINDOW_PACKETS // 8
REFRESH_PACKETS = 8
BACKLOG_STEP_S = 0.005
JUMP_S = 3.0
SHIFTED_PACKETS = 6


@dataclass(frozen=True, slots=True)
class TransitSettings:
    """How long a window remembers, and how dear it holds a late packet.

    Attributes:
        late_packet_cost_s: Delay that is worth as much as if all packets came late.
        thinned: Of those that come in time every other one is left out: half of the work, and a
            window of twice the time.
    """

    late_packet_cost_s: float = LATE_PACKET_COST_S
    thinned: bool = True


class Transit(Enum):
    """What one packet's transit means."""

    ORDINARY = 0
    JUMP = 1
    """The media clock jumped: nothing learned before holds."""


class TransitWindow:
    """Deadline and jitter of one publisher's packets; times in seconds."""

    __slots__ = (
        "_ages",
        "_allowance_s",
        "_last_arrival_s",
        "_last_transit_s",
        "_settings",
        "_shifted",
        "_since_refresh",
        "_skipped",
        "_sorted",
        "_stalled",
        "deadline_s",
        "jitter_s",
    )

    def __init__(self, settings: TransitSettings | None = None) -> None:
        self._settings = settings or TransitSettings()
        self.jitter_s = 0.0
        """Interarrival jitter of RFC 3550, section 6.4.1."""
        self.reset()

    def reset(self) -> None:
        """Forget every packet; the jitter figure stays, as RFC 3550 has it per source."""
        self._ages: deque[float] = deque()
        self._sorted: list[float] = []
        self._since_refresh = 0
        self._skipped = False
        self._last_transit_s = 0.0
        self._last_arrival_s = 0.0
        self._stalled = False
        self._shifted = 0
        self._allowance_s = START_ALLOWANCE_S
        self.deadline_s = 0.0
        """Transit that packets are waited for; meaningless before the first packet."""

    @property
    def is_settled(self) -> bool:
        """Whether it has seen enough packets and is in the midst of nothing."""
        return len(self._sorted) >= SETTLED_PACKETS and not self._stalled and not self._shifted

    @property
    def last_transit_s(self) -> float:
        """Transit of the last packet."""
        return self._last_transit_s

    @property
    def floor_s(self) -> float:
        """Least transit in the window; meaningless before the first packet."""
        return self._sorted[0] if self._sorted else self.deadline_s

    @property
    def target_s(self) -> float:
        """Delay of the deadline behind the fastest packet."""
        return self.deadline_s - self.floor_s

    def add(self, transit_s: float, arrival_s: float) -> Transit:
        """Take one packet into account; after JUMP the caller resets and adds it again."""
        window = self._sorted
        if not window:
            self._remember(transit_s, arrival_s)
            self._restart(transit_s)
            return Transit.ORDINARY
        gap_s = arrival_s - self._last_arrival_s
        step_s = transit_s - self._last_transit_s
        above_s = transit_s - window[0]
        if abs(step_s) > JUMP_S or above_s < -MAX_DELAY_S:
            return Transit.JUMP
        self.jitter_s += (abs(step_s) - self.jitter_s) / 16
        self._remember(transit_s, arrival_s)
        bunched = gap_s < -step_s  # it came at less than half its spacing
        if gap_s > STALE_S:
            self._allowance_s = min(MAX_ALLOWANCE_S, max(START_ALLOWANCE_S, self.target_s))
            self._restart(transit_s)
        elif self._path_became_longer(transit_s, bunched) or (self._was_backlog(above_s, bunched)):
            self._restart(transit_s)
        elif not self._is_behind_stall(above_s, bunched) and above_s <= MAX_DELAY_S:
            settled = len(window) >= SETTLED_PACKETS
            self._skipped = self._settings.thinned and not self._skipped
            if self._skipped and transit_s <= self.deadline_s and settled:
                return Transit.ORDINARY  # of those in time, every other one tells enough
            self._insert(transit_s)
            self._since_refresh += 1
            if (
                transit_s > self.deadline_s
                or self._since_refresh >= REFRESH_PACKETS
                or len(window) < SETTLED_PACKETS
            ):
                self._refresh()
        return Transit.ORDINARY

    def move(self, by_s: float) -> None:
        """Take note that the sender says it sends so much later from now on, or earlier if < 0."""
        self._ages = deque(transit_s + by_s for transit_s in self._ages)
        self._sorted = [transit_s + by_s for transit_s in self._sorted]
        self._last_transit_s += by_s
        self.deadline_s += by_s

    def _path_became_longer(self, transit_s: float, bunched: bool) -> bool:
        self._shifted = self._shifted + 1 if transit_s > self.deadline_s and not bunched else 0
        return self._shifted >= SHIFTED_PACKETS

    def _was_backlog(self, above_s: float, bunched: bool) -> bool:
        """Return whether the few packets so far had queued up before we came to hear of them."""
        early = above_s < -BACKLOG_STEP_S or (bunched and above_s < 0)
        return early and len(self._sorted) < SETTLED_PACKETS

    def _is_behind_stall(self, above_s: float, bunched: bool) -> bool:
        if above_s > MAX_DELAY_S:
            self._stalled = True
        elif not bunched:
            self._stalled = False
        return self._stalled and bunched

    def _remember(self, transit_s: float, arrival_s: float) -> None:
        self._last_transit_s = transit_s
        self._last_arrival_s = arrival_s

    def _restart(self, transit_s: float) -> None:
        """Begin the window with one packet."""
        self._ages.clear()
        self._sorted.clear()
        self._shifted = 0
        self._insert(transit_s)
        self._refresh()

    def _insert(self, transit_s: float) -> None:
        window = self._sorted
        ages = self._ages
        if len(ages) >= WINDOW_PACKETS:
            del window[bisect_left(window, ages.popleft())]
        ages.append(transit_s)
        insort(window, transit_s)

    def _refresh(self) -> None:
        """Choose the deadline of least cost: its own length plus what it lets come late."""
        window = self._sorted
        count = len(window)
        best_s = window[-1]
        best_cost_s = best_s
        for late in range(1, int(count * MAX_LATE_SHARE) + 1):
            cost_s = window[-1 - late] + self._settings.late_packet_cost_s * late / count
            if cost_s < best_cost_s:
                best_cost_s = cost_s
                best_s = window[-1 - late]
        if count < SETTLED_PACKETS:
            best_s += self._allowance_s * (1 - count / SETTLED_PACKETS)
        self.deadline_s = min(best_s, window[0] + MAX_DELAY_S)
        self._since_refresh = 0
