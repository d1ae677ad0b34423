"""Whoever comes, goes, speaks, coughs or is pinned, in whatever order: these hold."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.selection_candidate import Standing
from mixer.selection_settings import SelectionSettings
from tests.mixer.crowd import SILENT, STEP_S, Crowd, steady

HOLD_S = SelectionSettings().hold_ms / 1000
ATTACK_S = SelectionSettings().attack_ms / 1000
NAMES = [f"person {number}" for number in range(9)]

name = st.sampled_from(NAMES)
level = st.sampled_from([10, 20, 23, 27, 35, 50, 58, 64, 80, SILENT])
events = st.one_of(
    st.tuples(st.just("level"), name, level),
    st.tuples(st.just("level"), name, level),
    st.tuples(st.just("come or go"), name, st.none()),
    st.tuples(st.just("mute"), name, st.booleans()),
    st.tuples(st.just("standing"), name, st.sampled_from(Standing)),
    st.tuples(st.just("places"), st.none(), st.integers(1, 8)),
    st.tuples(st.just("wait"), st.none(), st.sampled_from([0.02, 0.06, 0.2, 0.7, 3.0])),
)


class Watched(Crowd):
    """A crowd of which it is known who may be heard."""

    def __init__(self):
        super().__init__(max_speakers=3)
        self.muted = set()
        self.audible_s = {}
        self.pinned = set()

    def act(self, kind, who, what):
        match kind:
            case "level" if who in self.scripts:
                self.scripts[who] = steady(what)
            case "come or go" if who in self.scripts:
                self.go(who)
                self.muted.discard(who)
                self.pinned.discard(who)
            case "come or go":
                self.come(who, steady(25))
                self.audible_s[who] = self.now_s
            case "mute" if who in self.scripts:
                self.selector.set_muted(who, what)
                self.muted = self.muted | {who} if what else self.muted - {who}
            case "standing" if who in self.scripts:
                self.selector.set_standing(who, what)
                self.pinned.discard(who)
                if what is Standing.PINNED:
                    self.pinned.add(who)
            case "places":
                self.apply(max_speakers=what)
            case "wait":
                for _ in range(round(what / STEP_S)):
                    self.step_and_check()

    def step_and_check(self):
        for who, script in self.scripts.items():
            if script(self.now_s) < 65:
                self.audible_s[who] = self.now_s
        self.step()
        self.check(self.now_s - STEP_S)

    def check(self, now_s):
        places = self.selector.settings.max_speakers
        main, reserve = self.selector.main, self.selector.reserve
        assert self.places == {
            **{slot: one for slot, one in self.places.items() if slot < places},
            **({places: reserve} if reserve is not None else {}),
        }
        assert sorted(main) == sorted(set(self.places.values()) - {reserve})
        assert reserve is None or len(main) == places
        here = {
            who
            for who in self.scripts.keys() - self.muted
            if who in self.pinned or now_s - self.audible_s[who] <= 2.0 + 1e-6
        }
        surely = {who for who in here if who in self.pinned or now_s - self.audible_s[who] < 1.99}
        chosen = {*main, *([reserve] if reserve is not None else [])}
        assert chosen <= here, "somebody is heard who is not there"
        assert len(chosen) >= min(len(surely), places + 1), "somebody waits for a free place"
        for listener in [None, *self.scripts]:
            heard = self.heard_by(listener)
            assert listener not in heard
            assert len(heard) <= places
            others = len(surely - {listener})
            if len(surely) > places:
                assert len(heard) == places, f"{listener} hears too few of {others}"
        if pins := self.pinned & here:
            assert len(pins & set(main)) == min(len(pins), places)


@settings(max_examples=60, deadline=None)
@given(st.lists(events, min_size=10, max_size=60))
def test_any_schedule(schedule):
    crowds = [Watched(), Watched()]
    for crowd in crowds:
        for each in NAMES[:5]:
            crowd.act("come or go", each, None)
        for event in schedule:
            crowd.act(*event)
            crowd.act("wait", None, STEP_S)
    assert crowds[0].log == crowds[1].log, "the same schedule must end in the same choice"


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    starts=st.lists(st.integers(0, 75), min_size=4, max_size=8),
    levels=st.lists(st.integers(30, 36), min_size=8, max_size=8),
    louder_by=st.integers(12, 25),
    places=st.integers(1, 3),
)
def test_somebody_clearly_louder_than_all_is_heard_within_the_hold(
    starts, levels, louder_by, places
):
    crowd = Crowd(max_speakers=places)
    for number, start in enumerate(starts):
        sound = levels[number]
        crowd.come(
            f"{number}", lambda now_s, a=start, b=sound: b if now_s >= a * STEP_S else SILENT
        )
    crowd.run(1.6)
    crowd.come("loud", steady(30 - louder_by))
    crowd.wait_s("loud", max(HOLD_S, ATTACK_S) + 3 * STEP_S)
    crowd.run(5)
    assert "loud" in crowd.main


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(
    places=st.integers(1, 5),
    more=st.integers(1, 6),
    base=st.integers(15, 25),
    seed=st.integers(0, 2**16),
)
def test_equals_do_not_take_places_from_each_other(places, more, base, seed):
    rng = random.Random(seed)
    crowd = Crowd(max_speakers=places)
    for number in range(places + more):
        crowd.come(f"{number}", lambda _: base + rng.randint(-4, 4))
    crowd.run(1)
    first = list(crowd.log)
    crowd.run(20)
    assert crowd.log == first


@settings(max_examples=40, deadline=None)
@given(
    places=st.integers(1, 4),
    talk=st.integers(20, 30),
    cough=st.integers(0, 15),
    length=st.integers(1, 5),
    gap=st.integers(4, 100),
)
def test_coughs_displace_nobody_who_speaks(places, talk, cough, length, gap):
    crowd = Crowd(max_speakers=places)
    for number in range(places + 1):
        crowd.come(f"{number}", steady(talk))
    crowd.run(1)
    first = list(crowd.log)
    period = length + gap
    crowd.come("coughs", lambda now_s: cough if round(now_s / STEP_S) % period < length else SILENT)
    crowd.run(5)
    assert crowd.log == first


@settings(max_examples=40, deadline=None)
@given(
    places=st.integers(1, 6),
    talk=st.integers(10, 45),
    new=st.integers(10, 50),
    pause=st.floats(0.5, 1.9),
    waiting=st.booleans(),
)
def test_a_new_speaker_gets_a_due_place_within_40_ms(places, talk, new, pause, waiting):
    crowd = Crowd(max_speakers=places)
    for number in range(places):
        crowd.come(f"{number}", steady(talk))
    if waiting:  # somebody who has a background noise only takes part, too
        crowd.come("noise", steady(60))
    crowd.run(2)
    crowd.scripts["0"] = steady(SILENT)
    crowd.run(pause)
    crowd.come("new", steady(new))
    assert crowd.wait_s("new", 0.1) < 0.05
