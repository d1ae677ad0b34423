"""All windows with their labels and weights, as training and evaluation want them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.genre.classes import KINDS
from dsp.genre.labels import CLASSES, MUSIC
from training.clips import Clips
from training.extract import BED, OPUS, PLAIN, SPOILED, Windows

UNUSED: Final = -1

_TAG_LIMIT: Final = 1e-4
_SPEECH_IS_HEARD_DB: Final = -3.0
_SPEECH_IS_LOST_DB: Final = -7.0
_MUSIC_LEADS_DB: Final = 3.0
_SPEECH_LEADS_DB: Final = 12.0


@dataclass(frozen=True, slots=True)
class Dataset:
    """n windows.

    Attributes:
        own, looked: Features of our own, (n, 274), and what musicnn says, (n, 500).
        kind: (n,) 0 speech, 1 music, 2 noise, -1 unused.
        genre: (n,) place in `MUSIC`, -1 where it is none or covered by speech.
        speech: (n,) 1 where somebody speaks, 0 where nobody does, -1 unused.
        label: (n,) place in `CLASSES`, 5 for noise.
        how: (n,) `PLAIN`, `OPUS`, `SPOILED`, `BED`.
        source: (n,) which is held out together.
        track, clip: (n,) unique numbers.
        rendered: (n,) whether it comes out of a soundfont.
    """

    own: npt.NDArray[np.float32]
    looked: npt.NDArray[np.float32]
    kind: npt.NDArray[np.int64]
    genre: npt.NDArray[np.int64]
    speech: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    how: npt.NDArray[np.int64]
    source: npt.NDArray[np.str_]
    track: npt.NDArray[np.int64]
    clip: npt.NDArray[np.int64]
    rendered: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.label)


def assemble(extracted: list[tuple[Clips, Windows]]) -> Dataset:
    """Join the windows of all sources."""
    columns: list[list[npt.NDArray[np.generic]]] = []
    for number, (clips, windows) in enumerate(extracted):
        count = len(windows.clip)
        label = CLASSES.index(clips.label) if clips.label in CLASSES else len(CLASSES)
        kind = (0 if label == 0 else 2 if label == len(CLASSES) else 1) * np.ones(count, np.int64)
        genre = np.full(count, label - 1 if kind[0] == 1 else UNUSED, np.int64)
        speech = np.full(count, int(label == 0), np.int64)
        bed, ratio = windows.kind == BED, windows.speech_db
        speech[bed & (ratio > _SPEECH_IS_HEARD_DB)] = 1
        speech[bed & (ratio <= _SPEECH_IS_HEARD_DB) & (ratio > _SPEECH_IS_LOST_DB)] = UNUSED
        kind[bed & (ratio > _MUSIC_LEADS_DB)] = UNUSED
        kind[bed & (ratio > _SPEECH_LEADS_DB)] = 0
        genre[bed & (ratio > _MUSIC_LEADS_DB)] = UNUSED
        tags = np.clip(windows.tags.reshape(count, -1), _TAG_LIMIT, 1 - _TAG_LIMIT)
        looked = np.concatenate([np.log(tags / (1 - tags)), windows.inner.reshape(count, -1)], 1)
        base = number * 1_000_000
        columns.append(
            [
                windows.own,
                looked.astype(np.float32),
                kind,
                genre,
                speech,
                np.full(count, label, np.int64),
                windows.kind.astype(np.int64),
                np.full(count, clips.source.split("/")[0]),
                base + clips.tracks[windows.clip].astype(np.int64),
                base + windows.clip.astype(np.int64),
                np.full(count, clips.source.startswith("rendered")),
            ]
        )
    return Dataset(*(np.concatenate(each) for each in zip(*columns, strict=True)))


def weights_of(
    labels: npt.NDArray[np.int64], sources: npt.NDArray[np.str_]
) -> npt.NDArray[np.float64]:
    """Return weights that make classes equal, and sources within a class nearly so; mean 1."""
    weights = np.zeros(len(labels))
    for label in np.unique(labels[labels >= 0]):
        mine = labels == label
        for source in np.unique(sources[mine]):
            rows = mine & (sources == source)
            weights[rows] = rows.sum() ** -0.5
        weights[mine] /= weights[mine].sum()
    scaled: npt.NDArray[np.float64] = weights * (len(labels) / weights.sum())
    return scaled


__all__ = ["BED", "KINDS", "MUSIC", "OPUS", "PLAIN", "SPOILED", "Dataset", "assemble", "weights_of"]
