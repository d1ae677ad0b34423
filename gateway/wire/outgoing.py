"""Blocks of a mix at 48 kHz, as chunks of 44.1 kHz.

All streams of a room run in step: 160 samples at 48 kHz are 147 at 44.1 kHz, so every block gives
the same number to each, and a listener who changes mixes does so between two samples. soxr gives
its output in lumps of up to 20 ms here; scipy's polyphase filter gives exactly what goes in, 0.3 ms
later.
"""

from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.signal import firwin, upfirdn

from gateway.wire.datagrams import CHUNK_SAMPLES, RATE_HZ
from mixer.arena import SAMPLE_RATE_HZ
from mixer.playout_packet import Block

_UP: Final = 147
_DOWN: Final = 160
_MEMORY: Final = _DOWN  # samples that the filter looks back on, at least its 28 taps
_TAPS: Final = 28
_FILTER: Final = (
    _UP * firwin(_UP * _TAPS + 1, 23_000, window=("kaiser", 7.5), fs=_UP * SAMPLE_RATE_HZ)
).astype(np.float32)
"""Flat to 19.5 kHz; 67 dB down from 27 kHz on, where what lies below 21 kHz is mirrored.

What it lets fold back lies above 20 kHz, so that it can be short.
"""

assert _UP * SAMPLE_RATE_HZ == _DOWN * RATE_HZ


class ChunkStream:
    """One mix, cut into chunks."""

    def __init__(self) -> None:
        """Begin after silence."""
        self._memory = np.zeros(_MEMORY, np.float32)
        self._waiting = np.zeros(0, "<i2")

    def fork(self) -> Self:
        """Return a stream in step with this one, for a mix that goes on from it."""
        other = type(self)()
        other._memory = self._memory
        other._waiting = self._waiting
        return other

    def add(self, block: Block) -> bytes | None:
        """Take a block, float32 (480 or 960, 2), and return a chunk once it is complete."""
        sound = np.concatenate([self._memory, _mono(block)])
        self._memory = sound[-_MEMORY:]
        resampled = upfirdn(_FILTER, sound, _UP, _DOWN)[_UP : _UP + len(block) * _UP // _DOWN]
        samples = np.clip(np.rint(resampled * 32767), -32767, 32767).astype("<i2")
        self._waiting = np.concatenate([self._waiting, samples])
        if len(self._waiting) < CHUNK_SAMPLES:
            return None
        chunk, self._waiting = self._waiting[:CHUNK_SAMPLES], self._waiting[CHUNK_SAMPLES:]
        return chunk.tobytes()


def _mono(block: Block) -> npt.NDArray[np.float32]:
    mono: npt.NDArray[np.float32] = (block[:, 0] + block[:, 1]) * np.float32(0.5)
    return mono
