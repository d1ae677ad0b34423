"""Which of a room's sources go into its mixes.

While no more are audible than anybody may hear, all of them; nothing is chosen then. The selection
begins with those who are in the mixes already.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mixer import kernels
from mixer.arena import BLOCK_20MS, SAMPLE_RATE_HZ, SourceArena
from mixer.exchange import RoomExchange
from mixer.exchange_frames import Decision
from mixer.outputs import MixKey
from mixer.selection import LoudestSelector
from mixer.selection_settings import SelectionSettings
from mixer.source import Source


class Chosen(NamedTuple):
    """Who goes into the mixes.

    Attributes:
        main: Into everybody's, in the order of the room.
        reserve: Into those of the former, each of whom does without itself.
    """

    main: Sequence[Source]
    reserve: Source | None


class RoomSelection:
    """Chooses among the audible sources of a room.

    Attributes:
        settings: The rules; they may be replaced at any time.
        main: Who is in the mixes.
        reserve: Who is in them in the place of each mix's owner.
        crowded: Whether more want to be heard than may be.
        follows: Whether another worker has chosen.
    """

    def __init__(self, sources: Mapping[str, Source], *, everybody: bool = False) -> None:
        """Begin with a room of which nothing is known.

        Args:
            sources: The room's, by id.
            everybody: Nobody is chosen: whatever sounds is in the mixes.
        """
        self.settings = SelectionSettings()
        self.main: Sequence[Source] = []
        self.reserve: Source | None = None
        self.crowded = False
        self.follows = False
        self._sources = sources
        self._everybody = everybody
        self._selector: LoudestSelector | None = None

    def measure(
        self,
        arena: SourceArena,
        rows: npt.NDArray[np.int32],
        count: int,
        now_s: float,
        exchange: RoomExchange | None,
    ) -> bool:
        """Measure levels, where listeners may change mixes; return whether others may be chosen.

        Args:
            arena: Where the sources are.
            rows: Of those that are measured here, int32.
            count: Samples of the block.
            now_s: As for `RoomMixer.tick`.
            exchange: With the other workers of the room.
        """
        if self._everybody:
            return True
        wanting = kernels.observe(
            arena.data, arena.meters, rows, count, BLOCK_20MS / SAMPLE_RATE_HZ, now_s
        )
        if exchange is not None:
            remote, changed = exchange.wanting(now_s)
            changed = changed or wanting < 0
            wanting = max(wanting, ~wanting) + remote
            wanting = ~wanting if changed else wanting
        most = self.settings.max_speakers
        if 0 <= wanting <= most and not self.crowded:
            return False
        self.crowded = max(wanting, ~wanting) > most
        return True

    def engage(self, now_s: float, exchange: RoomExchange | None) -> bool:
        """Let those who are chosen now into the mixes; return whether these are others."""
        main: Sequence[Source]
        if self._everybody:
            main, reserve = [s for s in self._sources.values() if s.present and not s.muted], None
        else:
            audible = [source for source in self._sources.values() if source.wants_in]
            decision = None
            if exchange is not None and len(audible) > self.settings.max_speakers:
                decision = exchange.decision(now_s)
            self.follows = decision is not None
            if decision is not None:
                main, reserve = self._follow(audible, decision)
            else:
                main, reserve = self._choose(audible, now_s)
        if main == self.main and reserve is self.reserve:
            return False
        for source in (*self.main, self.reserve):
            if source is not None:
                source.engaged = source.in_reserve = False
        for source in main:
            source.engaged = True
        if reserve is not None:
            reserve.in_reserve = True
        self.main, self.reserve = main, reserve
        return True

    def drop(self, source: Source) -> bool:
        """Forget a source that goes before anybody is chosen again; return whether it was in."""
        if not (source.engaged or source.in_reserve):
            return False
        self.main = [one for one in self.main if one is not source]
        self.reserve = None if self.reserve is source else self.reserve
        return True

    def left_out(self, mix: MixKey) -> str:
        """Return the only one of those chosen who is not in a mix: its owner, or the reserve."""
        if self.reserve is None:
            return mix.owner
        owner = self._sources.get(mix.owner)
        return mix.owner if owner is not None and owner.engaged else self.reserve.source_id

    def _choose(self, audible: list[Source], now_s: float) -> Chosen:
        """Return who of those who want in are in, as of the levels just measured."""
        if len(audible) <= self.settings.max_speakers:
            self._selector = None
            return Chosen(audible, None)
        selector = self._selector
        if selector is None:
            selector = self._selector = LoudestSelector(self.settings)
            for source in audible:
                if source.engaged:
                    _observe(selector, source, now_s)
            selector.decide(now_s)
        elif selector.settings is not self.settings:
            selector.apply(self.settings, now_s)
        for source in audible:
            _observe(selector, source, now_s)
        here = {source.source_id for source in audible}
        for source_id in [one for one in selector.sources if one not in here]:
            selector.remove_source(source_id)
        selector.decide(now_s)
        main, reserve = set(selector.main), selector.reserve
        return Chosen(
            [source for source in audible if source.source_id in main],
            next((source for source in audible if source.source_id == reserve), None),
        )

    def _follow(self, audible: list[Source], decision: Decision) -> Chosen:
        """Return who of those who want in are in, as another worker of the room has it."""
        self._selector = None
        main = set(decision.main)
        return Chosen(
            [source for source in audible if source.csrc in main],
            next((source for source in audible if source.csrc == decision.reserve), None),
        )


def _observe(selector: LoudestSelector, source: Source, now_s: float) -> None:
    name = source.source_id
    if name not in selector.sources:
        selector.add_source(name, now_s, source.standing, source.floor_dbov)
    selector.set_standing(name, source.standing)
    selector.handle_packet(name, source.level, now_s, source.speaking)
