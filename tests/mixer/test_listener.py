"""What a personal gain does to the two channels."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.listener import PersonalGain

gains = st.builds(PersonalGain, st.floats(-60, 12), st.floats(-1, 1), st.booleans())


@pytest.mark.parametrize(
    ("gain", "left", "right"),
    [
        (PersonalGain(), 1.0, 1.0),
        (PersonalGain(gain_db=6.0), 1.9953, 1.9953),
        (PersonalGain(gain_db=-20.0), 0.1, 0.1),
        (PersonalGain(gain_db=-60.0), 0.0, 0.0),
        (PersonalGain(pan=1.0), 0.0, 1.0),
        (PersonalGain(pan=-1.0), 1.0, 0.0),
        (PersonalGain(pan=0.5), math.sqrt(0.5), 1.0),
        (PersonalGain(gain_db=12.0, muted=True), 0.0, 0.0),
    ],
)
def test_gain_and_pan_as_two_factors(gain, left, right):
    assert gain.stereo() == (pytest.approx(left, abs=1e-4), pytest.approx(right, abs=1e-4))


@given(gains)
def test_the_near_channel_keeps_the_gain_and_the_far_one_never_exceeds_it(gain):
    left, right = gain.stereo()
    loudest = 0.0 if gain.muted or gain.gain_db <= -60 else 10 ** (gain.gain_db / 20)
    assert max(left, right) == pytest.approx(loudest)
    assert min(left, right) >= 0.0


@given(st.floats(-60, 12), st.floats(0, 1))
def test_left_and_right_mirror_each_other(gain_db, pan):
    left, right = PersonalGain(gain_db, pan).stereo()
    assert PersonalGain(gain_db, -pan).stereo() == (right, left)


@given(gains)
def test_neutral_is_what_changes_nothing(gain):
    assert gain.is_neutral == (gain.stereo() == (1.0, 1.0)) or abs(gain.gain_db) < 1e-9


@pytest.mark.parametrize(
    "wrong",
    [{"gain_db": 12.1}, {"gain_db": -60.1}, {"gain_db": math.nan}, {"pan": 1.1}, {"pan": math.nan}],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="is not in"):
        PersonalGain(**wrong)
