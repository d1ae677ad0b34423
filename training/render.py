"""Renders music with MMA (Musical MIDI Accompaniment) and General MIDI soundfonts.

Jazz above all, since no real jazz is free beyond a handful of tracks, and orchestras, since two
games are all that is free of them. A little of everything else is rendered, too, lest "comes out
of a soundfont" be learnt as the mark of jazz.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.signal

from training.cache import cache_folder, packages_folder
from training.improvise import Manner, Note, melody
from training.orchestra import DRUMS, piece

RATE_HZ: Final = 44_100
SECONDS: Final = 45
SOUNDFONTS: Final = {
    "fluid": "fluid-soundfont-gm/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "timgm": "timgm6mb-soundfont/usr/share/sounds/sf2/TimGM6mb.sf2",
}

_MMA: Final = "mma/usr/share/mma/mma.py"
_TAIL_S: Final = 1.0
_DRUMS: Final = 9  # the channel
_FIRST_ECHO_S: Final = 0.02

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Style:
    """A groove of MMA and what is played over it.

    Attributes:
        tempo: Range of beats a minute.
        leads: General MIDI programs of soloists; -1 for none.
        beats: Beats of a bar.
        drive: How much the whole is overdriven, as an amplifier does.
    """

    label: str
    groove: str
    tempo: tuple[int, int]
    leads: tuple[int, ...]
    beats: int = 4
    drive: float = 0.0


_HORNS: Final = (66, 65, 56, 59, 71, 57, 64)
_COMBO: Final = (66, 65, 56, 11, 0, 26, -1)
_CLUB: Final = (0, 26, 11, 66, 73, -1)
_AMPLIFIED: Final = (29, 30, 27, -1)
_CHAMBER: Final = (40, 42, 73, 68, 71, 0)

STYLES: Final = (
    Style("jazz", "Swing", (120, 190), _COMBO),
    Style("jazz", "SwingWalk", (110, 200), _COMBO),
    Style("jazz", "Bebop", (170, 240), _HORNS),
    Style("jazz", "BigBand", (120, 180), _HORNS),
    Style("jazz", "JazzCombo", (110, 170), _COMBO),
    Style("jazz", "JazzGuitar", (90, 150), (26, 11, 66)),
    Style("jazz", "MellowJazz", (80, 120), _CLUB),
    Style("jazz", "NiteJazz", (80, 130), _CLUB),
    Style("jazz", "SlowJazz", (60, 90), _CLUB),
    Style("jazz", "EasySwing", (100, 140), _COMBO),
    Style("jazz", "FastSwing", (190, 240), _HORNS),
    Style("jazz", "ModernJazz", (120, 180), _COMBO),
    Style("jazz", "Evansish", (90, 150), (0, 0, 11, 66)),
    Style("jazz", "BossaNova", (110, 150), (73, 66, 24, 0)),
    Style("jazz", "JazzRhumba", (100, 130), _COMBO),
    Style("jazz", "DescendingJazz", (100, 150), _COMBO),
    Style("jazz", "GypsyJazz", (150, 210), (40, 24, 71)),
    Style("jazz", "Dixie", (150, 210), (56, 71, 57)),
    Style("jazz", "Foxtrot", (120, 160), (71, 56, 66)),
    Style("jazz", "JazzWaltz", (120, 170), _COMBO, beats=3),
    Style("jazz", "FastJazzWaltz", (170, 210), _COMBO, beats=3),
    Style("jazz", "ModernJazzWaltz", (120, 170), _CLUB, beats=3),
    Style("rock", "8Beat", (100, 140), _AMPLIFIED, drive=3.0),
    Style("rock", "BasicRock", (110, 160), _AMPLIFIED, drive=4.0),
    Style("rock", "60sRock", (110, 150), _AMPLIFIED, drive=2.0),
    Style("rock", "RockBallad", (70, 100), _AMPLIFIED, drive=2.0),
    Style("rock", "FolkRock", (100, 130), _AMPLIFIED, drive=2.0),
    Style("electronic", "Trance", (125, 145), (80, 81, 87, -1), drive=1.5),
    Style("electronic", "Trance1", (125, 145), (80, 81, 62, -1), drive=1.5),
    Style("classical", "StringBallad", (60, 90), _CHAMBER),
    Style("classical", "Hymn", (60, 90), _CHAMBER),
    Style("classical", "March", (90, 120), _CHAMBER),
)

_PROGRESSIONS: Final = {
    "jazz": (
        ("Dm7", "G7", "CM7", "A7", "Dm7", "G7", "CM7", "C6"),
        ("C7", "F7", "C7", "C7", "F7", "F7", "C7", "A7", "Dm7", "G7", "C7", "G7"),
        ("CM7", "Am7", "Dm7", "G7", "Em7", "A7", "Dm7", "G7"),
        ("Cm7", "Fm7", "Dm7b5", "G7b9", "Cm7", "Am7b5", "Dm7b5", "G7b9"),
        ("Cm7", "F7", "BbM7", "EbM7", "Am7b5", "D7", "Gm6", "Gm6"),
        ("Dm7", "Dm7", "Dm7", "Dm7", "Ebm7", "Ebm7", "Dm7", "Dm7"),
        ("FM7", "Em7b5", "A7", "Dm7", "Cm7", "F7", "Bb7", "Am7", "Dm7", "Gm7", "C7"),
    ),
    "rock": (
        ("C", "G", "Am", "F"),
        ("Am", "F", "C", "G"),
        ("E", "E", "A", "B"),
        ("Em", "D", "C", "D"),
    ),
    "electronic": (("Am", "Am", "F", "G"), ("Em", "Em", "C", "D"), ("Dm", "Dm", "Dm", "Bb")),
    "classical": (
        ("C", "G", "Am", "Em", "F", "C", "F", "G"),
        ("Am", "Dm", "E7", "Am", "F", "Dm", "E7", "Am"),
        ("C", "F", "G7", "C", "Am", "Dm", "G7", "C"),
    ),
}
_MANNERS: Final = {
    "jazz": Manner(55, 84, 0.64, (0.5, 0.5, 0.5, 0.5, 1.0, 1.5), 0.55, 0.12),
    "rock": Manner(52, 79, 0.5, (0.5, 0.5, 1.0, 0.25), 0.5),
    "electronic": Manner(57, 84, 0.5, (0.25, 0.5, 0.25), 0.3),
    "classical": Manner(58, 88, 0.5, (0.5, 1.0, 2.0, 0.5), 0.15),
}


def pieces(style: Style, soundfont: str, count: int, seed: int) -> Iterator[Samples]:
    """Yield `count` pieces in a style, mono, 44.1 kHz; the same seed gives the same pieces."""
    for number in range(count):
        chance = Random(f"{style.groove} {soundfont} {number} {seed}")
        tempo = chance.randint(*style.tempo)
        bars = max(8, round(SECONDS * tempo / 60 / style.beats))
        progression = chance.choice(_PROGRESSIONS[style.label])
        chords = [progression[bar % len(progression)] for bar in range(bars)]
        solo: list[Note] = []
        lead = chance.choice(style.leads)
        if lead >= 0:
            solo = list(melody(chords, style.beats, _MANNERS[style.label], chance))
        midi = _accompany(style.groove, tempo, chords, chance)
        yield _play(midi, soundfont, solo, lead, 60 / tempo, style.drive, chance.randint(-5, 6))


def _accompany(groove: str, tempo: int, chords: list[str], chance: Random) -> bytes:
    """Return a MIDI file with MMA's accompaniment."""
    program = packages_folder() / _MMA
    if not program.exists():
        _prepare(program)
    folder = cache_folder() / "midi"
    folder.mkdir(exist_ok=True)
    source, target = folder / "piece.mma", folder / "piece.mid"
    lines = [f"RndSeed {chance.randint(1, 9999)}", f"Tempo {tempo}", f"Groove {groove}"]
    lines += [f"{number} {chord}" for number, chord in enumerate(chords, 1)]
    source.write_text("\n".join(lines) + "\n")
    command = [sys.executable, str(program), "-f", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return target.read_bytes()


def _prepare(program: Path) -> None:
    """Let MMA run where it was unpacked, and list its grooves."""
    program.write_bytes((program.parents[2] / "bin" / "mma").read_bytes())
    (program.parent / "plugins").mkdir(exist_ok=True)
    subprocess.run([sys.executable, str(program), "-G"], check=True, capture_output=True)


@cache
def _synthesiser(soundfont: str) -> Any:
    return _new_synthesiser(soundfont)


def _new_synthesiser(soundfont: str) -> Any:
    import tinysoundfont

    synthesiser = tinysoundfont.Synth(samplerate=RATE_HZ, gain=-6)
    number = synthesiser.sfload(str(packages_folder() / SOUNDFONTS[soundfont]))
    return synthesiser, number


def _play(
    midi: bytes,
    soundfont: str,
    solo: list[Note],
    lead: int,
    beat_s: float,
    drive: float,
    transposed: int,
) -> Samples:
    from tinysoundfont import midi as files

    synthesiser = _silenced(*_synthesiser(soundfont))
    events = files.load_memory(midi)
    used = {event.channel for event in events}
    free = next(
        channel for channel in range(15, -1, -1) if channel not in used and channel != _DRUMS
    )
    if lead >= 0:
        synthesiser.program_change(free, lead)
    plan: list[tuple[float, int, Any]] = [(e.t, e.channel, e.action) for e in events]
    for note in solo:
        start = max(0.0, note.start) * beat_s
        plan.append((start, free, files.NoteOn(note.key, note.velocity)))
        plan.append((start + note.length * beat_s, free, files.NoteOff(note.key)))
    sound = _performed(synthesiser, plan, transposed)
    return np.asarray(0.7 * np.tanh(sound * (1 + drive)), np.float32)


def _silenced(synthesiser: Any, number: int) -> Any:
    synthesiser.sounds_off()
    for channel in range(16):
        drums = channel == _DRUMS
        synthesiser.program_select(channel, number, 128 if drums else 0, 0, drums)
        synthesiser.control_change(channel, 7, 100)
    return synthesiser


def _performed(
    synthesiser: Any, plan: list[tuple[float, int, Any]], transposed: int = 0
) -> Samples:
    """Return what events (time in s, channel, what) sound like, mono, of peak 1."""
    from tinysoundfont import midi as files

    plan.sort(key=lambda item: item[0])
    portions: list[Samples] = []
    done = 0
    for time_s, channel, action in plan:
        due = min(int(time_s * RATE_HZ), int((SECONDS + 5) * RATE_HZ))
        if due > done:
            portions.append(_generate(synthesiser, due - done))
            done = due
        _act(synthesiser, channel, action, transposed, files)
    portions.append(_generate(synthesiser, int(_TAIL_S * RATE_HZ)))
    sound = np.concatenate(portions)
    sound /= np.abs(sound).max() + 1e-6
    return sound


def orchestra(soundfont: str, count: int, seed: int) -> Iterator[Samples]:
    """Yield `count` orchestral pieces in a hall, mono, 44.1 kHz, each as its number says."""
    from tinysoundfont import midi as files

    loaded = _new_synthesiser(soundfont)  # of its own: what was played before leaves traces
    for number in range(count):
        chance = Random(f"orchestra {soundfont} {number} {seed}")
        notes = list(piece(chance))
        synthesiser = _silenced(*loaded)
        free = (channel for channel in range(16) if channel != _DRUMS)
        channels = {DRUMS: _DRUMS}
        for program in dict.fromkeys(note.program for note in notes if note.program != DRUMS):
            channels[program] = next(free)
            synthesiser.program_change(channels[program], program)
            synthesiser.control_change(channels[program], 7, chance.randint(80, 115))
        plan: list[tuple[float, int, Any]] = []
        for note in notes:
            channel, end_s = channels[note.program], note.start_s + note.length_s
            plan.append((note.start_s, channel, files.NoteOn(note.key, note.velocity)))
            plan.append((end_s, channel, files.NoteOff(note.key)))
        sound = _performed(synthesiser, plan)
        yield _in_hall(sound, chance.uniform(1.0, 2.6), chance.uniform(0.25, 0.9), number)


def _in_hall(sound: Samples, decay_s: float, wet: float, seed: int) -> Samples:
    """Add the tail of a hall: noise that dies away, as loud as `wet` says beside the sound."""
    chance = np.random.default_rng(seed)
    length = int(decay_s * RATE_HZ)
    tail = chance.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    tail = scipy.signal.lfilter([1], [1, -chance.uniform(0.3, 0.8)], tail)
    tail *= wet / np.sqrt((tail**2).sum())
    tail = np.concatenate([np.zeros(int(_FIRST_ECHO_S * RATE_HZ)), tail])
    heard = sound + scipy.signal.fftconvolve(sound, tail)[: len(sound)]
    return np.asarray(0.7 * heard / (np.abs(heard).max() + 1e-6), np.float32)


def _generate(synthesiser: Any, count: int) -> Samples:
    both = np.frombuffer(bytes(synthesiser.generate(count)), np.float32).reshape(-1, 2)
    mono: Samples = both.mean(axis=1)
    return mono


def _act(synthesiser: Any, channel: int, action: Any, transposed: int, files: Any) -> None:
    shift = 0 if channel == _DRUMS else transposed
    match action:
        case files.NoteOn() if action.velocity:
            synthesiser.noteon(channel, min(127, max(0, action.key + shift)), action.velocity)
        case files.NoteOn() | files.NoteOff():
            synthesiser.noteoff(channel, min(127, max(0, action.key + shift)))
        case files.ControlChange():
            synthesiser.control_change(channel, action.control, action.control_value)
        case files.ProgramChange() if channel != _DRUMS:
            synthesiser.program_change(channel, action.program)
        case files.PitchBend():
            synthesiser.pitchbend(channel, action.pitch_bend)
