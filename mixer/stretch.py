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
    """How alike the sound is over the overlap: 1 the same or quiet, 0 unlike, below 0 opposite."""
    start: int = 0
    """Where in the sound."""


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


def find_cut(pcm: Block, wanted: int, longest: int, enough: float) -> Period | None:
    """Return what is best taken out of `pcm` towards `wanted` samples, or None.

    All of it where the sound resembles itself `enough` at just that lag, else one period of it. Of
    a rest that is shorter than any period, as much as resembles itself `enough`: the less is
    taken, the more alike are the two ends.

    Args:
        pcm: (n, 2) float32.
        wanted: samples to take out in the end.
        longest: bound of what may go now, beside `LONGEST_PERIOD`.
        enough: similarity that is asked for; what is returned may have less.
    """
    longest = min(wanted, longest, LONGEST_PERIOD)
    if longest == wanted:
        whole = find_place(pcm, wanted)
        if whole is not None and whole.similarity >= enough:
            return whole
    if longest >= SHORTEST_PERIOD:
        return find_period(pcm, longest)
    best = None
    while longest > 1 and (best is None or best.similarity < enough):
        longest //= 2
        best = find_place(pcm, longest)
    return best


def find_place(pcm: Block, samples: int) -> Period | None:
    """Return where in `pcm` exactly `samples` are best taken out.

    Where the sound is quiet, or slow beside so short a cut. The difference that is blended over
    counts by its share of the whole sound, because loud sound hides what is next to it.

    Args:
        pcm: (n, 2) float32.
        samples: length of the cut.

    Returns:
        None where there is no room for the cut and its overlap, or nothing to cut.
    """
    if samples < 1 or len(pcm) < samples + OVERLAP_SAMPLES:
        return None
    mono = _mono(pcm)
    if _is_quiet(mono):
        return Period(samples, 1.0)
    differences = _energies(mono[samples:] - mono[:-samples], OVERLAP_SAMPLES)
    start = int(np.argmin(differences))
    mean = float(np.dot(mono, mono)) * OVERLAP_SAMPLES / len(mono)
    return Period(samples, 1.0 - float(differences[start]) / (2 * mean), start)


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


def compress(pcm: Block, cut: Period) -> Block:
    """Blend one period out of `pcm` where it starts, in place; return the shorter rest, a view.

    `pcm` holds it and `OVERLAP_SAMPLES` beyond; the sample at its start is kept, so the sound goes
    on unbroken from what was before.
    """
    start, samples = cut.start, cut.samples
    fading = pcm[start : start + OVERLAP_SAMPLES] * _FALL
    head = pcm[start + samples : start + samples + OVERLAP_SAMPLES]
    head *= _RISE
    head += fading
    pcm[samples : samples + start] = pcm[:start].copy()
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
    energies = _energies(signal, len(template))
    own = float(np.dot(template, template))
    return (products / np.sqrt(energies * own + _MIN_ENERGY)).astype(np.float32)


def _energies(signal: NDArray[np.float32], samples: int) -> NDArray[np.float64]:
    """Return the energy of each `samples` in a row of `signal`."""
    energy = np.cumsum(np.square(signal, dtype=np.float64))
    energy[samples:] -= energy[:-samples]
    return energy[samples - 1 :]
