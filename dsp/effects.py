"""The three effects of a strip, and the memory that each takes while it is used.

chorus -> delay -> reverb, each with its own share of wet and dry: the echoes too ring in the room.
They stand behind the crossfade from old settings to new ones, with one memory for each row: a
change moves their coefficients from the old values to the new ones, over the same time. An effect
that comes or goes is faded in or out by its shares.

A second of echoes is much memory: it is there only while its row uses it and sounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsp import chorus, delay, reverb
from dsp.chorus import ChorusSettings
from dsp.delay import DelaySettings
from dsp.reverb import ReverbSettings

EFFECTS: Final = 3
MEMORIES: Final = (chorus.MEMORY, delay.MEMORY, reverb.MEMORY)
COEFFICIENTS: Final = 5 + 6 + 4 + 3 * reverb.LINES
"""Those of the chorus, of the delay from `DELAY_AT` on, of the reverb from `REVERB_AT` on."""
DELAY_AT: Final = 5
REVERB_AT: Final = 11

INAUDIBLE: Final = 2.0**-16
"""−96 dBFS: effects that hold no more than that have rung out."""
_MARGIN: Final = 4800  # samples by which a tail may be thought longer than it is


@dataclass(frozen=True, slots=True)
class EffectSettings:
    """Settings of all three; None is off."""

    chorus: ChorusSettings | None = None
    delay: DelaySettings | None = None
    reverb: ReverbSettings | None = None

    @property
    def used(self) -> tuple[bool, bool, bool]:
        """Which of them add anything."""
        return (
            self.chorus is not None and self.chorus.mix_percent > 0.0,
            self.delay is not None and self.delay.mix_percent > 0.0,
            self.reverb is not None and self.reverb.mix_percent > 0.0,
        )


OFF: Final = EffectSettings()


def coefficients(settings: EffectSettings, other: EffectSettings = OFF) -> list[float]:
    """Return the coefficients; what is off is `other`'s with a share of zero.

    `other` is what comes before or after: when an effect comes or goes, only its shares move, and
    the gain of what enters it.
    """
    chosen = [_silent(mine, its) for mine, its in zip(_parts(settings), _parts(other), strict=True)]
    first, second, third = chosen
    return [
        *chorus.coefficients(first or chorus.OFF),
        *delay.coefficients(second or delay.OFF),
        *reverb.coefficients(third or reverb.OFF),
    ]


def lasting_samples(settings: EffectSettings) -> int:
    """Return how long it may be silent before all that is still inside is inaudible."""
    lasting = [
        chorus.lasting_samples() if settings.chorus else 0,
        delay.time_samples(settings.delay) if settings.delay else 0,
        reverb.lasting_samples(settings.reverb) if settings.reverb else 0,
    ]
    return sum(lasting) + _MARGIN if any(settings.used) else 0


class EffectMemory:
    """What the effects of all rows remember.

    Attributes:
        addresses: int64 (rows, 3), where each row's effects keep their memory; 0 where unused.
        clocks: int64 (rows,), samples that the row's effects have seen.
        phases: int64 (rows,), of the chorus's swing.
        quiet: int64 (rows,), samples since something audible last went in or came out.
        arrays: The memories, by row and effect.
    """

    def __init__(self, dtype: npt.DTypeLike) -> None:
        """Make a memory without rows."""
        self._dtype = np.dtype(dtype)
        self.addresses = np.zeros((0, EFFECTS), np.int64)
        self.clocks = np.zeros(0, np.int64)
        self.phases = np.zeros(0, np.int64)
        self.quiet = np.zeros(0, np.int64)
        self.arrays: dict[tuple[int, int], npt.NDArray[Any]] = {}
        self._wanted: dict[int, tuple[bool, bool, bool]] = {}
        self._bare: set[int] = set()  # rows that have less than they want

    def grow(self, more: int) -> None:
        """Make room for so many more rows."""
        self.addresses = np.concatenate([self.addresses, np.zeros((more, EFFECTS), np.int64)])
        self.clocks = np.concatenate([self.clocks, np.zeros(more, np.int64)])
        self.phases = np.concatenate([self.phases, np.zeros(more, np.int64)])
        self.quiet = np.concatenate([self.quiet, np.zeros(more, np.int64)])

    def want(self, row: int, used: tuple[bool, bool, bool]) -> None:
        """Say which effects a row uses: the others' memory is given back."""
        for effect in range(EFFECTS):
            if not used[effect] and self.arrays.pop((row, effect), None) is not None:
                self.addresses[row, effect] = 0
        self._wanted[row] = used
        if any(used):
            self._bare.add(row)
        else:
            self._bare.discard(row)

    def rest(self, row: int) -> None:
        """Forget a row's sound; it uses no effect until it says so."""
        self.want(row, (False, False, False))
        self.clocks[row] = self.phases[row] = self.quiet[row] = 0

    def furnish(self, rows: Sequence[int]) -> None:
        """Give rows that sound the memory that they want."""
        for row in self._bare.intersection(rows):
            for effect in range(EFFECTS):
                if self._wanted[row][effect] and (row, effect) not in self.arrays:
                    memory = np.zeros(MEMORIES[effect], self._dtype)
                    self.arrays[row, effect] = memory
                    self.addresses[row, effect] = memory.ctypes.data
            self._bare.discard(row)

    @property
    def is_complete(self) -> bool:
        """Whether no row lacks anything."""
        return not self._bare


def _parts(settings: EffectSettings) -> tuple[Any, Any, Any]:
    used = settings.used
    parts = (settings.chorus, settings.delay, settings.reverb)
    chosen = [part if use else None for part, use in zip(parts, used, strict=True)]
    return chosen[0], chosen[1], chosen[2]


def _silent(mine: Any, its: Any) -> Any:
    """Return `mine`; where that is off, `its` with a share of zero."""
    if mine is not None or its is None:
        return mine
    return replace(its, mix_percent=0.0)
