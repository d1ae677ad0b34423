"""One source as the selection knows it: how loud it is, and since when and how long it has spoken.

| state    | means                                          | becomes                             |
|----------|------------------------------------------------|-------------------------------------|
| gone     | muted, or not audible for `timeout_ms`         | audible: at its next sound          |
| audible  | heard of lately, not above its noise floor     | speaking: `open_db` above the floor |
| speaking | above its floor within the last 60 ms          | pausing: after 60 ms                |
| pausing  | spoke before, and may go on at any moment      | speaking; idle: see below           |
| idle     | audible, and makes way for anybody who speaks  | speaking; gone                      |

Sound counts as *talk*, and not as a cough, when it has lasted for `attack_ms`, gaps of 60 ms
allowed. Only talk tells how loud somebody is, and how long a pause may be depends on it:

| a holder who pauses               | is idle after this, while all   | and while more talk  |
|                                   | who talk have a place           | after this           |
|-----------------------------------|---------------------------------|----------------------|
| talked since it got the place, or | `yield_ms` since its last talk, | `yield_ms` since its |
| right before                      | 200 ms since its last sound     | last sound           |
| has not: coughed, or just begun   | 60 ms                           | 200 ms               |

So a cough keeps a place from nobody for longer than it sounds while those are so few;
where more talk, first and short syllables of those who are heard count for more.
"""

import enum
import math

from mixer.levels import AUDIBLE_DBOV, SILENCE_DBOV, follow_floor
from mixer.selection_settings import SelectionSettings

PAUSE_S = 0.06  # gaps within a word are shorter
_SYLLABLE_S = 0.2  # gaps between syllables are shorter
_DOUBT_DB = 12.0  # a voice heard for a moment only may be so much softer on the whole
_SURE_S = 0.6
_LOUDEST_NOISE_DBOV = 40.0  # what is louder without end is music, and not noise
_LOUDEST_FLOOR_DBOV = 50.0  # the most that noise takes from a claim: held notes raise it too
_LOUDNESS_S = 1.5
_GAP_DB = 15.0  # what is so much quieter than the voice is a gap in it (as in ITU-T P.56)
_GAP_WEIGHT = 0.2  # and counts less; but it counts, for a voice may become that much quieter
_VOICE_S = 0.2
_LONGEST_STEP_S = 0.1
_SHORTEST_STEP_S = 0.0025  # no packet is shorter (RFC 6716)


class Standing(enum.IntEnum):
    """Whose turn it is before loudness is asked."""

    ORDINARY = 0
    PRIORITY = 1
    """Has a place whenever it is audible."""
    PINNED = 2
    """Pinned by hand: keeps its place even through silence."""


class Candidate:
    """A source and its place.

    Attributes:
        source_id: The participant's id.
        serial: Counts sources; of equals the older comes first.
        standing: Before loudness is asked.
        muted: Has no say.
        slot: Its place, None without one.
        since_s: When it got the place.
        waiting_s: Since when it has had something to say without being heard by all.
    """

    __slots__ = (
        "_floor_dbov",
        "_heard_s",
        "_loudness_dbov",
        "_proved",
        "_run_dbov",
        "_run_length_s",
        "_run_s",
        "_said_s",
        "_seen_s",
        "_settings",
        "_spoke_s",
        "_talked_s",
        "_voice",
        "muted",
        "serial",
        "since_s",
        "slot",
        "source_id",
        "standing",
        "waiting_s",
    )

    def __init__(
        self,
        source_id: str,
        serial: int,
        settings: SelectionSettings,
        now_s: float,
        floor_dbov: float = AUDIBLE_DBOV,
    ) -> None:
        """Take a source in that counts as audible just now, at a noise floor if that is known."""
        self.source_id = source_id
        self.serial = serial
        self.standing = Standing.ORDINARY
        self.muted = False
        self.slot: int | None = None
        self.since_s = now_s
        self.waiting_s = now_s
        self._settings = settings
        self._floor_dbov = floor_dbov
        self._heard_s = now_s
        self._seen_s = now_s
        self._spoke_s = -math.inf
        self._talked_s = -math.inf
        self._run_s = now_s  # when the present run of sound began
        self._run_dbov = float(SILENCE_DBOV)  # its mean level
        self._run_length_s = 0.0  # how much of it there was
        self._proved = False  # whether what it says since about then is more than a cough
        self._loudness_dbov = float(SILENCE_DBOV)
        self._said_s = 0.0  # how much there was to learn the loudness from
        self._voice = 1.0

    def apply(self, settings: SelectionSettings) -> None:
        """Go by other rules from now on."""
        self._settings = settings

    def observe(self, level_dbov: int, now_s: float, voice: bool | None) -> None:
        """Take note of a packet or block.

        Args:
            level_dbov: Its level.
            now_s: When.
            voice: Whether it holds a voice; None if nobody knows.
        """
        elapsed_s = min(now_s - self._seen_s, _LONGEST_STEP_S)
        self._seen_s = now_s
        if level_dbov < AUDIBLE_DBOV:
            self._heard_s = now_s
        if level_dbov < SILENCE_DBOV:  # silence is no room
            self._floor_dbov = follow_floor(self._floor_dbov, level_dbov, elapsed_s)
        noise_dbov = max(self._floor_dbov, _LOUDEST_NOISE_DBOV)
        if noise_dbov - level_dbov >= self._settings.open_db:
            if voice is not None:  # of what sounds: a pause says nothing
                self._voice += (voice - self._voice) * min(1.0, elapsed_s / _VOICE_S)
            self._speak(level_dbov, elapsed_s, now_s)

    def _speak(self, level_dbov: int, elapsed_s: float, now_s: float) -> None:
        pause_s = now_s - self._spoke_s
        if pause_s > PAUSE_S:
            self._run_s = now_s
            self._run_length_s = 0.0
            if pause_s * 1000 > self._settings.timeout_ms:
                self.waiting_s = now_s
                self._said_s = 0.0
        had_attacked = self.has_attacked and pause_s <= PAUSE_S
        self._spoke_s = now_s
        if self.has_attacked:
            self._talked_s = now_s
        elapsed_s = max(elapsed_s, _SHORTEST_STEP_S)
        self._run_length_s += elapsed_s
        self._run_dbov += (level_dbov - self._run_dbov) * elapsed_s / self._run_length_s
        if had_attacked:
            is_gap = level_dbov - self._loudness_dbov > _GAP_DB
            self._learn(level_dbov, elapsed_s * (_GAP_WEIGHT if is_gap else 1.0))
        elif self.has_attacked:
            self._proved = True
            self._learn(self._run_dbov, self._run_length_s)

    def _learn(self, level_dbov: float, length_s: float) -> None:
        """Take note of how loud the voice is.

        In the beginning this is the mean of what there was, later an exponential one. In pauses it
        stays: a voice is as loud as it is when it speaks.
        """
        self._said_s = min(_LOUDNESS_S, self._said_s + length_s)
        share = min(1.0, length_s / self._said_s)
        self._loudness_dbov += (level_dbov - self._loudness_dbov) * share

    def take(self, slot: int, now_s: float) -> None:
        """Get a place."""
        self.slot = slot
        self.since_s = now_s
        self._proved = self.has_attacked or self.talks(now_s)

    def yield_place(self, now_s: float) -> None:
        """Lose the place."""
        self.slot = None
        self.waiting_s = now_s

    @property
    def claim_db(self) -> float:
        """How far its voice stands out from its own noise."""
        absent = self._settings.voice_weight_db * (1.0 - self._voice)
        floor_dbov = max(self._floor_dbov, _LOUDEST_FLOOR_DBOV)
        loudness_dbov = self._loudness_dbov if self._said_s else self._run_dbov
        return floor_dbov - loudness_dbov - absent

    @property
    def challenge_db(self) -> float:
        """How far it surely does, as far as what was heard of it tells: a word begins loud."""
        return self.claim_db - _DOUBT_DB * max(0.0, 1.0 - self._said_s / _SURE_S)

    @property
    def has_attacked(self) -> bool:
        """Whether its last run of sound was longer than a cough."""
        return (self._spoke_s - self._run_s) * 1000 >= self._settings.attack_ms

    def is_here(self, now_s: float) -> bool:
        """Whether it may have a place."""
        if self.muted:
            return False
        silent_s = now_s - self._heard_s
        return self.standing is Standing.PINNED or silent_s * 1000 <= self._settings.timeout_ms

    def speaks(self, now_s: float) -> bool:
        """Whether it speaks now; those whose turn comes before others' need not."""
        return self.standing is not Standing.ORDINARY or self.spoke_just_now(now_s)

    def spoke_just_now(self, now_s: float) -> bool:
        """Whether it speaks now, or pauses within a word."""
        return now_s - self._spoke_s <= PAUSE_S

    def talks(self, now_s: float) -> bool:
        """Whether what it says is more than a cough, pauses included."""
        return not self.muted and (now_s - self._talked_s) * 1000 <= self._settings.yield_ms

    def is_idle(self, now_s: float, crowded: bool) -> bool:
        """Whether it makes way for anybody who speaks.

        Args:
            now_s: The present.
            crowded: Whether more talk than may be heard.
        """
        if self.standing is not Standing.ORDINARY:
            return False
        quiet_s = now_s - self._spoke_s
        yield_s = self._settings.yield_ms / 1000
        if crowded:
            return quiet_s > (yield_s if self._proved else _SYLLABLE_S)
        if not self._proved:
            return quiet_s > PAUSE_S
        return quiet_s > min(_SYLLABLE_S, yield_s) and now_s - self._talked_s > yield_s

    def held_for(self, now_s: float) -> bool:
        """Whether it has had its place for long enough to be displaced by somebody louder."""
        return (now_s - self.since_s) * 1000 >= self._settings.hold_ms
