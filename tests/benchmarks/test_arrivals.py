import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.load.arrivals import ArrivalLog, Arrivals, punctuality, unwrap
from benchmarks.load.rtp import rtp_packet, sender_report
from benchmarks.load.sockets import Batch

PACKET_NS = 20_000_000
EPOCH_NS = 1_800_000_000_000_000_000


def stream(
    participant: int, first: int, arrivals_ms: list[float | None], ssrc: int = 7
) -> Arrivals:
    """Packets of 20 ms that arrive so much behind their time; None is lost."""
    kept = [(i, delay) for i, delay in enumerate(arrivals_ms) if delay is not None]
    index = np.array([i for i, _ in kept], np.int64)
    delay = np.array([delay for _, delay in kept])
    return Arrivals(
        np.full(index.size, participant, np.int64),
        (first + index) % 65536,
        (2**32 - 500 + index * 960) % 2**32,
        EPOCH_NS + index * PACKET_NS + (delay * 1e6).astype(np.int64),
        np.full(index.size, 200, np.int64),
        np.full(index.size, ssrc, np.int64),
    )


@pytest.mark.parametrize("first", [0, 1, 32767, 65534, 65535])
def test_late_and_lost_packets_are_counted_across_wrap_arounds(first):
    arrivals = stream(3, first, [0, 0, None, 5, 19, 21, None, None, 40, 0])
    judged = punctuality(arrivals, 1)
    assert (judged.expected, judged.lost, judged.late, judged.silent) == (10, 3, 2, 0)
    assert judged.bad_share == 0.5
    assert judged.lateness_ms.max() == pytest.approx(40, abs=0.01)


def test_the_streams_of_one_participant_are_judged_each_against_its_own_clock():
    one, other = stream(0, 5, [0] * 10, ssrc=1), stream(0, 900, [300, None, 300], ssrc=2)
    judged = punctuality(Arrivals.join([one, other]), 2)
    assert (judged.expected, judged.lost, judged.late, judged.silent) == (13, 1, 0, 0)


def test_streams_are_judged_each_against_its_own_clock():
    early, late = stream(0, 5, [0] * 10), stream(1, 9, [300] * 10)
    judged = punctuality(Arrivals.join([early, late]), 2)
    assert (judged.expected, judged.lost, judged.late) == (20, 0, 0)


def test_a_silent_stream_counts_as_lost():
    judged = punctuality(stream(0, 5, [0] * 10), 4)
    assert (judged.expected, judged.lost, judged.silent) == (40, 30, 3)
    assert judged.bad_share == 0.75


def test_no_packet_at_all_is_as_bad_as_can_be():
    assert punctuality(stream(0, 0, []), 2).bad_share == 1.0


def test_a_duplicate_hides_no_loss():
    once = stream(0, 5, [0, 0, None, 0])
    twice = Arrivals.join([once, stream(0, 5, [1])])
    assert punctuality(twice, 1).lost == 1


@given(
    start=st.integers(0, 65535),
    steps=st.lists(st.integers(-32767, 32767), max_size=50),
)
def test_a_counter_is_unwrapped(start, steps):
    true = start + np.cumsum([0, *steps])
    assert np.array_equal(unwrap(true % 65536, 16) - unwrap(true % 65536, 16)[0], true - true[0])


def batch(rows: list[tuple[int, bytes, int]]) -> Batch:
    data = np.zeros((len(rows), 1536), np.uint8)
    for row, (_, datagram, _) in enumerate(rows):
        data[row, : len(datagram)] = np.frombuffer(datagram, np.uint8)
    return Batch(
        data,
        np.array([len(datagram) for _, datagram, _ in rows]),
        np.array([participant for participant, _, _ in rows]),
        np.array([stamp_ns for _, _, stamp_ns in rows]),
    )


def packet(sequence: int, ssrc: int = 77) -> bytes:
    return rtp_packet(111, sequence, 960 * sequence, ssrc, b"opus")


def test_a_batch_is_sorted_into_rtp_and_the_rest():
    log = ArrivalLog(4)
    rows = [
        (0, packet(65535), EPOCH_NS),
        (1, sender_report(1, 0, 0, 0, 0), EPOCH_NS),
        (2, b"\x16\xfe\xfd handshake", EPOCH_NS),
        (0, packet(65536), EPOCH_NS + PACKET_NS),
        (3, b"\x80", EPOCH_NS),
    ]
    rtp_rows, other_rows = log.handle_batch(batch(rows))
    assert rtp_rows.tolist() == [0, 3]
    assert other_rows.tolist() == [1, 2, 4]
    window = log.window()
    assert window.sequence.tolist() == [65535, 0]
    assert window.participant.tolist() == [0, 0]
    assert window.stamp_ns.tolist() == [EPOCH_NS, EPOCH_NS + PACKET_NS]
    assert log.first_stamp_ns[0] == EPOCH_NS


def test_a_new_window_forgets_packets_but_not_streams():
    log = ArrivalLog(1)
    log.handle_batch(batch([(0, packet(10), EPOCH_NS)]))
    log.clear()
    assert log.window().sequence.size == 0
    log.handle_batch(batch([(0, packet(13), EPOCH_NS + 3 * PACKET_NS)]))
    report = log.report(0, 1, 2)
    assert (report.ssrc, report.highest_sequence, report.lost) == (77, 13, 2)
    assert report.fraction_lost == 0.5
    assert (report.last_sr, report.delay_since_sr) == (1, 2)


def test_a_report_tells_only_what_is_new_and_counts_wrap_arounds():
    log = ArrivalLog(1)
    assert log.report(0, 0, 0) is None
    sequences = [65533, 65534, 65536, 65537]
    for index, sequence in enumerate(sequences):
        log.handle_batch(batch([(0, packet(sequence), EPOCH_NS + index * PACKET_NS)]))
    first = log.report(0, 0, 0)
    assert (first.lost, first.highest_sequence) == (1, 65537)
    log.handle_batch(batch([(0, packet(65538), EPOCH_NS + 5 * PACKET_NS)]))
    second = log.report(0, 0, 0)
    assert (second.lost, second.fraction_lost) == (1, 0.0)


def test_the_log_grows():
    log = ArrivalLog(1)
    for begin in range(0, 70_000, 500):
        log.handle_batch(batch([(0, packet(begin + k), EPOCH_NS) for k in range(500)]))
    assert log.window().sequence.size == 70_000
