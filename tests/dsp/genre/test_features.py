"""The features of our own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.genre import features
from dsp.genre.log_mel import RATE_HZ

SECOND = RATE_HZ


def bursts(per_second, seconds=3):
    """Return noise that comes and goes so many times a second."""
    time = np.arange(seconds * SECOND) / SECOND
    noise = np.random.default_rng(3).standard_normal(len(time))
    return (0.2 * noise * (0.5 + 0.5 * np.sin(2 * np.pi * per_second * time))).astype(np.float32)


def of(sound):
    return features.summary(features.frames_of(sound))


@pytest.mark.parametrize("gain_db", [-30, -12, 6])
def test_a_fader_changes_nothing(gain_db):
    sound = bursts(4) * 0.3
    loud, soft = of(sound), of((sound * 10 ** (gain_db / 20)).astype(np.float32))
    assert np.abs(loud - soft).max() < 0.25


def test_frames_of_parts_are_those_of_the_whole():
    sound = bursts(4)
    whole = features.frames_of(sound)
    first = features.frames_of(sound[: features.WINDOW + 39 * features.HOP])
    rest = features.frames_of(sound[40 * features.HOP :])
    joined = first.followed_by(rest)
    assert len(first) == 40
    assert np.allclose(joined.bands, whole.bands, atol=1e-4)
    assert np.allclose(features.summary(joined), features.summary(whole), atol=1e-3)


def test_the_last_frames_are_those_of_the_end():
    frames = features.frames_of(bursts(4))
    assert np.array_equal(frames.last(30).level, frames.level[-30:])


def test_speeds_of_syllables_and_of_a_slow_swell_are_told_apart():
    assert np.abs(of(bursts(5)) - of(bursts(1))).max() > 0.5


def test_too_little_sound_is_refused():
    assert len(features.frames_of(np.zeros(features.WINDOW - 1, np.float32))) == 0
    with pytest.raises(ValueError, match="too few"):
        of(np.zeros(SECOND // 2, np.float32))


BROKEN = {
    "silence": np.zeros(3 * SECOND),
    "no numbers": np.full(3 * SECOND, np.nan),
    "infinite": np.full(3 * SECOND, np.inf),
    "far too loud": np.full(3 * SECOND, 1e30),
    "clipped": np.sign(np.sin(np.arange(3 * SECOND) / 7)),
    "one click": np.eye(1, 3 * SECOND, 20_000)[0],
    "a constant": np.full(3 * SECOND, 0.5),
}


@pytest.mark.parametrize("name", BROKEN)
def test_whatever_comes_gives_numbers(name):
    row = of(BROKEN[name].astype(np.float32))
    assert row.shape == (features.SIZE,)
    assert np.isfinite(row).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(-120, 40), st.integers(SECOND, 4 * SECOND))
def test_any_length_and_level_gives_numbers(seed, level_db, count):
    noise = np.random.default_rng(seed).standard_normal(count) * 10 ** (level_db / 20)
    assert np.isfinite(of(noise.astype(np.float32))).all()
