"""WAV files of one pitch each: what a browser takes for its microphone."""

import wave
from pathlib import Path

import numpy as np

SAMPLE_RATE_HZ = 48_000


def write_tone(
    path: Path,
    pitch_hz: int,
    *,
    seconds: int = 2,
    peak_dbfs: float = -12.0,
    syllables: bool = False,
) -> Path:
    """Write a mono sine of whole cycles, so that a browser repeats it without a click.

    Args:
        path: the file to write.
        pitch_hz: a whole number, so that each second holds whole cycles.
        seconds: length of the file.
        peak_dbfs: peak level.
        syllables: swell twice a second as speech does, so that noise suppression lets it pass.
    """
    time_s = np.arange(SAMPLE_RATE_HZ * seconds) / SAMPLE_RATE_HZ
    sine = 10 ** (peak_dbfs / 20) * np.sin(2 * np.pi * pitch_hz * time_s)
    if syllables:
        sine *= np.clip(np.sin(4 * np.pi * time_s) * 4, 0.0, 1.0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(np.round(sine * 32767).astype("<i2").tobytes())
    return path
