"""Rows of audio side by side, so that compiled loops see one array."""

import numpy as np
import numpy.typing as npt

from mixer.levels import AUDIBLE_DBOV, SILENCE_DBOV

BLOCK_10MS = 480
BLOCK_20MS = 960
SAMPLE_RATE_HZ = 48_000

Block = npt.NDArray[np.float32]

METER = np.dtype(
    [
        ("engaged_until_s", np.float64),  # instant until which it is to be in the mixes
        ("smooth_power", np.float64),  # mean square, over some 50 ms
        ("floor_dbov", np.float64),
        ("level_dbov", np.uint8),  # of the last block that was looked at
        ("speaking", np.uint8),
        ("present", np.uint8),  # the last block held sound
        ("muted", np.uint8),
        ("wants_in", np.uint8),  # as last told of
    ]
)
"""What `kernels.observe` knows of a source from block to block."""


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


class SourceArena(Arena):
    """Rows of sources, each with its meter.

    Attributes:
        meters: `METER` by row; another array after the arena has grown.
    """

    def __init__(self, rows: int = 16) -> None:
        """Make an arena with room for `rows`; it doubles when full."""
        super().__init__(rows)
        self.meters: npt.NDArray[np.void] = np.zeros(rows, METER)

    def take(self) -> int:
        """Return a free row, zeroed, with the meter of one that was never heard."""
        row = super().take()
        if len(self.meters) < len(self.data):
            more = np.zeros(len(self.data) - len(self.meters), METER)
            self.meters = np.concatenate([self.meters, more])
        self.meters[row] = np.zeros((), METER)
        self.meters[row]["level_dbov"] = SILENCE_DBOV
        self.meters[row]["floor_dbov"] = AUDIBLE_DBOV
        return row
