"""What a picture of sound shows, in numbers."""

import numpy as np
import pytest

from archive.rate_network import FRAMES
from archive.rate_picture import BANDS
from archive.rate_summary import _PACE_EDGES, _changes, _paces, _together, _tones, summary

NUMBERS = 1017


def look(seed: int, frames: int = FRAMES) -> np.ndarray:
    """Return a picture of nothing in particular."""
    return np.random.default_rng(seed).normal(-5, 2, (frames, BANDS)).astype(np.float32)


@pytest.mark.parametrize("frames", [2, 9, 40, FRAMES])
def test_any_length_gives_as_many_finite_numbers(frames):
    found = summary(look(frames, frames))
    assert found.shape == (NUMBERS,)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_silence_gives_finite_numbers():
    assert np.isfinite(summary(np.full((FRAMES, BANDS), -11, np.float32))).all()


def test_level_tells_nothing():
    assert summary(look(1) + 3) == pytest.approx(summary(look(1)), abs=1e-3)


def test_what_alternates_changes_within_one_step_but_not_within_two():
    picture = np.zeros((FRAMES, BANDS), np.float32)
    picture[::2] = 1
    half = BANDS // 2
    found = _changes(picture).reshape(-1, half)
    assert found[0] == pytest.approx(np.ones(half))  # within one step, either way
    assert (found[1] > 0.4).all()  # and how fast it rises
    assert found[2] == pytest.approx(np.zeros(half))


@pytest.mark.parametrize("every", [48, 24, 10])
def test_beats_are_found_at_their_pace_and_in_their_third(every):
    picture = np.zeros((FRAMES, BANDS), np.float32)
    picture[::every, :24] = 2
    picture += 0.01 * look(2)
    bass, middle = _paces(picture)[:16], _paces(picture)[17:33]
    here = int(np.searchsorted(_PACE_EDGES, 1024 / every)) - 1  # of 1,024 steps
    assert bass[here] > bass[: here - 1].max() + 2
    assert bass[here] > middle[here] + 0.5


def test_a_tone_stands_out_of_its_neighbours():
    picture = 0.1 * look(3)
    picture[:, 21] += 4
    for found in _tones(picture).reshape(2, -1):
        assert found.argmax() == 10  # every second band, from the second one on


def test_bands_that_move_together_are_told_from_those_that_do_not():
    moving = np.repeat(look(4)[:, :1], BANDS, axis=1)
    assert _together(moving) == pytest.approx(np.ones(len(_together(moving))), abs=0.1)
    assert np.abs(_together(look(5))).max() < 0.4
