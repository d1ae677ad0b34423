"""A sound that is there as a whole: what it is, and what it was from moment to moment."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from dsp.genre import features, head, musicnn
from dsp.genre.classes import Opinion, Values, opinion_of
from dsp.genre.labels import CLASSES, Genre, Label
from dsp.genre.log_mel import RATE_HZ, Samples, log_mel
from dsp.genre.stream import Stream

LEAST_S: Final = 1.0
"""Less sound than this is not enough to say anything."""

_WINDOW_S: Final = 3.0
_STEP_S: Final = 1.0
_MOST_LOOKS: Final = 40
_SILENT_DBFS: Final = -65.0
_PORTION_S: Final = 0.25

AnySamples = npt.NDArray[np.floating] | npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Moment:
    """What was thought at a moment of a sound."""

    time_s: float
    opinion: Opinion


@dataclass(frozen=True, slots=True)
class Classification:
    """What a sound is.

    Attributes:
        label: A class, `unknown` or `silence`.
        confidence: How likely the label is right.
        probabilities: Of each class; what is missing to 1 is noise.
        speech: How likely somebody speaks, alone or over music.
        duration_s: How long it is.
    """

    label: Label
    confidence: float
    probabilities: dict[Genre, float]
    speech: float
    duration_s: float


def classify(samples: AnySamples, sample_rate_hz: int) -> Classification:
    """Say what a sound is.

    Windows of 3 s, one a second (fewer in a long sound), are judged one by one, and their log
    probabilities averaged; those that are silent do not count.

    Args:
        samples: (n,) or (n, channels), floats of full scale 1 or integers; what is no number is
            silence.
        sample_rate_hz: Their rate, at least 8000.

    Raises:
        ValueError: The array has another shape, or the rate is too low.
    """
    sound = as_listened_to(samples, sample_rate_hz)
    duration_s = len(sound) / RATE_HZ
    judged = [_judge(window) for window in _windows(sound)]
    if not judged:
        nothing = Opinion(np.zeros(len(CLASSES)), 0.0, silent=True)
        return _classification(nothing, duration_s)
    kinds, genres, speech = zip(*judged, strict=True)
    opinion = opinion_of(np.mean(kinds, axis=0), np.mean(genres, axis=0), float(np.mean(speech)))
    return _classification(opinion, duration_s)


def timeline(samples: AnySamples, sample_rate_hz: int, every_s: float = 0.5) -> list[Moment]:
    """Return what was thought of a sound as it went on, by what the server uses for a stream.

    Raises:
        ValueError: As for `classify`.
    """
    sound = as_listened_to(samples, sample_rate_hz)
    stream = Stream()
    moments: list[Moment] = []
    portion = int(_PORTION_S * RATE_HZ)
    for start in range(0, len(sound), portion):
        stream.push(sound[start : start + portion])
        if stream.wants_hearing:
            stream.hear()
        if stream.wants_look:
            stream.look()
        if not moments or stream.heard_s - moments[-1].time_s >= every_s - 1e-6:
            moments.append(Moment(stream.heard_s, stream.opinion))
    return moments


def as_listened_to(samples: AnySamples, sample_rate_hz: int) -> Samples:
    """Return any sound as mono float32 at 16 kHz.

    Raises:
        ValueError: As for `classify`.
    """
    if sample_rate_hz < 8000:
        raise ValueError(f"{sample_rate_hz} Hz is too low a rate to tell sounds apart")
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[1] > 64):
        raise ValueError(f"samples are (n,) or (n, channels), not {samples.shape}")
    mono = samples.astype(np.float64)
    if samples.dtype.kind in "iu":
        mono /= float(2 ** (8 * samples.dtype.itemsize - 1))
    mono = np.nan_to_num(mono, posinf=0.0, neginf=0.0).clip(-8.0, 8.0)
    mono = (mono.mean(axis=1) if mono.ndim == 2 else mono).astype(np.float32)
    if sample_rate_hz != RATE_HZ and len(mono):
        mono = soxr.resample(mono, sample_rate_hz, RATE_HZ, quality="MQ")
    return np.asarray(mono, np.float32)


def _windows(sound: Samples) -> list[Samples]:
    """Return windows of 3 s, or the whole where it is shorter, without the silent ones."""
    size = int(_WINDOW_S * RATE_HZ)
    if len(sound) < LEAST_S * RATE_HZ:
        return []
    if len(sound) < size:
        sound = np.tile(sound, -(-size // len(sound)))[:size]
    count = min(_MOST_LOOKS, 1 + int((len(sound) - size) / (_STEP_S * RATE_HZ)))
    starts = np.linspace(0, len(sound) - size, count).astype(int)
    windows = [sound[start : start + size] for start in starts]
    return [each for each in windows if _level_dbfs(each) >= _SILENT_DBFS]


def _judge(window: Samples) -> tuple[Values, Values, float]:
    """Return log probabilities of kinds and genres, and how likely there is speech."""
    own = features.summary(features.frames_of(window))
    spectrogram = log_mel(window)[: musicnn.FRAMES]
    looked = head.look_row([musicnn.load(name)(spectrogram) for name in musicnn.NAMES])
    chosen = head.load()
    return chosen.kinds(own, looked), chosen.genres(own, looked), chosen.speech(own)


def _level_dbfs(samples: Samples) -> float:
    return 10.0 * float(np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12))


def _classification(opinion: Opinion, duration_s: float) -> Classification:
    return Classification(
        opinion.label,
        opinion.confidence,
        dict(zip(CLASSES, opinion.probabilities.tolist(), strict=True)),
        opinion.speech,
        duration_s,
    )
