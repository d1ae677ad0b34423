"""What lossy codecs leave in sound: the grid of time on which they rounded its spectrum; sans-I/O.

A codec rounds much of what it finds in a block of sound to nothing. Whoever lays the same blocks
over the sound again finds those holes, and none one sample beside. Resampling keeps them: by how
many samples the blocks lie apart now the rate is told, as codecs work at 44.1 or 48 kHz. Sound that
went through no such codec shows no grid.

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

SURE: Final = 10.0
"""Strength from which a grid is one: steady tones alone reach 9, and a grid up to 25."""

_SOURCES: Final = {44_100: 0.8, 48_000: 0.18, 32_000: 0.02}
"""Rates at which codecs work, and how likely each is."""
_RARE_HZ: Final = 32_000
"""Not looked for, but where it looks like another."""
_STRETCH: Final = 270_000  # samples at the codec's rate
_LEAST_BLOCKS: Final = 10
_MOST_BLOCKS: Final = 250
_SURVEYED: Final = 4
_SEEN: Final = 14
_LIKELY: Final = 6
_BESIDE: Final = 16
_CLOSER: Final = 3
_WORTH_IT: Final = 4.0
_OBVIOUS: Final = 12.0
_LOWEST: Final = 0.01  # of the codec's rate
_HIGHEST: Final = 0.43
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
        strength: By how many deviations there are more holes on it than beside it.
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
            ratio = Fraction(rate_hz, source_hz)
            is_usual = rate_hz <= source_hz or (rate_hz, source_hz) == (48_000, 44_100)
            if is_usual and (source_hz != _RARE_HZ or ratio in found):
                found.setdefault(ratio, []).append((rate_hz, share))
    return {ratio: tuple(rates) for ratio, rates in found.items()}


def find_grid(sound: Values, wanted: Iterable[Fraction]) -> Grid | None:
    """Return the grid that a mono sound is the likeliest to have, None if there is surely none.

    Args:
        sound: (n,), in any scale; of a long one, 6 s of its middle are looked at.
        wanted: Ratios to look for; what shows at once beyond doubt ends the search.
    """
    left, looks, grids = list(wanted), [], []
    while left:
        ratio = left.pop(0)
        for codec, taken in _taken(sound, ratio):
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


def _is_mistakable(one: Fraction, other: Fraction) -> bool:
    """Return whether blocks of one ratio meet those of another at every second or third."""
    return max((one / other).as_integer_ratio()) <= _MEETS


def _taken(sound: Values, ratio: Fraction) -> list[tuple[str, Matrix]]:
    """Return the sound at its codec's rate, for each codec of which it holds enough blocks."""
    stretch = int(_STRETCH * ratio)
    start = max(0, (len(sound) - stretch) // 2)
    taken = sound[start : start + stretch].astype(np.float32)
    if ratio != 1:
        taken = soxr.resample(taken, ratio.numerator, ratio.denominator)
    loudness = float(taken.std()) if len(taken) else 0.0
    if loudness == 0:
        return []
    scaled = taken / np.float32(loudness)
    return [
        (name, scaled)
        for name, blocks in CODECS.items()
        if len(_places(len(scaled), blocks)) >= _LEAST_BLOCKS
    ]


def _places(samples: int, blocks: Blocks) -> Places:
    """Return where blocks may begin, at any phase."""
    return np.arange(0, samples - blocks.size - blocks.hop + 1, blocks.hop)


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
        self._highest = min(_UNFILTERED * min(1.0, float(ratio)), _HIGHEST)
        places = _places(len(sound), blocks)
        seen = np.linspace(0, len(places) - 1, min(len(places), _SURVEYED + _SEEN)).astype(int)
        surveyed = seen[np.linspace(0, len(seen) - 1, _SURVEYED).astype(int)]
        others = np.setdiff1d(seen, surveyed)
        unseen = np.delete(places, seen)
        self._unseen = unseen[:: 1 + len(unseen) // _MOST_BLOCKS]
        # All phases in a few blocks, then the likeliest in others, which had no part in the choice.
        holes = np.array([self._at(place, np.arange(blocks.period)) for place in places[surveyed]])
        off = holes - np.median(holes, axis=1, keepdims=True)
        off /= np.median(np.abs(off), axis=1, keepdims=True) + _LEAST
        likely = np.argsort(-np.minimum(off, _FURTHEST).mean(axis=0))
        self._beside = likely[np.linspace(_LIKELY, len(likely) - 1, _BESIDE).astype(int)]
        self._others = places[others]
        strengths, _ = self._compared(self._others, likely[:_LIKELY])
        self._beside = self._beside[::2]
        self.strength = float(strengths.max())
        self._best = likely[np.argsort(-strengths)[:_CLOSER]]

    def closer(self) -> Grid:
        """Return the grid as all blocks show it that have not been seen, where these are enough."""
        is_enough = len(self._unseen) >= _LEAST_BLOCKS
        places = self._unseen if is_enough else self._others
        strengths, depths = self._compared(places, self._best)
        best = int(strengths.argmax())
        return Grid(self.codec, self.ratio, float(strengths[best]), float(depths[best]))

    def _compared(self, places: Places, phases: Places) -> tuple[Values, Values]:
        """Return how surely, and by how much, blocks have more holes at these phases than beside.

        Surely by rank: the attack of a tone makes far more of them at some phases than at others,
        but not at the same ones in each block.
        """
        together = np.concatenate([self._beside, phases])
        holes = np.array([self._at(place, together) for place in places])
        beside = holes[:, None, : len(self._beside)]
        more = holes[:, len(self._beside) :, None] - beside
        deviation = ((1 + 2 / len(self._beside)) / 3 / len(places)) ** 0.5
        strengths = np.sign(more).mean(axis=(0, 2)) / deviation
        return strengths, more.mean(axis=(0, 2))

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
