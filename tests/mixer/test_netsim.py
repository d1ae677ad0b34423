"""What the simulated network does, held against what it was told to do."""

import math
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from mixer.netsim import MAX_PACKETS, LineNoise, NetworkSimulator
from mixer.netsim_settings import CLEAN, NetworkConditions

EVERY_S = 0.02
HIGHLY_UNLIKELY = 1e-4  # and seeds are fixed: what passes once passes always

pytestmark = pytest.mark.slow


def run(
    conditions: NetworkConditions, count: int = 50_000, seed: int = 1, size: int = 160
) -> tuple[NetworkSimulator[int], list[tuple[float, int]]]:
    """Send `count` numbered packets, one each 20 ms; return what arrived, with its time."""
    network: NetworkSimulator[int] = NetworkSimulator(conditions, seed)
    arrived = []
    for number in range(count):
        network.send(number, size, number * EVERY_S)
        arrived += network.poll(number * EVERY_S)
    return network, [*arrived, *network.poll(math.inf)]


def lost_flags(conditions: NetworkConditions, count: int = 200_000) -> list[bool]:
    there = {number for _, number in run(conditions, count)[1]}
    return [number not in there for number in range(count)]


def runs(flags: list[bool], of: bool) -> list[int]:
    return [len(list(group)) for flag, group in groupby(flags) if flag is of]


def test_a_clean_network_delivers_everything_at_once() -> None:
    network, arrived = run(CLEAN, 100)
    assert [number for _, number in arrived] == list(range(100))
    assert all(time - number * EVERY_S < 1e-6 for time, number in arrived)
    assert network.poll_timeout() is None


@pytest.mark.parametrize("percent", [0.5, 5.0, 40.0])
def test_losses_are_as_frequent_as_told(percent: float) -> None:
    flags = lost_flags(NetworkConditions(loss_percent=percent))
    expected = np.array([percent, 100 - percent]) / 100 * len(flags)
    assert chisquare([sum(flags), len(flags) - sum(flags)], expected).pvalue > HIGHLY_UNLIKELY


@pytest.mark.parametrize("percent", [0.0, 100.0])
def test_all_and_nothing_are_exact(percent: float) -> None:
    assert np.mean(lost_flags(NetworkConditions(loss_percent=percent), 10_000)) * 100 == percent


def test_losses_come_independently_unless_told_otherwise() -> None:
    """Runs are geometric: the chance of one more loss is always the same."""
    lengths = runs(lost_flags(NetworkConditions(loss_percent=20)), True)
    assert_geometric(lengths, 0.8)


@pytest.mark.parametrize(("percent", "burst"), [(5.0, 4.0), (2.0, 10.0), (30.0, 3.0)])
def test_bursts_are_as_long_and_as_frequent_as_told(percent: float, burst: float) -> None:
    flags = lost_flags(NetworkConditions(loss_percent=percent, burst_packets=burst))
    lengths, gaps = runs(flags, True), runs(flags, False)
    assert_geometric(lengths, 1 / burst)
    assert_geometric(gaps, percent / 100 / burst / (1 - percent / 100))
    # The runs are correlated: their number, not that of the packets, says how sure one can be.
    assert np.mean(flags) == pytest.approx(percent / 100, rel=5 / math.sqrt(len(lengths)))


def assert_geometric(lengths: list[int], chance_of_end: float) -> None:
    """Chi-square against P(length = k) = p (1 − p)^(k − 1), in bins of at least 20 expected."""
    edges, below = [0], 0.0
    for k in range(1, 10_000):
        within = 1 - (1 - chance_of_end) ** k
        if (within - below) * len(lengths) >= 20 and (1 - within) * len(lengths) >= 20:
            edges.append(k)
            below = within
    expected = np.diff([*(1 - (1 - chance_of_end) ** np.array(edges)), 1.0]) * len(lengths)
    counts, _ = np.histogram(lengths, [*(np.array(edges) + 0.5), np.inf])
    assert len(counts) > 3
    assert chisquare(counts, expected).pvalue > HIGHLY_UNLIKELY


def test_a_bad_spell_may_let_some_through() -> None:
    flags = lost_flags(NetworkConditions(loss_percent=5, burst_packets=20, burst_loss_percent=50))
    assert np.mean(flags) == pytest.approx(0.05, rel=0.1)
    after_loss = [b for a, b in pairwise(flags) if a]
    # Still bad with 19/20, then lost with 1/2; a little comes from spells that begin at once.
    assert np.mean(after_loss) == pytest.approx(0.475, abs=0.02)


def test_delay_and_jitter_are_as_told() -> None:
    _, arrived = run(NetworkConditions(delay_ms=40, jitter_ms=3), 20_000)
    waits_ms = np.array([(time - number * EVERY_S) * 1000 for time, number in arrived])
    assert waits_ms.min() >= 40
    # Packets are 20 ms apart: hardly any has to wait for the one before it, which keeps the order.
    assert kstest((waits_ms - 40) / 1.5, "gamma", args=(2,)).pvalue > HIGHLY_UNLIKELY
    assert waits_ms.mean() == pytest.approx(43, abs=0.1)


@given(st.floats(0, 300), st.integers(0, 10))
def test_jitter_keeps_the_order(jitter_ms: float, seed: int) -> None:
    _, arrived = run(NetworkConditions(jitter_ms=jitter_ms), 200, seed)
    assert [number for _, number in arrived] == list(range(200))


def test_scattered_packets_take_any_time_up_to_the_most_and_overtake_each_other() -> None:
    _, arrived = run(NetworkConditions(delay_ms=5, scatter_ms=60), 20_000)
    numbers = [number for _, number in arrived]
    assert sorted(numbers) == list(range(20_000))
    assert numbers != sorted(numbers)
    waits_ms = np.array([(time - number * EVERY_S) * 1000 for time, number in arrived])
    assert kstest((waits_ms - 5) / 60, "uniform").pvalue > HIGHLY_UNLIKELY


def test_reordered_packets_are_overtaken() -> None:
    conditions = NetworkConditions(reorder_percent=3, reorder_ms=50)
    network, arrived = run(conditions)
    numbers = [number for _, number in arrived]
    late = sum(1 for before, after in pairwise(numbers) if after < before)
    assert sorted(numbers) == list(range(50_000))
    assert network.stats.reordered == pytest.approx(1500, rel=0.1)
    assert late == pytest.approx(network.stats.reordered, rel=0.1)  # neighbours count once


def test_copies_arrive_as_often_as_told() -> None:
    network, arrived = run(NetworkConditions(duplicate_percent=10))
    assert len(arrived) == 50_000 + network.stats.duplicated
    observed = [network.stats.duplicated, 50_000 - network.stats.duplicated]
    assert chisquare(observed, [5_000, 45_000]).pvalue > HIGHLY_UNLIKELY


def test_bandwidth_spaces_packets_and_a_full_queue_drops_them() -> None:
    """64 kbit/s offered to a path of 32: after the queue has filled, half of it passes."""
    conditions = NetworkConditions(bandwidth_kbps=32, queue_ms=100)
    network, arrived = run(conditions, 5_000, size=160)
    assert network.stats.dropped == pytest.approx(2_500, abs=5)
    times = [time for time, _ in arrived]
    assert np.diff(times) == pytest.approx(0.04)
    waits = [time - number * EVERY_S for time, number in arrived]
    assert 0.1 < max(waits) < 0.1 + 0.04 + 1e-6


def test_half_the_bandwidth_needed_delays_nothing_when_it_is_enough() -> None:
    _, arrived = run(NetworkConditions(bandwidth_kbps=128), 100, size=160)
    assert [time - number * EVERY_S for time, number in arrived] == pytest.approx([0.01] * 100)


def test_no_more_fly_than_there_is_room_for() -> None:
    network: NetworkSimulator[int] = NetworkSimulator(NetworkConditions(delay_ms=1000))
    for number in range(MAX_PACKETS + 7):
        network.send(number, 100, 0.0)
    assert network.stats.dropped == 7
    assert len(network.poll(2.0)) == MAX_PACKETS


any_conditions = st.builds(
    NetworkConditions,
    loss_percent=st.floats(0, 50),
    burst_packets=st.floats(1, 20),
    delay_ms=st.floats(0, 500),
    jitter_ms=st.floats(0, 100),
    scatter_ms=st.floats(0, 100),
    reorder_percent=st.floats(0, 50),
    duplicate_percent=st.floats(0, 50),
    bandwidth_kbps=st.sampled_from([0, 16, 64, 1000]),
)


@given(any_conditions, st.integers())
def test_the_same_seed_gives_the_same_network(conditions: NetworkConditions, seed: int) -> None:
    assert run(conditions, 100, seed)[1] == run(conditions, 100, seed)[1]


@given(any_conditions)
def test_every_packet_is_accounted_for(conditions: NetworkConditions) -> None:
    network, arrived = run(conditions, 300)
    stats = network.stats
    assert stats.sent == 300 == stats.lost + stats.dropped + stats.passed
    assert len(arrived) == stats.passed + stats.duplicated
    times = [time for time, _ in arrived]
    assert times == sorted(times)


def test_what_gets_lost_does_not_depend_on_delays() -> None:
    plain = NetworkConditions(loss_percent=10)
    delayed = NetworkConditions(
        loss_percent=10, delay_ms=20, jitter_ms=30, scatter_ms=9, duplicate_percent=5
    )
    assert {n for _, n in run(plain)[1]} == {n for _, n in run(delayed)[1]}


def test_conditions_change_on_the_way() -> None:
    network: NetworkSimulator[int] = NetworkSimulator(NetworkConditions(loss_percent=100))
    network.send(1, 100, 0.0)
    network.conditions = NetworkConditions(delay_ms=10)
    network.send(2, 100, 1.0)
    assert network.poll_timeout() == pytest.approx(1.01)
    assert network.poll(1.0) == []
    assert [packet for _, packet in network.poll(1.011)] == [2]


def test_noise_is_as_loud_as_told_and_white() -> None:
    block = np.zeros((48_000, 2), np.float32)
    LineNoise(3).add(block, 1.0)
    assert block.std() == pytest.approx(0.01, rel=0.02)
    assert abs(np.corrcoef(block[:-1, 0], block[1:, 0])[0, 1]) < 0.02
    assert abs(np.corrcoef(block[:, 0], block[:, 1])[0, 1]) < 0.02
