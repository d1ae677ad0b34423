"""What a soak complains about."""

from dataclasses import replace

from benchmarks.harness.processes import Holdings
from benchmarks.soak import STRICT_MB_PER_HOUR, Sample, Soaked, complaints, slopes

BEFORE = Holdings(pss_kb=500_000, own_kb=400_000, descriptors=60, sockets=30, threads=17)


def samples(grows_mb_per_hour: float, guest_mb: float = 0.0) -> list[Sample]:
    """Return five minutes with a warm start, a little to and fro, and ever more guests."""
    found = []
    for number in range(20):
        hours = number / 240
        guests = 5 + number + number % 3
        memory_mb = 480 + grows_mb_per_hour * hours + 0.2 * (-1) ** number + 30 * (number > 1)
        memory_mb += guest_mb * guests
        found.append(Sample(hours, memory_mb, memory_mb, 70, 40, 17, 0.5, 0.0, guests))
    return found


def complained(grows: float = 0.0, **after: int) -> list[str]:
    """Return what is said of such a soak."""
    found = Soaked(samples(grows), {}, BEFORE, replace(BEFORE, **after))
    return complaints(found, slopes(found.samples))


def test_nothing_is_said_where_nothing_grows() -> None:
    assert complained() == []
    assert complained(descriptors=61, threads=15, pss_kb=520_000) == []


def test_what_guests_cost_is_no_growth() -> None:
    trends = slopes(samples(grows_mb_per_hour=20.0, guest_mb=3.0))
    assert trends["own_mb"].low < 20.0 < trends["own_mb"].high
    assert trends["guests"].slope > 200.0


def test_a_soak_that_was_ended_early_has_nothing_left_to_compare() -> None:
    found = Soaked(samples(0.0), {}, BEFORE, None)
    assert complaints(found, slopes(found.samples)) == []


def test_what_grows_or_is_left_is_named() -> None:
    (memory,) = complained(grows=2 * STRICT_MB_PER_HOUR)
    assert memory.startswith("memory grows by at least 2")
    assert complained(sockets=35, descriptors=65) == [
        "5 descriptors are left when all have gone",
        "5 sockets are left when all have gone",
    ]
