"""A crowd in virtual time: everybody has a level, every 20 ms it is decided who is heard."""

from collections.abc import Callable

from mixer.levels import SILENCE_DBOV
from mixer.selection import LoudestSelector, Pinned, Unpinned
from mixer.selection_candidate import Standing
from mixer.selection_settings import SelectionSettings

STEP_S = 0.02
SILENT = SILENCE_DBOV

Script = Callable[[float], int]
"""Level in dBov at an instant, counted from the beginning."""


def steady(level_dbov: int) -> Script:
    """Return a voice that never changes."""
    return lambda _: level_dbov


class Crowd:
    """Sources with scripts in front of a selector.

    Attributes:
        places: who is on which place, as told by the selector's events.
        log: (time, who) each time somebody got a main place.
        voices: whether what somebody sends is a voice, where that is known.
    """

    def __init__(self, **settings: float) -> None:
        self.selector = LoudestSelector(SelectionSettings(**settings))
        self.scripts: dict[str, Script] = {}
        self.voices: dict[str, bool] = {}
        self.places: dict[int, str] = {}
        self.log: list[tuple[float, str]] = []
        self._steps = 0

    @property
    def now_s(self) -> float:
        """The present, from 0."""
        return self._steps * STEP_S

    @property
    def clock_s(self) -> float:
        """The present on the selector's clock, whose beginning means nothing."""
        return 5000.0 + self.now_s

    @property
    def main(self) -> set[str]:
        """Who is heard by everyone."""
        return set(self.selector.main)

    def come(self, name: str, script: Script, standing: Standing = Standing.ORDINARY) -> None:
        """Let somebody take part from the next step on."""
        self.selector.add_source(name, self.clock_s, standing)
        self.scripts[name] = script

    def go(self, name: str) -> None:
        """Let somebody leave."""
        self.selector.remove_source(name)
        del self.scripts[name]

    def apply(self, **settings: float) -> None:
        """Change the rules."""
        self.selector.apply(SelectionSettings(**settings), self.clock_s)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / STEP_S)):
            self.step()

    def step(self) -> None:
        """Let 20 ms pass."""
        for name, script in self.scripts.items():
            level = script(self.now_s)
            self.selector.handle_packet(name, level, self.clock_s, self.voices.get(name))
        for event in self.selector.decide(self.clock_s):
            match event:
                case Pinned(name, slot):
                    assert slot not in self.places, "a place was given twice"
                    self.places[slot] = name
                    if slot < self.selector.settings.max_speakers:
                        self.log.append((self.now_s, name))
                case Unpinned(name, slot):
                    assert self.places.pop(slot) == name, "a place was taken from somebody else"
        self._steps += 1

    def heard_by(self, listener: str | None) -> set[str]:
        """Return whom a participant hears, None for somebody who only listens."""
        main = set(self.selector.main)
        if listener in main and self.selector.reserve is not None:
            main.add(self.selector.reserve)
        return main - {listener}

    def wait_s(self, name: str, most_s: float) -> float:
        """Let time pass until somebody is heard by everyone, and return how long that took.

        Sound begins with the next step, and is complete 20 ms later.
        """
        begin_s = self.now_s
        while self.now_s - begin_s < most_s:
            self.step()
            if name in self.main:
                return self.now_s - begin_s
        raise AssertionError(f"{name} is not heard after {most_s} s")
