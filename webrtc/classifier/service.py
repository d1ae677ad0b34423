"""Who is listened to, and when: the classifier without its socket and clock.

Portions are taken in at once, which costs little. Opinions are formed in `work`: first all that
cost 2 ms, then at most one that costs 60. Where there is too much to do, looks come later and
rarer; the longest waiting is served first, so that nobody is left out.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import soxr

from dsp.genre.follower import Follower
from dsp.genre.log_mel import RATE_HZ
from dsp.genre.stream import Stream
from webrtc.classifier.wire import Busy, Gone, Judged, Sound, ToClassifier

MOST_STREAMS: Final = 256
SENT_RATE_HZ: Final = 48_000
SAY_AGAIN_S: Final = 10.0
FORGET_S: Final = 120.0

_NOTABLE: Final = 0.1
_LATE_S: Final = 6.0
_LONGEST_GAP_S: Final = 20.0

Key = tuple[int, str]


@dataclass(slots=True)
class _Seat:
    """One stream and what was said about it last."""

    resampler: soxr.ResampleStream
    stream: Stream = field(default_factory=Stream)
    follower: Follower = field(default_factory=Follower)
    expected: int | None = None
    seen_s: float = 0.0
    looked_s: float = 0.0
    said: Judged | None = None
    said_s: float = 0.0
    informed: bool = False


class Classifier:
    """Listens to all streams of all workers.

    Attributes:
        counters: streams `refused` because there are too many, `looks` taken, `looks_late` that
            had to wait.
    """

    def __init__(self) -> None:
        """Listen to nobody yet."""
        self.counters: Counter[str] = Counter(refused=0, looks=0, looks_late=0)
        self._seats: dict[Key, _Seat] = {}

    def __len__(self) -> int:
        return len(self._seats)

    def handle(self, worker: int, message: ToClassifier, now_s: float) -> None:
        """Take in what a worker says."""
        match message:
            case Gone(stream):
                self._seats.pop((worker, stream), None)
            case Sound(stream):
                seat = self._seat((worker, stream))
                if seat is not None:
                    seat.seen_s = now_s
                    _take(seat, message)

    def work(self, now_s: float) -> list[tuple[int, Judged]]:
        """Form opinions that are due; return what is new, by worker."""
        news = []
        for (worker, name), seat in list(self._seats.items()):
            if now_s - seat.seen_s > FORGET_S:
                del self._seats[worker, name]
                continue
            if seat.stream.wants_hearing:
                seat.stream.hear()
                news += self._said(worker, name, seat, now_s)
            elif seat.follower.is_waiting or (seat.stream.is_silent and seat.said is not None):
                news += self._said(worker, name, seat, now_s)
        waiting = [key for key, seat in self._seats.items() if seat.stream.wants_look]
        if waiting:
            worker, name = min(waiting, key=lambda key: self._seats[key].looked_s)
            seat = self._seats[worker, name]
            self.counters["looks"] += 1
            self.counters["looks_late"] += seat.informed and now_s - seat.looked_s > _LATE_S
            seat.stream.look()
            seat.looked_s, seat.informed = now_s, True
            news += self._said(worker, name, seat, now_s)
        return news

    @property
    def is_behind(self) -> bool:
        """Whether there is more to do right now."""
        return any(seat.stream.wants_look for seat in self._seats.values())

    def forget(self, worker: int) -> None:
        """Take note that a worker has gone, with all its streams."""
        for key in [key for key in self._seats if key[0] == worker]:
            del self._seats[key]

    def busy(self, cpu_s: float) -> Busy:
        """Return how much there is to do."""
        counters = self.counters
        return Busy(
            len(self._seats),
            counters["refused"],
            counters["looks"],
            counters["looks_late"],
            int(cpu_s * 1000),
        )

    def _seat(self, key: Key) -> _Seat | None:
        seat = self._seats.get(key)
        if seat is None:
            if len(self._seats) >= MOST_STREAMS:
                self.counters["refused"] += 1
                return None
            seat = self._seats[key] = _Seat(_resampler())
        return seat

    def _said(self, worker: int, name: str, seat: _Seat, now_s: float) -> list[tuple[int, Judged]]:
        opinion = seat.stream.opinion
        heard_s = seat.stream.heard_s
        seat.follower.decide(opinion, heard_s, informed=seat.informed)
        judged = Judged(
            name,
            opinion.label,
            round(opinion.confidence, 3),
            seat.follower.is_firm(opinion, informed=seat.informed),
            round(opinion.speech, 3),
            [round(float(each), 3) for each in opinion.probabilities],
            seat.follower.profile,
        )
        if not _is_news(seat.said, judged) and now_s - seat.said_s < SAY_AGAIN_S:
            return []
        if judged.label == "silence" and seat.said is not None and seat.said.label == "silence":
            return []
        seat.said, seat.said_s = judged, now_s
        return [(worker, judged)]


def _is_news(before: Judged | None, now: Judged) -> bool:
    if before is None:
        return True
    same = (before.label, before.firm, before.profile) == (now.label, now.firm, now.profile)
    moved = abs(before.confidence - now.confidence) >= _NOTABLE
    return not same or moved or abs(before.speech - now.speech) >= 3 * _NOTABLE


def _take(seat: _Seat, sound: Sound) -> None:
    samples = np.frombuffer(sound.samples, "<i2", len(sound.samples) // 2)
    gap = 0 if seat.expected is None else sound.begin - seat.expected
    seat.expected = sound.begin + len(samples)
    if gap > 0:
        seat.stream.pause(min(gap / SENT_RATE_HZ, _LONGEST_GAP_S))
    floats = samples.astype(np.float32) / 32768
    seat.stream.push(seat.resampler.resample_chunk(floats))
    power = float(np.mean(np.square(floats))) if len(floats) else 0.0
    seat.follower.note_level(10.0 * np.log10(power + 1e-12), seat.stream.heard_s)


def _resampler() -> soxr.ResampleStream:
    return soxr.ResampleStream(SENT_RATE_HZ, RATE_HZ, 1, dtype="float32", quality="LQ")
