# ruff: noqa: E402 — threads are counted when numpy is imported
"""How well the content classifier tells sounds apart, how soon, and what it costs.

    python -m benchmarks.genre [--cost]

Accuracy and calibration: every source left out once (`training.evaluate`). Latency and wrong
changes: the two halves of the sources in turn, each heard as streams, in virtual time, by a head
that was trained on the other half only: each track by itself, then programmes of ten minutes in
which speech and music of all kinds take turns. Cost: CPU time of this process, one thread.

All but the cost takes the data of `python -m training fetch` and `extract`; without them only the
cost is measured, and the report says so.
"""

import argparse
import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # as in the classifier's process
    os.environ.setdefault(_name, "1")

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.harness.report import print_result, print_table
from dsp.genre import head
from dsp.genre.follower import Follower
from dsp.genre.labels import CLASSES
from dsp.genre.log_mel import RATE_HZ
from dsp.genre.stream import Stream
from training import evaluate, models
from training.cache import cache_folder
from training.clips import Clips
from training.dataset import Dataset, assemble
from training.extract import extract_all

TARGETS = {
    "clips": 0.90,
    "tracks": 0.95,
    "speech_accuracy": 0.985,
    "false_speech": 0.01,
    "error": 0.05,
    "opus_loss": 0.02,
    "firm_s": 4.0,
    "wrong_changes_per_10_min": 1.0,
    "music_percent": 3.0,
    "speech_percent": 0.4,
}
PORTION = RATE_HZ // 10
PROGRAMME_S = 600
TRACK_S = 15
PART_S = (20, 60)

Samples = npt.NDArray[np.float32]


@dataclass
class Heard:
    """What became of streams: when the first right and firm word came, and profiles."""

    firm_s: dict[str, list[float]] = field(default_factory=dict)
    wrong_first: int = 0
    programme_s: float = 0.0
    wrong_changes: int = 0
    right_changes: int = 0


class Listener:
    """A stream and its follower, as the classifier's process has them."""

    def __init__(self, chosen: head.Head | None) -> None:
        self.stream = Stream(chosen=chosen)
        self.follower = Follower()
        self.informed = False

    def hear(self, portion: Samples) -> bool:
        """Take 100 ms; return whether the profile has changed."""
        stream, follower = self.stream, self.follower
        stream.push(portion)
        power = float(np.mean(np.square(portion)))
        follower.note_level(10 * np.log10(power + 1e-12), stream.heard_s)
        acted = follower.is_waiting
        if stream.wants_hearing:
            stream.hear()
            acted = True
        if stream.wants_look:
            stream.look()
            self.informed = acted = True
        return acted and follower.decide(stream.opinion, stream.heard_s, informed=self.informed)

    @property
    def is_firm(self) -> bool:
        return self.follower.is_firm(self.stream.opinion, informed=self.informed)


def portions(sound: Samples) -> Iterator[Samples]:
    for start in range(0, len(sound) - PORTION + 1, PORTION):
        yield sound[start : start + PORTION]


# ---- how soon, and how often wrongly ------------------------------------------------------------


def tracks_of(clips: Clips) -> Iterator[Samples]:
    """Yield each track's clips, as far as they follow each other, as one sound."""
    for track in np.unique(clips.tracks):
        sounds = clips.sounds[clips.tracks == track].reshape(-1)
        yield (sounds[: TRACK_S * RATE_HZ] / 32768).astype(np.float32)


def hear_all(everything: list[Clips], data: Dataset, seed: int) -> Heard:
    heard = Heard()
    names = np.unique([clips.source.split("/")[0] for clips in everything])
    for half in (names[::2], names[1::2]):
        fitted = models.fit(data, ~np.isin(data.source, half)).cooled(temperature_of(data, half))
        chosen = head.Head(stored(fitted))
        mine = [
            clips
            for clips in everything
            if clips.source.split("/")[0] in half
            and clips.label in CLASSES
            and (clips.label == "jazz" or not clips.source.startswith("rendered"))
        ]
        hear_tracks(mine, chosen, heard, np.random.default_rng(seed))
        hear_programme(mine, chosen, heard, np.random.default_rng(seed))
    return heard


def temperature_of(data: Dataset, half: npt.NDArray[np.str_]) -> float:
    """Return a temperature fitted on sources of which neither half's head is judged here."""
    others = np.unique(data.source[~np.isin(data.source, half)])
    held = np.isin(data.source, others[::2])
    fitted = models.fit(data, np.isin(data.source, others[1::2]))
    logs = np.zeros((len(data), len(CLASSES) + 1))
    logs[held] = fitted.log_probabilities(data, held)
    return evaluate.best_temperature_of(data, logs, held)


def stored(fitted: models.Models) -> dict[str, npt.NDArray[np.float32]]:
    return {
        f"{name}.{part}": getattr(getattr(fitted, name), part).astype(np.float32)
        for name in head.HEADS
        for part in ("mean", "scale", "weights", "bias")
    }


def hear_tracks(mine: list[Clips], chosen: head.Head, heard: Heard, chance: Any) -> None:
    for clips in mine:
        tracks = list(tracks_of(clips))
        for number in chance.permutation(len(tracks))[:4]:
            listener = Listener(chosen)
            for portion in portions(tracks[number]):
                listener.hear(portion)
                if listener.is_firm:
                    break
            else:
                heard.firm_s.setdefault(clips.label, []).append(float("inf"))
                continue
            right = listener.stream.opinion.best == clips.label
            heard.wrong_first += not right
            if right:
                heard.firm_s.setdefault(clips.label, []).append(listener.stream.heard_s)


def hear_programme(mine: list[Clips], chosen: head.Head, heard: Heard, chance: Any) -> None:
    """Let labels take turns for ten minutes; a change to another class than what plays is wrong."""
    listener = Listener(chosen)
    labels = sorted({clips.label for clips in mine})
    before = ""
    while listener.stream.heard_s < PROGRAMME_S:
        label = str(chance.choice([each for each in labels if each != before]))
        before = label
        sources = [clips for clips in mine if clips.label == label]
        clips = sources[int(chance.integers(len(sources)))]
        tracks = list(tracks_of(clips))
        wanted, begun = chance.uniform(*PART_S), listener.stream.heard_s
        while listener.stream.heard_s - begun < wanted:
            for portion in portions(tracks[int(chance.integers(len(tracks)))]):
                if listener.hear(portion):
                    right = listener.follower.profile == label
                    heard.right_changes += right
                    heard.wrong_changes += not right
    heard.programme_s += listener.stream.heard_s


# ---- cost ---------------------------------------------------------------------------------------


def cost() -> dict[str, float]:
    """Return the CPU time of each step, and the share of a core of a stream of each kind."""
    chance = np.random.default_rng(1)
    sound = (0.1 * chance.standard_normal(6 * RATE_HZ)).astype(np.float32)
    stream = Stream()
    hears, looks = [], []
    for portion in portions(sound):  # warm up, and fill the window
        stream.push(portion)
        if stream.wants_hearing:
            stream.hear()
    for _ in range(15):
        for portion in portions(sound[:RATE_HZ]):
            stream.push(portion)
        begun = time.process_time()
        stream.hear()
        hears.append(time.process_time() - begun)
        begun = time.process_time()
        stream.look()
        looks.append(time.process_time() - begun)
    begun = time.process_time()
    for portion in portions(sound):
        stream.push(portion)
    push_s = (time.process_time() - begun) / 6
    hear_s, look_s = float(np.median(hears)), float(np.median(looks))
    return {
        "hear_ms": 1000 * hear_s,
        "look_ms": 1000 * look_s,
        "speech_percent": 100 * (push_s + hear_s),
        "music_percent": 100 * (push_s + hear_s + look_s / 3),
    }


# ---- the report ---------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cost", action="store_true", help="measure the cost only")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    result: dict[str, Any] = dict(cost())
    if given.cost or not (cache_folder() / "features").exists():
        result["data"] = "not looked at" if given.cost else "missing: python -m training fetch"
    else:
        extracted = extract_all()
        data = assemble(extracted)
        found = evaluate.figures(data, *evaluate.held_out(data))
        heard = hear_all([clips for clips, _ in extracted], data, given.seed)
        times = [each for label in heard.firm_s.values() for each in label]
        result |= {
            "clips": found.clips,
            "tracks": found.tracks,
            "recalls": found.recalls,
            "speech_accuracy": found.speech_accuracy,
            "false_speech": found.false_speech,
            "error": found.error,
            "error_fitted_elsewhere": found.error_fitted_elsewhere,
            "opus_loss": found.windows - found.opus,
            "firm_s": float(np.median(times)),
            "firm_within_4_s": float(np.mean([each <= 4.0 for each in times])),
            "firm_but_wrong": heard.wrong_first,
            "streams": len(times) + heard.wrong_first,
            "wrong_changes_per_10_min": 600 * heard.wrong_changes / heard.programme_s,
            "right_changes": heard.right_changes,
        }
    rows = [
        [name, f"{value:.4g}", str(TARGETS.get(name, ""))]
        for name, value in result.items()
        if isinstance(value, float | int)
    ]
    print_table("content classifier", ["what", "measured", "goal"], rows)
    print_result("genre", result)


if __name__ == "__main__":
    main()
