"""Signals that the strips are tested with, and how what comes out is looked at."""

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, lfilter, resample_poly, sosfiltfilt

RATE = 48_000

Sound = npt.NDArray[np.float32]


def stereo(mono: npt.NDArray[np.float64]) -> Sound:
    """Return the same on both channels: float32 (n, 2)."""
    return np.repeat(mono[:, None], 2, axis=1).astype(np.float32)


def sine(frequency_hz: float, level_db: float, seconds: float) -> Sound:
    """Return a sine of that peak level."""
    t = np.arange(int(RATE * seconds)) / RATE
    return stereo(10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * t))


def impulse(length: int, height: float = 1.0) -> Sound:
    """Return one sample of `height`, then silence."""
    sound = np.zeros((length, 2), np.float32)
    sound[0] = height
    return sound


def speech(seconds: float, seed: int = 0, level: float = 0.5) -> Sound:
    """Return noise and a voice-like buzz with the rise and fall of syllables, and pauses."""
    random = np.random.default_rng(seed)
    count = int(RATE * seconds)
    t = np.arange(count) / RATE
    noise = lfilter([0.05], [1, -0.95], random.standard_normal((count, 2)), axis=0)
    buzz = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * t + seed) + 0.3, 0, None) + 0.002
    return (level * syllables[:, None] * (noise + 0.3 * buzz[:, None])).astype(np.float32)


def music(seconds: float, seed: int = 0, level: float = 1.0) -> Sound:
    """Return chords with sharp attacks, noise bursts and a bass, different left and right."""
    random = np.random.default_rng(seed)
    count = int(RATE * seconds)
    t = np.arange(count) / RATE
    beat = np.exp(-8 * (t % 0.25))
    notes = random.choice([110, 165, 220, 277, 330, 440, 554, 880, 1760, 3520], (2, 6))
    chord = np.stack([sum(np.sin(2 * np.pi * f * t) for f in side) for side in notes], axis=1)
    burst = random.standard_normal((count, 2)) * np.exp(-60 * (t % 0.5))[:, None]
    return (level * (0.25 * chord * beat[:, None] + 0.5 * burst)).astype(np.float32)


def level_db(sound: npt.NDArray[np.floating]) -> float:
    """Return the level of a sine as its peak level."""
    return float(20 * np.log10(np.sqrt(2) * np.asarray(sound, np.float64).std() + 1e-12))


def true_peak_db(sound: npt.NDArray[np.floating]) -> float:
    """Return the highest true peak, by eight times oversampling, in dBTP."""
    fine = resample_poly(np.asarray(sound, np.float64), 8, 1, axis=0, window=("kaiser", 8.0))
    return float(20 * np.log10(np.abs(fine).max() + 1e-12))


def thd_n_db(sound: npt.NDArray[np.floating], frequency_hz: float) -> float:
    """Return all that is not the sine, against the sine."""
    tone = np.asarray(sound, np.float64)
    t = 2 * np.pi * frequency_hz * np.arange(len(tone)) / RATE
    basis = np.stack([np.sin(t), np.cos(t), np.ones_like(t)], axis=1)
    fit = basis @ np.linalg.lstsq(basis, tone, rcond=None)[0]
    return float(20 * np.log10((tone - fit).std() / fit.std()))


_ABOVE_5_KHZ = butter(8, 5000, "high", fs=RATE, output="sos")


def click_dbfs(sound: npt.NDArray[np.floating]) -> float:
    """Return the peak of what sounds above 5 kHz, but for the ends, which cut the sound off."""
    high = sosfiltfilt(_ABOVE_5_KHZ, np.asarray(sound, np.float64), axis=0)
    return float(20 * np.log10(np.abs(high[2400:-2400]).max() + 1e-12))
