"""Time compression and expansion by whole pitch periods, for a delay that moves unheard.

Waveform-similarity overlap-add (Verhelst and Roelands, 1993): the sound is cut where it resembles
itself one period further on, and the cut is blended over. In a pause anything resembles anything,
so any length may go.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OVERLAP_SAMPLES = 240  # 5 ms
SHORTEST_PERIOD = 120  # 2.5 ms: a voice of 400 Hz
LONGEST_PERIOD = 600  # 12.5 ms: a voice of 80 Hz
DECIMATION = 4
QUIET_RMS = 10 ** (-52 / 20)
_MIN_ENERGY = 1e-9

_RISE = (0.5 - 0.5 * np.cos(np.pi * (np.arange(OVERLAP_SAMPLES) + 0.5) / OVERLAP_SAMPLES))[
    :, None
].astype(np.float32)
_FALL = (1 - _RISE).astype(np.float32)

Block = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Period:
    """A lag at which the sound resembles itself."""

    samples: int
    similarity: float
    """Normalised correlation over the overlap, −1 to 1; 1 where the sound is quiet."""


def find_period(pcm: Block, longest: int) -> Period | None:
    """Return the lag of at most `longest` samples at which the start of `pcm` recurs best.

    Args:
        pcm: (n, 2) float32; what is compared starts at its first sample.
        longest: bound of the lag, beside what `pcm` has room for and `LONGEST_PERIOD`.

    Returns:
        None where there is no room for the shortest period.
    """
    longest = min(longest, LONGEST_PERIOD, len(pcm) - OVERLAP_SAMPLES)
    if longest < 1:
        return None
    mono = pcm[: longest + OVERLAP_SAMPLES].sum(axis=1) * np.float32(0.5)
    if float(np.dot(mono, mono)) < QUIET_RMS**2 * len(mono):
        return Period(longest, 1.0)
    if longest < SHORTEST_PERIOD:
        return None
    usable = len(mono) // DECIMATION * DECIMATION
    coarse = mono[:usable].reshape(-1, DECIMATION).sum(axis=1)
    overlap = OVERLAP_SAMPLES // DECIMATION
    first = SHORTEST_PERIOD // DECIMATION
    candidates = _similarities(coarse[:overlap], coarse[first:])
    near = (first + int(np.argmax(candidates))) * DECIMATION
    low = max(SHORTEST_PERIOD, near - DECIMATION)
    high = min(longest, near + DECIMATION)
    fine = _similarities(mono[:OVERLAP_SAMPLES], mono[low : high + OVERLAP_SAMPLES])
    best = int(np.argmax(fine))
    return Period(low + best, float(fine[best]))


def compress(pcm: Block, samples: int) -> Block:
    """Blend `samples` out of the start of `pcm`, in place; return the shorter rest, a view.

    `pcm` holds at least `samples` + `OVERLAP_SAMPLES`; its first sample is kept, so the sound goes
    on unbroken from what was before.
    """
    fading = pcm[:OVERLAP_SAMPLES] * _FALL
    head = pcm[samples : samples + OVERLAP_SAMPLES]
    head *= _RISE
    head += fading
    return pcm[samples:]


def expand(pcm: Block, samples: int, out: Block) -> None:
    """Write `pcm` with its first `samples` said twice to `out`, which is that much longer.

    `pcm` holds at least `samples` + `OVERLAP_SAMPLES` and shares no memory with `out`.
    """
    out[:samples] = pcm[:samples]
    out[samples:] = pcm
    seam = out[samples : samples + OVERLAP_SAMPLES]
    seam *= _RISE
    seam += pcm[samples : samples + OVERLAP_SAMPLES] * _FALL


def crossfade(ending: Block, beginning: Block) -> None:
    """Fade `beginning` in, in place, over `ending`; as long as the shorter, at most 5 ms."""
    count = min(len(ending), len(beginning), OVERLAP_SAMPLES)
    rise = np.linspace(0, 1, count, dtype=np.float32)[:, None]
    head = beginning[:count]
    head *= rise
    head += ending[:count] * (1 - rise)


def _similarities(
    template: NDArray[np.float32], signal: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the normalised correlation of `template` with `signal` at each lag from 0."""
    products = np.correlate(signal, template)
    energy = np.cumsum(np.square(signal, dtype=np.float64))
    energy[len(template) :] -= energy[: -len(template)]
    energies = energy[len(template) - 1 :]
    own = float(np.dot(template, template))
    return (products / np.sqrt(energies * own + _MIN_ENERGY)).astype(np.float32)
