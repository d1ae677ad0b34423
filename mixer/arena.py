"""Rows of audio side by side, so that compiled loops see one array."""

import numpy as np
import numpy.typing as npt

BLOCK_10MS = 480
BLOCK_20MS = 960
SAMPLE_RATE_HZ = 48_000

Block = npt.NDArray[np.float32]


class Arena:
    """A growing float32 array of shape (rows, 960, 2) with rows handed out and taken back."""

    def __init__(self, rows: int = 16) -> None:
        """Make an arena with room for `rows`; it doubles when full."""
        self.data: npt.NDArray[np.float32] = np.zeros((rows, BLOCK_20MS, 2), np.float32)
        self.generation = 0  # counts reallocations: views of older ones are stale
        self._free = list(range(rows - 1, -1, -1))

    def take(self) -> int:
        """Return a free row, zeroed."""
        if not self._free:
            rows = len(self.data)
            self.data = np.concatenate([self.data, np.zeros_like(self.data)])
            self.generation += 1
            self._free = list(range(2 * rows - 1, rows - 1, -1))
        row = self._free.pop()
        self.data[row] = 0.0
        return row

    def give_back(self, row: int) -> None:
        """Return a row; its contents are void."""
        self._free.append(row)
