"""A feed of frames as a source of its room plays it, without a click wherever it begins or ends."""

from typing import Final, Protocol

import numpy as np

from mixer.arena import BLOCK_10MS, BLOCK_20MS
from mixer.playout_packet import Block, Pull

_FADE: Final = 240
_RISE: Final = np.linspace(0, 1, _FADE, dtype=np.float32)[:, None]
_FALL: Final = 1 - _RISE


class Frames(Protocol):
    """Where frames come from."""

    @property
    def course(self) -> int:
        """The course that is to be played."""

    @property
    def is_over(self) -> bool:
        """Whether everything has been read and nothing comes any more."""

    def take(self) -> tuple[int, Block] | None:
        """Return the next frame, float32 (480, 2), and its course."""


class FeedPlayout:
    """See `mixer.source.PlayoutLike`.

    Attributes:
        plays: Whether it plays, or pauses; may be set at any time.
        underruns: How often there was no frame although it should have played.
    """

    packet_samples = BLOCK_20MS  # nobody's talk: rooms need not run more often for it

    def __init__(self, frames: Frames, *, plays: bool) -> None:
        """Play `frames`."""
        self.plays = plays
        self.underruns = 0
        self._frames = frames
        self._sounded = 0  # the course of the last frame, 0 after silence
        self._last = np.zeros((BLOCK_10MS, 2), np.float32)

    @property
    def is_buffering(self) -> bool:
        """Whether it is to be asked again."""
        return bool(self._sounded) or (self.plays and not self._frames.is_over)

    def safe_time_s(self) -> float | None:
        """Return None: it plays when it is asked to."""
        return None

    def pull(self, out: Block, now_s: float) -> Pull:
        """Write the next block; see `PlayoutLike`."""
        sounded = [
            self._write(out[first : first + BLOCK_10MS]) for first in range(0, len(out), BLOCK_10MS)
        ]
        return Pull.SOUND if any(sounded) else Pull.SILENT

    def _write(self, out: Block) -> bool:
        """Write 10 ms; return whether they hold sound."""
        wanted = self._frames.course if self.plays else 0
        taken = self._frames.take() if self.plays or self._sounded else None
        fading = self._sounded if self._sounded != wanted else 0
        tail = None
        if fading and taken is not None and taken[0] == fading:
            tail = taken[1][:_FADE].copy()
        while self.plays and taken is not None and taken[0] != wanted:
            taken = self._frames.take()
        if not self.plays:
            taken = None
        if taken is None:
            return self._fall_silent(out, tail)
        out[:] = taken[1]
        if self._sounded != wanted:
            out[:_FADE] *= _RISE
        if tail is not None:
            out[:_FADE] += tail * _FALL
        self._sounded = wanted
        self._last = out.copy()
        return True

    def _fall_silent(self, out: Block, tail: Block | None) -> bool:
        """Write the way to silence, if there was sound before."""
        if not self._sounded:
            out[:] = 0.0
            return False
        if self.plays and not self._frames.is_over:
            self.underruns += 1
        out[:] = 0.0
        # What would have come, or else the last sample, held.
        held = np.broadcast_to(self._last[-1], (_FADE, 2)) if tail is None else tail
        out[:_FADE] = held * _FALL
        self._sounded = 0
        return True
