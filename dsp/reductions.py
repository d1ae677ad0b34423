"""How far gate, compressor and limiter of a strip turn the sound down just now, for its meters.

Read from the states that the engines keep anyway, so that meters cost nothing in the kernels.
"""

import math
from typing import Final, NamedTuple

from dsp.tables import LIMITER_STATE, StripTables
from dsp.units import LOG2_OF_1_DB

_FLOOR = 1e-6


class Reductions(NamedTuple):
    """Gains in dB, 0 where nothing is turned down."""

    gate_db: float
    compressor_db: float
    limiter_db: float


NO_REDUCTIONS: Final = Reductions(0.0, 0.0, 0.0)


def reductions(tables: StripTables, row: int, slot: int) -> Reductions:
    """Return what a row's strip does at the end of the block that it processed last.

    Args:
        tables: Of the strips.
        row: The row.
        slot: Its slot.
    """
    dynamics, envelopes = tables.coefficients[1][slot], tables.states[1][slot]
    floor, slope = float(dynamics[6]), float(dynamics[8])
    u = float(envelopes[0])
    gate = floor + (1.0 - floor) * u * u * (3.0 - 2.0 * u)
    compressor_db = float(envelopes[4]) / LOG2_OF_1_DB if slope else 0.0
    limiter = float(tables.states[2][row, LIMITER_STATE - 2])
    return Reductions(_decibels(gate), min(compressor_db, 0.0), _decibels(limiter))


def _decibels(gain: float) -> float:
    return min(20.0 * math.log10(max(gain, _FLOOR)), 0.0)
