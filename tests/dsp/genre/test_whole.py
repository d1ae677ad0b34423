"""Sounds as a whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.genre import classify
from dsp.genre.labels import CLASSES, MUSIC
from dsp.genre.whole import timeline
from tests.dsp.genre.sounds import RATE, beats, noise, voice


def test_a_voice_is_speech_and_a_beat_is_music():
    heard = classify(voice(5), RATE)
    assert heard.label == "speech"
    assert heard.speech > 0.5
    assert heard.duration_s == pytest.approx(5)
    assert tuple(heard.probabilities) == CLASSES
    heard = classify(beats(5), RATE)
    assert max(CLASSES, key=heard.probabilities.__getitem__) in MUSIC
    assert heard.speech < 0.5


def test_noise_is_nothing_that_has_a_name():
    assert classify(noise(5), RATE).label == "unknown"


@pytest.mark.slow
@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("kind", ["mono", "stereo", "int16", "int32", "float64"])
def test_any_rate_and_type_of_samples_is_taken(rate, kind):
    time = np.arange(4 * rate) / rate
    sound = np.interp(time, np.arange(4 * RATE) / RATE, voice(4))
    if kind == "stereo":
        sound = np.stack([sound, sound], axis=1)
    elif kind.startswith("int"):
        sound = (sound * np.iinfo(kind).max).astype(kind)
    elif kind == "mono":
        sound = sound.astype(np.float32)
    assert classify(sound, rate).label == "speech"


def test_silence_and_too_little_are_called_silence():
    assert classify(np.zeros(5 * RATE), RATE).label == "silence"
    assert classify(voice(0.5), RATE).label == "silence"
    assert classify(np.zeros(0), RATE).label == "silence"


def test_samples_that_are_none_are_refused():
    with pytest.raises(ValueError, match="Hz"):
        classify(voice(3), 4000)
    with pytest.raises(ValueError, match="channels"):
        classify(np.zeros((10, 2, 2)), RATE)
    with pytest.raises(ValueError, match="channels"):
        classify(np.zeros((2, 48_000)), RATE)


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from([np.nan, np.inf, -np.inf, 1e30, 0.0]))
def test_broken_samples_give_probabilities(seed, value):
    random = np.random.default_rng(seed)
    sound = noise(2, seed=seed)
    sound[random.integers(0, len(sound), 1000)] = value
    heard = classify(sound, RATE)
    shares = list(heard.probabilities.values())
    assert np.isfinite(shares).all()
    assert sum(shares) <= 1 + 1e-6


def test_a_timeline_shows_when_a_voice_gives_way_to_a_beat():
    moments = timeline(np.concatenate([voice(8), beats(8)]), RATE)
    assert len(moments) == pytest.approx(32, abs=1)
    before = [each.opinion.label for each in moments if 5 < each.time_s <= 8]
    after = [each.opinion.best for each in moments if each.time_s > 13]
    assert set(before) == {"speech"}
    assert set(after) <= set(MUSIC)
