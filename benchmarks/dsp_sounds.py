"""Sounds that strips are measured with, and strips that they go through."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dsp.engine import Engine
from dsp.strip import LATENCY_SAMPLES, StripBank, StripSettings

RATE_HZ = 48_000

Sound = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]


def through(
    engine: Engine,
    sound: Sound,
    strip: StripSettings,
    then: StripSettings | None = None,
    blocks: Sequence[int] = (),
) -> Sound:
    """Return `sound` through a strip, its latency taken off.

    Args:
        engine: Who computes.
        sound: Samples (n, 2).
        strip: The settings.
        then: Settings from the middle on.
        blocks: Lengths of the blocks, in turn; two halves without.
    """
    bank = StripBank(engine)
    bank.take(0)
    bank.set(0, strip)
    arena = np.concatenate([sound, np.zeros((LATENCY_SAMPLES, 2), np.float32)])[None]
    rows = np.zeros(1, np.int32)
    half, end = arena.shape[1] // 2, arena.shape[1]
    at = number = 0
    while at < end:
        if at == half and then is not None:
            bank.set(0, then)
        step = blocks[number % len(blocks)] if blocks else half
        stop = min(at + step, half if at < half else end)
        bank.process(arena, rows, at, stop - at)
        at, number = stop, number + 1
    return arena[0, LATENCY_SAMPLES:]


def stereo(mono: Values) -> Sound:
    """Return the same on both channels."""
    return np.repeat(mono[:, None], 2, axis=1).astype(np.float32)


def sine(frequency_hz: float, level_db: float, seconds: float) -> Sound:
    """Return a sine of that peak level."""
    t = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    return stereo(10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * t))


def noise(level: float, seconds: float, seed: int = 5) -> Sound:
    """Return noise of that standard deviation, other on the left than on the right."""
    samples = np.random.default_rng(seed).standard_normal((int(RATE_HZ * seconds), 2))
    return np.asarray(level * samples, np.float32)
