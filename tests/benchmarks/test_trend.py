import numpy as np
import pytest

from benchmarks.harness.trend import trend


def test_a_straight_line_is_found_exactly():
    times = np.linspace(0, 2, 200)
    found = trend(times, 400 + 3 * times)
    assert found.slope == pytest.approx(3)
    assert found.low == pytest.approx(3)
    assert found.high == pytest.approx(3)
    assert found.median == pytest.approx(403)


def test_what_comes_with_the_load_is_told_from_what_comes_with_time():
    times = np.linspace(0, 2, 200)
    load = 10 + 4 * times + np.sin(20 * times)
    found = trend(times, 400 + 3 * times + 0.3 * load, load)
    assert found.slope == pytest.approx(3)
    assert trend(times, 400 + 3 * times, np.full(200, 5)).slope == pytest.approx(3)


@pytest.mark.parametrize("slope", [0.0, 2.0])
def test_the_interval_holds_the_truth_though_neighbours_resemble_each_other(slope):
    inside = 0
    for seed in range(200):
        noise = np.random.default_rng(seed).standard_normal(2000)
        wandering = np.convolve(noise, np.ones(20) / 20, "same")
        times = np.linspace(0, 2, 2000)
        found = trend(times, slope * times + wandering)
        inside += found.low <= slope <= found.high
    assert inside >= 180  # 95 % of 200, and room for chance


@pytest.mark.parametrize("count", [0, 3])
def test_three_readings_are_no_trend(count):
    with pytest.raises(ValueError, match="4 readings"):
        trend([0.0] * count, [0.0] * count)
