"""From receiver reports to a bitrate tier, in virtual time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.tiers import LOWEST_TIER, UP_AFTER_S, TierPolicy, TierThresholds

EVERY_S = 2.5


def run(policy, losses, start_s=0.0):
    """Feed one report after another and return the tiers."""
    return [policy.report(loss, start_s + i * EVERY_S) for i, loss in enumerate(losses)]


@pytest.mark.parametrize(
    ("loss", "tier"),
    [(0.0, 0), (0.02, 0), (0.029, 0), (0.05, 1), (0.11, 1), (0.2, 2), (1.0, 2)],
)
def test_steady_loss_leads_to_its_tier(loss, tier):
    assert run(TierPolicy(), [loss] * 40)[-1] == tier


def test_a_single_bad_report_after_many_good_ones_is_forgiven_when_small():
    assert run(TierPolicy(), [0.0] * 10 + [0.05] + [0.0] * 10) == [0] * 21


def test_steps_are_taken_one_at_a_time():
    policy = TierPolicy()
    assert policy.report(1.0, 10.0) == 1
    assert policy.report(1.0, 10.5) == 1
    assert policy.report(1.0, 11.0) == 2


def test_the_way_back_takes_its_time_for_each_step():
    policy = TierPolicy()
    run(policy, [0.5] * 4)
    clean = run(policy, [0.0] * 30, start_s=10.0)
    assert clean[-1] == 0
    up_to_1, up_to_0 = clean.index(1), clean.index(0)
    assert up_to_1 * EVERY_S >= UP_AFTER_S
    assert (up_to_0 - up_to_1) * EVERY_S >= UP_AFTER_S


def test_loss_between_the_two_thresholds_keeps_the_tier():
    """What is too much to go up and too little to go down."""
    policy = TierPolicy()
    run(policy, [0.08] * 6)
    assert set(run(policy, [0.02] * 100, start_s=20.0)) == {1}


def test_a_relapse_on_the_way_up_starts_the_wait_again():
    policy = TierPolicy()
    run(policy, [0.08] * 6)
    tiers = run(policy, ([0.0] * 4 + [0.08] * 2) * 10, start_s=20.0)
    assert set(tiers) == {1}


def test_other_thresholds_are_obeyed():
    policy = TierPolicy(TierThresholds(worse=(0.2, 0.5), better=(0.1, 0.3)))
    assert run(policy, [0.19] * 20)[-1] == 0
    assert run(policy, [0.3] * 20, start_s=100.0)[-1] == 1


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 20.0)), max_size=60))
def test_whatever_is_reported_tiers_are_valid_neighbours(reports):
    policy = TierPolicy()
    now_s, before, changed_s = 0.0, 0, float("-inf")
    for loss, gap_s in reports:
        now_s += gap_s
        tier = policy.report(loss, now_s)
        assert 0 <= tier <= LOWEST_TIER
        assert abs(tier - before) <= 1
        if tier != before:
            assert now_s - changed_s >= 1.0
            changed_s = now_s
        before = tier
