"""Which of a room's sources go into its mixes.

While no more are audible than anybody may hear, all of them; nothing is chosen then. The selection
begins with those who are in the mixes already.
"""

from collections.abc import Sequence
from typing import NamedTuple

from mixer.exchange_frames import Decision
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
    """

    def __init__(self, settings: SelectionSettings) -> None:
        """Begin with a room of which nothing is known."""
        self.settings = settings
        self._selector: LoudestSelector | None = None

    def choose(self, audible: list[Source], now_s: float) -> Chosen:
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

    def follow(self, audible: list[Source], decision: Decision) -> Chosen:
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
