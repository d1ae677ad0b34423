"""Features of our own: cheap enough to be taken of every stream every second.

Frames of 1024 samples at 16 kHz, 32 a second, are described one by one (`frames_of`), and what 3 s
of them have in common is summed up in one row of numbers (`summary`). Levels count only against
the loudest tenth of the window, so that a fader changes nothing.

What tells speech from music: syllables come 2 to 8 times a second and all bands rise and fall
together (modulation spectrum); there are pauses; voiced and unvoiced sounds differ in zero
crossings and rolloff. What tells kinds of music apart: pulse clarity, the share of onsets in low
and high bands, steadiness of the spectrum, chroma.
"""

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.genre.log_mel import RATE_HZ, Samples, mel_filters

HOP: Final = 500
WINDOW: Final = 1024
FRAMES_PER_SECOND: Final = RATE_HZ // HOP
LEAST_FRAMES: Final = 24

_BANDS: Final = 40
_CEPSTRUM: Final = 20
_HANN: Final = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
_HZ: Final = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ).astype(np.float32)
_FILTERS: Final = mel_filters(RATE_HZ, WINDOW, _BANDS, 50.0, 7600.0)
_MEAN_FILTERS: Final = _FILTERS / _FILTERS.sum(axis=0)
_FLOOR: Final = np.float32(3e-11)  # of power: below what 16 bits can say
_QUIET: Final = (2.3, 4.6)  # log power: 10 and 20 dB
_DEPTH: Final = 15.0  # log power: what is 65 dB below the loudest is as good as silent

Values = npt.NDArray[np.float32]


def _cosines() -> Values:
    order, band = np.arange(_CEPSTRUM)[:, None], np.arange(_BANDS)
    table = np.sqrt(2 / _BANDS) * np.cos(np.pi * order * (band + 0.5) / _BANDS)
    return np.asarray(table.T, np.float32)


def _pitch_classes() -> Values:
    table = np.zeros((len(_HZ), 12), np.float32)
    heard = np.flatnonzero((_HZ > 100) & (_HZ < 2500))
    table[heard, np.round(12 * np.log2(_HZ[heard] / 440)).astype(int) % 12] = 1.0
    return table


_COSINES: Final = _cosines()
_CHROMA: Final = _pitch_classes()
_SHAPE: Final = np.stack([np.ones_like(_HZ), _HZ, _HZ**2], axis=1)
_CONTRAST_EDGES: Final = [
    int(hz * WINDOW / RATE_HZ) for hz in (60, 200, 400, 800, 1600, 3200, 7000)
]
_MODULATIONS_HZ: Final = ((0.4, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 16.0))
_GROUPS: Final = 8
_THIRDS: Final = ((0, 8), (8, 20), (20, _BANDS))


@dataclass(frozen=True, slots=True)
class Frames:
    """What each of n frames is like; all float32.

    Attributes:
        bands: (n, 40) log power of mel bands.
        shape: (n, 5) log centroid, log spread, log rolloff, log flatness, zero crossings.
        chroma: (n, 12) shares of the pitch classes.
        contrast: (n, 6) log ratio of peaks to valleys in octaves.
        level: (n,) log power.
    """

    bands: Values
    shape: Values
    chroma: Values
    contrast: Values
    level: Values

    def __len__(self) -> int:
        return len(self.level)

    def last(self, count: int) -> "Frames":
        """Return the last `count` frames."""
        return Frames(*(getattr(self, each.name)[-count:] for each in fields(self)))

    def followed_by(self, later: "Frames") -> "Frames":
        """Return these frames and then `later` ones."""
        pairs = ((getattr(self, each.name), getattr(later, each.name)) for each in fields(self))
        return Frames(*(np.concatenate(pair) for pair in pairs))


def frames_of(samples: Samples) -> Frames:
    """Describe all whole frames of mono sound at 16 kHz; there may be none.

    What is no number counts as silence.
    """
    samples = np.nan_to_num(samples, posinf=0.0, neginf=0.0).astype(np.float32, copy=False)
    samples = np.clip(samples, -1.0, 1.0)
    if len(samples) < WINDOW:
        samples = np.zeros(0, np.float32)
        cut = np.zeros((0, WINDOW), np.float32)
    else:
        cut = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    lines = np.fft.rfft(cut * _HANN).astype(np.complex64)
    power = lines.real**2 + lines.imag**2
    power *= np.float32(4.0 / WINDOW**2)
    power += _FLOOR / len(_HZ)
    bands = np.log(power @ _MEAN_FILTERS + _FLOOR / len(_HZ))
    total, first, second = (power @ _SHAPE).T
    centroid = first / total
    spread = np.sqrt(np.maximum(second / total - centroid**2, 0.0))
    below = np.cumsum(power, axis=1)
    rolloff = _HZ[np.argmax(below > 0.85 * below[:, -1:], axis=1)]
    logs = np.log(power[:, 4:480])
    flatness = logs.mean(axis=1) - np.log(power[:, 4:480].mean(axis=1))
    crossings = (np.diff(np.signbit(cut), axis=1)).mean(axis=1)
    shape = [np.log(each + 50.0) for each in (centroid, spread, rolloff)]
    chroma = power @ _CHROMA
    chroma /= chroma.sum(axis=1, keepdims=True)
    return Frames(
        bands.astype(np.float32),
        np.stack([*shape, flatness, crossings], axis=1).astype(np.float32),
        chroma.astype(np.float32),
        _contrast(logs),
        np.log(total).astype(np.float32),
    )


def _contrast(logs: Values) -> Values:
    """Return how far peaks stand out of valleys, by octave; `logs` begin with bin 4."""
    octaves = []
    for low, high in pairwise(_CONTRAST_EDGES):
        octave = np.sort(logs[:, max(low - 4, 0) : high - 4], axis=1)
        count = octave.shape[1]
        peaks = octave[:, -max(1, count // 5) :].mean(axis=1)
        octaves.append(peaks - octave[:, : max(1, count // 3)].mean(axis=1))
    return np.stack(octaves, axis=1).astype(np.float32)


def summary(frames: Frames) -> Values:
    """Return what frames of some seconds have in common, float32 (`SIZE`,).

    Raises:
        ValueError: fewer than `LEAST_FRAMES`.
    """
    if len(frames) < LEAST_FRAMES:
        raise ValueError(f"{len(frames)} frames are too few")
    loud = np.percentile(frames.level, 90)
    level = frames.level - loud
    sounding = level > -6.5  # 28 dB: pauses say nothing about the spectrum
    bands = np.maximum(frames.bands - loud, -_DEPTH)
    parts = [
        *_timbre(bands, sounding),
        *_shape(frames.shape[sounding]),
        *_mean_and_deviation(frames.contrast[sounding]),
        *_level(level),
        *_onsets(bands),
        *_modulation(bands),
        *_harmony(frames.chroma, sounding),
        *_steadiness(bands),
    ]
    row = np.concatenate([np.atleast_1d(np.asarray(part, np.float32)).ravel() for part in parts])
    return np.asarray(np.nan_to_num(row), np.float32)


Parts = list[npt.ArrayLike]


def _mean_and_deviation(values: Values) -> Parts:
    return [values.mean(axis=0), values.std(axis=0)]


def _timbre(bands: Values, sounding: npt.NDArray[np.bool_]) -> Parts:
    cepstrum = bands @ _COSINES
    heard = cepstrum[sounding]
    percentiles = np.percentile(bands, (10, 50, 90), axis=0)[:, ::2]
    return [
        heard[:, 1:].mean(axis=0),
        heard.std(axis=0),
        np.diff(cepstrum, axis=0).std(axis=0),
        percentiles,
    ]


def _shape(shape: Values) -> Parts:
    changes = np.abs(np.diff(shape, axis=0)).mean(axis=0) if len(shape) > 1 else np.zeros(5)
    return [*_mean_and_deviation(shape), changes, np.percentile(shape, (10, 90), axis=0)]


def _level(level: Values) -> Parts:
    level = np.maximum(level, -_DEPTH)
    quiet = [level < -limit for limit in _QUIET]
    return [
        level.std(),
        np.percentile(level, (5, 25, 50)),
        [each.mean() for each in quiet],
        [(each[1:] != each[:-1]).mean() for each in quiet],
        np.abs(np.diff(level)).mean(),
    ]


def _onsets(bands: Values) -> Parts:
    """Describe how bands rise, and how clear the pulse of that is at 60 to 240 beats a minute."""
    rises = np.maximum(np.diff(bands, axis=0), 0.0)
    parts: Parts = []
    envelopes = [rises.mean(axis=1), *(rises[:, low:high].mean(axis=1) for low, high in _THIRDS)]
    for envelope in envelopes:
        mean = envelope.mean() + 1e-6
        parts += [
            mean,
            envelope.std() / mean,
            np.percentile(envelope, 95) / mean,
            *_pulse(envelope),
        ]
    return parts


def _pulse(envelope: Values) -> Parts:
    swing = envelope - envelope.mean()
    count = len(swing)
    spectrum = np.fft.rfft(swing, 2 * count)
    echo = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[:count]
    echo /= echo[0] + 1e-9
    echo *= count / np.maximum(count - np.arange(count), count // 3)
    beats = echo[FRAMES_PER_SECOND // 4 : min(FRAMES_PER_SECOND, count)]
    best = int(np.argmax(beats))
    return [beats[best], best / FRAMES_PER_SECOND, beats.mean(), beats.std(), echo[3:8].max()]


def _modulation(bands: Values) -> Parts:
    """Return the log power of rises and falls, by their speed and by groups of bands."""
    groups = bands.reshape(len(bands), _GROUPS, -1).mean(axis=2)
    swings = (groups - groups.mean(axis=0)) * np.hanning(len(groups))[:, None]
    spectrum = np.fft.rfft(swings, axis=0)
    power = (spectrum.real**2 + spectrum.imag**2) / len(groups)
    speeds = np.fft.rfftfreq(len(groups), 1 / FRAMES_PER_SECOND)
    sums = [power[(speeds >= low) & (speeds < high)].sum(axis=0) for low, high in _MODULATIONS_HZ]
    logs = np.log(np.stack(sums) + 1e-3)
    together = np.abs(spectrum.sum(axis=1)) ** 2 / (len(groups) * _GROUPS)
    syllables = (speeds >= 2.0) & (speeds < 8.0)
    common = together[syllables].sum() / (power[syllables].sum() + 1e-3)
    return [logs, (logs - logs.mean(axis=0)).mean(axis=1), common]


def _harmony(chroma: Values, sounding: npt.NDArray[np.bool_]) -> Parts:
    heard = chroma[sounding]
    mean = heard.mean(axis=0)
    change = np.abs(np.diff(chroma, axis=0)).sum(axis=1).mean()
    thirds = np.stack([part.mean(axis=0) for part in np.array_split(chroma, 3)])
    return [
        np.sort(mean)[::-1],
        -(mean * np.log(mean + 1e-6)).sum(),
        -(heard * np.log(heard + 1e-6)).sum(axis=1).mean(),
        change,
        np.abs(np.diff(thirds, axis=0)).sum(axis=1).mean(),
    ]


def _steadiness(bands: Values) -> Parts:
    """Return how much each part of the spectrum changes at once, and within a third of a second."""
    near = np.abs(bands[1:] - bands[:-1])
    far = np.abs(bands[10:] - bands[:-10])
    smooth = (bands[:-4] + bands[1:-3] + bands[2:-2] + bands[3:-1] + bands[4:]) / 5
    spikes = np.maximum(bands[2:-2] - smooth, 0.0).mean(axis=0)
    return [
        near.reshape(len(near), _GROUPS, -1).mean(axis=(0, 2)),
        far.reshape(len(far), _GROUPS, -1).mean(axis=(0, 2)),
        spikes.reshape(_GROUPS, -1).mean(axis=1),
    ]


SIZE: Final = len(summary(frames_of(np.zeros(2 * RATE_HZ, np.float32))))
"""How many numbers a summary has."""
