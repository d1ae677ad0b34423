"""Which mixing profile suits a sound: decided seldom, on firm evidence, at a quiet moment.

Invariant: a change has been wanted without a break for its patience, and comes no sooner than
`HOLD_S` after the last one, unless that was the first. It waits for a moment that is softer than
the last seconds, at most `LONGEST_WAIT_S`: nothing changes during a loud note.

| from     | to                  | patience, clear | patience, unclear |
|----------|---------------------|-----------------|-------------------|
| neutral  | anything            | 0 s             | 3 s               |
| speech   | music, and back     | 1.5 s           | 4 s               |
| music    | other music         | 6 s             | 12 s              |
| anything | nothing known       | never: what was right a moment ago goes on      |

While music plays, speech over it changes nothing: a bed under a voice is still that music.
"""

from collections import deque
from typing import Final

from dsp.genre.classes import Opinion
from dsp.genre.labels import MUSIC, Genre
from dsp.genre.profiles import Profile

FIRM: Final = 0.7
CLEAR: Final = 0.85
HOLD_S: Final = 8.0
LONGEST_WAIT_S: Final = 1.0

_FIRST_S: Final = (0.0, 3.0)
_KIND_S: Final = (1.5, 4.0)
_GENRE_S: Final = (6.0, 12.0)
_BED: Final = 0.25
_REMEMBERED_S: Final = 3.0


class Follower:
    """Follows the opinions about one sound.

    Attributes:
        profile: What suits it, `neutral` before anything is known.
    """

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.profile: Profile = "neutral"
        self._wanted: Genre | None = None
        self._wanted_since_s = 0.0
        self._ready_since_s: float | None = None
        self._changed_s = -HOLD_S
        self._levels: deque[tuple[float, float]] = deque()

    def note_level(self, level_db: float, now_s: float) -> None:
        """Take note of how loud the sound is at the moment."""
        self._levels.append((now_s, level_db))
        while self._levels[0][0] < now_s - _REMEMBERED_S:
            self._levels.popleft()

    def is_firm(self, opinion: Opinion, *, informed: bool) -> bool:
        """Whether an opinion is worth acting on; of music, musicnn must have been asked."""
        best = opinion.best
        if opinion.label != best or opinion.probabilities.max() < FIRM:
            return False
        return informed or best == "speech"

    def decide(self, opinion: Opinion, now_s: float, *, informed: bool) -> bool:
        """Take an opinion in; return whether the profile has changed.

        Args:
            opinion: The latest.
            now_s: How much of the sound has been heard.
            informed: Whether musicnn has been asked about this sound.
        """
        wanted = opinion.best if self.is_firm(opinion, informed=informed) else None
        if wanted is not None and self._is_bed(wanted, opinion):
            wanted = None
        if wanted is None or wanted == self.profile:
            self._wanted, self._ready_since_s = None, None
            return False
        if wanted != self._wanted:
            self._wanted, self._wanted_since_s, self._ready_since_s = wanted, now_s, None
        if not self._is_due(wanted, float(opinion.probabilities.max()), now_s):
            return False
        if self._ready_since_s is None:
            self._ready_since_s = now_s
        if not self._is_quiet() and now_s - self._ready_since_s < LONGEST_WAIT_S:
            return False
        self.profile, self._changed_s = wanted, now_s
        self._wanted, self._ready_since_s = None, None
        return True

    @property
    def is_waiting(self) -> bool:
        """Whether only a quiet moment is waited for: then `decide` is worth calling often."""
        return self._ready_since_s is not None

    def _is_bed(self, wanted: Genre, opinion: Opinion) -> bool:
        music = float(opinion.probabilities[1:].sum())
        return wanted == "speech" and self.profile in MUSIC and music >= _BED

    def _is_due(self, wanted: Genre, chance: float, now_s: float) -> bool:
        if self.profile == "neutral":
            patience = _FIRST_S
        elif "speech" in (wanted, self.profile):
            patience = _KIND_S
        else:
            patience = _GENRE_S
        first = self.profile == "neutral"
        if not first and now_s - self._changed_s < HOLD_S:
            return False
        return now_s - self._wanted_since_s >= patience[0 if chance >= CLEAR else 1]

    def _is_quiet(self) -> bool:
        levels = sorted(level for _, level in self._levels)
        return not levels or self._levels[-1][1] <= levels[len(levels) // 2]
