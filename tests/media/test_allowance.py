"""What a publisher may send: never more than the stated rate over any length of time."""

from hypothesis import given
from hypothesis import strategies as st

from webrtc.media.allowance import BURST_S, LEEWAY, Allowance

START_S = 1000.0
RATE = 128_000 * LEEWAY / 8


@given(st.lists(st.tuples(st.integers(0, 1275), st.floats(0, 3)), max_size=200))
def test_over_any_time_no_more_passes_than_the_rate_and_one_burst(packets):
    allowance, now_s, passed, refused = Allowance(128_000, START_S), START_S, 0, 0
    for octets, pause_s in packets:
        now_s += pause_s
        if allowance.admits(octets, now_s):
            passed += octets
        else:
            refused += 1
    assert passed <= RATE * (now_s - START_S + BURST_S) + 1e-3
    assert allowance.refused == refused


def test_who_keeps_to_the_bitrate_with_every_packet_twice_is_never_refused():
    allowance = Allowance(128_000, START_S)
    for index in range(60_000):  # ten minutes
        assert allowance.admits(2 * 160, START_S + index * 0.01)
        assert allowance.is_ample(START_S + index * 0.01)


def test_what_has_passed_already_is_counted_and_forgotten_after_a_while():
    allowance = Allowance(128_000, START_S)
    assert not allowance.charge(round(RATE), START_S)
    assert allowance.charge(round(5 * RATE), START_S)
    assert not allowance.admits(100, START_S)
    assert allowance.admits(100, START_S + 0.01)
    assert not allowance.is_ample(START_S + 0.5)
    assert allowance.is_ample(START_S + BURST_S)


def test_a_clock_that_goes_back_gives_nothing_away():
    allowance = Allowance(128_000, START_S)
    allowance.charge(10**6, START_S)
    assert not allowance.admits(100, START_S - 3600)
    assert not allowance.admits(100, START_S)
