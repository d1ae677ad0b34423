"""Whatever happens in a room, in whatever order, these hold for everybody in it."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mixer.listener import PersonalGain
from tests.mixer.stage import Stage, is_gapless, loudest_step

NAMES = ("anna", "bert", "cleo", "dora")
PITCHES = dict(zip(NAMES, (300.0, 700.0, 1100.0, 1700.0), strict=True))
SETTLED_BLOCKS = 8  # a change is through the mixes, and listeners through theirs, by then

name = st.sampled_from(NAMES)
personal = st.sampled_from(
    [
        PersonalGain(),
        PersonalGain(gain_db=-10.0),
        PersonalGain(muted=True),
        PersonalGain(pan=0.5),
        PersonalGain(gain_db=6.0, pan=-1.0),
        PersonalGain(solo=True),
        PersonalGain(gain_db=-10.0, muted=True, solo=True),
    ]
)
events = st.one_of(
    st.tuples(st.just("sing"), name, st.booleans()),
    st.tuples(st.just("mute"), name, st.booleans()),
    st.tuples(st.just("publish"), name, st.booleans()),
    st.tuples(st.just("deafen"), name, st.booleans()),
    st.tuples(st.just("tier"), name, st.integers(0, 2)),
    st.tuples(st.just("subscribe"), name, st.booleans()),
    st.tuples(st.just("gains"), name, st.dictionaries(name, personal, max_size=3)),
    st.tuples(st.just("packets"), name, st.sampled_from([480, 960])),
    st.tuples(st.just("wait"), st.integers(1, 12), st.none()),
    st.tuples(st.just("wait"), st.just(210), st.none()),  # past the hangover
)


class Session:
    """A stage and what ought to be true of it."""

    def __init__(self, ptime):
        self.stage = Stage(ptime)
        self.voices = {}
        self.muted = set()
        self.deafened = set()
        self.gains = {}
        self.removed = set()
        self.took_part = {}
        for each in NAMES:
            self.act("publish", each, True)
            self.act("subscribe", each, True)

    def act(self, kind, who, what):
        room = self.stage.room
        match kind:
            case "sing":
                self.voices[who].sings = what
            case "packets":
                self.voices[who].packet_samples = what
            case "mute":
                self.muted = self.muted | {who} if what else self.muted - {who}
                room.mute_source(who, what)
            case "publish" if not what:
                self.removed.add(who)
                room.remove_source(who)
            case "publish" if who not in self.voices:
                self.voices[who] = self.stage.publish(who, PITCHES[who])
            case "publish" if who in self.removed:
                self.removed.discard(who)
                self.stage.attach(who, self.voices[who])
                room.mute_source(who, who in self.muted)
            case "deafen":
                self.deafened = self.deafened | {who} if what else self.deafened - {who}
                room.set_deafened(who, what)
            case "gains":
                self.gains[who] = what
                room.set_gains(who, what)
            case "tier":
                room.set_tier(who, what)
            case "subscribe" if what and who not in room.listeners:
                self.stage.subscribe(who)
                room.set_deafened(who, who in self.deafened)
                room.set_gains(who, self.gains.get(who, {}))
            case "subscribe" if not what:
                room.remove_listener(who)
            case "wait":
                self.stage.tick(who)
                self.check_settled()
                return
        self.stage.tick()

    def check_settled(self):
        """Once nothing has changed for a while, everybody hears exactly what they should."""
        self.settle()
        block = self.stage.blocks[-1 if self.stage.room.block_time // 480 % 2 else -2]
        count = block.count
        for listener in self.stage.room.listeners:
            heard = self.stage.tapes[listener].at(block.time, count)
            if heard is None:
                raise AssertionError(f"{listener} was not sent {block.time}")
            np.testing.assert_allclose(heard, self.expected(listener, block, count), atol=1e-4)

    def settle(self):
        """Wait until all changes are through."""
        self.stage.tick(SETTLED_BLOCKS)

    def expected(self, listener, block, count):
        total = np.zeros((count, 2), np.float32)
        if listener in self.deafened:
            return total
        gains = self.gains.get(listener, {})
        here = self.voices.keys() - self.removed - {listener}
        solos = {who for who in here if gains.get(who, PersonalGain()).solo}
        for who, sound in block.voices.items():
            if who in (solos or here) and who not in self.muted:
                gain = gains.get(who, PersonalGain())
                total += sound * np.array(gain.stereo(), np.float32)
        return total


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@example(
    ptime="auto", schedule=[("wait", 1, None), ("publish", "anna", False), ("mute", "anna", False)]
)
@example(  # dropped while it is chosen, but not heard any more
    ptime="auto", schedule=[*[("sing", "anna", False)] * 4, ("publish", "anna", False)]
)
@given(
    ptime=st.sampled_from(["auto", "auto", 10, 20]),
    schedule=st.lists(events, min_size=5, max_size=40),
)
def test_any_schedule(ptime, schedule):
    session = Session(ptime)
    for event in schedule:
        session.act(*event)
    session.act("wait", 2, None)
    stage = session.stage
    limit = 1.1 * loudest_step(session.voices.values(), gain=2.0)
    for listener, tape in stage.tapes.items():
        assert is_gapless(tape), f"{listener} has a gap or an overlap"
        assert stage.steps(listener) < limit, f"{listener} heard a click"
        for block in stage.blocks:
            if listener in block.voices and block.voices[listener].any():
                shares = stage.shares(listener, block) or {listener: 0.0}
                assert shares[listener] < 1e-3, f"{listener} heard itself at {block.time}"
    outputs = stage.room.outputs.values()
    members = [handle for output in outputs for rows in output.members.values() for handle in rows]
    assert sorted(members) == sorted(each.handle for each in stage.room.listeners.values())
    assert len({output.row for output in outputs}) == len(outputs)
