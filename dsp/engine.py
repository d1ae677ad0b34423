"""The choice between the two engines that run strips."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from dsp.tables import StripTables, Table

EngineName = Literal["numba", "numpy"]
ENGINES: Final[tuple[EngineName, ...]] = ("numba", "numpy")

Arena = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lanes:
    """Rows to be processed in one call, and what each of them is at.

    Attributes:
        rows: int32 (k,), of the arena.
        slots: int32 (k,), each row's slot.
        incoming: int32 (k,), the slot that it changes to; −1 while it does not.
        fades: int8 (k,): 1 while the strip fades in over the plain sound, −1 while it fades out.
        elapsed: int32 (k,), samples since the row's change or fade began; it waits while negative.
    """

    rows: npt.NDArray[np.int32]
    slots: npt.NDArray[np.int32]
    incoming: npt.NDArray[np.int32]
    fades: npt.NDArray[np.int8]
    elapsed: npt.NDArray[np.int32]


class Engine(Protocol):
    """Runs strips; the same samples come out (within −80 dB) whichever it is."""

    @property
    def name(self) -> EngineName:
        """Which of the two it is."""

    @property
    def dtype(self) -> npt.DTypeLike:
        """In what precision the tables are."""

    def carry(self, states: Table, old: Table, new: Table) -> Table:
        """Return states of sections (6, 2, 2), moved from old coefficients (6, 6) to new ones."""

    def process(
        self, arena: Arena, first: int, count: int, lanes: Lanes, tables: StripTables
    ) -> None:
        """Process `count` samples from `first` of the lanes' rows, in place.

        Args:
            arena: float32 (rows, samples, 2), contiguous.
            first: First sample.
            count: Samples, any number.
            lanes: Which rows, and how.
            tables: Coefficients, and states, which are updated.
        """


def load_engine(name: EngineName | None = None) -> Engine:
    """Return the engine of that name, or the best that this machine can run.

    Raises:
        ImportError: numba is asked for by name and cannot be imported.
    """
    if name != "numpy":
        try:
            return _load_numba()
        except (ImportError, RuntimeError, OSError):  # no wheel for this Python; no place to cache
            if name == "numba":
                raise
    from dsp.numpy_engine import NumpyEngine

    return NumpyEngine()


def _load_numba() -> Engine:
    from dsp.numba_engine import NumbaEngine

    return NumbaEngine()
