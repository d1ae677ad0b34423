"""Cuts the recordings into clips of 5 s at 16 kHz, by source, and keeps them in the cache."""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt
import soxr

from dsp.genre.log_mel import RATE_HZ
from training import augment, render
from training.cache import cache_folder, packages_folder
from training.fetch import rows

CLIP_S: Final = 5
CLIP: Final = CLIP_S * RATE_HZ
SEED: Final = 11
VERSION: Final = 2

_PER_SOURCE: Final = 130
_MOST_PER_TRACK: Final = 16
_PER_VOICE: Final = 24
_PIECES: Final = {"jazz": 3, "rock": 2, "electronic": 2, "classical": 2}
_ORCHESTRAL_PIECES: Final = 48
_LEAST_RMS: Final = 0.004
_PROMPT_GAPS_S: Final = (0.1, 0.6)
_NOISES: Final = 160

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clips:
    """Clips of one source.

    Attributes:
        source: Package, or package and voice.
        label: What it is: speech, rock, jazz, electronic, classical, noise.
        sounds: int16 (n, 80000).
        tracks: int32 (n,), which clips are of the same track.
    """

    source: str
    label: str
    sounds: npt.NDArray[np.int16]
    tracks: npt.NDArray[np.int32]


def all_clips() -> Iterator[Clips]:
    """Yield the clips of every source; cut when they are wanted for the first time."""
    for source, label, tracks in _sources():
        yield _kept(source, label, tracks)
    for label in ("jazz", "rock", "electronic", "classical"):
        for soundfont in render.SOUNDFONTS:
            yield _kept(f"rendered-{soundfont}", label, _rendered(label, soundfont))
    for soundfont in render.SOUNDFONTS:
        yield _kept(f"rendered-{soundfont}/orchestra", "classical", _orchestra(soundfont))
    yield _kept("synthetic", "noise", _noises())


def _kept(source: str, label: str, tracks: Iterable[Samples]) -> Clips:
    name = f"{label} {source}".replace("/", "-")
    file = cache_folder() / "clips" / f"{name}-{VERSION}.npz"
    if not file.exists():
        sounds: list[npt.NDArray[np.int16]] = []
        numbers: list[int] = []
        for number, track in enumerate(tracks):
            cut = track if label == "noise" else list(_cut(track, label))
            for clip in cut if label != "noise" else [track]:
                sounds.append(np.rint(np.clip(clip, -1, 1) * 32767).astype(np.int16))
                numbers.append(number)
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, sounds=np.stack(sounds), tracks=np.array(numbers, np.int32))
        print(f"{len(sounds)} clips of {name}", flush=True)
    with np.load(file) as stored:
        return Clips(source, label, stored["sounds"], stored["tracks"])


def _cut(track: Samples, label: str) -> Iterator[Samples]:
    """Yield clips from all over a track that are not silent."""
    most = _PER_VOICE if label == "speech" else _MOST_PER_TRACK
    starts = np.arange(0, len(track) - CLIP + 1, CLIP)
    loud = [at for at in starts if np.sqrt(np.mean(track[at : at + CLIP] ** 2)) > _LEAST_RMS]
    if len(loud) > most:
        loud = [loud[int(i)] for i in np.linspace(0, len(loud) - 1, most)]
    for at in loud:
        yield track[at : at + CLIP]


# ---- what is recorded ---------------------------------------------------------------------------


def _sources() -> Iterator[tuple[str, str, Iterable[Samples]]]:
    """Yield source, label and its tracks; a voice is one track."""
    music: dict[tuple[str, str], list[Path]] = defaultdict(list)
    voices: dict[str, list[Path]] = {}
    for label, package, name in rows():
        file = packages_folder() / package / name
        if label == "speech":
            voice, files = _voice(package, file)
            voices[voice] = files
        else:
            music[package, label].append(file)
    for (package, label), files in music.items():
        most = max(2, min(_MOST_PER_TRACK, -(-_PER_SOURCE // len(files))))
        yield package, label, (_some(_track(file), most) for file in files)
    for voice, files in voices.items():
        yield voice, "speech", [_joined(voice, files)]


def _some(track: Samples, clips: int) -> Samples:
    """Return so many clips' worth of a track, from all over it."""
    whole = len(track) // CLIP
    if whole <= clips:
        return track
    starts = [int(i) * CLIP for i in np.linspace(0, whole - 1, clips)]
    return np.concatenate([track[at : at + CLIP] for at in starts])


def _track(file: Path) -> Samples:
    sound = read(file)
    if file.name == "guitar.ogg":  # a game's guitar part; the rest of the band is beside it
        for other in ("song.ogg", "rhythm.ogg"):
            if (file.parent / other).exists():
                rest = read(file.parent / other)
                count = min(len(sound), len(rest))
                sound = sound[:count] + rest[:count]
        sound /= max(1.0, float(np.abs(sound).max()))
    return sound


def _voice(package: str, file: Path) -> tuple[str, list[Path]]:
    """Return a voice's name and all its recordings."""
    match package:
        case "tuxpaint-stamps-default":
            language = file.stem.rpartition("_")[2]
            root = packages_folder() / package
            return f"{package}/{language}", sorted(root.rglob(f"*_desc_{language}.ogg"))
        case "klettres-data":
            language = file.parents[1].name
            return f"{package}/{language}", sorted(file.parents[1].rglob("*.ogg"))
        case "gcin-voice":
            return package, sorted(file.parents[1].rglob("*.ogg"))
        case "fillets-ng-data-cs" | "fillets-ng-data-nl":
            root = file.parents[2]
            return package, sorted(root.glob(f"*/{package[-2:]}/*-[mv]-*.ogg"))
        case _:
            return package, sorted(file.parent.glob(f"*{file.suffix}"))


def _joined(voice: str, files: list[Path]) -> Samples:
    """Join enough of a voice's recordings, with gaps, in an order of chance."""
    chance = np.random.default_rng([SEED, zlib.crc32(voice.encode())])
    parts: list[Samples] = []
    length = 0
    for index in chance.permutation(len(files)):
        if length > (_PER_VOICE + 1) * CLIP:
            break
        sound = _trimmed(read(files[index]))
        if len(sound) < RATE_HZ // 10:
            continue
        parts += [
            augment.at_level(sound, -24 + chance.normal(0, 2)),
            np.zeros(int(chance.uniform(*_PROMPT_GAPS_S) * RATE_HZ), np.float32),
        ]
        length += len(parts[-2]) + len(parts[-1])
    return np.concatenate(parts)


def _trimmed(sound: Samples) -> Samples:
    """Cut silence off both ends."""
    loud = np.flatnonzero(np.abs(sound) > 0.02 * (np.abs(sound).max() + 1e-9))
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound[:0]


def read(file: Path) -> Samples:
    """Return a recording, mono at 16 kHz; what is broken ends where it breaks."""
    parts: list[Samples] = []
    rate = RATE_HZ
    with av.open(str(file), format="g722" if file.suffix == ".g722" else None) as opened:
        resampler = av.AudioResampler(format="flt", layout="mono")
        try:
            for frame in opened.decode(audio=0):
                rate = frame.sample_rate
                parts += [
                    each.to_ndarray().reshape(-1).astype(np.float32)
                    for each in resampler.resample(frame)
                ]
        except av.error.FFmpegError:
            pass
    if not parts:
        return np.zeros(0, np.float32)
    return np.asarray(soxr.resample(np.concatenate(parts), rate, RATE_HZ), np.float32)


# ---- what is made up ----------------------------------------------------------------------------


def _rendered(label: str, soundfont: str) -> Iterator[Samples]:
    for style in render.STYLES:
        if style.label == label:
            for piece in render.pieces(style, soundfont, _PIECES[label], SEED):
                sound = soxr.resample(piece, render.RATE_HZ, RATE_HZ).astype(np.float32)
                yield _some(sound, 4)


def _orchestra(soundfont: str) -> Iterator[Samples]:
    for sound in render.orchestra(soundfont, _ORCHESTRAL_PIECES, SEED):
        yield _some(soxr.resample(sound, render.RATE_HZ, RATE_HZ).astype(np.float32), 4)


def _noises() -> Iterator[Samples]:
    """Yield what is neither speech nor music: noise, hum, tones, clicks, typing."""
    chance = np.random.default_rng(SEED)
    time = np.arange(CLIP) / RATE_HZ
    for number in range(_NOISES):
        sound = augment.coloured_noise(CLIP, chance) * 0.3
        kind = number % 5
        if kind == 1:  # swelling, as wind and traffic
            swell = np.interp(time, np.linspace(0, CLIP_S, 9), chance.uniform(0.05, 1, 9))
            sound = sound * swell
        elif kind == 2:  # a steady tone or two, as signals
            sound = sound * 0.01
            for _ in range(chance.integers(1, 4)):
                hertz = np.exp(chance.uniform(np.log(80), np.log(6000)))
                sound = sound + chance.uniform(0.1, 0.4) * np.sin(2 * np.pi * hertz * time)
        elif kind == 3:  # keys, plates, clicks
            sound = sound * chance.uniform(0.001, 0.03)
            for at in np.sort(chance.integers(0, CLIP - 800, chance.integers(4, 40))):
                length = int(chance.integers(60, 800))
                decay = np.exp(-np.arange(length) / (length / 5))
                sound[at : at + length] += chance.standard_normal(length) * decay
        elif kind == 4:  # a tone that sweeps
            hertz = np.exp(np.interp(time, [0, CLIP_S], np.log(chance.uniform(60, 7000, 2))))
            sound = sound * 0.02 + 0.4 * np.sin(2 * np.pi * np.cumsum(hertz) / RATE_HZ)
        yield augment.at_level(sound.astype(np.float32), chance.uniform(-40, -15))


def fingerprint(clips: Clips) -> str:
    """Return what says whether two runs had the same clips."""
    return hashlib.sha256(clips.sounds.tobytes()).hexdigest()[:16]
