import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.load.likeness import find, follow

RANDOM = np.random.default_rng(1)
SPEECH = RANDOM.standard_normal(24_000).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(at=st.integers(0, 9000), gain=st.floats(0.1, 2.0))
def test_a_stretch_is_found_whatever_its_level(at, gain):
    heard = RANDOM.standard_normal(40_000).astype(np.float32) * np.float32(0.1 * gain)
    heard[at : at + SPEECH.size] += np.float32(gain) * SPEECH
    place, likeness = find(SPEECH, heard)
    assert place == at
    assert likeness > 0.9


def test_stretches_are_followed_where_the_sound_was_moved_inside():
    heard = np.concatenate([np.zeros(1000, np.float32), SPEECH[:12_000], SPEECH[11_900:]])
    matches = follow(SPEECH, heard, 1000, 4000, 500)
    moved = [match.heard_at - match.sent_at for match in matches]
    assert moved[:2] == [1000, 1000]
    assert moved[-1] == 1100


def test_silence_and_strangers_give_no_match():
    assert follow(np.zeros(9000, np.float32), SPEECH, 0, 3000, 500) == []
    stranger = RANDOM.standard_normal(24_000).astype(np.float32)
    assert follow(SPEECH, stranger, 0, 6000, 500) == []
