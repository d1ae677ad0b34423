"""Noise suppression for one sound: the choice of who does it, and how it comes and goes.

- `webrtc`: WebRTC's noise suppressor (`denoiser_webrtc.py`). Steady noise goes down by 17 dB.
- `rnnoise`: a neural network (`denoiser_rnnoise.py`). Steady noise goes down by 30 dB and more;
  what is no voice, music for one, suffers.

Each needs a package that may be missing: `engines` tells which are there.
"""

import functools
from typing import Final, Protocol, get_args

import numpy as np
import numpy.typing as npt

from dsp import denoiser_rnnoise, denoiser_webrtc
from dsp.beside import Beside, at_once
from dsp.denoise_engines import DenoiseEngine

FRAME: Final = 480
"""Blocks are whole multiples of so many samples."""

Block = npt.NDArray[np.float32]


_FADE_FRAMES: Final = 2  # 20 ms from the plain sound to the other and back
_BRIDGE: Final = (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, 240)))[:, None].astype(np.float32)


class Cleaner(Protocol):
    """Takes the noise from one sound, block by block."""

    @property
    def latency_samples(self) -> int:
        """By how much what it returns is late."""

    def clean(self, block: Block) -> Block | None:
        """Return a block of the clean sound, as long as `block`; None as long as there is none."""

    def rest(self) -> None:
        """Forget the sound: it has ended."""


@functools.cache
def engines() -> tuple[DenoiseEngine, ...]:
    """Return those that are installed, those that cost less first."""
    there = {
        "webrtc": denoiser_webrtc.is_available(),
        "rnnoise": denoiser_rnnoise.is_available(),
    }
    return tuple(name for name in get_args(DenoiseEngine) if there[name])


def make_denoiser(engine: DenoiseEngine, beside: Beside = at_once) -> "Denoiser":
    """Return a denoiser that has heard nothing.

    Args:
        engine: One of `engines()`.
        beside: Where work is done that takes too long for the tick.

    Raises:
        ImportError: the engine's package is missing.
    """
    if engine == "webrtc":
        return Denoiser(engine, denoiser_webrtc.WebrtcCleaner())
    return Denoiser(engine, denoiser_rnnoise.RnnoiseCleaner(beside))


class Denoiser:
    """Takes the noise from one sound.

    It begins with the plain sound and fades over, and so it ends: no switching clicks. A block that
    its cleaner does not have in time stays plain, with a short bridge from what was heard before.

    Attributes:
        engine: Who does it.
    """

    def __init__(self, engine: DenoiseEngine, cleaner: Cleaner) -> None:
        """Make one that has heard nothing."""
        self.engine = engine
        self._cleaner = cleaner
        self._wet = 0  # frames of the fade that are done
        self._goal = _FADE_FRAMES
        self._last = np.zeros(2, np.float32)

    def leave(self) -> None:
        """Fade back to the plain sound."""
        self._goal = 0

    def stay(self) -> None:
        """Go on, or go on again."""
        self._goal = _FADE_FRAMES

    def rest(self) -> None:
        """Forget the sound: it has ended."""
        self._cleaner.rest()
        self._last[:] = 0.0

    @property
    def has_left(self) -> bool:
        """Whether the sound is plain again."""
        return self._goal == self._wet == 0

    @property
    def latency_samples(self) -> int:
        """By how much the sound is late."""
        return self._cleaner.latency_samples

    def process(self, block: Block) -> None:
        """Take the noise from a block (n, 2), in place; n is a multiple of `FRAME`."""
        if not np.isfinite(block.sum()):
            block[:] = np.nan_to_num(block, posinf=0.0, neginf=0.0)
        clean = self._cleaner.clean(block)
        if clean is None:
            self._be_plain(block)
        elif self._wet == self._goal == _FADE_FRAMES:
            block[:] = clean
        else:
            self._fade(block, clean)
        self._last[:] = block[-1]

    def _be_plain(self, block: Block) -> None:
        if self._wet:
            self._wet = 0
            head = block[: len(_BRIDGE)]
            head += _BRIDGE * (self._last - head)

    def _fade(self, block: Block, clean: Block) -> None:
        for first in range(0, len(block), FRAME):
            frame = slice(first, first + FRAME)
            before = self._wet
            self._wet += (self._goal > before) - (self._goal < before)
            way = np.linspace(before, self._wet, FRAME, endpoint=False, dtype=np.float32)
            share = way[:, None] / np.float32(_FADE_FRAMES)
            block[frame] += share * (clean[frame] - block[frame])
