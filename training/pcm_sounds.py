"""Sounds of known rate for `training.pcm_rate`, as foreign programs might have left them.

A folder holds `speech/SOURCE/…` and `music/SOURCE/…`: files that libsndfile reads. A source counts
as the root of its files' number, so that no large one rules. From one part of a recording come up
to three sounds at different rates, each altered in its own way:

- faster or slower, music mostly by whole semitones, as its tuning tells the rate;
- low-passed, as earlier rates and codecs leave it, brighter or duller, without its bass;
- resampled by soxr, a polyphase filter or straight lines, at times to more than its own rate;
- softer or louder, noisy, coarse, or through the µ-law.

Some are left plain: only brought to their rate and level.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.signal
import soundfile
import soxr

from archive.encodings import RATES_HZ

Sound = npt.NDArray[np.float32]
Kind = str

_CUTS_HZ: Final = (3400, 5000, 7000, 8000, 10_000, 11_000, 12_000, 15_000, 16_000, 16_000, 17_000)
_FAINT: Final = 0.003
_PLAIN: Final = 0.4
_LEAST_SAMPLES: Final = 8192
_MOST_SAMPLES: Final = 12 * 48_000
_UP: Final = {"speech": 0.35, "music": 0.15}
_SEVERAL: Final = 3
_FINEST: Final = 640  # of a polyphase filter's ratio


@dataclass(frozen=True, slots=True)
class Example:
    """A sound, (n,) in ±1, and its rate."""

    kind: Kind
    source: str
    sound: Sound
    rate_hz: int


def examples(folder: Path, music: float, seed: int) -> Iterator[Example]:
    """Return examples without end; the same folder and seed give the same.

    Args:
        folder: Where recordings are.
        music: How many parts are of music, 0 to 1.
        seed: Of every choice.
    """
    draw, noise = random.Random(seed), np.random.default_rng(seed)
    sources = {kind: _sources(folder / kind) for kind in _UP}
    while True:
        kind = "music" if draw.random() < music else "speech"
        names = list(sources[kind])
        weights = [min(len(sources[kind][name]), 60) ** 0.5 for name in names]
        name = draw.choices(names, weights)[0]
        seconds = draw.uniform(2, 10)
        part, rate_hz = _part(sources[kind][name], kind, seconds * 1.15, draw)
        if len(part) < 1.6 * rate_hz or float(np.std(part)) < _FAINT:
            continue
        for wanted_hz in _rates(kind, rate_hz, draw):
            if draw.random() < _PLAIN:
                sound = _brought(part[: int(seconds * rate_hz)], rate_hz, wanted_hz)
                if len(sound) >= _LEAST_SAMPLES:
                    yield Example(kind, name, _stepped(_levelled(sound, draw)), wanted_hz)
                continue
            speed = _speed(kind, draw)
            altered = _coloured(part[: int(seconds * speed * rate_hz)], rate_hz, kind, draw)
            sound = _resampled(altered, rate_hz * speed, wanted_hz, draw)[:_MOST_SAMPLES]
            if len(sound) >= _LEAST_SAMPLES:
                yield Example(kind, name, _worn(sound, kind, draw, noise), wanted_hz)


def _sources(folder: Path) -> dict[str, list[Path]]:
    found = {source.name: sorted(source.iterdir()) for source in sorted(folder.iterdir())}
    return {name: files for name, files in found.items() if files}


def _part(files: list[Path], kind: Kind, seconds: float, draw: random.Random) -> tuple[Sound, int]:
    """Return so much of a file, mono; speech is joined from several."""
    file = draw.choice(files)
    rate_hz = int(soundfile.info(file).samplerate)
    wanted = int(seconds * rate_hz)
    if kind == "music":
        sound = _read(file, wanted, draw)
        return (sound.mean(axis=1) if draw.random() < 0.7 else sound[:, 0]), rate_hz
    gap_s, parts = draw.uniform(0, 0.6), []
    for one in [file, *draw.sample(files, min(12, len(files)))]:
        if soundfile.info(one).samplerate != rate_hz:
            continue
        silence = np.zeros(int(draw.uniform(0, gap_s) * rate_hz), np.float32)
        parts += [_read(one, wanted, draw).mean(axis=1), silence]
        if sum(map(len, parts)) >= wanted:
            break
    return np.concatenate(parts)[:wanted], rate_hz


def _read(file: Path, frames: int, draw: random.Random) -> Sound:
    start = int(draw.uniform(0, max(0, soundfile.info(file).frames - frames)))
    sound, _ = soundfile.read(file, frames, start, always_2d=True, dtype="float32")
    found: Sound = sound
    return found


def _rates(kind: Kind, rate_hz: int, draw: random.Random) -> list[int]:
    """Return rates that a recording may have been brought to."""
    chosen: list[int] = []
    for _ in range(_SEVERAL):
        is_up = draw.random() < _UP[kind]
        possible = [
            rate
            for rate in RATES_HZ
            if rate not in chosen
            and (is_up or rate <= rate_hz or (rate_hz, rate) == (44_100, 48_000))
        ]
        if not possible:
            break
        chosen.append(draw.choice(possible))
    return chosen


def _speed(kind: Kind, draw: random.Random) -> float:
    if draw.random() >= 0.5:
        return 1.0
    if kind == "music" and draw.random() < 0.75:
        semitones = draw.choice((-2, -1, 1, 2)) + draw.gauss(0, 0.04)
        return float(2 ** (semitones / 12))
    return draw.uniform(0.92, 1.09)


def _coloured(sound: Sound, rate_hz: int, kind: Kind, draw: random.Random) -> Sound:
    """Return a sound as another microphone, codec or earlier rate might have made it."""
    if draw.random() < 0.35:
        cut_hz = draw.choice((*_CUTS_HZ, 19_000, 20_000))
        is_wanted = cut_hz < rate_hz * 0.49 and (kind == "speech" or cut_hz >= 7000)
        if is_wanted:
            sound = _filtered(sound, draw.choice((4, 8, 12)), cut_hz, "low", rate_hz)
    if draw.random() < 0.25:
        edge_hz = min(draw.uniform(200, 3000), rate_hz * 0.4)
        sound = sound + draw.uniform(-0.6, 2) * _filtered(sound, 1, edge_hz, "high", rate_hz)
    if draw.random() < 0.1:
        sound = _filtered(sound, 2, draw.choice((80, 120, 200, 300)), "high", rate_hz)
    return sound


def _filtered(sound: Sound, order: int, edge_hz: float, side: str, rate_hz: int) -> Sound:
    sections = scipy.signal.butter(order, edge_hz, side, fs=rate_hz, output="sos")
    found: Sound = scipy.signal.sosfilt(sections, sound).astype(np.float32)
    return found


def _resampled(sound: Sound, from_hz: float, to_hz: int, draw: random.Random) -> Sound:
    """Return a sound at another rate, by one of the ways in which programs do it."""
    if abs(from_hz - to_hz) <= 1:
        return sound
    way = draw.random()
    found: Sound
    if way < 0.6:
        quality = "HQ" if way < 0.45 else draw.choice(("LQ", "MQ", "VHQ"))
        found = soxr.resample(sound, from_hz, to_hz, quality=quality)
        return found
    if 0.9 <= way < 0.95:
        places = np.arange(int(len(sound) * to_hz / from_hz)) * (from_hz / to_hz)
        found = np.interp(places, np.arange(len(sound)), sound).astype(np.float32)
        return found
    ratio = Fraction(to_hz, round(from_hz)).limit_denominator(_FINEST)
    up, down = ratio.numerator, ratio.denominator
    window: object = draw.choice((("kaiser", 5.0), ("kaiser", 5.0), ("kaiser", 8.0), "hamming"))
    if way >= 0.95:  # short and sharp, as FFmpeg's
        size = max(up, down)
        window = scipy.signal.firwin(16 * size + 1, 0.97 / size, window=("kaiser", 9))
    found = scipy.signal.resample_poly(sound, up, down, window=window).astype(np.float32)
    return found


def _brought(sound: Sound, rate_hz: int, wanted_hz: int) -> Sound:
    """Return a sound at another rate as nearly all programs do it."""
    if rate_hz == wanted_hz:
        return sound[:_MOST_SAMPLES]
    found: Sound = soxr.resample(sound, rate_hz, wanted_hz)[:_MOST_SAMPLES]
    return found


def _levelled(sound: Sound, draw: random.Random) -> Sound:
    gain = 0.7 * 10 ** draw.uniform(-0.7, 0.2) / max(1e-3, float(np.abs(sound).max()))
    found: Sound = np.clip(sound * gain, -1, 1).astype(np.float32)
    return found


def _stepped(sound: Sound) -> Sound:
    steps: Sound = (np.rint(np.clip(sound, -1, 1) * 32_767) / 32_768).astype(np.float32)
    return steps


def _worn(sound: Sound, kind: Kind, draw: random.Random, noise: np.random.Generator) -> Sound:
    """Return a sound as loud, noisy and coarse as it may have been written."""
    sound = _levelled(sound, draw)
    if draw.random() < 0.25:
        hiss = noise.standard_normal(len(sound)).astype(np.float32)
        sound = sound + np.float32(10 ** draw.uniform(-4.5, -2.7)) * hiss
    if draw.random() < 0.1:
        sound = np.round(sound * 127) / np.float32(127)
    if kind == "speech" and draw.random() < 0.1:
        curve = np.sign(sound) * np.log1p(255 * np.abs(sound)) / np.log(256)
        curve = np.round(curve * 127) / 127
        sound = (np.sign(curve) * (256 ** np.abs(curve) - 1) / 255).astype(np.float32)
    return _stepped(sound)
