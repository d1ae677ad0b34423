"""Which sources go into which mix, with which gains, and when a plan serves again."""

import pytest

from mixer.arena import SourceArena
from mixer.listener import Listener, PersonalGain
from mixer.outputs import MixKey, Output, OutputKey
from mixer.plan import MixPlan
from mixer.source import Source
from tests.mixer.stage import Voice

UNITY = (1.0, 1.0)
MAIN = MixKey()


def source(name, row, *, engaged=True):
    made = Source(name, row, row, SourceArena(), Voice(300.0))
    made.engaged = engaged
    return made


def output(mix, row):
    return Output(OutputKey(mix, 20, 0), row)


def plan(mixes, heard, *, fading=(), listeners=(), before=None):
    outputs = [output(mix, 10 + i) for i, mix in enumerate(mixes)]
    people = {listener.listener_id: listener for listener in listeners}
    return MixPlan(outputs, list(heard), list(fading), people, before or {})


def terms_of(made, mix):
    """Return {source row: (from left, from right, to left, to right)} of one mix."""
    span = slice(made.starts[mix], made.starts[mix + 1])
    return dict(zip(made.terms[span].tolist(), made.gains[span].tolist(), strict=True))


def test_a_mix_of_ones_own_holds_all_but_its_owner():
    made = plan([MAIN, MixKey("a")], [source("a", 1), source("b", 2)])
    assert set(terms_of(made, 0)) == {1, 2}
    assert set(terms_of(made, 1)) == {2}


def test_a_new_source_rises_over_one_block_and_then_the_plan_is_steady():
    sources = [source("a", 1)]
    first = plan([MAIN], sources)
    assert terms_of(first, 0) == {1: [0, 0, 1, 1]}
    assert not first.steady
    second = plan([MAIN], sources, before=first.gains_after)
    assert terms_of(second, 0) == {1: [1, 1, 1, 1]}
    assert second.steady


def test_a_source_on_its_way_out_falls_over_one_block_and_is_forgotten():
    fading = [source("a", 1, engaged=False)]
    made = plan([MAIN, MixKey("b")], [], fading=fading, before={(MAIN, "a"): UNITY})
    assert terms_of(made, 0) == {1: [1, 1, 0, 0]}
    assert terms_of(made, 1) == {}  # it was not in there
    assert made.gains_after == {}
    assert not made.steady


@pytest.mark.parametrize("deafened", [False, True])
def test_a_personal_gain_counts_in_the_mix_of_its_owner_only(deafened):
    listener = Listener("ear", 0, 0)
    listener.gains = {"a": PersonalGain(pan=1.0)}
    listener.deafened = deafened
    before = {(MAIN, "a"): UNITY, (MixKey("ear"), "a"): UNITY}
    made = plan([MAIN, MixKey("ear")], [source("a", 1)], listeners=[listener], before=before)
    assert terms_of(made, 0) == {1: [1, 1, 1, 1]}
    goal = [0, 0] if deafened else [pytest.approx(0, abs=1e-6), 1]
    assert terms_of(made, 1) == {1: [1, 1, *goal]}


def test_silence_has_no_terms_and_is_named():
    listener = Listener("ear", 0, 0)
    listener.gains = {"a": PersonalGain(muted=True)}
    mixes = [MAIN, MixKey(silent=True), MixKey("ear")]
    made = plan(mixes, [source("a", 1)], listeners=[listener])
    assert made.silent_rows == {11, 12}
    assert made.mix_rows.tolist() == [10, 11, 12]
    assert made.steady is False


def test_nobody_there_is_a_plan_too():
    made = plan([], [])
    assert (len(made.mix_rows), made.starts.tolist(), made.gains.shape) == (0, [0], (0, 4))
    assert made.steady
