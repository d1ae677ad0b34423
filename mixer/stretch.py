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
    mono = _mono(pcm[: longest + OVERLAP_SAMPLES])
    if _is_quiet(mono):
        return Period(longest, 1.0)
    if longest < SHORTEST_PERIOD:
        return None
    offset, similarity = _best_match(mono[:OVERLAP_SAMPLES], mono[SHORTEST_PERIOD:])
    return Period(SHORTEST_PERIOD + offset, similarity)


def find_repeat(played: Block, coming: Block, wanted: int) -> Period | None:
    """Return how much of the end of `played` is best said again before `coming`.

    Args:
        played: (n, 2) float32, what was heard last.
        coming: (m, 2) float32, what goes on from there.
        wanted: samples to gain, taken exactly where the sound is quiet and n allows.

    Returns:
        None where either is too short.
    """
    longest = min(LONGEST_PERIOD, len(played))
    if longest < SHORTEST_PERIOD or len(coming) < OVERLAP_SAMPLES:
        return None
    mono = _mono(np.concatenate([played[-longest:], coming[:OVERLAP_SAMPLES]]))
    if _is_quiet(mono):
        return Period(min(max(wanted, 1), longest), 1.0)
    offset, similarity = _best_match(
        mono[-OVERLAP_SAMPLES:], mono[: longest - SHORTEST_PERIOD + OVERLAP_SAMPLES]
    )
    return Period(longest - offset, similarity)


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


def expand(played: Block, coming: Block, samples: int, out: Block) -> None:
    """Write the last `samples` of `played` once more, and then `coming`, to `out`.

    `out` is `samples` longer than `coming`, which holds at least `OVERLAP_SAMPLES`; it goes on
    unbroken from `played` and shares no memory with either.
    """
    out[:samples] = played[-samples:]
    out[samples:] = coming
    head = out[:OVERLAP_SAMPLES]
    head *= _RISE
    head += coming[:OVERLAP_SAMPLES] * _FALL


def crossfade(ending: Block, beginning: Block) -> None:
    """Fade `beginning` in, in place, over `ending`; as long as the shorter, at most 5 ms."""
    count = min(len(ending), len(beginning), OVERLAP_SAMPLES)
    rise = np.linspace(0, 1, count, dtype=np.float32)[:, None]
    head = beginning[:count]
    head *= rise
    head += ending[:count] * (1 - rise)


def _mono(pcm: Block) -> NDArray[np.float32]:
    mixed: NDArray[np.float32] = pcm.sum(axis=1) * np.float32(0.5)
    return mixed


def _is_quiet(mono: NDArray[np.float32]) -> bool:
    return float(np.dot(mono, mono)) < QUIET_RMS**2 * len(mono)


def _best_match(template: NDArray[np.float32], signal: NDArray[np.float32]) -> tuple[int, float]:
    """Return where in `signal` it resembles `template` most, and how much.

    Sought at a quarter of the rate first, then sample by sample round what was found.
    """
    whole = len(signal) // DECIMATION * DECIMATION
    coarse = _similarities(
        template.reshape(-1, DECIMATION).sum(axis=1),
        signal[:whole].reshape(-1, DECIMATION).sum(axis=1),
    )
    near = int(np.argmax(coarse)) * DECIMATION
    low = max(0, near - DECIMATION)
    fine = _similarities(template, signal[low : near + DECIMATION + len(template)])
    best = int(np.argmax(fine))
    return low + best, float(fine[best])


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
