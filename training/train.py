"""Fits the head to everything, writes `dsp/genre/weights.npz` and the model card."""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from dsp.genre import head
from training import evaluate, models
from training.dataset import Dataset
from training.evaluate import Figures
from training.model_card import card

ROOT: Final = Path(__file__).resolve().parent.parent
WEIGHTS: Final = ROOT / "dsp" / "genre" / "weights.npz"
CARD: Final = ROOT / "training" / "MODEL_CARD.md"


def train(data: Dataset) -> Figures:
    """Evaluate, fit to everything, write weights and card; return the figures."""
    found = evaluate.figures(data, *evaluate.held_out(data))
    fitted = models.fit(data, np.ones(len(data), bool)).cooled(found.temperature)
    WEIGHTS.write_bytes(_packed(fitted))
    CARD.write_text(card(data, found, weights_hash()), encoding="utf-8")
    return found


def weights_hash() -> str:
    """Return the SHA-256 of the weights that come with this program."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()


def _packed(fitted: models.Models) -> bytes:
    """Return an npz file without time stamps, so that the same numbers are the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in head.HEADS:
            linear = getattr(fitted, name)
            for part in ("mean", "scale", "weights", "bias"):
                plain = io.BytesIO()
                np.save(plain, getattr(linear, part).astype(np.float32))
                info = zipfile.ZipInfo(f"{name}.{part}.npy", (2026, 1, 1, 0, 0, 0))
                archive.writestr(info, plain.getvalue())
    return packed.getvalue()
