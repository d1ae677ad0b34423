"""How a simulated network is described."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.netsim_settings import (
    CLEAN,
    PRESETS,
    NetworkConditions,
    parse_conditions,
    quality,
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"loss_percent": -1},
        {"loss_percent": 101},
        {"loss_percent": float("nan")},
        {"burst_packets": 0.5},
        {"jitter_ms": 1e9},
        {"loss_percent": 50, "burst_packets": 3, "burst_loss_percent": 50},
        {"loss_percent": 100, "burst_packets": 3},
    ],
)
def test_what_is_out_of_range_is_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        NetworkConditions(**wrong)


def test_the_quality_scale_ends_at_a_clean_network() -> None:
    assert quality(100).is_clean


@given(st.floats(0, 100), st.floats(0, 100))
def test_less_quality_is_worse_in_every_way(one: float, other: float) -> None:
    worse, better = quality(min(one, other)), quality(max(one, other))
    for field in fields(NetworkConditions):
        assert getattr(worse, field.name) >= getattr(better, field.name)


@given(st.floats(0, 99), st.floats(1, 100))
def test_transitions_lead_to_the_loss_wanted(percent: float, burst: float) -> None:
    conditions = NetworkConditions(loss_percent=percent, burst_packets=burst)
    to_bad, to_good = conditions.transitions()
    if to_bad < 1:  # else losses are so dense that no gap could be short enough
        assert to_bad / (to_bad + to_good) == pytest.approx(percent / 100)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("50", quality(50)),
        (" 12.5% ", quality(12.5)),
        ("mobile", PRESETS["mobile"]),
        ("loss=5", NetworkConditions(loss_percent=5)),
        (
            "loss_percent=5, burst=3,jitter=20,reorder=1,burst_loss=80,reorder_ms=12",
            NetworkConditions(
                loss_percent=5,
                burst_packets=3,
                jitter_ms=20,
                reorder_percent=1,
                burst_loss_percent=80,
                reorder_ms=12,
            ),
        ),
        ("scatter=60", NetworkConditions(scatter_ms=60)),
        ("bandwidth=64,queue=50", NetworkConditions(bandwidth_kbps=64, queue_ms=50)),
        ("clean", CLEAN),
    ],
)
def test_conditions_are_read_from_text(text: str, meant: NetworkConditions) -> None:
    assert parse_conditions(text) == meant


@pytest.mark.parametrize(
    "text", ["", "good", "101", "loss=x", "lost=5", "loss=5,loss_percent=6", "loss=200", "=", "nan"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"quality|figure|number|must be"):
        parse_conditions(text)
