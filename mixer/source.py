"""A source of a room: one publisher's sound on its way into the mixes."""

from collections.abc import Callable
from typing import Protocol

from mixer.arena import Block, SourceArena
from mixer.levels import SILENCE_DBOV
from mixer.playout_packet import Pull
from mixer.selection_candidate import Standing


class PlayoutLike(Protocol):
    """What a source asks of the playout that feeds it."""

    def pull(self, out: Block, now_s: float) -> Pull:
        """Write the next block into `out`."""

    def safe_time_s(self) -> float | None:
        """Return when the sound of the next pull is safely there; None when nothing plays."""

    @property
    def packet_samples(self) -> int:
        """Return the length of its packets."""

    @property
    def is_buffering(self) -> bool:
        """Whether packets wait to be played."""


class Source:
    """State of one source between blocks.

    Attributes:
        source_id: The participant's id.
        csrc: The number that names it in mixed RTP packets.
        row: Its row in the engine's source arena.
        meter: Its `arena.METER`.
        engaged: Whether it takes part in the mixes: audible a moment ago, not muted, and
            chosen where more are audible than may be heard. A participant whose source is engaged
            hears a mix of its own.
        in_reserve: Whether it takes its own owner's place in the mixes of those whose source is
            engaged, so that these too hear as many others as everybody else.
        brief: Whether its packets are of 10 ms or less.
        standing: Whether it comes before others when some are chosen.
        heard: Whether the last block of the mixes held it (it fades over one block either way).
        leaving: Removed, and only kept until it has faded.
        is_music: Whether it is no voice: ducked under speech, and no part of automix.
        remote: Whether another worker has its connection, treats it and measures it.
        foreign: Whether that worker is another server's, so that this one tells its levels, too.
        disturb: Does something to each block as it comes, in place: a simulated network; or None.
    """

    __slots__ = (
        "_arena",
        "_muted",
        "_present",
        "brief",
        "csrc",
        "disturb",
        "engaged",
        "foreign",
        "heard",
        "in_reserve",
        "is_music",
        "leaving",
        "meter",
        "playout",
        "remote",
        "reported_level",
        "reported_speaking",
        "row",
        "source_id",
        "standing",
        "view",
    )

    def __init__(
        self, source_id: str, csrc: int, row: int, arena: SourceArena, playout: PlayoutLike
    ) -> None:
        """Make a source that is not heard yet, on a row that was taken for it."""
        self.source_id = source_id
        self.csrc = csrc
        self.row = row
        self.playout = playout
        self._muted = False
        self._present = False
        self.follow(arena)
        self.engaged = False
        self.in_reserve = False
        self.brief = False
        self.standing = Standing.ORDINARY
        self.heard = False
        self.leaving = False
        self.is_music = False
        self.remote = False
        self.foreign = False
        self.disturb: Callable[[Block], None] | None = None
        self.reported_level = SILENCE_DBOV
        self.reported_speaking = False

    def follow(self, arena: SourceArena) -> None:
        """Find its row again: the arena has grown."""
        self.view: Block = arena.data[self.row]
        self.meter = arena.meters[self.row]
        self.meter["present"] = self._present
        self.muted = self._muted  # if set since then, it is in the former record

    @property
    def level(self) -> int:
        """Level of the last block in dBov; nobody may know how loud the muted are."""
        return int(self.meter["level_dbov"])

    @property
    def speaking(self) -> bool:
        """Whether it stands out of its noise, or is loud."""
        return bool(self.meter["speaking"])

    @property
    def floor_dbov(self) -> float:
        """Its noise floor."""
        return float(self.meter["floor_dbov"])

    @property
    def wants_in(self) -> bool:
        """Whether it should be in the mixes, if there is a place for it."""
        return bool(self.meter["wants_in"])

    @property
    def present(self) -> bool:
        """Whether the last pull gave sound."""
        return self._present

    @present.setter
    def present(self, present: bool) -> None:
        self._present = present
        self.meter["present"] = present
        if not present:
            self._rest()

    @property
    def muted(self) -> bool:
        """Whether nobody hears it; one that is muted is forgotten at once, level and all."""
        return self._muted

    @muted.setter
    def muted(self, muted: bool) -> None:
        self._muted = muted
        self.meter["muted"] = muted
        if muted:
            self.meter["engaged_until_s"] = 0.0
            self._rest()

    def _rest(self) -> None:
        meter = self.meter
        meter["level_dbov"] = SILENCE_DBOV
        meter["smooth_power"] = 0.0
        meter["speaking"] = False
