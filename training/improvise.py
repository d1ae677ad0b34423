"""Melodies over chords: lines of notes for a soloist, made up by rule and chance.

Accompaniment alone (piano, bass, drums) is not what jazz sounds like to anybody; a horn over it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

_ROOTS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SCALES: Final = (
    ("m7b5", (0, 1, 3, 5, 6, 8, 10)),
    ("M7", (0, 2, 4, 5, 7, 9, 11)),
    ("m6", (0, 2, 3, 5, 7, 9, 11)),
    ("m", (0, 2, 3, 5, 7, 9, 10)),
    ("7", (0, 2, 4, 5, 7, 9, 10)),
    ("", (0, 2, 4, 5, 7, 9, 11)),
)


@dataclass(frozen=True, slots=True)
class Note:
    """A note; times in beats, velocity 1 to 127."""

    start: float
    length: float
    key: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody plays.

    Attributes:
        low, high: Range, as MIDI keys.
        swing: Where the second eighth of a beat falls.
        steps: Lengths of notes in beats, to choose from.
        rest: How likely a phrase is followed by a pause.
        chromatic: How likely a note is approached from a semitone away.
    """

    low: int
    high: int
    swing: float = 0.5
    steps: tuple[float, ...] = (0.5, 0.5, 0.5, 1.0)
    rest: float = 0.5
    chromatic: float = 0.0


def scale_of(chord: str) -> tuple[int, frozenset[int], frozenset[int]]:
    """Return root, pitch classes of the scale, and those of the chord, of `F#m7` and the like."""
    root = _ROOTS[chord[0]]
    rest = chord[1:]
    if rest[:1] in ("#", "b"):
        root += 1 if rest[0] == "#" else -1
        rest = rest[1:]
    scale = next(steps for suffix, steps in _SCALES if rest.startswith(suffix))
    tones = (scale[0], scale[2], scale[4], scale[6])
    return (
        root % 12,
        frozenset((root + s) % 12 for s in scale),
        frozenset((root + s) % 12 for s in tones),
    )


def melody(
    chords: list[str], beats_per_chord: float, manner: Manner, chance: Random
) -> Iterator[Note]:
    """Yield a line over chords that each last `beats_per_chord`."""
    key = chance.randint(manner.low + 5, manner.high - 5)
    beat, end = 0.0, len(chords) * beats_per_chord
    direction, left = 1, chance.randint(4, 10)
    while beat < end - 1:
        if left == 0:
            left = chance.randint(3, 12)
            direction = chance.choice((-1, 1))
            if chance.random() < manner.rest:
                beat = float(int(beat)) + chance.choice((1.0, 1.5, 2.0, 3.0))
                continue
        left -= 1
        step = chance.choice(manner.steps)
        chord = chords[int(min(beat, end - 1) / beats_per_chord)]
        key = _next_key(key, direction, chord, beat, manner, chance)
        if not manner.low < key < manner.high:
            direction = 1 if key <= manner.low else -1
        accent = 12 if beat % 1 else 0
        yield Note(
            _swung(beat, manner.swing) + chance.gauss(0, 0.012),
            step * chance.uniform(0.75, 0.98),
            key,
            max(
                40, min(120, chance.randint(78, 104) + (accent if manner.swing > 0.5 else -accent))
            ),
        )
        beat += step


def _next_key(
    key: int, direction: int, chord: str, beat: float, manner: Manner, chance: Random
) -> int:
    _, scale, tones = scale_of(chord)
    wanted = tones if beat % 1 == 0 and chance.random() < 0.7 else scale
    if chance.random() < 0.15:
        direction = -direction
    leap = chance.choice((1, 1, 1, 2, 3, 4))
    candidate = max(manner.low, min(manner.high, key + direction * leap))
    while candidate % 12 not in wanted:
        candidate += direction
    if chance.random() < manner.chromatic:
        candidate -= direction
    return candidate


def _swung(beat: float, swing: float) -> float:
    whole, part = divmod(beat, 1.0)
    return whole + (part * 2 * swing if part <= 0.5 else swing + (part - 0.5) * 2 * (1 - swing))
