"""Leave one source out: every source is judged by maps that have seen nothing of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.genre.labels import CLASSES
from training import models
from training.dataset import BED, OPUS, PLAIN, SPOILED, Dataset
from training.regression import Values

TEMPERATURES: Final = tuple(np.round(np.arange(0.4, 1.55, 0.05), 2))
_LEAST_LOG: Final = -8.0
_BINS: Final = 10
_JAZZ: Final = CLASSES.index("jazz")
_NOISE: Final = len(CLASSES)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came out; all of sources that were held out.

    Attributes:
        temperature: By which logits are divided, fitted here.
        clips: Balanced accuracy of clips of 5 s as they are.
        recalls: Of each class.
        confusion: (5, 6) clips, by truth and answer; the last column is noise.
        tracks: Balanced accuracy of whole tracks.
        opus: Of windows of 3 s after Opus at 32 kbit/s, mono; `windows`: of those before.
        spoiled: Of windows to which something else has happened.
        speech_accuracy: Mean of both recalls of speech against music, windows of 3 s.
        false_speech: Share of windows of music taken for speech.
        presence: Balanced accuracy of whether anybody speaks over music.
        error: Expected calibration error of clips, classes weighted alike.
        error_fitted_elsewhere: The same, each half's temperature fitted on the other half.
        sources: By source: label, clips, share that was right.
    """

    temperature: float
    clips: float
    recalls: dict[str, float]
    confusion: npt.NDArray[np.int64]
    tracks: float
    windows: float
    opus: float
    spoiled: float
    speech_accuracy: float
    false_speech: float
    presence: float
    error: float
    error_fitted_elsewhere: float
    sources: list[tuple[str, str, int, float]]


def held_out(data: Dataset) -> tuple[Values, Values]:
    """Return log probabilities (n, 6) and of speech (n,), each row by maps without its source."""
    logs = np.zeros((len(data), _NOISE + 1))
    speech = np.zeros(len(data))
    for source in np.unique(data.source):
        held = data.source == source
        fitted = models.fit(data, ~held)
        logs[held] = fitted.log_probabilities(data, held)
        speech[held] = np.exp(fitted.speech.log_probabilities(data.own[held])[:, 1])
    return logs, speech


def figures(data: Dataset, logs: Values, speech: Values) -> Figures:
    """Sum up what was held out.

    Of what comes out of a soundfont only jazz counts: for everything else there is the real thing.
    """
    counted = (data.label < _NOISE) & (~data.rendered | (data.label == _JAZZ))
    plain = counted & (data.how == PLAIN)
    clips, first = _grouped(data.clip, plain, logs)
    truth = data.label[first]
    temperature = _best_temperature(clips, truth)
    tracks, track = _grouped(data.track, plain, logs)
    confusion = np.zeros((len(CLASSES), _NOISE + 1), np.int64)
    np.add.at(confusion, (truth, clips.argmax(axis=1)), 1)
    is_speech = logs[:, 0] > np.logaddexp.reduce(logs[:, 1:_NOISE], axis=1)
    voice, music = plain & (data.label == 0), plain & (data.label > 0)
    bed = (data.how == BED) & (data.speech >= 0)
    return Figures(
        temperature,
        _balanced(clips, truth),
        {name: _recall(clips, truth, place) for place, name in enumerate(CLASSES)},
        confusion,
        _balanced(tracks, data.label[track]),
        _windows(data, logs, counted, PLAIN),
        _windows(data, logs, counted, OPUS),
        _windows(data, logs, counted, SPOILED),
        float((is_speech[voice].mean() + 1 - is_speech[music].mean()) / 2),
        float(is_speech[music].mean()),
        _presence(speech, data, bed | music | voice),
        _error(clips, truth, temperature),
        _error_fitted_elsewhere(clips, truth, data.source[first]),
        _by_source(clips, truth, data.source[first]),
    )


def _windows(data: Dataset, logs: Values, counted: models.Mask, how: int) -> float:
    rows = counted & (data.how == how)
    return _balanced(logs[rows], data.label[rows])


def _grouped(
    groups: npt.NDArray[np.int64], use: models.Mask, logs: Values
) -> tuple[Values, npt.NDArray[np.int64]]:
    """Return mean log probabilities of each group, and a row of each."""
    rows = np.flatnonzero(use)
    _, first, inverse = np.unique(groups[rows], return_index=True, return_inverse=True)
    sums = np.zeros((len(first), logs.shape[1]))
    np.add.at(sums, inverse, np.maximum(logs[rows], _LEAST_LOG))
    return sums / np.bincount(inverse)[:, None], rows[first]


def _recall(logs: Values, truth: npt.NDArray[np.int64], place: int) -> float:
    mine = truth == place
    return float((logs[mine, :_NOISE].argmax(axis=1) == place).mean())


def _balanced(logs: Values, truth: npt.NDArray[np.int64]) -> float:
    return float(np.mean([_recall(logs, truth, place) for place in range(_NOISE)]))


def _presence(speech: Values, data: Dataset, use: models.Mask) -> float:
    use = use & (data.speech >= 0)
    right = (speech[use] > 0.5) == (data.speech[use] == 1)
    return float(np.mean([right[data.speech[use] == each].mean() for each in (0, 1)]))


def _probabilities(logs: Values, temperature: float) -> Values:
    powers = np.exp((logs - logs.max(axis=1, keepdims=True)) / temperature)
    shares: Values = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _error(logs: Values, truth: npt.NDArray[np.int64], temperature: float) -> float:
    """Return the expected calibration error over ten bins; classes weigh alike."""
    shares = _probabilities(logs, temperature)[:, :_NOISE]
    sure, right = shares.max(axis=1), shares.argmax(axis=1) == truth
    weights = 1.0 / np.bincount(truth, minlength=_NOISE)[truth]
    weights /= weights.sum()
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    gaps = [(weights * (right - sure))[bins == each].sum() for each in range(_BINS)]
    return float(np.abs(gaps).sum())


def _best_temperature(logs: Values, truth: npt.NDArray[np.int64]) -> float:
    """Return the temperature with the least log loss; classes weigh alike."""
    weights = 1.0 / np.bincount(truth, minlength=_NOISE)[truth]

    def loss(temperature: float) -> float:
        shares = _probabilities(logs, temperature)[np.arange(len(truth)), truth]
        return float(-(weights * np.log(shares + 1e-9)).sum())

    return float(min(TEMPERATURES, key=loss))


def best_temperature_of(data: Dataset, logs: Values, use: models.Mask) -> float:
    """Return the temperature that suits clips of music and speech among these windows."""
    plain = use & (data.how == PLAIN) & (data.label < _NOISE)
    clips, first = _grouped(data.clip, plain, logs)
    return _best_temperature(clips, data.label[first])


def _error_fitted_elsewhere(
    logs: Values, truth: npt.NDArray[np.int64], sources: npt.NDArray[np.str_]
) -> float:
    """Return the calibration error, sources in two halves, each cooled by what suits the other."""
    names = np.unique(sources)
    half = np.isin(sources, names[::2])
    errors, sizes = [], []
    for mine in (half, ~half):
        places = np.bincount(truth[mine], minlength=_NOISE) > 0
        judged, others = mine & places[truth], ~mine
        temperature = _best_temperature(logs[others], truth[others])
        errors.append(_error(logs[judged], truth[judged], temperature))
        sizes.append(judged.sum())
    return float(np.average(errors, weights=sizes))


def _by_source(
    logs: Values, truth: npt.NDArray[np.int64], sources: npt.NDArray[np.str_]
) -> list[tuple[str, str, int, float]]:
    rows: list[tuple[str, str, int, float]] = []
    for place, label in enumerate(CLASSES):
        for source in np.unique(sources[truth == place]):
            mine = (truth == place) & (sources == source)
            rows.append(
                (str(source), label, int(mine.sum()), _recall(logs[mine], truth[mine], place))
            )
    return rows
