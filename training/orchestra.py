"""Orchestral pieces, made up by rule and chance.

Free recordings of orchestras come from two games only. To know one of them is too little to
recognise the other, so that more is made up: strings, brass, winds, choir, drums, piano and organ,
in the textures of which film and game music are made (sustained, trembling, plucked, driving,
marching), a new one every few bars.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

SECONDS: Final = 45.0
DRUMS: Final = -1

_PIANO, _HARPSICHORD, _GLOCKENSPIEL, _BELLS, _DULCIMER, _ORGAN = 0, 6, 9, 14, 15, 19
_GUITAR, _VIOLIN, _VIOLA, _CELLO, _BASS, _TREMOLO, _PIZZICATO = 24, 40, 41, 42, 43, 44, 45
_HARP, _TIMPANI, _STRINGS, _SLOW_STRINGS, _CHOIR, _HIT = 46, 47, 48, 49, 52, 55
_TRUMPET, _TROMBONE, _TUBA, _HORN, _BRASS = 56, 57, 58, 60, 61
_OBOE, _BASSOON, _CLARINET, _FLUTE, _RECORDER, _PAN, _SHAKUHACHI, _WHISTLE = (
    68, 70, 71, 73, 74, 75, 77, 78,
)  # fmt: skip
_WARM_PAD, _SITAR, _KOTO, _FIDDLE, _TAIKO, _TOM = 92, 104, 107, 110, 116, 117

Chord = tuple[int, bool]  # semitones above the key note; whether it is minor

_MINOR: Final[tuple[tuple[Chord, ...], ...]] = (
    ((0, True), (8, False), (3, False), (10, False)),
    ((0, True), (5, True), (7, False), (0, True)),
    ((0, True), (10, False), (8, False), (7, False)),
    ((0, True), (8, False), (5, True), (7, False)),
    ((0, True), (0, True), (8, False), (10, False)),
    ((0, True), (3, False), (10, False), (5, True)),
    ((0, True), (1, False), (0, True), (8, False)),
)
_MAJOR: Final[tuple[tuple[Chord, ...], ...]] = (
    ((0, False), (7, False), (9, True), (5, False)),
    ((0, False), (5, False), (7, False), (0, False)),
    ((0, False), (4, True), (5, False), (7, False)),
    ((0, False), (10, False), (5, False), (0, False)),
)
_MINOR_SCALE: Final = (0, 2, 3, 5, 7, 8, 10)
_MAJOR_SCALE: Final = (0, 2, 4, 5, 7, 9, 11)


class Played(NamedTuple):
    """A note; times in seconds, `program` of General MIDI or `DRUMS`, velocity 1 to 127."""

    start_s: float
    length_s: float
    program: int
    key: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Who plays what together.

    Attributes:
        textures: What sounds at the same time, to choose from; names of `_Section`'s methods.
        tempo: Range of beats a minute.
        leads, keys, plucked: Programs of those who lead, of keyboards, of broken chords.
        pads: Programs of long chords.
    """

    textures: tuple[str, ...]
    tempo: tuple[int, int] = (60, 125)
    leads: tuple[int, ...] = (_VIOLIN, _FLUTE, _OBOE, _TRUMPET, _HORN, _STRINGS, _CLARINET)
    keys: tuple[int, ...] = (_PIANO,)
    plucked: tuple[int, ...] = (_HARP, _HARP, _GUITAR, _DULCIMER)
    pads: tuple[int, ...] = (_STRINGS, _STRINGS, _SLOW_STRINGS)


ENSEMBLES: Final = (
    Ensemble(
        ("pad bass lead", "pad bass cello", "pluck bass lead", "pad lead second", "tremble cello"),
        leads=(_VIOLIN, _STRINGS, _VIOLA, _FLUTE),
    ),
    Ensemble(("lead second cello", "lead cello", "lead second bass"), leads=(_VIOLIN,)),
    Ensemble(
        (
            "drive low_brass taiko cymbal",
            "drive fanfare timpani roll",
            "drive horns taiko choir",
            "tremble timpani roll",
            "pad bass fanfare timpani cymbal",
            "drive bass taiko hand_drums",
        ),
        tempo=(90, 150),
    ),
    Ensemble(
        (
            "fanfare march bass",
            "winds march pluck bass",
            "fanfare timpani march lead",
            "horns march drive",
        ),
        tempo=(90, 130),
    ),
    Ensemble(
        ("pad lead broken", "winds pluck bass", "broken lead", "pad bells second",
         "horns pad lead"),
        leads=(_FLUTE, _OBOE, _CLARINET, _VIOLIN, _RECORDER),
    ),
    Ensemble(("choir pad bass", "choir", "choir broken", "choir tremble timpani"), tempo=(50, 80)),
    Ensemble(
        ("alberti solo", "solo walk", "alberti solo cello", "chorale"),
        keys=(_PIANO, _PIANO, _PIANO, _HARPSICHORD),
    ),
    Ensemble(("chorale", "chorale solo", "alberti solo"), tempo=(60, 110), keys=(_ORGAN,)),
    Ensemble(
        ("hand_drums lead", "hand_drums lead pad", "broken lead hand_drums",
         "hand_drums broken bass", "lead pad"),
        tempo=(80, 130),
        leads=(_PAN, _SHAKUHACHI, _RECORDER, _CLARINET, _DULCIMER, _SITAR, _WHISTLE, _OBOE,
               _FIDDLE),
        plucked=(_HARP, _GUITAR, _DULCIMER, _KOTO, _GUITAR + 1),
    ),
    Ensemble(
        (
            "pad bass lead fanfare timpani",
            "drive bass horns lead timpani roll",
            "hits tremble timpani",
            "pad winds bass horns",
            "pluck winds",
        )
    ),
    Ensemble(
        ("tremble bass", "pad cello", "tremble horns timpani", "low_brass timpani", "pad bells"),
        tempo=(50, 80),
        pads=(_STRINGS, _STRINGS, _SLOW_STRINGS, _WARM_PAD),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cast:
    """What stays the same through a piece: players, figures, rhythms (in beats)."""

    pad: int
    bass: int
    plucked: int
    keys: int
    brass: int
    wind: int
    bell: int
    lead: int
    second: int
    hit: int
    low: int
    figure: tuple[int, ...]
    drive: tuple[int, ...]
    fanfare: tuple[float, ...]
    timpani: tuple[float, ...]
    taiko: tuple[float, ...]
    steps: tuple[float, ...]


def piece(chance: Random) -> Iterator[Played]:
    """Yield the notes of a piece of some 45 s."""
    ensemble = chance.choice(ENSEMBLES)
    cast = _cast(ensemble, chance)
    beat_s, beats = 60 / chance.randint(*ensemble.tempo), chance.choice((3, 4, 4, 4))
    key, start_s = chance.randint(0, 11), 0.0
    while start_s < SECONDS:
        is_minor = chance.random() < 0.65
        chords = chance.choice(_MINOR if is_minor else _MAJOR)
        section = _Section(
            chance, cast, chords, key, is_minor, chance.choice((4, 4, 8)), beats, beat_s, start_s
        )
        section.play(chance.choice(ensemble.textures).split())
        yield from section.notes
        start_s += section.bars * beats * beat_s
        if chance.random() < 0.2:
            start_s += beat_s


def _cast(ensemble: Ensemble, chance: Random) -> _Cast:
    return _Cast(
        pad=chance.choice(ensemble.pads),
        bass=chance.choice((_CELLO, _BASS, _STRINGS)),
        plucked=chance.choice(ensemble.plucked),
        keys=chance.choice(ensemble.keys),
        brass=chance.choice((_BRASS, _BRASS, _TRUMPET, _HORN)),
        wind=chance.choice((_FLUTE, _OBOE, _CLARINET, _BASSOON)),
        bell=chance.choice((_GLOCKENSPIEL, _GLOCKENSPIEL - 1, _GLOCKENSPIEL + 2, _BELLS)),
        lead=chance.choice(ensemble.leads),
        second=chance.choice((_VIOLA, _OBOE, _CLARINET, _CELLO, _HORN)),
        hit=chance.choice((_HIT, _HIT, _STRINGS, _STRINGS, _STRINGS)),
        low=chance.choice((60, 64, 67)),
        figure=chance.choice(((0, 2, 1, 2), (0, 1, 2, 3), (3, 1, 2, 1), (0, 0, 2, 1, 3, 1))),
        drive=chance.choice(((0, 0, 1, 0), (0, 2, 0, 1), (0, 0, 0, 0, 1, 1, 2, 1), (0, 1, 2, 1))),
        fanfare=chance.choice(((0, 1.5, 2), (0, 2), (0, 0.5, 1, 2.5), (0, 3, 3.5))),
        timpani=chance.choice(((0,), (0, 2), (0, 2.5, 3), (0, 3.5))),
        taiko=chance.choice(
            ((0, 1.5, 2, 3), (0, 0.5, 1, 2, 3, 3.5), (0, 1.5, 3), (0, 1, 1.5, 2.5))
        ),
        steps=chance.choice(((0.5, 0.5, 1), (1, 1, 2, 0.5), (1, 2, 2, 3), (0.5, 0.25, 0.25, 1))),
    )


@dataclass(slots=True)
class _Section:
    """Some bars in one texture; the notes gather in `notes`."""

    chance: Random
    cast: _Cast
    chords: tuple[Chord, ...]
    key: int
    is_minor: bool
    bars: int
    beats: int
    beat_s: float
    start_s: float
    notes: list[Played] = field(default_factory=list)
    _at_s: float = 0.0
    _bar: int = 0
    _louder: int = 0
    _tones: frozenset[int] = frozenset()
    _root: int = 40

    def play(self, names: list[str]) -> None:
        """Play all parts that have these names."""
        lines: dict[str, Callable[[], None]] = {
            "lead": lambda: self._line(self.cast.lead, self.cast.low, 24, self.cast.steps, 92),
            "second": lambda: self._line(self.cast.second, self.cast.low - 10, 20, (1, 2, 2), 78),
            "cello": lambda: self._line(_CELLO, 40, 20, (1, 1, 2, 0.5), 86),
            "solo": lambda: self._line(self.cast.keys, 64, 22, (0.5, 0.5, 1, 0.25, 2), 82),
        }
        swell = self.chance.choice((0, 0, 40, -40))
        for bar in range(self.bars):
            self._bar = bar
            chord = self.chords[bar % len(self.chords)]
            self._at_s = self.start_s + self._bar * self.beats * self.beat_s
            self._tones = self._tones_of(chord)
            self._root = _nearest((chord[0] + self.key) % 12, 40)
            self._louder = self.chance.randint(-4, 4) + int(swell * (bar / self.bars - 0.5))
            for name in names:
                if name not in lines:
                    getattr(self, f"_play_{name}")()
        for name in names:
            if name in lines:
                lines[name]()

    # ---- parts, bar by bar --------------------------------------------------------------------

    def _play_pad(self) -> None:
        self._chord(self.cast.pad, self.chance.choice((52, 55)), 4, 72)

    def _play_bass(self) -> None:
        key = self._root - (12 if self.cast.bass == _BASS else 0)
        self._add(self.cast.bass, 0, self.beats, key, 84)

    def _play_walk(self) -> None:
        for beat in range(self.beats):
            self._add(self.cast.bass, beat, 0.8, self._root + (0, 7, 12, 7)[beat % 4], 80)

    def _play_tremble(self) -> None:
        self._chord(_TREMOLO, self.chance.choice((48, 55)), 3, 80)

    def _play_choir(self) -> None:
        self._chord(_CHOIR, 55, 3, 80)

    def _play_horns(self) -> None:
        self._chord(_HORN, 50, 3, 80)

    def _play_low_brass(self) -> None:
        self._chord(_TROMBONE, 40, 3, 92)

    def _play_pluck(self) -> None:
        self._pattern(_PIZZICATO, self.cast.figure, 55, 84, 2, 0.6)

    def _play_drive(self) -> None:
        fast = self.chance.choice((2, 4)) if self._bar == 0 else 2
        self._pattern(_STRINGS, self.cast.drive, 48, 92, fast, 0.45)

    def _play_broken(self) -> None:
        self._pattern(self.cast.plucked, (0, 1, 2, 3, 2, 1), 52, 74, 2, 1.6)

    def _play_alberti(self) -> None:
        self._pattern(self.cast.keys, (0, 2, 1, 2), 48, 66, 2, 0.95)

    def _play_winds(self) -> None:
        self._pattern(self.cast.wind, self.cast.figure, 64, 74, 2, 0.5)

    def _play_bells(self) -> None:
        self._pattern(self.cast.bell, (3, 2, 1, 0), 72, 60, 1, 1.5)

    def _play_chorale(self) -> None:
        half = self.beats / 2
        for number, low in enumerate((48, 52)):
            for key in (self._root, *_voices(self._tones, low, 4)):
                self._add(self.cast.keys, number * half, half, key, 78)

    def _play_fanfare(self) -> None:
        for beat in self.cast.fanfare:
            for key in _voices(self._tones, 52, 3):
                self._add(self.cast.brass, beat, 0.8, key, 98)
            self._add(_TUBA, beat, 0.8, self._root, 98)

    def _play_hits(self) -> None:
        if self._bar % 2 == 0:
            for key in (self._root, *_voices(self._tones, 55, 3)):
                self._add(self.cast.hit, 0, 0.6, key, 105)

    def _play_timpani(self) -> None:
        for beat in self.cast.timpani:
            self._add(_TIMPANI, beat, 0.9, self._root, self.chance.randint(80, 115))

    def _play_roll(self) -> None:
        if self._bar % 4 == 3:
            for stroke in range(16):
                beat = self.beats * (0.5 + stroke / 32)
                self._add(_TIMPANI, beat, 0.2, self._root, 60 + 3 * stroke)

    def _play_taiko(self) -> None:
        for beat in self.cast.taiko:
            key = self.chance.choice((45, 48, 50))
            self._add(_TAIKO, beat, 1.0, key, self.chance.randint(85, 120))

    def _play_march(self) -> None:
        for eighth in range(2 * self.beats):
            if eighth in (0, 2, 3, 4, 6, 7):
                self._add(DRUMS, eighth / 2, 0.2, 38, self.chance.randint(55, 90))
            if eighth % 4 == 0:
                self._add(DRUMS, eighth / 2, 0.3, 36, 95)

    def _play_hand_drums(self) -> None:
        for eighth in range(2 * self.beats):
            if self.chance.random() < 0.55:
                key = self.chance.choice((50, 55, 60))
                self._add(_TOM, eighth / 2, 0.5, key, self.chance.randint(50, 90))
            if self.chance.random() < 0.3:
                key = self.chance.choice((54, 69, 82, 64, 62))
                self._add(DRUMS, eighth / 2, 0.2, key, self.chance.randint(40, 80))

    def _play_cymbal(self) -> None:
        if self._bar % 4 == 0:
            key = self.chance.choice((49, 57))
            self._add(DRUMS, 0, 2.0, key, self.chance.randint(60, 100))

    # ---- what parts are made of ---------------------------------------------------------------

    def _add(self, program: int, beat: float, beats: float, key: int, velocity: int) -> None:
        """Add a note of this bar; what would begin after it is left out."""
        if beat >= self.beats or not 20 < key < 110:
            return
        start_s = max(0.0, self._at_s + beat * self.beat_s + self.chance.gauss(0, 0.008))
        velocity = min(127, max(20, velocity + self._louder))
        self.notes.append(Played(start_s, beats * self.beat_s, program, key, velocity))

    def _chord(self, program: int, low: int, count: int, velocity: int) -> None:
        for key in _voices(self._tones, low, count):
            self._add(program, 0, self.beats, key, velocity)

    def _pattern(
        self, program: int, figure: tuple[int, ...], low: int, velocity: int, fast: int, held: float
    ) -> None:
        keys = _voices(self._tones, low, 4)
        for number in range(self.beats * fast):
            accent = 10 if number % fast == 0 else 0
            key = keys[figure[number % len(figure)]]
            self._add(program, number / fast, held / fast, key, velocity + accent)

    def _line(
        self, program: int, low: int, span: int, steps: tuple[float, ...], velocity: int
    ) -> None:
        """Add a melody over all bars."""
        beat, end = 0.0, self.bars * self.beats
        key = self.chance.randint(low + 4, low + span - 4)
        scale = _MINOR_SCALE if self.is_minor else _MAJOR_SCALE
        self._louder = 0
        while beat < end - 0.01:
            step = min(self.chance.choice(steps), end - beat)
            self._bar, within = int(beat // self.beats), beat % self.beats
            self._at_s = self.start_s + self._bar * self.beats * self.beat_s
            if self.chance.random() >= 0.12:
                tones = self._tones_of(self.chords[self._bar % len(self.chords)])
                wanted = tones if beat % 2 == 0 else tones | {(self.key + s) % 12 for s in scale}
                key += self.chance.choice((-4, -3, -2, -2, -1, 1, 2, 2, 3, 4))
                key = min(low + span, max(low, key))
                while key % 12 not in wanted:
                    key += 1
                held = step * self.chance.uniform(0.85, 1.05)
                self._add(program, within, held, key, velocity + self.chance.randint(-10, 10))
            beat += step

    def _tones_of(self, chord: Chord) -> frozenset[int]:
        root = chord[0] + self.key
        return frozenset((root + step) % 12 for step in (0, 3 if chord[1] else 4, 7))


def _nearest(pitch_class: int, key: int) -> int:
    """Return the key of a pitch class that is nearest to another key."""
    return next(each for each in range(key - 6, key + 6) if each % 12 == pitch_class)


def _voices(tones: frozenset[int], low: int, count: int) -> list[int]:
    """Return so many keys of a chord, from `low` upwards."""
    return [key for key in range(low, low + 37) if key % 12 in tones][:count]
