"""The loudest N sources of a room, for mixing as for forwarding. Never reads a clock.

Everybody hears at most N others, and who is heard hears N others too: one source more is chosen, in
*reserve*. The N on the main places are heard by everyone but themselves; the one in reserve is
heard by those N only, each of whom gets it for their own.

| a source has     | what happens                                              | it gets          |
|------------------|-----------------------------------------------------------|------------------|
| no place         | a place is free and it is first in line                   | main, or reserve |
| no place         | it has a pin or priority, and some holder has neither     | main, or reserve |
| no place         | it speaks, is first in line, and a holder is idle         | main, or reserve |
| no place         | it has spoken for `attack_ms` and surely is               | main, or reserve |
|                  | `hysteresis_db` above the quietest of those who came      |                  |
|                  | `hold_ms` ago                                             |                  |
| the reserve      | any of these, for a main place                            | main             |
| main, or reserve | any of these befell its place                             | no place         |
| main             | the same; the reserve is free, and it is first in line    | the reserve      |
| main, or reserve | muted, removed, or not audible for `timeout_ms`           | no place         |

First in line is who has waited longest among those who are not `hysteresis_db` below the loudest of
them. Loudness is that of the voice above its own noise floor, see `mixer.selection_candidate`; of
equals the older source wins.

Invariants after each decision: a source has one place at most, and no place is free while somebody
audible has none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from mixer.levels import AUDIBLE_DBOV
from mixer.selection_candidate import Candidate, Standing
from mixer.selection_settings import SelectionSettings


@dataclass(frozen=True, slots=True)
class Pinned:
    """A source got a place.

    Attributes:
        source_id: Who.
        slot: The place: 0 to N - 1 heard by everyone, N the reserve.
    """

    source_id: str
    slot: int


@dataclass(frozen=True, slots=True)
class Unpinned:
    """A source lost a place, or left it for another one."""

    source_id: str
    slot: int


Event = Pinned | Unpinned


class LoudestSelector:
    """Chooses who is heard.

    Feed it every packet or block of every source that may be heard, then ask it to `decide`.
    """

    def __init__(self, settings: SelectionSettings) -> None:
        """Begin without sources."""
        self._settings = settings
        self._candidates: dict[str, Candidate] = {}
        self._slots: list[Candidate | None] = [None] * (settings.max_speakers + 1)
        self._told: list[str | None] = [None] * len(self._slots)
        self._serial = 0
        self._crowded = False

    @property
    def settings(self) -> SelectionSettings:
        """The rules."""
        return self._settings

    @property
    def sources(self) -> Iterable[str]:
        """Everybody who takes part."""
        return self._candidates.keys()

    @property
    def main(self) -> list[str]:
        """Who is heard by everyone, by place."""
        return [holder.source_id for holder in self._slots[:-1] if holder is not None]

    @property
    def reserve(self) -> str | None:
        """Who is heard by those on the main places only."""
        holder = self._slots[-1]
        return None if holder is None else holder.source_id

    def slot_of(self, source_id: str) -> int | None:
        """Return a source's place, None without one.

        Raises:
            KeyError: the source does not take part.
        """
        return self._candidates[source_id].slot

    def speaks(self, source_id: str, now_s: float) -> bool:
        """Whether a source speaks now, as the table above has it.

        Raises:
            KeyError: the source does not take part.
        """
        return self._candidates[source_id].spoke_just_now(now_s)

    # ---- what happens ----------------------------------------------------------------------

    def add_source(
        self,
        source_id: str,
        now_s: float,
        standing: Standing = Standing.ORDINARY,
        floor_dbov: float = AUDIBLE_DBOV,
    ) -> None:
        """Let a source take part; it counts as audible just now.

        Args:
            source_id: A new one.
            now_s: The present.
            standing: Whether it comes before others.
            floor_dbov: Its noise floor, if that is known.

        Raises:
            ValueError: it takes part already.
        """
        if source_id in self._candidates:
            raise ValueError(f"source {source_id} takes part already")
        made = Candidate(source_id, self._serial, self._settings, now_s, floor_dbov)
        made.standing = standing
        self._serial += 1
        self._candidates[source_id] = made

    def remove_source(self, source_id: str) -> None:
        """Let a source take part no more; its place is free at once.

        Raises:
            KeyError: it does not take part.
        """
        gone = self._candidates.pop(source_id)
        if gone.slot is not None:
            self._slots[gone.slot] = None

    def set_standing(self, source_id: str, standing: Standing) -> None:
        """Let a source come before others, or not.

        Raises:
            KeyError: it does not take part.
        """
        self._candidates[source_id].standing = standing

    def set_muted(self, source_id: str, muted: bool) -> None:
        """Let a source have no say, or let it again.

        Raises:
            KeyError: it does not take part.
        """
        self._candidates[source_id].muted = muted

    def handle_packet(
        self, source_id: str, level_dbov: int, now_s: float, voice: bool | None = None
    ) -> int | None:
        """Take note of a packet or block; return the place that it is for, None if nobody hears it.

        Args:
            source_id: Whose.
            level_dbov: Its level, 0 (loudest) to 127 (silence).
            now_s: When.
            voice: Whether it holds a voice; None if nobody knows.

        Raises:
            KeyError: the source does not take part.
        """
        candidate = self._candidates[source_id]
        candidate.observe(level_dbov, now_s, voice)
        return candidate.slot

    def apply(self, settings: SelectionSettings, now_s: float) -> None:
        """Go by other rules from now on; if places become fewer, the loudest keep theirs."""
        places = settings.max_speakers
        if places != self._settings.max_speakers:
            holders = [holder for holder in self._slots if holder is not None]
            ranked = sorted(holders, key=lambda one: self._rank(one, now_s), reverse=True)
            for holder in ranked[places:]:
                holder.yield_place(now_s)
            slots: list[Candidate | None] = [None] * (places + 1)
            moving = []
            for holder in ranked[:places]:
                if holder.slot is not None and holder.slot < min(places, len(self._slots) - 1):
                    slots[holder.slot] = holder
                else:
                    moving.append(holder)
            for holder in moving:
                slot = holder.slot = slots.index(None)
                slots[slot] = holder
            self._slots = slots
        self._settings = settings
        for candidate in self._candidates.values():
            candidate.apply(settings)

    # ---- what follows ----------------------------------------------------------------------

    def decide(self, now_s: float) -> list[Event]:
        """Give the places to whom they are due; return what changed since the last time."""
        talking = sum(one.talks(now_s) for one in self._candidates.values())
        self._crowded = talking > self._settings.max_speakers
        for holder in self._slots:
            if holder is not None and not holder.is_here(now_s):
                self._vacate(holder, now_s)
        reserve = len(self._slots) - 1
        pool = [
            one
            for one in self._candidates.values()
            if (one.slot is None or one.slot == reserve) and one.is_here(now_s)
        ]
        self._settle(range(reserve), pool, now_s)
        self._settle(range(reserve, reserve + 1), [one for one in pool if one.slot is None], now_s)
        return self._news()

    def _settle(self, board: range, pool: list[Candidate], now_s: float) -> None:
        """Give the places of a board to whom of a pool they are due."""
        for slot in board:
            if self._slots[slot] is None and pool:
                self._place(self._first_in_line(pool), slot, pool, now_s)
        # Each swap puts a stronger one in the place of a weaker one, so this ends; every place
        # once is enough, for whoever waits after that waits for the next block.
        for _ in board:
            holders = [one for one in (self._slots[slot] for slot in board) if one is not None]
            swap = self._swap(holders, pool, now_s)
            if swap is None:
                return
            winner, loser = swap
            freed = self._vacate(loser, now_s)
            self._place(winner, freed, pool, now_s)
            pool.append(loser)

    def _swap(
        self, holders: Sequence[Candidate], pool: Sequence[Candidate], now_s: float
    ) -> tuple[Candidate, Candidate] | None:
        """Return who of a pool takes whose place, None if all is well."""
        speaking = [one for one in pool if one.speaks(now_s)]
        if not speaking or not holders:
            return None
        top = max(one.standing for one in speaking)
        weakest = min(holders, key=lambda one: self._rank(one, now_s))
        if weakest.standing < top or weakest.is_idle(now_s, self._crowded):
            return self._first_in_line(speaking), weakest
        louder = [one for one in speaking if one.has_attacked]
        replaceable = [
            one for one in holders if one.standing is not Standing.PINNED and one.held_for(now_s)
        ]
        if not louder or not replaceable:
            return None
        winner = max(louder, key=_by_challenge)
        loser = min(replaceable, key=lambda one: self._rank(one, now_s))
        if winner.standing < loser.standing:
            return None
        if winner.challenge_db > loser.claim_db + self._settings.hysteresis_db:
            return winner, loser
        return None

    def _first_in_line(self, pool: Sequence[Candidate]) -> Candidate:
        """Return who gets the next place of those who are here; there is at least one."""
        top = max(one.standing for one in pool)
        line = [one for one in pool if one.standing == top]
        loudest_db = max(one.claim_db for one in line)
        return min(
            (one for one in line if one.claim_db >= loudest_db - self._settings.hysteresis_db),
            key=lambda one: (one.waiting_s, -one.claim_db, one.serial),
        )

    def _rank(self, one: Candidate, now_s: float) -> tuple[bool, Standing, float, int]:
        return not one.is_idle(now_s, self._crowded), one.standing, one.claim_db, -one.serial

    def _place(self, one: Candidate, slot: int, pool: list[Candidate], now_s: float) -> None:
        if one.slot is not None:  # from the reserve
            self._slots[one.slot] = None
        one.take(slot, now_s)
        self._slots[slot] = one
        pool.remove(one)

    def _vacate(self, holder: Candidate, now_s: float) -> int:
        """Take a holder's place away and return which it was."""
        slot = self._slots.index(holder)
        self._slots[slot] = None
        holder.yield_place(now_s)
        return slot

    def _news(self) -> list[Event]:
        now = [None if holder is None else holder.source_id for holder in self._slots]
        was, self._told = self._told, now
        if now == was:
            return []
        changed = [
            (before, after, slot)
            for slot, (before, after) in enumerate(zip_longest(was, now))
            if before != after
        ]
        lost: list[Event] = [Unpinned(one, slot) for one, _, slot in changed if one is not None]
        return lost + [Pinned(one, slot) for _, one, slot in changed if one is not None]


def _by_challenge(one: Candidate) -> tuple[float, int]:
    return one.challenge_db, -one.serial
