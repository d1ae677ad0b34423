"""What lossy codecs leave in sound: the grid of time on which they rounded its spectrum; sans-I/O.

A codec rounds much of what it finds in a block of sound to nothing. Whoever lays the same blocks
over the sound again finds those holes, and none one sample beside. Resampling keeps them: by how
many samples the blocks lie apart now the rate is told, as codecs mostly work at 44.1 or 48 kHz.
Sound that went through no such codec shows no grid.

After J. Herre and M. Schug, "Analysis of Decompressed Audio: The Inverse Decoder" (AES 109, 2000).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from archive.codec_blocks import CODECS, Blocks
from archive.encodings import RATES_HZ

Matrix = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.int_]

SURE: Final = 7.0
"""Strength from which a grid is one; what has none was never seen above 3."""

_SOURCES: Final = {44_100: 0.8, 48_000: 0.2}
"""Rates at which codecs mostly work, and how likely each is."""
_RARE_SOURCES: Final = (32_000, 24_000, 22_050, 16_000)
"""Rates at which they work on voices: not looked for, but where they look like the others."""
_AS_CODED: Final = 0.5
_RESAMPLED: Final = 0.01
"""How likely sound of rare sources is at the codec's own rate, and at another."""
_STRETCH: Final = 270_000  # samples at the codec's rate
_LEAST_BLOCKS: Final = 40
"""Fewer could hardly be sure: a grid of n unseen blocks has 1.6 times the root of n at most."""
_MOST_BLOCKS: Final = 200
_SURVEYED: Final = 4
_SEEN: Final = 14
_LIKELY: Final = 16
_BESIDE: Final = 16
_BEST: Final = 8
_OTHERS: Final = 4
_APART: Final = 8  # samples
_CLOSER: Final = 3
_WORTH_IT: Final = 4.0
_OBVIOUS: Final = 12.0
_REPEATED: Final = 4096  # samples
_LISTENED: Final = 9
_ALIKE: Final = 0.998
_LOWEST: Final = 0.01  # of the codec's rate
_UNFILTERED: Final = 0.42  # of the sound's own rate
_NEIGHBOURS: Final = np.full(15, 1 / 15, np.float32)
_HOLE: Final = 0.003
"""Power beside its neighbours' at which a line is half a hole."""
_MEETS: Final = 3
_FURTHEST: Final = 6.0
_LEAST: Final = 1e-6
_PORTION: Final = 128  # blocks that fit into a processor's cache


@dataclass(frozen=True, slots=True)
class Grid:
    """A codec's grid in a sound.

    Attributes:
        codec: One of `CODECS`.
        ratio: The sound's rate over the codec's.
        strength: How surely there are more holes on it than elsewhere; by chance alone, were blocks
            independent of each other, this many deviations.
        depth: How many more, as a part of all lines.
    """

    codec: str
    ratio: Fraction
    strength: float
    depth: float


def ratios() -> dict[Fraction, tuple[tuple[int, float], ...]]:
    """Return the ratios that a grid can have: of each, the rates and how likely their codec's is.

    A sound is rarely brought to more than the rate of its codec, but from 44.1 to 48 kHz.
    """
    found: dict[Fraction, list[tuple[int, float]]] = {}
    for source_hz, share in _SOURCES.items():
        for rate_hz in RATES_HZ:
            if rate_hz <= source_hz or (rate_hz, source_hz) == (48_000, 44_100):
                found.setdefault(Fraction(rate_hz, source_hz), []).append((rate_hz, share))
    for source_hz in _RARE_SOURCES:
        for rate_hz in RATES_HZ:
            ratio = Fraction(rate_hz, source_hz)
            if ratio <= 1 and ratio in found:
                share = _AS_CODED if ratio == 1 else _RESAMPLED
                found[ratio].append((rate_hz, share))
    return {ratio: tuple(rates) for ratio, rates in found.items()}


def find_grid(sound: Values, wanted: Iterable[Fraction]) -> Grid | None:
    """Return the grid that a mono sound is the likeliest to have, None if there is surely none.

    Args:
        sound: (n,), in any scale; of a long one, the loudest of three stretches of 6 s.
        wanted: Ratios to look for, the likeliest first: where one shows beyond doubt, only those
            that could be mistaken for it are looked for besides.
    """
    loudest = float(np.max(np.abs(sound), initial=0.0))
    if not 0 < loudest < np.inf:
        return None
    scaled = (sound / loudest).astype(np.float32)
    if _is_steady(scaled):
        return None
    left, looks, grids = list(wanted), [], []
    while left:
        ratio = left.pop(0)
        taken = _taken(scaled, ratio)
        for codec, blocks in CODECS.items():
            if len(_places(len(taken), blocks)) < _LEAST_BLOCKS:
                continue
            look = _Look(codec, ratio, taken)
            if look.strength < _WORTH_IT:
                looks.append(look)
                continue
            grids.append(look.closer())
            if grids[-1].strength >= _OBVIOUS:
                left = [other for other in left if _is_mistakable(ratio, other)]
    looks.sort(key=lambda look: -look.strength)
    grids += [look.closer() for look in looks[:_CLOSER]]
    sure = [grid for grid in grids if grid.strength >= SURE]
    return max(sure, key=lambda grid: grid.depth, default=None)


def _is_steady(sound: Matrix) -> bool:
    """Return whether a sound repeats itself at once, over and over, as a test tone does.

    If what repeats fits a codec's blocks, each one has its holes at the same places.
    """
    if len(sound) < 3 * _REPEATED:
        return False
    likeness = []
    for start in np.linspace(0, len(sound) - 3 * _REPEATED, _LISTENED).astype(int):
        part = sound[start : start + _REPEATED].astype(np.float64)
        later = sound[start + _REPEATED : start + 3 * _REPEATED].astype(np.float64)
        size = 4 * _REPEATED
        lines = np.fft.rfft(later, size) * np.conj(np.fft.rfft(part, size))
        alike = np.fft.irfft(lines, size)[: _REPEATED + 1]
        sums = np.concatenate([[0.0], np.cumsum(np.square(later))])
        power = np.square(part).sum() * (sums[_REPEATED:] - sums[:-_REPEATED])
        likeness.append(float(np.max(alike / (np.sqrt(power) + _LEAST))))
    return float(np.median(likeness)) > _ALIKE


def _is_mistakable(one: Fraction, other: Fraction) -> bool:
    """Return whether blocks of one ratio meet those of another at every second or third."""
    return max((one / other).as_integer_ratio()) <= _MEETS


def _taken(sound: Matrix, ratio: Fraction) -> Matrix:
    """Return a stretch of the sound at its codec's rate, as loud as noise of deviation 1."""
    stretch = int(_STRETCH * ratio)
    starts = np.linspace(0, max(0, len(sound) - stretch), 3).astype(int)
    taken = max((sound[start : start + stretch] for start in starts), key=np.std)
    if ratio != 1:
        taken = soxr.resample(taken, ratio.numerator, ratio.denominator)
    loudness = np.std(taken) if len(taken) else np.float32(0)
    found: Matrix = taken / loudness if loudness > 0 else taken[:0]
    return found


def _places(samples: int, blocks: Blocks) -> Places:
    """Return where blocks may begin, at any phase."""
    return np.arange(0, samples - blocks.size - blocks.hop + 1, blocks.hop)


def _certainty(blocks: int, others: int) -> float:
    """Return what makes deviations of a mean rank among others, -1 to 1, in so many blocks."""
    return float((3 * blocks / (1 + 2 / others)) ** 0.5)


class _Look:
    """A sound with a codec's blocks laid over it.

    Attributes:
        codec: Its name.
        ratio: The sound's rate over the codec's.
        strength: How surely there is a grid.
    """

    def __init__(self, codec: str, ratio: Fraction, sound: Matrix) -> None:
        self.codec, self.ratio = codec, ratio
        self._blocks = blocks = CODECS[codec]
        self._views = np.lib.stride_tricks.sliding_window_view(sound, blocks.size)
        self._shifts = np.arange(0, blocks.hop, blocks.period)
        self._highest = _UNFILTERED * min(1.0, float(ratio))
        places = _places(len(sound), blocks)
        seen = np.linspace(0, len(places) - 1, _SURVEYED + _SEEN).astype(int)
        surveyed = seen[np.linspace(0, len(seen) - 1, _SURVEYED).astype(int)]
        others = np.setdiff1d(seen, surveyed)
        unseen = np.delete(places, seen)
        few = np.linspace(0, len(unseen) - 1, min(len(unseen), _MOST_BLOCKS)).astype(int)
        self._unseen = unseen[few]
        # All phases in a few blocks, then the likeliest in some others, then the best of them in
        # those that are left.
        holes = self._holes(places[surveyed], np.arange(blocks.period))
        off = holes - np.median(holes, axis=1, keepdims=True)
        off /= np.median(np.abs(off), axis=1, keepdims=True) + _LEAST
        likely = np.argsort(-np.minimum(off, _FURTHEST).mean(axis=0))
        beside = likely[np.linspace(_LIKELY, len(likely) - 1, _BESIDE).astype(int)]
        found = self._holes(places[others], np.concatenate([likely[:_LIKELY], beside]))
        more = np.sign(found[:, :_LIKELY, None] - found[:, None, _LIKELY:])
        strengths = more.mean(axis=(0, 2)) * _certainty(len(others), _BESIDE)
        self.strength = float(strengths.max())
        best = likely[np.argsort(-strengths)[:_BEST]]
        self._phases = np.concatenate([best, beside[:: _BESIDE // _OTHERS]])

    def closer(self) -> Grid:
        """Return the grid as the blocks show it that have not been seen.

        By rank, as the attack of a tone makes far more holes at some phases than at others, but not
        at the same ones in each block; and beside the phase that comes next to it, as a tone whose
        period fits the blocks has several that are above all others.
        """
        found = self._holes(self._unseen, self._phases)
        more = found[:, :, None] - found[:, None, :]
        ranks, depths = np.sign(more).mean(axis=0), more.mean(axis=0)
        way = np.abs(self._phases[:, None] - self._phases)
        is_apart = np.minimum(way, self._blocks.period - way) > _APART
        least = np.where(is_apart, ranks, 1.0).min(axis=1)
        least[~is_apart.any(axis=1)] = -1.0
        best = int(least[:_BEST].argmax())
        strength = float(least[best]) * _certainty(len(self._unseen), len(self._phases))
        more_here = depths[best][is_apart[best]]
        depth = float(more_here.mean()) if len(more_here) else 0.0
        return Grid(self.codec, self.ratio, strength, depth)

    def _holes(self, places: Places, phases: Places) -> Matrix:
        """Return what part of all lines are holes, (places, phases)."""
        return np.array([self._at(place, phases) for place in places])

    def _at(self, place: int, phases: Places) -> Matrix:
        """Return the part of the lines that are holes in one block at each phase.

        Of all places that a phase stands for, the one with most holes.
        """
        offsets = (place + self._shifts[:, None] + phases).ravel()
        portions = np.split(offsets, range(_PORTION, len(offsets), _PORTION))
        powers = [self._blocks.power(self._views[one], self._highest) for one in portions]
        power = np.concatenate(powers)[:, int(_LOWEST * 2 * self._blocks.hop) :]
        level = _HOLE * np.convolve(power.mean(axis=0), _NEIGHBOURS, "same") + np.float32(1e-12)
        holes: Matrix = (level / (level + power)).mean(axis=1)
        most: Matrix = holes.reshape(len(self._shifts), len(phases)).max(axis=0)
        return most
