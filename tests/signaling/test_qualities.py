from typing import Any

import pytest

from tests.support.front import RunningFront
from webrtc.control.messages import PeerStats
from webrtc.signaling.qualities import QualityBook


def figures(second: int, lost: int = 0, **more: Any) -> PeerStats:
    """What a worker says of Ada after so many seconds of 50 packets each."""
    return PeerStats(
        "ada", "connected", packets_received=50 * second - lost, packets_lost=lost, **more
    )


@pytest.mark.parametrize(
    ("figure", "quality"),
    [
        ({}, "good"),
        ({"lost": 1}, "fair"),
        ({"lost": 5}, "poor"),
        ({"remote_loss": 0.03}, "fair"),
        ({"rtt_ms": 250.0}, "fair"),
        ({"rtt_ms": 450.0, "remote_loss": 0.03}, "poor"),
        ({"jitter_ms": 35.0}, "fair"),
        ({"remote_jitter_ms": 70.0}, "poor"),
    ],
)
def test_the_worst_figure_decides(figure: dict[str, Any], quality: str) -> None:
    assert QualityBook().take([figures(1, **figure)]) == [("ada", quality)]


def test_it_is_told_once_gets_worse_at_once_and_better_after_a_while() -> None:
    book = QualityBook()
    told = [book.take([figures(second)]) for second in (1, 2)]
    assert told == [[("ada", "good")], []]
    assert book.take([figures(3, lost=10)]) == [("ada", "poor")]
    later = [book.take([figures(second, lost=10)]) for second in range(4, 10)]
    assert later == [[], [], [], [], [("ada", "good")], []]
    assert book.of("ada") == "good"


def test_one_good_second_between_bad_ones_is_no_better_connection() -> None:
    book = QualityBook()
    book.take([figures(1, rtt_ms=250.0)])
    for second in range(2, 30):
        assert book.take([figures(second, rtt_ms=250.0 if second % 4 == 0 else 20.0)]) == []
    assert book.of("ada") == "fair"


def test_a_new_connection_counts_from_nothing_and_few_packets_say_nothing() -> None:
    book = QualityBook()
    book.take([figures(100)])
    assert book.take([figures(1)]) == []
    assert book.take([PeerStats("ada", "connected", packets_received=50, packets_lost=5)]) == []
    book.forget("ada")
    assert book.of("ada") is None


async def test_everyone_is_told_and_those_who_come_late_too(front: RunningFront) -> None:
    anna, ack = await front.joined(name="Anna")
    name = ack["participant_id"]
    front.worker.send_stats(PeerStats(name, "connected", packets_received=100, rtt_ms=300.0))
    assert (await anna.event("qualities"))["qualities"] == [[name, "fair"]]
    ben, _ = await front.joined(name="Ben")
    assert (await ben.event("qualities"))["qualities"] == [[name, "fair"]]
