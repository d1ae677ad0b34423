"""What comes out of pieces that come when they like: every sample once, in step with the clock."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mixer.arena import SAMPLE_RATE_HZ
from webrtc.broadcast.timeline import PATIENCE, Timeline

BLOCK = 480


def numbered(position: int) -> np.ndarray:
    """A block whose samples say where they are."""
    return np.repeat(np.arange(position, position + BLOCK, dtype=np.float64)[:, None], 2, axis=1)


def joined(pieces: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros((0, 2)), *pieces])


@given(
    st.lists(
        st.tuples(st.integers(-3 * BLOCK, 20 * BLOCK), st.integers(0, 3 * SAMPLE_RATE_HZ)),
        max_size=30,
    )
)
def test_every_sample_is_at_its_place_or_silent(steps: list[tuple[int, int]]) -> None:
    timeline, clock, out = Timeline(), 0, []
    for offset, passes in steps:
        clock += passes
        at = timeline.end + offset
        out += timeline.take(at, numbered(at), max(clock, at))
        clock = max(clock, at)
        out += timeline.keep_up(clock - PATIENCE)
        assert timeline.end >= clock - PATIENCE, "a listener is never kept waiting"
    stream = joined(out)
    assert len(stream) == timeline.end
    assert all(len(piece) <= SAMPLE_RATE_HZ for piece in out)
    places = np.arange(len(stream))
    assert ((stream[:, 0] == places) | (stream[:, 0] == 0)).all()


def test_pieces_that_follow_each_other_come_out_as_they_are() -> None:
    timeline = Timeline()
    out = [piece for at in range(0, 4800, BLOCK) for piece in timeline.take(at, numbered(at), at)]
    assert np.array_equal(joined(out)[:, 0], np.arange(4800))


def test_what_came_too_late_is_dropped_and_the_rest_of_it_is_not() -> None:
    timeline = Timeline()
    list(timeline.keep_up(BLOCK // 2))
    assert list(timeline.take(-BLOCK, numbered(-BLOCK), 0)) == []
    (rest,) = timeline.take(0, numbered(0), 0)
    assert np.array_equal(rest[:, 0], np.arange(BLOCK // 2, BLOCK))


def test_no_piece_from_the_far_future_makes_hours_of_silence() -> None:
    timeline = Timeline()
    assert list(timeline.take(10**12, numbered(0), clock=0)) == []
    assert timeline.end == 0
