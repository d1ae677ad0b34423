"""How true loudness meter and automatic level are; `benchmarks.dsp_quality` shows it.

Voices are those of `dsp_voices` where they have been downloaded, else the one of Debian's
alsa-utils; or the WAV files (48 kHz) that are given, one for each.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.io.wavfile

from benchmarks import dsp_voices
from dsp.leveller import LevellerBank, LevellerSettings
from dsp.loudness import integrated_lufs

RATE_HZ = 48_000
TARGETS = {"loudness_lu": 0.1, "levelled_lu": 1.5}
VOICES = sorted(Path("/usr/share/sounds/alsa").glob("*_*.wav"))

_LEVELS_LUFS = (-35, -30, -25, -20, -15, -10)
_SETTLED_S = 3
_LONG_S = 15
_STRETCH_S = 20
_STRETCHES = 4
_PART = RATE_HZ // 10

Sound = npt.NDArray[np.float32]


def read_voices(files: Sequence[Path]) -> list[Sound]:
    """Return each file on both channels, 15 s at least: short ones are repeated.

    Without files it is four times 20 s of each of the voices that were downloaded, or else one
    voice, that of all of `VOICES` in a row.
    """
    if not files and dsp_voices.are_there():
        return [
            dsp_voices.stretch(name, _STRETCH_S, seed)
            for name in dsp_voices.VOICES
            for seed in range(_STRETCHES)
        ]
    voices = [_read(file) for file in files or VOICES]
    if not files and voices:
        voices = [np.concatenate(voices)]
    return [np.tile(one, (-(-_LONG_S * RATE_HZ // len(one)), 1)) for one in voices]


def measure(voices: Sequence[Sound]) -> dict[str, float]:
    """Return the largest deviations; empty without voices.

    Returns:
        `loudness_lu` from pyloudnorm's figure, `levelled_lu` from the target, three seconds after
        each voice began, at loudnesses from −35 to −10 LUFS.
    """
    if not voices:
        return {}
    return {
        "loudness_lu": max(_deviation_lu(voice) for voice in voices),
        "levelled_lu": max(
            _levelled_lu(voice, loudness) for voice in voices for loudness in _LEVELS_LUFS
        ),
    }


def _read(file: Path) -> Sound:
    rate_hz, samples = scipy.io.wavfile.read(file)
    if rate_hz != RATE_HZ:
        raise SystemExit(f"{file} has {rate_hz} Hz, not {RATE_HZ}")
    scale = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
    mono = samples.reshape(len(samples), -1)[:, :1] / scale
    return np.repeat(mono, 2, axis=1).astype(np.float32)


def _deviation_lu(voice: Sound) -> float:
    import pyloudnorm

    whole = voice[: len(voice) // _PART * _PART]
    theirs = pyloudnorm.Meter(RATE_HZ).integrated_loudness(whole.astype(np.float64))
    return abs(integrated_lufs(whole) - float(theirs))


def _levelled_lu(voice: Sound, loudness_lufs: float) -> float:
    settings = LevellerSettings()
    bank = LevellerBank()
    bank.set(0, settings)
    gain = 10 ** ((loudness_lufs - integrated_lufs(voice)) / 20)
    arena = np.ascontiguousarray(voice * np.float32(gain))[None]
    rows = np.zeros(1, np.int32)
    for first in range(0, len(voice) - 479, 480):
        bank.process(arena, rows, first, 480)
    settled = arena[0, _SETTLED_S * RATE_HZ :]
    return abs(integrated_lufs(settled) - settings.target_lufs)
