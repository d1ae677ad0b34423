"""Packets of changing sources as one stream: golden sequences, and what holds for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.forward_stream import MAX_AHEAD, MAX_BEHIND, MAX_ELAPSED, MAX_PAUSE, OutputStream

LENGTH = 960
BOUNDARIES = [0, 1, 32767, 65534, 65535]
TIMES = [0, 2**31 - 1, 2**32 - 960, 2**32 - 1]


def play(stream, script):
    """Return what leaves, as (sequence, timestamp, marker), for a script of packets and breaks."""
    left = []
    for item in script:
        if item == "break":
            stream.break_off()
        else:
            sequence, timestamp, arrival_s = item
            out = stream.rewrite(
                sequence & 0xFFFF, timestamp & 0xFFFFFFFF, LENGTH, False, arrival_s
            )
            left.append(out and (out.sequence, out.timestamp, out.marker))
    return left


def test_a_switch_in_the_middle_of_a_packet_leaves_no_gap_and_no_overlap():
    assert play(
        OutputStream(100, 5000),
        [
            (7, 70_000, 1.00),
            (8, 70_960, 1.02),
            "break",
            (900, 4_000_000, 1.027),  # 7 ms after the last one, which lasts 20
            (901, 4_000_960, 1.047),
        ],
    ) == [
        (100, 5000, True),
        (101, 5960, False),
        (102, 6920, True),
        (103, 7880, False),
    ]


def test_a_source_that_comes_after_a_pause_is_as_much_later_as_it_is():
    assert play(
        OutputStream(100, 5000), [(7, 0, 1.0), "break", (900, 77, 3.5), (901, 1037, 3.52)]
    ) == [(100, 5000, True), (101, 5000 + 120_000, True), (102, 125_960, False)]


def test_what_got_lost_on_the_way_to_us_is_lost_to_the_browser_too():
    assert play(OutputStream(5, 0), [(7, 0, 1.0), (10, 2880, 1.06), (11, 3840, 1.08)]) == [
        (5, 0, True),
        (8, 2880, False),
        (9, 3840, False),
    ]


def test_silence_that_was_not_sent_is_no_loss():
    assert play(OutputStream(5, 0), [(7, 0, 1.0), (8, 19_200, 1.4)])[1] == (6, 19_200, False)


def test_packets_out_of_order_keep_their_order():
    assert play(
        OutputStream(5, 0), [(7, 0, 1.0), (9, 1920, 1.03), (8, 960, 1.04), (10, 2880, 1.06)]
    ) == [(5, 0, True), (7, 1920, False), (6, 960, False), (8, 2880, False)]


def test_what_comes_too_late_from_before_the_switch_does_not_leave():
    script = [(7, 0, 1.0), "break", (20, 0, 1.02), (19, -960, 1.03), (21, 960, 1.04)]
    assert play(OutputStream(5, 0), script)[2] is None


@pytest.mark.parametrize("start", BOUNDARIES)
@pytest.mark.parametrize("time", TIMES)
def test_wrap_around_of_either_side_changes_nothing(start, time):
    plain = play(OutputStream(500, 10**6), _two_sources(100, 10**6, 2000, 10**6))
    wrapped = play(OutputStream(start, time), _two_sources(start, time, 65530, 2**32 - 2000))
    assert [
        (sequence - start & 0xFFFF, timestamp - time & 0xFFFFFFFF, marker)
        for sequence, timestamp, marker in wrapped
    ] == [(sequence - 500, timestamp - 10**6, marker) for sequence, timestamp, marker in plain]


def _two_sources(first, first_time, second, second_time):
    script = [(first + i, first_time + i * LENGTH, i * 0.02) for i in range(50)]
    script += ["break"]
    return script + [(second + i, second_time + i * LENGTH, 1.01 + i * 0.02) for i in range(50)]


@pytest.mark.parametrize(
    "jump",
    [(MAX_AHEAD + 1, LENGTH), (1, MAX_PAUSE + 1), (1, -LENGTH), (1, 0), (5000, 10**9)],
    ids=["numbers", "pause", "back in time", "no time", "everything"],
)
def test_a_publisher_that_counts_wildly_makes_no_jump(jump):
    step, samples = jump
    left = play(OutputStream(5, 0), [(7, 0, 1.0), (7 + step, samples, 1.02)])
    assert left[1] == (6, LENGTH, True)


def test_after_an_hour_of_silence_no_receiver_takes_the_stream_for_a_step_back():
    left = play(OutputStream(5, 0), [(7, 0, 1.0), "break", (9, 0, 1.0 + 20 * 3600)])
    assert left[1] == (6, MAX_ELAPSED, True)
    assert MAX_ELAPSED < 2**31


def test_a_long_stretch_still_takes_what_is_late_and_nothing_from_long_ago():
    stream = OutputStream(0, 0)
    for i in range(70_000):
        stream.rewrite(i & 0xFFFF, i * LENGTH & 0xFFFFFFFF, LENGTH, False, i * 0.02)
    newest = 69_999
    assert stream.rewrite(newest - 3 & 0xFFFF, 0, LENGTH, False, 1400.0) is not None
    assert stream.rewrite(newest - MAX_BEHIND - 1 & 0xFFFF, 0, LENGTH, False, 1400.0) is None


packets = st.one_of(
    st.just("break"),
    st.tuples(st.integers(-3, 200), st.integers(-2000, 120_000), st.floats(0, 0.5)),
)


@given(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.lists(packets, max_size=60))
def test_whatever_sources_do_the_stream_only_goes_on(first, first_time, script):
    """Steps forward stay below half the range of either number, and time goes with sequence."""
    stream = OutputStream(first, first_time)
    stream.rewrite(0, 0, LENGTH, False, 0.0)
    sequence = timestamp = 0
    newest_s = 0.0
    for item in script:
        if item == "break":
            stream.break_off()
            continue
        step, pause, elapsed_s = item
        sequence, timestamp = sequence + step & 0xFFFF, timestamp + pause & 0xFFFFFFFF
        newest_s += elapsed_s
        before = stream.sequence, stream.timestamp
        out = stream.rewrite(sequence, timestamp, LENGTH, False, newest_s)
        if out is None:
            continue
        forward = out.sequence - before[0] & 0xFFFF
        if forward == 0 or forward >= 0x8000:
            assert before[0] - out.sequence & 0xFFFF <= MAX_BEHIND
            assert (stream.sequence, stream.timestamp) == before
        else:
            assert forward <= MAX_AHEAD
            assert 0 < (out.timestamp - before[1] & 0xFFFFFFFF) < 2**31
            assert (stream.sequence, stream.timestamp) == (out.sequence, out.timestamp)
