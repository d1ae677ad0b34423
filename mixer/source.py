"""A source of a room: one publisher's sound on its way into the mixes."""

import math
from typing import Protocol

from mixer.arena import Block
from mixer.playout import Pull

SILENCE_DBOV = 127
AUDIBLE_DBOV = 65  # quieter than this for `HANGOVER_S` and a source leaves the mixes
HANGOVER_S = 2.0
SPEAKING_DBOV = 45
_SPEAKING_OVER_FLOOR_DB = 8
_FLOOR_RISE_DB_PER_S = 3.0


class PlayoutLike(Protocol):
    """What a source asks of the playout that feeds it."""

    def pull(self, out: Block, now_s: float) -> Pull:
        """Write the next block into `out`."""

    def safe_time_s(self) -> float | None:
        """Return when the sound of the next pull is safely there; None when nothing plays."""

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
        engaged: Whether it takes part in the mixes: loud enough within `HANGOVER_S`, not muted.
            A participant whose source is engaged hears a mix of its own.
        heard: Whether the last block of the mixes held it (it fades over one block either way).
        leaving: Removed, and only kept until it has faded.
    """

    __slots__ = (
        "_engaged_until_s",
        "_floor_dbov",
        "csrc",
        "engaged",
        "heard",
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
        self.heard = False
        self.leaving = False
        self.speaking = False
        self.level = SILENCE_DBOV
        self.smooth_power = 0.0
        self.reported_level = SILENCE_DBOV
        self.reported_speaking = False
        self._engaged_until_s = 0.0
        self._floor_dbov = float(AUDIBLE_DBOV)

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
        # The noise floor falls at once and rises slowly (minimum statistics, in one number).
        # Digital silence is no room: from 127 the floor would take half a minute to any noise.
        floor = max(self._floor_dbov - _FLOOR_RISE_DB_PER_S * block_s, float(level))
        self._floor_dbov = min(floor, AUDIBLE_DBOV)
        smooth = level_dbov(self.smooth_power)
        over_floor = self._floor_dbov - smooth
        self.speaking = smooth < SPEAKING_DBOV and (
            over_floor > _SPEAKING_OVER_FLOOR_DB or smooth < SPEAKING_DBOV - 15
        )

    def rest(self) -> None:
        """Take note that nothing was played in this block, or nothing that anybody may know of."""
        self.level = SILENCE_DBOV
        self.smooth_power = 0.0
        self.speaking = False

    def wants_in(self, now_s: float) -> bool:
        """Whether it should be engaged from now on."""
        return not self.muted and now_s < self._engaged_until_s

    def disengage_now(self) -> None:
        """Forget the hangover and the level: it was muted."""
        self._engaged_until_s = 0.0
        self.rest()
