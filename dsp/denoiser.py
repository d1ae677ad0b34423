"""Noise suppression: WebRTC's own, as packed by `pywebrtc-audio` (Apache-2.0).

It estimates steady noise band by band and turns it down by about 17 dB, 18 at most; voices lose
0.6 dB. A block of 10 ms costs 40 µs, little enough to be done where the sound is. It delays by
`LATENCY_SAMPLES`, 7 ms, while it is on.

The package may be missing, on platforms without a wheel: then `is_available` says so, and nothing
else of this file may be used.
"""

import functools
import importlib.util
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from dsp.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    pass

FRAME: Final = 480
"""Blocks are whole multiples of so many samples."""
LATENCY_SAMPLES: Final = 335

_LEVEL: Final = 2  # of 0 to 3: 18 dB
_FADE_FRAMES: Final = 2  # 20 ms from the plain sound to the other and back


@functools.cache
def is_available() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec("pywebrtc_audio") is not None


class Denoiser:
    """Takes the steady noise from one sound.

    It begins with the plain sound and fades over, and so it ends: no switching clicks.
    """

    def __init__(self) -> None:
        """Make one that has heard nothing.

        Raises:
            ImportError: the package is missing.
        """
        from pywebrtc_audio import NoiseSuppressor

        self._suppressor: NoiseSuppressor = NoiseSuppressor(SAMPLE_RATE_HZ, 2, _LEVEL)
        self._wet = 0  # frames of the fade that are done
        self._goal = _FADE_FRAMES

    def leave(self) -> None:
        """Fade back to the plain sound."""
        self._goal = 0

    def stay(self) -> None:
        """Go on, or go on again."""
        self._goal = _FADE_FRAMES

    @property
    def has_left(self) -> bool:
        """Whether the sound is plain again."""
        return self._goal == self._wet == 0

    @property
    def voice_probability(self) -> float:
        """How likely there was a voice in the last frame, 0 to 1."""
        return float(self._suppressor.speech_probability)

    def process(self, block: npt.NDArray[np.float32]) -> None:
        """Take the noise from a block (n, 2), in place; n is a multiple of `FRAME`."""
        if not np.isfinite(block.sum()):
            block[:] = np.nan_to_num(block, posinf=0.0, neginf=0.0)
        clean = self._suppressor.process(block.reshape(-1)).reshape(block.shape)
        if self._wet == self._goal == _FADE_FRAMES:
            block[:] = clean
            return
        for first in range(0, len(block), FRAME):
            frame = slice(first, first + FRAME)
            before = self._wet
            self._wet += (self._goal > before) - (self._goal < before)
            way = np.linspace(before, self._wet, FRAME, endpoint=False, dtype=np.float32)
            share = way[:, None] / np.float32(_FADE_FRAMES)
            block[frame] += share * (clean[frame] - block[frame])
