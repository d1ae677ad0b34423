"""What is wrong with a steady tone as it was heard: gaps and clicks."""

import base64

import numpy as np
import numpy.typing as npt

Mono = npt.NDArray[np.float32]

RATE_HZ = 48_000
SILENT = 10 ** (-50 / 20)
_LEAST_GAP_MS = 1.5  # a tone's own crossings of zero are far shorter


def decode(recording: str) -> Mono:
    """Return a recording of the page, base64 of 16 bits, as samples between −1 and 1."""
    samples = np.frombuffer(base64.b64decode(recording), "<i2")
    return np.asarray(samples / 32_768, np.float32)


def gaps_ms(sound: Mono) -> npt.NDArray[np.float64]:
    """Return the length of every stretch in which a tone is silent, in order."""
    silent = np.abs(sound) < SILENT
    edges = np.flatnonzero(np.diff(np.concatenate([[False], silent, [False]]).astype(np.int8)))
    lengths_ms = 1000.0 * (edges[1::2] - edges[::2]) / RATE_HZ
    return lengths_ms[lengths_ms >= _LEAST_GAP_MS]


def longest_gap_ms(sound: Mono) -> float:
    """Return the longest stretch in which a tone is silent, 0 if there is none."""
    return float(np.max(gaps_ms(sound), initial=0.0))


def loudest_click_dbfs(sound: Mono, pitch_hz: float) -> float:
    """Return what is left at most of a tone when its pitch is taken out.

    A filter of three taps takes it out, which shows a step at its own height and a slow change of
    level hardly at all.
    """
    if sound.size < 3:
        return -np.inf
    wide = sound.astype(np.float64)
    twice = 2 * np.cos(2 * np.pi * pitch_hz / RATE_HZ)
    rest = np.abs(wide[2:] - twice * wide[1:-1] + wide[:-2])
    return float(20 * np.log10(np.max(rest) + 1e-7))
