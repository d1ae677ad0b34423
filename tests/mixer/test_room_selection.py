"""What people hear in a room in which more speak than anybody can hear."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mixer import selection_room
from mixer.outputs import MixKey
from mixer.selection_candidate import Standing
from tests.mixer.stage import Stage, is_gapless, loudest_step
from tests.mixer.test_room_schedules import NAMES, PITCHES, SETTLED_BLOCKS, Session, events

SINGERS = [f"singer {number}" for number in range(8)]


def crowd(singers=SINGERS, max_speakers=3, ptime="auto"):
    """Return a stage on which all sing and listen, and `ear` only listens."""
    stage = Stage(ptime)
    stage.room.max_speakers = max_speakers
    for number, name in enumerate(singers):
        stage.publish(name, 300.0 + 250.0 * number)
        stage.subscribe(name)
    stage.subscribe("ear")
    stage.tick(20)
    return stage


def heard_by(stage, listener):
    """Return who is in the last block that a listener was sent."""
    for block in reversed(stage.blocks):
        shares = stage.shares(listener, block)
        if shares is not None:
            return {name for name, share in shares.items() if share > 0.01}
    raise AssertionError(f"{listener} was sent nothing")


def chosen(stage):
    """Return who is heard by everyone."""
    return {source.source_id for source in stage.room.mixes.contributors(MixKey())}


@pytest.mark.parametrize("ptime", ["auto", 10, 20])
def test_everybody_hears_as_many_others_as_may_be_heard(ptime):
    stage = crowd(ptime=ptime)
    main = heard_by(stage, "ear")
    assert len(main) == 3
    for name in SINGERS:
        heard = heard_by(stage, name)
        assert len(heard) == 3
        assert name not in heard
        if name not in main:
            assert heard == main


def test_as_many_as_may_be_heard_are_not_even_compared(monkeypatch):
    monkeypatch.delattr(selection_room, "LoudestSelector")
    stage = crowd(SINGERS[:3])
    assert heard_by(stage, "ear") == set(SINGERS[:3])
    assert stage.room.plan is not None


def test_contributors_are_those_who_are_in_the_mix():
    stage = crowd()
    for name in [*SINGERS, "ear"]:
        mix = stage.room.listeners[name].output.key.mix
        named = {source.source_id for source in stage.room.mixes.contributors(mix)}
        assert named == heard_by(stage, name)


def test_only_those_on_a_main_place_need_a_mix_of_their_own():
    stage = crowd()
    owners = {key.mix.owner for key in stage.room.outputs}
    assert owners == {""} | chosen(stage)


@pytest.mark.slow
def test_somebody_louder_takes_a_place_without_a_click_for_anybody():
    stage = crowd()
    before = chosen(stage)
    [quiet] = set(SINGERS[-1:]) - before
    voices = [source.playout for source in stage.room.sources.values()]
    stage.tick(100)
    stage.room.sources[quiet].playout.amplitude = 0.4
    stage.tick(200)
    assert quiet in chosen(stage)
    assert len(chosen(stage) & before) == 2
    for listener, tape in stage.tapes.items():
        assert is_gapless(tape)
        assert stage.steps(listener) < 1.1 * loudest_step(voices)
        for block in stage.blocks:
            assert (stage.shares(listener, block) or {}).get(listener, 0.0) < 1e-3


def test_who_begins_to_speak_in_a_pause_is_in_the_mix_within_40_ms():
    stage = crowd(SINGERS[:5], max_speakers=3)
    newcomer = stage.publish("newcomer", 3000.0)
    newcomer.sings = False
    stage.tick(100)
    [pauses, *_] = chosen(stage)
    stage.room.sources[pauses].playout.sings = False
    others = set(SINGERS[:5]) - chosen(stage)
    for name in others:  # nobody else wants the place
        stage.room.sources[name].playout.sings = False
    stage.tick(50)
    newcomer.sings = True
    stage.tick(4)
    stage.tick(4)  # what was mixed then is on the tape
    begun = stage.blocks[-8]
    heard = stage.blocks[-8:]
    by = [
        block.time for block in heard if (stage.shares("ear", block) or {}).get("newcomer", 0) > 0.5
    ]
    assert by[0] - begun.time <= 0.04 * 48_000


def test_one_too_many_displaces_none_of_those_who_are_in_the_mixes_already():
    stage = Stage()
    stage.room.max_speakers = 3
    for number, name in enumerate(SINGERS[:4]):
        stage.publish(name, 300.0 + 250.0 * number).sings = number > 0
    stage.subscribe("ear")
    stage.tick(100)
    stage.room.sources[SINGERS[0]].playout.amplitude = 0.12  # louder, but not clearly
    stage.room.sources[SINGERS[0]].playout.sings = True
    stage.tick(10)
    assert chosen(stage) == set(SINGERS[1:4])


def test_who_is_not_heard_is_muted_and_leaves_without_a_trace():
    stage = crowd()
    unheard = set(SINGERS) - chosen(stage)
    before = chosen(stage)
    for name in unheard:
        stage.room.mute_source(name, True)
        stage.room.remove_source(name)
    stage.tick(10)
    assert chosen(stage) == before
    assert set(stage.room.sources) == before
    assert stage.room.plan is not None


def test_the_place_of_somebody_muted_goes_to_the_next_at_once():
    stage = crowd()
    for muted in range(1, 6):
        [name, *_] = chosen(stage)
        stage.room.mute_source(name, True)
        stage.tick(6)
        assert len(heard_by(stage, "ear")) == 3
        assert name not in heard_by(stage, "ear")
        assert sum(source.muted for source in stage.room.sources.values()) == muted


def test_more_and_fewer_may_be_heard_while_people_speak():
    stage = crowd()
    for count in (6, 1, 15, 2):
        stage.room.max_speakers = count
        stage.tick(10)
        for name in [*SINGERS, "ear"]:
            everyone_else = len(set(SINGERS) - {name})
            assert len(heard_by(stage, name)) == min(count, everyone_else)


@pytest.mark.parametrize("count", [0, 16])
def test_nobody_can_ask_for_more_than_can_be_named(count):
    with pytest.raises(ValueError, match="max_speakers"):
        Stage().room.max_speakers = count


@pytest.mark.parametrize("standing", [Standing.PRIORITY, Standing.PINNED])
def test_who_comes_first_is_heard_beside_louder_ones(standing):
    stage = crowd()
    [quiet, *_] = set(SINGERS) - chosen(stage)
    stage.room.sources[quiet].playout.amplitude = 0.004
    stage.tick(200)
    stage.room.set_standing(quiet, standing)
    stage.room.set_standing("nobody", standing)
    stage.tick(6)
    assert quiet in heard_by(stage, "ear")


class Crowded(Session):
    """A session in which not all can be heard."""

    def __init__(self, ptime, max_speakers):
        super().__init__(ptime)
        self.stage.room.max_speakers = max_speakers

    def act(self, kind, who, what):
        if kind == "places":
            self.stage.room.max_speakers = what
        elif kind == "standing":
            self.stage.room.set_standing(who, what)
        else:
            super().act(kind, who, what)

    def settle(self):
        """Wait until nobody else has been chosen for a while: places become due by the clock."""
        before, since = None, 0
        while since < SETTLED_BLOCKS:
            self.stage.tick()
            room = self.stage.room
            mixes = [MixKey(), *(MixKey(name) for name in NAMES)]
            now = [{source.source_id for source in room.mixes.contributors(mix)} for mix in mixes]
            since = since + 1 if now == before else 0
            before = now

    def expected(self, listener, block, count):
        room = self.stage.room
        mix = room.listeners[listener].output.key.mix
        named = {source.source_id for source in room.mixes.contributors(mix)}
        assert len(named) <= room.max_speakers
        assert listener not in named
        gains = self.gains.get(listener, {})
        solos = {name for name, gain in gains.items() if gain.solo}  # chosen by the listener
        unnamed = {name: np.zeros_like(sound) for name, sound in block.voices.items()}
        voices = {name: block.voices[name] for name in (named | solos) & block.voices.keys()}
        return super().expected(
            listener, type(block)(block.time, block.count, unnamed | voices), count
        )


more_events = st.one_of(
    events,
    st.tuples(st.just("places"), st.none(), st.integers(1, 3)),
    st.tuples(st.just("standing"), st.sampled_from(NAMES), st.sampled_from(Standing)),
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@example(  # muted before the first block, just when a main mix is made that still holds her
    ptime="auto", max_speakers=1, schedule=[("mute", "dora", True)] + 4 * [("wait", 1, None)]
)
@example(  # a place that is due only after the blocks that a change takes otherwise
    ptime=20,
    max_speakers=1,
    schedule=[("sing", "anna", False), ("wait", 1, None), ("sing", "cleo", False)],
)
@example(  # a place that is due in the very last of these
    ptime=10,
    max_speakers=1,
    schedule=[
        *[("sing", "anna", False)] * 2,
        ("wait", 1, None),
        ("sing", "cleo", False),
        ("wait", 2, None),
    ],
)
@given(
    ptime=st.sampled_from(["auto", "auto", 10, 20]),
    max_speakers=st.integers(1, 3),
    schedule=st.lists(more_events, min_size=5, max_size=40),
)
def test_any_schedule(ptime, max_speakers, schedule):
    session = Crowded(ptime, max_speakers)
    for event in schedule:
        session.act(*event)
    session.act("wait", 2, None)
    stage = session.stage
    limit = 1.1 * loudest_step(session.voices.values(), gain=2.0)
    assert set(session.voices) <= set(PITCHES)
    for listener, tape in stage.tapes.items():
        assert is_gapless(tape), f"{listener} has a gap or an overlap"
        assert stage.steps(listener) < limit, f"{listener} heard a click"
        for block in stage.blocks:
            if listener in block.voices and block.voices[listener].any():
                shares = stage.shares(listener, block) or {listener: 0.0}
                assert shares[listener] < 1e-3, f"{listener} heard itself at {block.time}"
