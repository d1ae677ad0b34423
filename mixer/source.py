"""A source of a room: one publisher's sound on its way into the mixes."""

import math
from typing import Protocol

from mixer.arena import Block
from mixer.levels import AUDIBLE_DBOV, SILENCE_DBOV, follow_floor
from mixer.playout import Pull
from mixer.selection_candidate import Standing

HANGOVER_S = 2.0  # inaudible for so long and a source leaves the mixes
SPEAKING_DBOV = 45
_SPEAKING_OVER_FLOOR_DB = 8


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


def level_dbov(power: float) -> int:
    """Return the level of a mean square, 0 (full scale) to 127 (silence), as RFC 6464 counts."""
    if power <= 2e-13:
        return SILENCE_DBOV
    return max(0, min(SILENCE_DBOV, round(-10.0 * math.log10(power))))


class Source:
    """State of one source between blocks.

    Attributes:
        source_id: The participant's id.
        csrc: The number that names it in mixed RTP packets.
        row: Its row in the engine's source arena.
        present: Whether the last pull gave sound.
        engaged: Whether it takes part in the mixes: audible within `HANGOVER_S`, not muted, and
            chosen where more are audible than may be heard. A participant whose source is engaged
            hears a mix of its own.
        in_reserve: Whether it takes its own owner's place in the mixes of those whose source is
            engaged, so that these too hear as many others as everybody else.
        brief: Whether its packets are of 10 ms or less.
        standing: Whether it comes before others when some are chosen.
        floor_dbov: Its noise floor.
        heard: Whether the last block of the mixes held it (it fades over one block either way).
        leaving: Removed, and only kept until it has faded.
        is_music: Whether it is no voice: ducked under speech, and no part of automix.
    """

    __slots__ = (
        "_engaged_until_s",
        "brief",
        "csrc",
        "engaged",
        "floor_dbov",
        "heard",
        "in_reserve",
        "is_music",
        "leaving",
        "level",
        "muted",
        "playout",
        "present",
        "reported_level",
        "reported_speaking",
        "row",
        "smooth_power",
        "source_id",
        "speaking",
        "standing",
        "view",
    )

    def __init__(
        self, source_id: str, csrc: int, row: int, view: Block, playout: PlayoutLike
    ) -> None:
        """Make a source that is not heard yet; `view` is its row, shape (960, 2)."""
        self.source_id = source_id
        self.csrc = csrc
        self.row = row
        self.view = view
        self.playout = playout
        self.muted = False
        self.present = False
        self.engaged = False
        self.in_reserve = False
        self.brief = False
        self.standing = Standing.ORDINARY
        self.heard = False
        self.leaving = False
        self.is_music = False
        self.speaking = False
        self.level = SILENCE_DBOV
        self.smooth_power = 0.0
        self.reported_level = SILENCE_DBOV
        self.reported_speaking = False
        self.floor_dbov = float(AUDIBLE_DBOV)
        self._engaged_until_s = 0.0

    def observe(self, power: float, block_s: float, now_s: float) -> None:
        """Take note of the mean square of the block that was just pulled.

        Args:
            power: Its mean square over samples and channels.
            block_s: Time since the last call.
            now_s: The present.
        """
        if self.muted:  # how loud it is, is nobody's business
            self.rest()
            return
        self.level = level = level_dbov(power)
        self.smooth_power += (power - self.smooth_power) * min(1.0, block_s / 0.05)
        if level < AUDIBLE_DBOV:
            self._engaged_until_s = now_s + HANGOVER_S
        self.floor_dbov = follow_floor(self.floor_dbov, level, block_s)
        smooth = level_dbov(self.smooth_power)
        over_floor = self.floor_dbov - smooth
        self.speaking = smooth < SPEAKING_DBOV and (
            over_floor > _SPEAKING_OVER_FLOOR_DB or smooth < SPEAKING_DBOV - 15
        )

    def rest(self) -> None:
        """Take note that nothing was played in this block, or nothing that anybody may know of."""
        self.level = SILENCE_DBOV
        self.smooth_power = 0.0
        self.speaking = False

    def wants_in(self, now_s: float) -> bool:
        """Whether it should be engaged from now on, if there is a place for it."""
        return not self.muted and now_s < self._engaged_until_s

    def disengage_now(self) -> None:
        """Forget the hangover and the level: it was muted."""
        self._engaged_until_s = 0.0
        self.rest()
