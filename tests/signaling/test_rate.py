from hypothesis import given
from hypothesis import strategies as st

from webrtc.signaling.rate import TokenBucket


def test_a_burst_passes_and_then_the_rate_decides() -> None:
    bucket = TokenBucket(rate_per_s=10, burst=3, now=0)
    assert [bucket.take(1, 0) for _ in range(4)] == [0, 0, 0, 0.1]
    assert bucket.take(1, 0.1) == 0
    assert bucket.take(1, 0.1) > 0


def test_a_refusal_takes_nothing() -> None:
    bucket = TokenBucket(rate_per_s=1, burst=10, now=0)
    assert bucket.take(8, 0) == 0
    assert bucket.take(8, 0) == 6
    assert bucket.take(2, 0) == 0


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    bucket = TokenBucket(rate_per_s=10, burst=1, now=100)
    assert bucket.take(1, 100) == 0
    assert bucket.take(1, 0) > 0
    assert bucket.take(1, 100.05) > 0


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5)), max_size=60),
    st.floats(0.5, 20),
    st.integers(5, 20),
)
def test_never_more_than_burst_and_rate_allow_and_waiting_as_told_is_enough(
    steps: list[tuple[float, int]], rate_per_s: float, burst: int
) -> None:
    now = taken = 0.0
    bucket = TokenBucket(rate_per_s, burst, now)
    for pause_s, tokens in steps:
        now += pause_s
        wait_s = bucket.take(tokens, now)
        if wait_s > 0:
            now += wait_s * (1 + 1e-9)
            assert bucket.take(tokens, now) == 0
        taken += tokens
        assert taken <= burst + rate_per_s * now * (1 + 1e-6)
