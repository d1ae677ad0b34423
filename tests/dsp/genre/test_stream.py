"""A sound as it goes on, in virtual time."""

import numpy as np
import pytest

from dsp.genre.labels import CLASSES, MUSIC
from dsp.genre.stream import Stream
from tests.dsp.genre.sounds import RATE, beats, noise, voice


def play(sound, stream=None, portion_s=0.1, looks=True):
    """Push a sound and do at once what is wanted; return the stream, and what it said when."""
    stream = stream or Stream()
    said = []
    size = int(portion_s * RATE)
    for start in range(0, len(sound), size):
        stream.push(sound[start : start + size])
        if stream.wants_hearing:
            stream.hear()
        if looks and stream.wants_look:
            stream.look()
        said.append((stream.heard_s, stream.opinion))
    return stream, said


def first(said, labels):
    """Return when one of these was the likeliest for the first time, after something was known."""
    return next(
        (
            when
            for when, opinion in said
            if opinion.best in labels and opinion.probabilities.max() > 0.3
        ),
        float("inf"),
    )


def test_a_voice_and_a_beat_are_told_apart_within_four_seconds():
    _, said = play(voice(6))
    assert said[-1][1].label == "speech"
    assert first(said, ["speech"]) <= 4
    _, said = play(beats(6))
    assert said[-1][1].best in MUSIC
    assert first(said, MUSIC) <= 4


def test_nothing_is_said_before_there_is_something_to_say():
    stream, said = play(voice(1.2))
    assert all(opinion.label == "unknown" for _, opinion in said)
    assert not stream.wants_look


def test_musicnn_is_only_asked_about_music():
    stream, sound = Stream(), voice(12)
    looks = 0
    for start in range(0, len(sound), 1600):
        stream.push(sound[start : start + 1600])
        if stream.wants_hearing:
            stream.hear()
        looks += stream.wants_look
    assert looks == 0


@pytest.mark.slow
def test_music_is_looked_at_every_three_seconds_or_less():
    stream, sound, looks = Stream(), beats(20), []
    for start in range(0, len(sound), 1600):
        stream.push(sound[start : start + 1600])
        if stream.wants_hearing:
            stream.hear()
        if stream.wants_look:
            stream.look()
            looks.append(stream.heard_s)
    gaps = np.diff(looks)
    assert looks[0] == pytest.approx(3.0, abs=0.2)
    assert gaps.min() >= 1.4
    assert gaps.max() <= 3.2


def test_an_opinion_follows_from_a_voice_to_a_beat():
    stream, _ = play(voice(8))
    _, said = play(beats(8), stream)
    assert first(said, MUSIC) - 8 <= 4.5


def test_silence_is_called_so_and_forgets_in_the_end():
    stream, _ = play(beats(6))
    _, said = play(np.zeros(3 * RATE, np.float32), stream)
    assert said[10][1].best in MUSIC  # a pause is no silence
    assert said[-1][1].silent
    assert stream.opinion.label == "silence"
    stream.pause(30)
    stream.push(noise(0.1))
    assert not stream.opinion.silent
    assert not stream.wants_look


def test_a_pause_of_who_sends_no_silence_is_silence():
    stream, _ = play(voice(4))
    stream.pause(0.4)
    assert not stream.is_silent
    assert stream.heard_s == pytest.approx(4.4)
    stream.pause(5)
    assert stream.is_silent
    assert not stream.wants_hearing


BROKEN = {
    "no numbers": np.full(5 * RATE, np.nan, np.float32),
    "infinite": np.full(5 * RATE, -np.inf, np.float32),
    "clipped": np.sign(beats(5)),
    "far too loud": beats(5) * np.float32(1e20),
    "one sample": np.ones(1, np.float32),
    "nothing": np.zeros(0, np.float32),
    "a constant": np.full(5 * RATE, 0.7, np.float32),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_whatever_comes_gives_an_opinion_and_harms_nothing_later(name):
    stream, said = play(BROKEN[name])
    for _, opinion in said:
        assert opinion.probabilities.shape == (len(CLASSES),)
        assert np.isfinite(opinion.probabilities).all()
        assert 0 <= opinion.probabilities.sum() <= 1 + 1e-9
        assert 0 <= opinion.confidence <= 1
        assert 0 <= opinion.speech <= 1
    _, said = play(voice(12), stream)
    assert said[-1][1].label == "speech"


def test_portions_of_any_size_lead_to_the_same_opinion():
    sound = voice(6)
    small, _ = play(sound, portion_s=0.02)
    large, _ = play(sound, portion_s=0.25)
    assert small.opinion.label == large.opinion.label
    assert np.abs(small.opinion.probabilities - large.opinion.probabilities).max() < 0.15
