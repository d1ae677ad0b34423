"""What is left out while there is more to mix than time, and in which order.

| step     | from here on                                      | what it saves            |
|----------|---------------------------------------------------|--------------------------|
| `WHOLE`  | everything                                        |                          |
| `CLOSED` | newcomers are refused                             | what they would add      |
| `FEWER`  | a room hears half as many, but two at least       | strips, mixes of talkers |
| `DRY`    | reverb, delay and chorus are passed by            | effects                  |
| `PLAIN`  | noise suppression is passed by                    | neural networks          |

Each step keeps what those before it left out. After `HARD_S` of hard times in a row the next step
is taken, after `patience_s` of easy ones the last is taken back. Whenever a step has to be taken
again within `RELAPSE_S` of having been taken back, patience doubles, so that what people hear does
not change to and fro.

Times are hard while mixing takes nearly all of a core, or while turns have to be left out although
mixing takes half of one: then others have the rest, and doing less still helps.
"""

from dataclasses import replace
from enum import IntEnum
from typing import Final

from mixer.selection_settings import SelectionSettings

HARD_S: Final = 2.0
PATIENCE_S: Final = 2.0
MOST_PATIENCE_S: Final = 64.0
RELAPSE_S: Final = 60.0
HARD_SHARE: Final = 0.9
EASY_SHARE: Final = 0.6
HINDERED_SHARE: Final = 0.5
_GAPS: Final = 0.1
"""Share of the time whose turns were left out, from which mixing is hindered."""
_FEWEST: Final = 2


class Step(IntEnum):
    """How much is left out."""

    WHOLE = 0
    CLOSED = 1
    FEWER = 2
    DRY = 3
    PLAIN = 4


class LoadShedder:
    """Decides on the step from how busy mixing was; never reads a clock.

    Attributes:
        step: What is left out now.
        patience_s: How long times must be easy before something is given back.
    """

    def __init__(self, now_s: float) -> None:
        """Leave nothing out."""
        self.step = Step.WHOLE
        self.patience_s = PATIENCE_S
        self._cpu_s = 0.0
        self._looked_s = now_s
        self._hard_s = 0.0
        self._easy_s = 0.0
        self._gave_back_s = -RELAPSE_S

    def worked(self, cpu_s: float) -> None:
        """Take note of the CPU time of a turn."""
        self._cpu_s += cpu_s

    def look(self, now_s: float, left_out_s: float) -> bool:
        """Judge the time since the last look, a second or so; return whether the step changed.

        Args:
            now_s: The present.
            left_out_s: How much of that time had its turns left out.
        """
        lasted_s = now_s - self._looked_s
        if lasted_s <= 0:
            return False
        busy, gaps = self._cpu_s / lasted_s, left_out_s / lasted_s
        self._looked_s, self._cpu_s = now_s, 0.0
        hard = busy >= HARD_SHARE or (busy >= HINDERED_SHARE and gaps >= _GAPS)
        easy = busy < EASY_SHARE and gaps < _GAPS
        self._hard_s = self._hard_s + lasted_s if hard else 0.0
        self._easy_s = self._easy_s + lasted_s if easy else 0.0
        if self._hard_s >= HARD_S and self.step < Step.PLAIN:
            self._take(now_s)
        elif self._easy_s >= self.patience_s and self.step > Step.WHOLE:
            self._give_back(now_s)
        else:
            return False
        return True

    def _take(self, now_s: float) -> None:
        if now_s - self._gave_back_s < RELAPSE_S:
            self.patience_s = min(2 * self.patience_s, MOST_PATIENCE_S)
        else:
            self.patience_s = PATIENCE_S
        self.step = Step(self.step + 1)
        self._hard_s = 0.0

    def _give_back(self, now_s: float) -> None:
        self.step = Step(self.step - 1)
        self._easy_s = 0.0
        self._gave_back_s = now_s


def selection_at(step: Step, wanted: SelectionSettings) -> SelectionSettings:
    """Return how a room that wants `wanted` chooses who is heard."""
    if step < Step.FEWER:
        return wanted
    most = min(wanted.max_speakers, max(_FEWEST, wanted.max_speakers // 2))
    return replace(wanted, max_speakers=most)
