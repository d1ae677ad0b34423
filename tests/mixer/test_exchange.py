"""One room in several workers: what people hear, whichever worker they are connected with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.arena import SAMPLE_RATE_HZ
from mixer.exchange import LINGER_BLOCKS
from mixer.listener import PersonalGain
from mixer.selection_candidate import Standing
from tests.mixer.exchange_house import House
from tests.mixer.stage import is_gapless

LOUD = pytest.approx(0.05, rel=0.05)


def two_and_two(**options):
    """Return a house in which two speak on either side, and one more on each only listens."""
    house = House(**options)
    for number, name in enumerate(("anna", "bert", "carl", "dora")):
        house.publish(number // 2, name, 400.0 + 300.0 * number)
    house.subscribe(0, "ear 0")
    house.subscribe(1, "ear 1")
    return house


PITCHES = {"anna": 400, "bert": 700, "carl": 1000, "dora": 1300}


@pytest.mark.parametrize("phase_s", [0.0, 0.0025, 0.0075, 0.015])
@pytest.mark.parametrize("ptime", ["auto", 10, 20])
def test_everybody_hears_every_other_once_and_never_themselves(phase_s, ptime):
    house = two_and_two(phase_s=phase_s, ptime=ptime)
    house.run(1.0)
    for name, own in PITCHES.items():
        assert house.heard(name) == {pitch: LOUD for pitch in PITCHES.values() if pitch != own}
    for ear in ("ear 0", "ear 1"):
        assert house.heard(ear) == dict.fromkeys(PITCHES.values(), LOUD)


def test_workers_with_blocks_of_different_lengths_understand_each_other():
    house = two_and_two()
    for name in ("carl", "dora"):
        house.stages[1].room.sources[name].playout.packet_samples = 960
    house.run(3.0)
    assert [stage.room.block for stage in house.stages] == [480, 960]
    assert house.heard("ear 0") == house.heard("ear 1") == dict.fromkeys(PITCHES.values(), LOUD)


def test_what_was_sung_elsewhere_is_heard_within_two_blocks_and_unbroken():
    house = House(ptime=20)
    voice = house.publish(0, "anna", 400.0, sings=False)
    house.subscribe(1, "ear")
    house.run(0.5)
    tape = house.stages[1].tapes["ear"]
    voice.sings = True
    silent = len(tape.sound)
    house.run(0.5)
    sound = tape.sound[silent:, 0]
    first = int(np.argmax(np.abs(sound) > 1e-4)) / SAMPLE_RATE_HZ
    assert first <= 0.045  # one block of its own worker, and the rest of one of ours
    assert is_gapless(tape)
    steady = sound[int((first + 0.1) * SAMPLE_RATE_HZ) :]
    assert np.abs(np.diff(steady)).max() < 1.1 * voice.steepest()


def test_a_voice_that_ends_is_not_made_up_any_longer():
    house = House()
    voice = house.publish(0, "anna", 400.0)
    house.subscribe(1, "ear")
    house.run(0.5)
    voice.sings = False
    house.run(0.06)
    at = len(house.stages[1].tapes["ear"].sound)
    house.run(0.1)
    assert not np.any(house.stages[1].tapes["ear"].sound[at:])


def test_who_is_muted_or_leaves_is_silent_everywhere_and_without_a_click():
    house = two_and_two()
    house.run(0.5)
    house.stages[0].room.mute_source("anna", True)
    house.run(0.3)
    assert 400 not in house.heard("carl")
    house.stages[0].room.mute_source("anna", False)
    house.run(0.3)
    assert house.heard("ear 1")[400] == LOUD
    house.leave("anna")
    house.run(0.3)
    assert house.heard("ear 1") == dict.fromkeys([700, 1000, 1300], LOUD)
    assert "anna" not in house.stages[1].room.sources
    most = 4 * 0.05 * (2 * np.pi * 1300 / SAMPLE_RATE_HZ)
    assert house.stages[1].steps("ear 1") < most


def test_personal_volumes_and_solos_reach_other_workers():
    house = two_and_two(most=2)
    house.stages[1].room.set_gains("ear 1", {"anna": PersonalGain(gain_db=-6.0)})
    house.run(0.5)
    house.stages[1].room.set_gains("ear 1", {"anna": PersonalGain(solo=True)})
    for number, name in ((0, "anna"), (0, "bert")):  # nobody hears them else
        house.stages[number].room.set_standing(name, Standing.ORDINARY)
    for name in ("carl", "dora"):
        house.stages[1].room.set_standing(name, Standing.PINNED)
    house.run(1.5)
    assert house.heard("ear 1") == {400: LOUD}
    assert house.heard("ear 0") == {1000: LOUD, 1300: LOUD}


@pytest.mark.parametrize("workers", [2, 3])
def test_the_loudest_of_all_workers_are_heard_in_all(workers):
    house = House(workers, most=3)
    for number in range(8):
        amplitude = 0.05 if number % 2 else 0.3
        house.publish(number % workers, f"v{number}", 300.0 + 200.0 * number, amplitude)
    for worker in range(workers):
        house.subscribe(worker, f"ear {worker}")
    house.run(1.0)
    heard = [set(house.heard(f"ear {worker}")) for worker in range(workers)]
    assert len(heard[0]) == 3
    assert all(one == heard[0] for one in heard)
    for number in range(8):
        own = 300 + 200 * number
        others = house.heard(f"v{number}")
        assert len(others) == 3
        assert own not in others


def test_whom_all_hear_follows_who_is_pinned_elsewhere():
    house = House(most=2)
    for number in range(5):
        house.publish(number % 2, f"v{number}", 300.0 + 200.0 * number)
    house.subscribe(0, "ear 0")
    house.subscribe(1, "ear 1")
    house.run(1.0)
    house.stages[1].room.set_standing("v3", Standing.PINNED)
    house.stages[0].room.set_standing("v4", Standing.PINNED)
    house.run(1.0)
    assert set(house.heard("ear 0")) == set(house.heard("ear 1")) == {900, 1100}


def test_sound_travels_only_of_those_whom_somebody_hears_but_levels_of_all():
    house = House(most=2)
    for number in range(6):
        house.publish(0, f"v{number}", 300.0 + 200.0 * number)
    house.publish(1, "w", 2000.0, sings=False)
    house.run(1.0)
    latest = [frame for frame in house.sent if frame.worker == 0][-1]
    assert len(latest.sounds) == 3  # with the one in reserve
    levels = {source.level for source in house.stages[1].room.sources.values() if source.remote}
    assert len(house.stages[1].room.sources) == 7
    assert levels == {29}


def test_who_is_not_chosen_any_more_lingers_for_a_moment():
    house = House(most=1)
    house.publish(0, "anna", 400.0)
    house.publish(0, "bert", 700.0)
    house.publish(0, "cleo", 1000.0)
    house.subscribe(1, "ear")
    house.run(1.0)
    quiet = next(
        name
        for name, source in house.stages[0].room.sources.items()
        if not (source.engaged or source.in_reserve)
    )
    at = len(house.sent)
    house.stages[0].room.set_standing(quiet, Standing.PINNED)
    house.run(0.3)
    counts = [len(frame.sounds) for frame in house.sent[at:] if frame.worker == 0]
    assert max(counts) == 3
    assert counts.count(3) <= LINGER_BLOCKS
    assert counts[-1] == 2


def test_a_room_with_nothing_to_say_says_nothing():
    house = House()
    voice = house.publish(0, "anna", 400.0)
    house.subscribe(1, "ear")
    house.run(0.5)
    voice.sings = False
    house.run(5.0)  # out of the mixes after two seconds
    at = len(house.sent)
    house.run(3.0)
    assert len(house.sent) - at <= 4  # a roster each second
    assert not any(frame.sounds for frame in house.sent[at:])


def test_alone_a_worker_says_nothing():
    house = House(1)
    house.publish(0, "anna", 400.0)
    house.run(0.2)
    assert house.sent == []


def test_a_lost_frame_is_concealed():
    house = House()
    house.publish(0, "anna", 400.0)
    house.subscribe(1, "ear")
    house.run(1.0)
    lost = [0]

    def every_tenth(frame):
        lost[0] += 1
        return frame.worker == 0 and lost[0] % 10 == 0

    house.loses = every_tenth
    house.run(1.0)
    assert house.heard("ear")[400] == pytest.approx(0.05, rel=0.3)
    source = house.stages[1].room.sources["anna"]
    assert source.playout.stats().concealed_samples > 0


@pytest.mark.parametrize("silent", [0, 20])
def test_a_lost_roster_comes_again(silent):
    house = House()
    for number in range(silent):
        house.publish(0, f"silent {number}", 2000.0, sings=False)
    house.loses = lambda frame: frame.roster is not None
    house.publish(0, "anna", 400.0)
    house.subscribe(1, "ear")
    house.run(0.5)
    assert house.heard("ear") == {}
    house.loses = lambda _: False
    house.run(1.2)
    assert house.heard("ear") == {400: LOUD}


def test_a_worker_that_stalls_is_silent_and_comes_back():
    house = two_and_two()
    house.run(0.5)
    house.stalled = {0}
    house.run(0.5)
    assert house.heard("ear 1") == {1000: LOUD, 1300: LOUD}
    assert house.stages[1].room.sources["anna"].level == 127
    house.stalled = set()
    house.run(0.5)
    assert house.heard("ear 1") == dict.fromkeys(PITCHES.values(), LOUD)


def test_when_the_worker_that_chooses_stalls_the_next_one_does():
    house = House(most=2)
    for number in range(6):
        house.publish(number % 2, f"v{number}", 300.0 + 200.0 * number)
    house.subscribe(1, "ear")
    house.run(1.0)
    house.stalled = {0}
    house.run(1.0)
    assert len(house.heard("ear")) == 2
    assert set(house.heard("ear")) <= {500, 900, 1300}
    house.stalled = set()
    house.run(1.0)
    assert len(house.heard("ear")) == 2


def test_from_another_machine_a_room_follows_only_if_it_has_no_publishers_of_its_own():
    house = House()
    for stage, other in zip(house.stages, (1, 0), strict=True):
        stage.room.exchange.set_neighbours([])
        stage.room.exchange.set_neighbours([other], [other])
    house.publish(0, "anna", 400.0)
    house.subscribe(1, "ear")
    house.run(0.5)
    room = house.stages[1].room
    assert room.exchange.follows(room.sources["anna"])
    bert = house.publish(1, "bert", 700.0)
    house.run(0.5)
    assert room.exchange.follows(room.sources["bert"])
    assert not room.exchange.follows(room.sources["anna"])
    bert.sings = False
    house.run(0.5)
    assert room.exchange.follows(room.sources["anna"])


def test_of_two_workers_of_a_machine_the_second_follows_the_first():
    house = two_and_two()
    house.run(0.5)
    first, second = (stage.room for stage in house.stages)
    assert not first.exchange.follows(first.sources["carl"])
    assert second.exchange.follows(second.sources["anna"])


def test_a_worker_that_is_restarted_is_heard_again():
    house = two_and_two()
    house.run(0.5)
    house.restart(0)
    house.run(0.3)
    house.publish(0, "anna", 400.0)
    house.run(0.5)
    assert house.heard("ear 1") == {400: LOUD, 1000: LOUD, 1300: LOUD}
    assert set(house.stages[1].room.sources) == {"anna", "carl", "dora"}


def test_who_connects_with_another_worker_is_heard_once():
    house = two_and_two()
    house.run(0.5)
    house.publish(1, "anna", 400.0)  # before the old one has noticed
    house.run(0.5)
    assert house.heard("ear 1")[400] == LOUD
    house.stages[0].room.remove_source("anna")
    house.run(1.5)
    assert house.heard("ear 0")[400] == LOUD
    assert house.heard("ear 1")[400] == LOUD
    assert not house.stages[1].room.sources["anna"].remote


def test_who_comes_here_from_a_worker_that_is_dead_is_heard():
    house = two_and_two()
    house.run(0.5)
    house.stalled = {0}  # and nobody says that it serves the room no more
    house.run(0.5)
    house.publish(1, "anna", 400.0)
    house.run(1.0)
    assert house.heard("ear 1") == {400: LOUD, 1000: LOUD, 1300: LOUD}
    source = house.stages[1].room.sources["anna"]
    assert not source.remote
    assert source.level < 127
    house.share([1])
    house.run(0.5)
    assert house.heard("ear 1") == {400: LOUD, 1000: LOUD, 1300: LOUD}


def test_when_a_room_begins_to_span_workers_or_ceases_to_nobody_there_has_a_gap():
    house = House()
    house.share([])
    house.publish(0, "anna", 400.0)
    house.subscribe(0, "ear 0")
    house.subscribe(1, "ear 1")
    house.run(0.5)
    assert house.heard("ear 1") == {}
    house.share([0, 1])
    house.run(0.5)
    assert house.heard("ear 1") == {400: LOUD}
    house.share([])
    house.run(0.5)
    assert house.heard("ear 1") == {}
    assert set(house.stages[1].room.sources) == set()
    tape = house.stages[0].tapes["ear 0"]
    assert is_gapless(tape)
    steady = tape.sound[int(0.1 * SAMPLE_RATE_HZ) :, 0]
    assert np.abs(np.diff(steady)).max() < 1.1 * 0.05 * 2 * np.pi * 400 / SAMPLE_RATE_HZ


def test_a_strip_is_measured_by_the_worker_that_treats_it_and_by_no_other():
    house = two_and_two()
    house.run(0.2)
    for stage in house.stages:
        stage.room.treatment.watch(["anna"], ["anna"])
    house.run(0.2)
    taken = [stage.room.treatment.take_meters(stage.room.sources) for stage in house.stages]
    assert [[meter.source_id for meter in meters] for meters, _ in taken] == [["anna"], []]
    assert [[name for name, _ in spectra] for _, spectra in taken] == [["anna"], []]


def test_music_stays_music_elsewhere():
    house = House()
    house.publish(0, "anna", 400.0)
    house.stages[0].room.sources["anna"].is_music = True
    house.run(0.2)
    assert house.stages[1].room.sources["anna"].is_music


steps = st.lists(
    st.tuples(
        st.sampled_from(["sing", "hush", "mute", "unmute", "leave", "pin"]),
        st.integers(0, 6),
        st.sampled_from([0.01, 0.05, 0.3]),
    ),
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(steps, st.integers(2, 3), st.integers(1, 4), st.sampled_from([0.0, 0.0075, 0.0125]))
def test_whatever_happens_all_hear_the_same_few_and_nobody_hears_themselves(
    schedule, workers, most, phase_s
):
    house = House(workers, phase_s, most=most)
    voices = {
        f"v{number}": house.publish(number % workers, f"v{number}", 300.0 + 200.0 * number)
        for number in range(7)
    }
    for worker in range(workers):
        house.subscribe(worker, f"ear {worker}")
    for what, number, wait_s in schedule:
        name = f"v{number}"
        room = house.stages[number % workers].room
        match what:
            case "sing" | "hush":
                voices[name].sings = what == "sing"
            case "mute" | "unmute":
                room.mute_source(name, what == "mute")
            case "leave":
                room.remove_source(name)
            case "pin":
                room.set_standing(name, Standing.PINNED)
        house.run(wait_s)
    house.run(2.5)  # whoever hushed has left the mixes
    heard = [set(house.heard(f"ear {worker}")) for worker in range(workers)]
    assert all(one == heard[0] for one in heard)
    assert len(heard[0]) <= most
    sounding = {
        300 + 200 * number
        for number in range(7)
        if (source := house.stages[number % workers].room.sources.get(f"v{number}")) is not None
        and voices[f"v{number}"].sings
        and not source.muted
    }
    assert len(heard[0]) == min(most, len(sounding))
    assert heard[0] <= sounding
    for number in range(7):
        others = set(house.heard(f"v{number}"))
        assert 300 + 200 * number not in others
        assert others <= sounding
