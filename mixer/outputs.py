"""Outputs of a room: one encoded stream each, shared by all who hear the same.

An output is a distinct mix at a packet time and a bitrate tier. The room decides who is on which
output; the worker's shell keeps an encoder per output and sends what it makes to the members.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class MixKey:
    """Names a distinct mix: the main one, or the one of a single participant.

    Attributes:
        owner: "" for the main mix, else the participant whose own mix it is.
        silent: Nothing at all (for the deafened); `owner` is "" then.
    """

    owner: str = ""
    silent: bool = False


SAMPLES: Final = -1
"""The tier of listeners who take samples: nobody encodes their outputs, and silence is said too."""


@dataclass(frozen=True, slots=True)
class OutputKey:
    """Names an output: a mix, packets of `ptime_ms` (10 or 20) and a bitrate tier, or `SAMPLES`."""

    mix: MixKey
    ptime_ms: int
    tier: int


class Output:
    """One encoded stream of a room.

    Attributes:
        key: What it is.
        row: Row of the mix arena that holds its sound.
        members: Fan-out rows of its listeners by negotiated level extension id.
        joined: Whether somebody came since the last packet: that packet must decode without
            what went before it.
        quiet_packets: Silent packets in a row, the present one included; 0 while there is sound.
        history: The 20 ms that its first listener heard before, float32 (960, 2), for the encoder
            to begin with; the shell clears it.
        cookie: Whatever the shell keeps with it (its encoder).
    """

    __slots__ = ("_members", "_sets", "cookie", "history", "joined", "key", "quiet_packets", "row")

    def __init__(self, key: OutputKey, row: int) -> None:
        """Make an output without members."""
        self.key = key
        self.row = row
        self.joined = False
        self.quiet_packets = 0
        self.history: npt.NDArray[np.float32] | None = None
        self.cookie: object = None
        self._sets: dict[int, set[int]] = {}
        self._members: dict[int, npt.NDArray[np.int32]] | None = None

    @property
    def members(self) -> dict[int, npt.NDArray[np.int32]]:
        """Fan-out rows by level extension id, each int32 and sorted."""
        if self._members is None:
            self._members = {
                level_id: np.array(sorted(rows), np.int32) for level_id, rows in self._sets.items()
            }
        return self._members

    @property
    def is_empty(self) -> bool:
        """Whether nobody is on it."""
        return not self._sets

    def add(self, handle: int, level_id: int) -> None:
        """Put a listener on it."""
        self._sets.setdefault(level_id, set()).add(handle)
        self._members = None
        self.joined = True
        self.quiet_packets = 0  # a silent output says so to the new one too

    def discard(self, handle: int, level_id: int) -> None:
        """Take a listener off it."""
        rows = self._sets.get(level_id)
        if rows is not None:
            rows.discard(handle)
            if not rows:
                del self._sets[level_id]
            self._members = None
