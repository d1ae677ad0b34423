"""The compiled engine: eight publishers in each vector. What it computes stands in `kernels.py`."""

from typing import Literal

import numpy as np

from dsp import kernels, kernels_basics, kernels_limiter, kernels_work, limiter, tables
from dsp.engine import Arena, Lanes
from dsp.tables import StripTables, Table

_TAPS = limiter.DETECTOR.astype(np.float32)
_EXCESS = np.float32(limiter.EXCESS)


class NumbaEngine:
    """Runs strips by compiled code, in single precision."""

    name: Literal["numba"] = "numba"
    dtype = np.float32

    def __init__(self) -> None:
        """Make sure that kernels and tables agree about where things stand."""
        self._space = np.empty(kernels_work.space_for(960), np.float32)
        ours = (
            kernels_basics.DELAY,
            kernels_limiter.STATE,
            kernels_basics.FADE,
            kernels_limiter.HOLD,
        )
        theirs = (limiter.DELAY, tables.LIMITER_STATE, tables.FADE_SAMPLES, limiter.HOLD)
        assert ours == theirs

    def carry(self, states: Table, old: Table, new: Table) -> Table:
        """See `Engine.carry`: these states mean the same under all coefficients."""
        return states.copy()

    def process(
        self, arena: Arena, first: int, count: int, lanes: Lanes, tables: StripTables
    ) -> None:
        """See `Engine.process`."""
        memory = tables.memory
        if len(self._space) < kernels_work.space_for(count):
            self._space = np.empty(kernels_work.space_for(count), np.float32)
        kernels.process(
            arena,
            first,
            count,
            lanes.rows,
            lanes.slots,
            lanes.incoming,
            lanes.fades,
            lanes.elapsed,
            tables.coefficients,
            tables.states,
            (memory.addresses, memory.clocks, memory.phases, memory.quiet, self._space),
            _TAPS,
            _EXCESS,
        )
