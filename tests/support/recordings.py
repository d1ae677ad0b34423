"""Recordings of a real voice, those of Debian's alsa-utils, where it is installed."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.io.wavfile

FOLDER = Path("/usr/share/sounds/alsa")
NAMES = (
    "Front_Center",
    "Front_Left",
    "Front_Right",
    "Rear_Center",
    "Rear_Left",
    "Rear_Right",
    "Side_Left",
    "Side_Right",
)


def are_there() -> bool:
    """Whether all of them can be read."""
    return all((FOLDER / f"{name}.wav").is_file() for name in NAMES)


def recording(name: str) -> npt.NDArray[np.float32]:
    """Return one of them, 1.5 s or so at 48 kHz, on both channels: (n, 2)."""
    rate_hz, samples = scipy.io.wavfile.read(FOLDER / f"{name}.wav")
    assert rate_hz == 48_000
    mono = samples.reshape(len(samples), -1)[:, :1].astype(np.float32) / 32768
    return np.repeat(mono, 2, axis=1)
