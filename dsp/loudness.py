"""Loudness as ITU-R BS.1770-4 defines it, of all rows of an arena in one call.

Each channel is filtered as a head hears (a shelf of 4 dB above 1.5 kHz, a cut below 38 Hz); the
mean squares of both are added; −0.691 + 10 log10 of that is the loudness in LUFS. *Momentary* is
that of the last 400 ms, *short-term* of the last 3 s (EBU Tech 3341). *Integrated* is the mean of
all momentary values, one each 100 ms, that are above −70 LUFS and then above 10 LU below the mean
of these: pauses do not count.

A mono voice stands on both channels here, and counts on both: what is heard is what is measured.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsp import loudness_kernels as kernels

SILENCE_LUFS: Final = -120.0
"""What is shown where there is nothing."""

_OFFSET: Final = -0.691
_MOMENTARY: Final = 4  # parts
_FLOOR: Final = 10.0 ** ((SILENCE_LUFS - _OFFSET) / 10.0)
_ABSOLUTE_LUFS: Final = -70.0
_RELATIVE_LU: Final = -10.0
# Blocks by loudness in steps so fine that the step at the relative gate does not matter.
_STEP_LU: Final = 0.05
_BINS: Final = 1800  # −70 to 20 LUFS

Rows = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]


def lufs(power: Values) -> Values:
    """Return the loudness of weighted mean squares, both channels added; −120 is the least."""
    loudness: Values = _OFFSET + 10.0 * np.log10(np.maximum(power, _FLOOR))
    return loudness


def power_of(loudness_lufs: float) -> float:
    """Return the weighted mean square of a loudness."""
    return float(10.0 ** ((loudness_lufs - _OFFSET) / 10.0))


class LoudnessBank:
    """Loudness meters, one for each row of an arena.

    What a meter shows depends on its row's sound only, not on how it is cut into blocks.
    """

    def __init__(self, *, integrates: bool = False) -> None:
        """Make a bank without rows.

        Args:
            integrates: Whether integrated loudness is wanted: 28 KB for each row.
        """
        self._integrates = integrates
        self._filters = np.zeros((0, 2, 4))
        self._parts = np.zeros((0, 2))
        self._rings = np.zeros((0, kernels.PARTS))
        self._passed = np.zeros(0, np.int64)
        self._blocks = np.zeros((0, _BINS, 2))  # how many of that loudness, and their powers

    def take(self, row: int) -> None:
        """Hold a row, which has heard nothing yet."""
        if row >= len(self._passed):
            self._grow(max(row + 1, 2 * len(self._passed), 16))
        self._parts[row] = 0.0
        self._rings[row] = 0.0
        self._passed[row] = 0
        if self._integrates:
            self._blocks[row] = 0.0
        self.rest(row)

    def rest(self, row: int) -> None:
        """Take note that the row's sound has ended; what it was still counts."""
        self._filters[row] = 0.0

    def process(
        self, arena: npt.NDArray[np.float32], rows: Rows, first: int, count: int
    ) -> tuple[Values, npt.NDArray[np.bool_]]:
        """Measure a block of some rows.

        Args:
            arena: float32 (rows, samples, 2).
            rows: int32 (k,), each at most once.
            first: First sample.
            count: Samples, any number.

        Returns:
            The weighted mean square of the block for each row, float64 (k,), and for which of them
            momentary and short-term loudness are new, bool (k,).
        """
        powers, fresh = np.zeros(len(rows)), np.zeros(len(rows), np.bool_)
        sums, is_new = np.zeros(len(rows)), fresh.copy()
        for begin in range(first, first + count, kernels.PART):
            step = min(kernels.PART, first + count - begin)
            kernels.weigh(
                arena,
                begin,
                step,
                rows,
                self._filters,
                self._parts,
                self._rings,
                self._passed,
                powers,
                fresh,
            )
            if self._integrates and fresh.any():
                self._note(rows[fresh])
            sums += powers * (step / count)
            is_new |= fresh
        return sums, is_new

    def wait(self, rows: Rows, count: int) -> None:
        """Let `count` samples of silence go by for some rows."""
        for begin in range(0, count, kernels.PART):
            step = min(kernels.PART, count - begin)
            kernels.wait(step, rows, self._parts, self._rings, self._passed)

    def momentary(self, rows: Rows) -> Values:
        """Return the loudness of the last 400 ms, LUFS (k,)."""
        return lufs(self._momentary_powers(rows))

    def short_term(self, rows: Rows) -> Values:
        """Return the loudness of the last 3 s, LUFS (k,)."""
        return lufs(self._rings[rows].mean(axis=1))

    def spread_db(self, rows: Rows, parts: int) -> Values:
        """Return by how much the last parts of 100 ms differ: loudest to quietest, dB (k,).

        Silence is no rise or fall: parts below −70 LUFS do not count.
        """
        latest = (self._passed[rows, None] - 1 - np.arange(parts)) % kernels.PARTS
        loudness = lufs(self._rings[rows[:, None], latest])
        loudest = loudness.max(axis=1)
        loudness[loudness < _ABSOLUTE_LUFS] = np.inf
        spread: Values = np.maximum(loudest - loudness.min(axis=1), 0.0)
        return spread

    def integrated(self, row: int) -> float:
        """Return the gated loudness of all there was, LUFS; −120 if all of it was silent."""
        counts, powers = self._blocks[row].T
        if not counts.any():
            return SILENCE_LUFS
        gate = float(lufs(np.array([powers.sum() / counts.sum()]))[0]) + _RELATIVE_LU
        loud = _ABSOLUTE_LUFS + _STEP_LU * np.arange(_BINS) >= gate
        return float(lufs(np.array([powers[loud].sum() / counts[loud].sum()]))[0])

    def _momentary_powers(self, rows: Rows) -> Values:
        latest = self._passed[rows, None] - 1 - np.arange(_MOMENTARY)
        powers: Values = self._rings[rows[:, None], latest % kernels.PARTS].mean(axis=1)
        return powers

    def _note(self, rows: Rows) -> None:
        """Count the blocks of 400 ms that have just ended."""
        rows = rows[self._passed[rows] >= _MOMENTARY]
        powers = self._momentary_powers(rows)
        steps = (lufs(powers) - _ABSOLUTE_LUFS) / _STEP_LU
        loud = steps > 0.0
        bins = np.minimum(steps[loud].astype(np.int64), _BINS - 1)
        self._blocks[rows[loud], bins, 0] += 1.0
        self._blocks[rows[loud], bins, 1] += powers[loud]

    def _grow(self, rows: int) -> None:
        for name in ("_filters", "_parts", "_rings", "_passed"):
            setattr(self, name, _grown(getattr(self, name), rows))
        if self._integrates:
            self._blocks = _grown(self._blocks, rows)


def _grown(table: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    grown = np.zeros((rows, *table.shape[1:]), table.dtype)
    grown[: len(table)] = table
    return grown


def integrated_lufs(sound: npt.NDArray[np.float32]) -> float:
    """Return the integrated loudness of a sound (n, 2) at 48 kHz; −120 if it is silent."""
    bank = LoudnessBank(integrates=True)
    bank.take(0)
    bank.process(np.ascontiguousarray(sound)[None], np.zeros(1, np.int32), 0, len(sound))
    return bank.integrated(0)
