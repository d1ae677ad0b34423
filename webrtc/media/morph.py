"""Strips on their way from one set of settings to another, as when a scene is recalled.

Every number moves through the values in between, frequencies, times and ratios in equal shares
rather than equal steps; what is no number changes at once. The strip itself fades from each set of
values to the next (`dsp.strip`), so the steps are not heard.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rooms.strip import DEFAULT_STRIP, StripValue, to_wire

STEP_S: Final = 0.04
"""Time between two steps; longer than the strip's own fade."""
AT_ONCE: Final = 4
"""Most strips that are moved at a time: with many, steps come less often."""

_IN_SHARES: Final = ("Freq", "highPass", "Q", "Ratio", "Attack", "Release", "Time")

_DEFAULTS: Final = to_wire(DEFAULT_STRIP)

Wire = Mapping[str, StripValue]


def between(old: Wire, new: Wire, share: float) -> dict[str, StripValue]:
    """Return the settings `share` (0 to 1) of the way from `old` to `new`.

    What `old` leaves out is as in a strip that nobody has changed.
    """
    values = dict(new)
    for name, goal in new.items():
        start = old.get(name, _DEFAULTS[name])
        if isinstance(goal, bool | str) or isinstance(start, bool | str) or start == goal:
            continue
        if name.endswith(_IN_SHARES) and start > 0 and goal > 0:
            values[name] = start * (goal / start) ** share
        else:
            values[name] = start + (goal - start) * share
    return values


@dataclass(slots=True)
class _Morph:
    """One strip on its way."""

    old: Wire
    new: Wire
    begun_s: float
    lasts_s: float
    due_s: float

    def at(self, now_s: float) -> Wire:
        share = (now_s - self.begun_s) / self.lasts_s
        return self.new if share >= 1.0 else between(self.old, self.new, max(share, 0.0))


class Morphs:
    """All strips of a worker that are on their way."""

    def __init__(self) -> None:
        """Begin with none."""
        self._morphs: dict[str, _Morph] = {}

    def start(self, name: str, old: Wire, new: Wire, now_s: float, lasts_s: float) -> None:
        """Move somebody's strip from where it is to `new`, which is `old` unless it moves already.

        Args:
            name: Whose strip.
            old: Its settings.
            new: What they shall become.
            now_s: The present.
            lasts_s: How long it takes, more than 0.
        """
        current = self._morphs.get(name)
        begin = old if current is None else current.at(now_s)
        self._morphs[name] = _Morph(begin, new, now_s, lasts_s, now_s)

    def stop(self, name: str) -> None:
        """Leave a strip alone, wherever it is."""
        self._morphs.pop(name, None)

    def moves(self, name: str) -> bool:
        """Whether somebody's strip is on its way."""
        return name in self._morphs

    def due(self, now_s: float) -> list[tuple[str, Wire]]:
        """Return the settings of strips that are to be moved on now, those longest due first."""
        if not self._morphs:
            return []
        ready = sorted(
            (morph.due_s, name) for name, morph in self._morphs.items() if morph.due_s <= now_s
        )
        moved = []
        for _, name in ready[:AT_ONCE]:
            morph = self._morphs[name]
            morph.due_s = now_s + STEP_S
            moved.append((name, morph.at(now_s)))
            if now_s >= morph.begun_s + morph.lasts_s:
                del self._morphs[name]
        return moved
