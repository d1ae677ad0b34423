"""The model card: what the head is, how it was made, how good it is, and what it is not for."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dsp.genre.labels import CLASSES
from training.dataset import Dataset
from training.evaluate import Figures

_TEMPLATE = Path(__file__).parent / "model_card_template.md"


def card(data: Dataset, found: Figures, weights_hash: str) -> str:
    """Return the card as Markdown."""
    recalls = ", ".join(f"{name} {value:.3f}" for name, value in found.recalls.items())
    return _TEMPLATE.read_text(encoding="utf-8").format(
        hash=weights_hash,
        windows=len(data),
        clips=len(np.unique(data.clip)),
        accuracy=found.clips,
        tracks=found.tracks,
        speech=found.speech_accuracy,
        false=found.false_speech,
        temperature=found.temperature,
        error=found.error,
        error_else=found.error_fitted_elsewhere,
        window=found.windows,
        opus=found.opus,
        spoiled=found.spoiled,
        presence=found.presence,
        recalls=recalls,
        confusion="\n".join(_confusion(found)),
        sources="\n".join(_sources(found)),
    )


def _confusion(found: Figures) -> Iterator[str]:
    yield "Clips by what they are (rows) and what they were taken for (columns):\n"
    yield "| | " + " | ".join([*CLASSES, "noise"]) + " |"
    yield "|---" * (len(CLASSES) + 2) + "|"
    for name, row in zip(CLASSES, found.confusion, strict=True):
        yield f"| {name} | " + " | ".join(str(each) for each in row) + " |"


def _sources(found: Figures) -> Iterator[str]:
    yield "By source:\n"
    yield "| source | label | clips | right |"
    yield "|---|---|---|---|"
    for source, label, clips, share in found.sources:
        yield f"| {source} | {label} | {clips} | {share:.2f} |"
