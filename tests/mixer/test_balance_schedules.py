"""However the sound of a room is changed while people come and go, these hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.balance import AS_IT_IS, BalanceSettings
from mixer.listener import PersonalGain
from mixer.treatment import Character
from tests.mixer.stage import Stage, is_gapless, loudest_step

NAMES = ("anna", "bert", "cleo")
PITCHES = dict(zip(NAMES, (300.0, 700.0, 1100.0), strict=True))

name = st.sampled_from(NAMES)
events = st.one_of(
    st.tuples(
        st.just("balance"),
        st.just(""),
        st.builds(
            BalanceSettings,
            st.booleans(),
            st.sampled_from([0.0, 12.0, 40.0]),
            st.sampled_from([None, -36.0, -20.0, -10.0]),
        ),
    ),
    st.tuples(st.just("music"), name, st.booleans()),
    st.tuples(st.just("sing"), name, st.booleans()),
    st.tuples(st.just("mute"), name, st.booleans()),
    st.tuples(st.just("publish"), name, st.booleans()),
    st.tuples(st.just("solo"), name, st.booleans()),
    st.tuples(st.just("wait"), st.just(""), st.integers(1, 30)),
)


class Session:
    """A room in which three sing and one listens."""

    def __init__(self):
        self.stage = Stage(10)
        self.voices = {each: self.stage.publish(each, PITCHES[each]) for each in NAMES}
        self.stage.subscribe("ear")

    def act(self, kind, who, what):
        room = self.stage.room
        match kind:
            case "balance":
                room.treatment.balance = what
            case "music":
                room.set_character(who, Character(is_music=what))
            case "sing":
                self.voices[who].sings = what
            case "mute":
                room.mute_source(who, what)
            case "publish" if not what:
                room.remove_source(who)
            case "publish" if who not in room.sources:
                self.stage.attach(who, self.voices[who])
            case "solo":
                room.set_gains("ear", {who: PersonalGain(solo=what)})
            case "wait":
                self.stage.tick(what)
        self.stage.tick()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(events, min_size=3, max_size=30))
def test_any_schedule(schedule):
    session = Session()
    for event in schedule:
        session.act(*event)
    stage, room = session.stage, session.stage.room
    tape = stage.tapes["ear"]
    assert is_gapless(tape)
    assert np.isfinite(tape.sound).all()
    targets = [what.target_lufs for kind, _, what in schedule if kind == "balance"]
    loudest = 10 ** (12 / 20) if any(targets) else 1.0  # what a target may add
    assert stage.steps("ear") < 1.2 * loudest_step(session.voices.values(), loudest)
    for each in NAMES:
        session.act("sing", each, True)
        session.act("publish", each, True)
        session.act("mute", each, False)
    session.act("solo", "anna", False)
    session.act("balance", "", AS_IT_IS)
    stage.tick(800)  # 12 dB of target at 6 dB per second, 40 of ducking at 12
    sounds = stage.blocks[-1].voices.values()
    np.testing.assert_allclose(tape.at(stage.blocks[-1].time, 480), sum(sounds), atol=1e-5)
    assert not room.treatment._balance.is_on
