"""Takes the features of all clips, plain and spoiled, once, and keeps them in the cache.

Each clip gives two windows of 3 s as it is, one after Opus at 32 kbit/s, and one of each of
`_SPOILED` versions that something has happened to. A part of the clips of music is used as a bed
under speech.
"""

import zlib
from collections import Counter
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.genre import features, musicnn
from dsp.genre.log_mel import RATE_HZ, log_mel
from training import augment
from training.cache import cache_folder
from training.clips import SEED, Clips, all_clips

VERSION: Final = 3
WINDOW: Final = 3 * RATE_HZ
PLAIN, OPUS, SPOILED, BED = range(4)

_SPOILED: Final = 1
_STARTS: Final = (0, 2 * RATE_HZ)
_MOST: Final = {"speech": 5, "electronic": 24, "noise": 60, "classical": 70, "rock": 48}
_MOST_RENDERED: Final = {"jazz": 66, "rock": 40, "electronic": 16, "classical": 72}

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Windows:
    """Features of n windows.

    Attributes:
        own: float32 (n, features.SIZE).
        tags, inner: float32 (n, 2, 50) and (n, 2, 200), of both networks.
        clip: int32 (n,), which clip of the source.
        kind: int8 (n,): `PLAIN`, `OPUS`, `SPOILED`, `BED`.
        start: int32 (n,), where the window begins.
        speech_db: float32 (n,), of a bed: how much louder than it the speech is.
    """

    own: npt.NDArray[np.float32]
    tags: npt.NDArray[np.float32]
    inner: npt.NDArray[np.float32]
    clip: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int8]
    start: npt.NDArray[np.int32]
    speech_db: npt.NDArray[np.float32]


def extract_all() -> list[tuple[Clips, Windows]]:
    """Return all clips with their features."""
    everything = list(all_clips())
    voices = [clips for clips in everything if clips.label == "speech"]
    return [(clips, _kept(clips, voices)) for clips in _in_turn(everything)]


def _in_turn(everything: list[Clips]) -> list[Clips]:
    """Return sources with labels taking turns, so that a part of them is a sample of all."""
    places: Counter[str] = Counter()
    order = []
    for clips in everything:
        order.append((places[clips.label], clips))
        places[clips.label] += 1
    return [clips for _, clips in sorted(order, key=lambda item: item[0])]


def _chosen(clips: Clips) -> list[int]:
    """Return which clips of a source are used: as many as it may have, from all over it."""
    most = (_MOST_RENDERED if clips.source.startswith("rendered") else _MOST)[clips.label]
    count = len(clips.sounds)
    return sorted({int(index) for index in np.linspace(0, count - 1, min(count, most))})


def _kept(clips: Clips, voices: list[Clips]) -> Windows:
    name = f"{clips.label} {clips.source}".replace("/", "-")
    file = cache_folder() / "features" / f"{name}-{VERSION}.npz"
    if not file.exists():
        windows = _Extractor(clips, voices).extract()
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **{each.name: getattr(windows, each.name) for each in fields(windows)})
        print(f"{len(windows.clip)} windows of {name}", flush=True)
    with np.load(file) as stored:
        return Windows(**{each.name: stored[each.name] for each in fields(Windows)})


class _Extractor:
    def __init__(self, clips: Clips, voices: list[Clips]) -> None:
        self._clips = clips
        self._voices = voices
        self._networks = [musicnn.load(name) for name in musicnn.NAMES]
        self._rows: list[tuple[npt.NDArray[np.float32], ...]] = []
        self._where: list[tuple[int, int, int, float]] = []

    def extract(self) -> Windows:
        is_music = self._clips.label not in ("speech", "noise")
        seed = zlib.crc32(f"{self._clips.label} {self._clips.source}".encode())
        for number in _chosen(self._clips):
            stored = self._clips.sounds[number]
            chance = np.random.default_rng([SEED, seed, number])
            sound = stored.astype(np.float32) / 32768
            for start in _STARTS:
                self._take(sound, number, PLAIN, start)
            coded = augment.opus(sound, 32_000)
            self._take(coded, number, OPUS, RATE_HZ)
            for _ in range(_SPOILED):
                spoiled = augment.spoiled(sound, chance)
                self._take(spoiled, number, SPOILED, int(chance.integers(0, len(sound) - WINDOW)))
            if is_music and number % 2 == 0:
                ratio_db = float(chance.uniform(-8, 18))
                mixed = augment.over(self._voice(chance), sound, ratio_db)
                if chance.random() < 0.5:
                    mixed = augment.opus(mixed, 64_000)
                start = int(chance.integers(0, len(sound) - WINDOW))
                self._take(mixed, number, BED, start, ratio_db)
        own, tags, inner = (np.stack(each) for each in zip(*self._rows, strict=True))
        clip, kind, begin, ratio = zip(*self._where, strict=True)
        return Windows(
            own,
            tags,
            inner,
            np.array(clip, np.int32),
            np.array(kind, np.int8),
            np.array(begin, np.int32),
            np.array(ratio, np.float32),
        )

    def _voice(self, chance: np.random.Generator) -> Samples:
        voice = self._voices[int(chance.integers(len(self._voices)))]
        stored = voice.sounds[int(chance.integers(len(voice.sounds)))]
        return np.asarray(stored / 32768, np.float32)

    def _take(
        self, sound: Samples, number: int, kind: int, start: int, ratio_db: float = 0.0
    ) -> None:
        window = sound[start : start + WINDOW]
        spectrogram = log_mel(window)[: musicnn.FRAMES]
        looks = [network(spectrogram) for network in self._networks]
        own = features.summary(features.frames_of(window))
        self._rows.append(
            (own, np.stack([look.tags for look in looks]), np.stack([look.inner for look in looks]))
        )
        self._where.append((number, kind, start, ratio_db))
