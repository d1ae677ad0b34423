"""A clip as something that can be played into a room."""

from collections.abc import AsyncGenerator

import numpy as np
import soxr

from archive.rolling import SAMPLE_RATE_HZ
from archive.store import SessionStoreError
from webrtc.playback.source import Samples
from webrtc.sessions.clips import Clip


class ClipSource:
    """See `PcmSource`."""

    def __init__(self, clip: Clip) -> None:
        """Play a clip."""
        self._clip = clip

    @property
    def duration_s(self) -> float | None:
        """See `PcmSource`."""
        return self._clip.frames / self._clip.rate_hz

    async def frames(self, start_s: float) -> AsyncGenerator[Samples, None]:
        """See `PcmSource`; ends where the store goes away."""
        clip = self._clip
        resampler = None
        if clip.rate_hz != SAMPLE_RATE_HZ:
            resampler = soxr.ResampleStream(clip.rate_hz, SAMPLE_RATE_HZ, 2, quality="HQ")
        try:
            async for block in clip.blocks(round(start_s * clip.rate_hz), clip.frames):
                yield block if resampler is None else _resampled(resampler, block, last=False)
        except SessionStoreError:
            return
        if resampler is not None:
            yield _resampled(resampler, np.zeros((0, 2), np.float32), last=True)

    async def close(self) -> None:
        """See `PcmSource`."""


def _resampled(resampler: soxr.ResampleStream, block: Samples, *, last: bool) -> Samples:
    sound: Samples = resampler.resample_chunk(np.ascontiguousarray(block), last)
    return sound.reshape(-1, 2)
