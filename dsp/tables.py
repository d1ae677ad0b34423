"""What the engines work on: coefficients and states of all strips, as arrays.

Each row (a publisher) has two slots for settings, since old and new ones run side by side while one
fades into the other. Slots of row r are 2r and 2r + 1.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsp import effects, limiter
from dsp.effects import EffectMemory

FADE_SAMPLES: Final = 960
"""How long old settings fade into new ones: 20 ms."""

SECTIONS: Final = 6
_DYNAMICS: Final = 15
_ENVELOPES: Final = 7
_AT_REST: Final = 2 * limiter.DELAY
LIMITER_STATE: Final = _AT_REST + limiter.WINDOW + (limiter.WINDOW - 1) + 2

Table = npt.NDArray[Any]


class StripTables:
    """Coefficients and states; `kernels.py` says what stands where in each.

    Attributes:
        coefficients: sections (slots, 6, 6), dynamics (slots, 15), stereo (slots, 4),
            output (slots, 3), effects (slots, 39).
        states: sections (slots, 6, 2, 2), dynamics (slots, 7), limiter (rows, 271).
        memory: Of the effects.
    """

    def __init__(self, dtype: npt.DTypeLike) -> None:
        """Make tables without rows."""
        self._dtype = np.dtype(dtype)
        self.coefficients = self._coefficients(0)
        self.states = self._states(0)
        self.memory = EffectMemory(dtype)

    def __len__(self) -> int:
        """Return for how many rows there is room."""
        return len(self.states[2])

    def grow(self, rows: int) -> None:
        """Make room for `rows`; what is there stays."""
        more = rows - len(self)
        if more > 0:
            self.coefficients = _joined(self.coefficients, self._coefficients(more))
            self.states = _joined(self.states, self._states(more))
            self.states[2][-more:, _AT_REST:-1] = 1.0
            self.memory.grow(more)

    def rest(self, row: int) -> None:
        """Forget the sound of a row."""
        sections, dynamics, limiters = self.states
        sections[2 * row : 2 * row + 2] = 0.0
        dynamics[2 * row : 2 * row + 2] = 0.0
        limiters[row] = 0.0
        limiters[row, _AT_REST:-1] = 1.0
        self.memory.rest(row)

    def _coefficients(self, rows: int) -> tuple[Table, ...]:
        slots = 2 * rows
        shapes = ((SECTIONS, 6), (_DYNAMICS,), (4,), (3,), (effects.COEFFICIENTS,))
        return tuple(np.zeros((slots, *shape), self._dtype) for shape in shapes)

    def _states(self, rows: int) -> tuple[Table, ...]:
        shapes = ((2 * rows, SECTIONS, 2, 2), (2 * rows, _ENVELOPES), (rows, LIMITER_STATE))
        return tuple(np.zeros(shape, self._dtype) for shape in shapes)


def _joined(tables: tuple[Table, ...], more: tuple[Table, ...]) -> tuple[Table, ...]:
    return tuple(np.concatenate(pair) for pair in zip(tables, more, strict=True))
