"""How loud somebody's tone has to be behind a strip."""

from collections.abc import Mapping

import numpy as np

from dsp.strip import StripBank
from rooms.strip import StripValue
from tests.support.people import TONE_DBFS
from webrtc.media.strips import strip_settings


def through_strip(pitch_hz: int, settings: Mapping[str, StripValue]) -> tuple[float, float]:
    """Return how loud somebody's tone is behind a strip, left and right, in dBFS."""
    t = np.arange(3 * 48_000) / 48_000
    tone = 10 ** (TONE_DBFS / 20) * np.sin(2 * np.pi * pitch_hz * t)
    arena = np.repeat(tone[None, :, None], 2, axis=2).astype(np.float32)
    strips = StripBank()
    strips.take(0)
    strips.set(0, strip_settings(settings))
    strips.process(arena, np.zeros(1, np.int32), 0, arena.shape[1])
    steady = arena[0, 96_000:].astype(np.float64)
    peaks = 20 * np.log10(2 * np.abs(np.exp(-2j * np.pi * pitch_hz * t[96_000:]) @ steady) / 48_000)
    return float(peaks[0]), float(peaks[1])
