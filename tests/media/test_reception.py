"""What a receiver report says of a stream, counted from packets of virtual time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc.media.reception import Reception

STEP = 480  # samples per packet


def listen(sequences, *, start=0, delays=None):
    """Return a reception that took these packets, 10 ms apart by their number."""
    reception = Reception(7)
    for i, number in enumerate(sequences):
        delay_s = delays[i] if delays else 0.0
        reception.count(
            (start + number) & 0xFFFF, number * STEP & 0xFFFFFFFF, 100.0 + number * 0.01 + delay_s
        )
    return reception


@pytest.mark.parametrize("start", [0, 1, 32767, 65534, 65535])
def test_a_complete_stream_has_lost_nothing(start):
    reception = listen(range(200), start=start)
    block = reception.block(102.0)
    assert (reception.packets, block.cumulative_lost, block.fraction_lost) == (200, 0, 0.0)
    assert block.highest_sequence == start + 199
    assert block.jitter == 0


@pytest.mark.parametrize("start", [0, 65500])
def test_what_is_missing_is_lost(start):
    reception = listen([i for i in range(100) if i % 10], start=start)
    assert reception.block(101.0).cumulative_lost == 9  # the first one was never expected


def test_the_share_lost_covers_the_time_since_the_last_report():
    reception = listen(range(50))
    assert reception.block(101.0).fraction_lost == 0.0
    for number in range(50, 100, 2):
        reception.count(number + 1, number * STEP, 101.0)
    assert reception.block(102.0).fraction_lost == pytest.approx(0.5)
    assert reception.block(103.0).fraction_lost == 0.0


@given(st.permutations(range(40)))
def test_order_does_not_matter_to_loss_as_long_as_nothing_is_missing(order):
    order = [0, *(number for number in order if number)]
    assert listen(order, start=65520).lost == 0


def test_duplicates_count_against_loss():
    reception = listen([0, 1, 1, 1, 2])
    assert reception.lost == -2
    assert reception.block(100.0).fraction_lost == 0.0


def test_a_restart_of_the_sender_is_not_loss():
    reception = listen(range(100))
    for i in range(100):
        reception.count(30_000 + i, i, 102.0 + i * 0.01)
    block = reception.block(104.0)
    assert (block.cumulative_lost, block.fraction_lost) == (0, 0.0)


def test_jitter_approaches_the_mean_change_of_transit():
    delays = [0.002 * (i % 2) for i in range(400)]
    assert listen(range(400), delays=delays).block(200.0).jitter == pytest.approx(96, abs=2)


def test_a_wrap_of_the_timestamp_is_not_jitter():
    reception = Reception(7)
    for i in range(20):
        reception.count(i, (2**32 - 10 * STEP + i * STEP) & 0xFFFFFFFF, 100.0 + i * 0.01)
    assert reception.jitter < 1.0


def test_the_last_sender_report_is_quoted_with_its_age():
    reception = listen(range(5))
    assert (reception.block(101.0).last_sr, reception.block(101.0).delay_since_last_sr) == (0, 0)
    reception.sender_report(0xABCD1234, 101.0)
    block = reception.block(103.5)
    assert (block.last_sr, block.delay_since_last_sr) == (0xABCD1234, int(2.5 * 65536))
