"""Who is listened to and when, in virtual time."""

import numpy as np
import pytest

from tests.dsp.genre.sounds import beats, voice
from webrtc.classifier.service import FORGET_S, MOST_STREAMS, SAY_AGAIN_S, Classifier
from webrtc.classifier.wire import PORTION, Gone, Sound


def portions(sound16k, stream, begin=0):
    """Yield what a worker would send of a sound, and when."""
    sound = np.repeat(sound16k, 3)
    for start in range(0, len(sound) - PORTION + 1, PORTION):
        samples = np.clip(sound[start : start + PORTION] * 32767, -32768, 32767).astype("<i2")
        yield (begin + start) / 48_000, Sound(stream, begin + start, samples.tobytes())


class Play:
    """A classifier with time to do all that is wanted."""

    def __init__(self):
        self.classifier = Classifier()
        self.said = []

    def hear(self, *parts, works=20):
        for now_s, worker, message in sorted(parts, key=lambda part: part[0]):
            self.classifier.handle(worker, message, now_s)
            for _ in range(works):
                self.said += [(now_s, *news) for news in self.classifier.work(now_s)]
                if not self.classifier.is_behind:
                    break
        return self

    def last(self, stream):
        return [judged for _, _, judged in self.said if judged.stream == stream][-1]


def of(sound, stream, worker=0, begin=0):
    return [(when, worker, each) for when, each in portions(sound, stream, begin)]


def test_each_worker_is_told_of_its_own_streams():
    play = Play().hear(*of(voice(6), "ada", 0), *of(beats(6), "bob", 1))
    assert {(worker, judged.stream) for _, worker, judged in play.said} == {(0, "ada"), (1, "bob")}
    assert play.last("ada").label == play.last("ada").profile == "speech"
    assert max(play.last("bob").probabilities[1:]) > play.last("bob").probabilities[0]
    assert play.last("ada").firm


def test_a_firm_word_and_the_profile_come_within_four_seconds():
    play = Play().hear(*of(voice(8), "ada"))
    assert min(when for when, _, judged in play.said if judged.profile == "speech") <= 4


def test_what_has_not_changed_is_said_seldom():
    play = Play().hear(*of(voice(40), "ada"))
    settled = [when for when, _, _ in play.said if when > 10]
    assert 1 <= len(settled) <= 3 * 30 / SAY_AGAIN_S


def test_the_end_of_a_stream_and_a_long_silence_are_forgotten():
    play = Play().hear(*of(voice(3), "ada"), *of(voice(3), "bob"))
    play.classifier.handle(0, Gone("ada"), 3.0)
    assert len(play.classifier) == 1
    play.classifier.work(3.0 + FORGET_S + 1)
    assert len(play.classifier) == 0
    play.hear(*of(voice(3), "cid", worker=5))
    play.classifier.forget(5)
    assert len(play.classifier) == 0


def test_a_stream_that_pauses_is_silent_and_comes_back():
    play = Play().hear(*of(voice(6), "ada"))
    late = of(voice(6, seed=2), "ada", begin=20 * 48_000)
    play.hear(*late)
    assert play.last("ada").label == "speech"


def test_there_are_never_more_streams_than_may_be():
    classifier = Classifier()
    for number in range(MOST_STREAMS + 5):
        classifier.handle(0, Sound(f"s{number}", 0, bytes(PORTION * 2)), 0.0)
    assert len(classifier) == MOST_STREAMS
    assert classifier.busy(0.5).refused == 5


@pytest.mark.slow
def test_with_little_time_everybody_gets_a_turn():
    names = [f"s{number}" for number in range(8)]
    parts = [part for name in names for part in of(beats(12), name)]
    play = Play().hear(*parts, works=0)
    for step in range(400):  # all sound is there; opinions come one look at a time
        play.said += [(step, *news) for news in play.classifier.work(12.0 + step / 100)]
    assert {
        judged.stream for _, _, judged in play.said if max(judged.probabilities[1:]) > 0.3
    } == set(names)


@pytest.mark.parametrize("samples", [b"", b"\0", b"\xff" * 9600, b"\0\x80" * 4800])
def test_odd_portions_harm_nobody(samples):
    play = Play().hear(*((n / 10, 0, Sound("odd", n * 4800, samples)) for n in range(40)))
    play.hear(*of(voice(6), "ada", begin=0))
    assert play.last("ada").label == "speech"
