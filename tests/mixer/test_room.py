"""What one listener after another is sent by a room, block by block of virtual time."""

import numpy as np
import pytest

from mixer.arena import Arena, SourceArena
from mixer.listener import PersonalGain
from mixer.outputs import MixKey
from mixer.room import QUIET_PACKETS, RoomMixer
from mixer.room_mixes import CEILING
from tests.mixer.stage import Stage, Voice, is_gapless, loudest_step

PITCHES = {"anna": 300.0, "bert": 700.0, "cleo": 1100.0}


def conversation(ptime="auto"):
    """Return a stage with three singers who listen, and its voices."""
    stage = Stage(ptime)
    voices = {name: stage.publish(name, pitch) for name, pitch in PITCHES.items()}
    for name in PITCHES:
        stage.subscribe(name)
    return stage, voices


def heard_now(stage, listener):
    """Return who is in what a listener heard of the last complete packet, by rounded gain."""
    for block in reversed(stage.blocks):
        shares = stage.shares(listener, block)
        if shares is not None:
            return {name: round(share, 3) for name, share in shares.items()}
    raise AssertionError(f"{listener} was sent nothing")


# ---- who hears whom ------------------------------------------------------------------------


@pytest.mark.parametrize("ptime", ["auto", 10, 20])
def test_each_singer_hears_the_two_others(ptime):
    stage, _ = conversation(ptime)
    stage.tick(10)
    for name in PITCHES:
        expected = {other: 0.0 if other == name else 1.0 for other in PITCHES}
        assert heard_now(stage, name) == expected


def test_a_pure_listener_hears_the_exact_sum_of_all():
    stage, _ = conversation()
    stage.subscribe("dora")
    stage.tick(10)
    block = stage.blocks[-2]
    heard = stage.tapes["dora"].at(block.time, 480)
    np.testing.assert_allclose(heard, sum(block.voices.values()), atol=1e-6)


def test_a_muted_singer_is_heard_by_nobody_and_never_hears_itself_on_the_way():
    stage, _ = conversation()
    stage.subscribe("dora")
    stage.tick(10)
    stage.room.mute_source("anna", True)
    begun = len(stage.blocks)
    stage.tick(10)
    assert heard_now(stage, "dora")["anna"] == 0.0
    for block in stage.blocks[begun:]:
        shares = stage.shares("anna", block)
        assert shares is None or shares["anna"] < 1e-4


def test_muting_somebody_for_oneself_concerns_nobody_else_even_while_they_fade():
    stage, _ = conversation()
    for name in ("dora", "emil"):
        stage.subscribe(name)
    stage.room.set_gains("dora", {"anna": PersonalGain(muted=True)})
    stage.tick(10)
    assert heard_now(stage, "dora") == {"anna": 0.0, "bert": 1.0, "cleo": 1.0}
    assert heard_now(stage, "emil") == {"anna": 1.0, "bert": 1.0, "cleo": 1.0}
    begun = len(stage.blocks)
    stage.room.mute_source("anna", True)
    stage.tick(8)
    for block in stage.blocks[begun:]:
        shares = stage.shares("dora", block)
        assert shares is None or shares["anna"] < 1e-4


def test_personal_gain_and_pan_act_on_both_channels():
    stage = Stage(10)
    stage.publish("anna", 300.0)
    stage.subscribe("dora")
    stage.room.set_gains("dora", {"anna": PersonalGain(gain_db=-20.0, pan=1.0)})
    stage.tick(10)
    block = stage.blocks[-2]
    heard = stage.tapes["dora"].at(block.time, 480)
    np.testing.assert_allclose(heard[:, 0], 0.0, atol=1e-6)
    np.testing.assert_allclose(heard[:, 1], 0.1 * block.voices["anna"][:, 1], atol=1e-6)


def test_a_personal_boost_is_not_heard_in_other_rooms_sharing_the_arenas():
    sources, mixes = SourceArena(2), Arena(2)
    rooms = [RoomMixer(f"room {i}", sources, mixes) for i in range(5)]
    voices = [Voice(200.0 + 100.0 * i) for i in range(5)]
    for i, (room, voice) in enumerate(zip(rooms, voices, strict=True)):
        voice.sings = True
        room.add_source("singer", i, voice)
        room.add_listener("ear", i, 0)
    rooms[2].set_gains("ear", {"singer": PersonalGain(gain_db=6.0)})
    for block in range(6):
        for room, voice in zip(rooms, voices, strict=True):
            due = room.tick(1000.0 + block * 0.01)
            assert len(due) == block % 2
            if block == 5:
                gain = 10 ** (6 / 20) if room is rooms[2] else 1.0
                np.testing.assert_allclose(room.sound(due[0])[480:], gain * voice.last, atol=1e-6)


def test_a_deafened_listener_is_sent_silence_and_hears_again():
    stage, _ = conversation()
    stage.tick(10)
    stage.room.set_deafened("anna", True)
    stage.tick(10)
    assert not stage.tapes["anna"].packets[-1][1].any()
    stage.room.set_deafened("anna", False)
    stage.tick(10)
    assert heard_now(stage, "anna") == {"anna": 0.0, "bert": 1.0, "cleo": 1.0}
    assert is_gapless(stage.tapes["anna"])


def test_a_new_voice_under_a_known_name_takes_over():
    stage, _ = conversation()
    stage.tick(10)
    other = Voice(1900.0)
    other.sings = True
    stage.attach("anna", other)
    stage.tick(10)
    block = stage.blocks[-1]
    heard = stage.tapes["bert"].at(block.time, 480)
    expected = block.voices["anna"] + block.voices["cleo"]
    np.testing.assert_allclose(heard, expected, atol=1e-6)
    assert block.voices["anna"] is other.last


# ---- what is shared ------------------------------------------------------------------------


def test_a_hundred_listeners_share_one_packet_per_20_ms():
    stage = Stage(20)
    stage.publish("anna", 300.0)
    for i in range(100):
        stage.subscribe(f"ear {i}")
    stage.tick(10)
    assert stage.due_packets == 10
    assert [len(tape.packets) for tape in stage.tapes.values()] == [10] * 100


def test_singers_get_mixes_of_their_own_in_10_ms_packets_and_the_others_share_one_of_20():
    stage, _ = conversation()
    for i in range(5):
        stage.subscribe(f"ear {i}")
    stage.tick(2)
    assert {(key.mix.owner, key.ptime_ms) for key in stage.room.outputs} == {
        ("anna", 10), ("bert", 10), ("cleo", 10), ("", 20)
    }  # fmt: skip


@pytest.mark.parametrize("ptime", [10, 20])
def test_a_fixed_packet_time_holds_for_everybody(ptime):
    stage, _ = conversation(ptime)
    stage.subscribe("dora")
    stage.tick(8)
    assert {key.ptime_ms for key in stage.room.outputs} == {ptime}
    for tape in stage.tapes.values():
        assert {len(sound) for _, sound in tape.packets} == {ptime * 48}
        assert is_gapless(tape)


def test_those_who_fell_silent_share_the_main_mix_again():
    stage, voices = conversation()
    stage.subscribe("dora")
    stage.tick(10)
    for name in ("anna", "bert"):
        voices[name].sings = False
    stage.tick(260)  # past the hangover
    assert {key.mix.owner for key in stage.room.outputs} == {"", "cleo"}
    assert heard_now(stage, "anna") == {"cleo": 1.0}


def test_a_personal_gain_that_is_neutral_or_names_nobody_here_costs_no_mix():
    stage, _ = conversation()
    stage.subscribe("dora")
    stage.room.set_gains("dora", {"anna": PersonalGain(), "gone": PersonalGain(muted=True)})
    stage.tick(4)
    assert MixKey("dora") not in {key.mix for key in stage.room.outputs}


def test_tiers_part_the_encoders_but_not_the_sound():
    stage, _ = conversation()
    for name in ("dora", "emil"):
        stage.subscribe(name)
    stage.tick(10)
    stage.room.set_tier("emil", 2)
    stage.tick(10)
    tiers = {key.tier for key in stage.room.outputs if not key.mix.owner}
    assert tiers == {0, 2}
    np.testing.assert_array_equal(stage.tapes["dora"].sound, stage.tapes["emil"].sound)


def test_contributors_are_those_heard_loudest_first_without_the_owner():
    stage = Stage()
    for name, amplitude in (("anna", 0.01), ("bert", 0.2), ("cleo", 0.05)):
        stage.publish(name, PITCHES[name], amplitude)
        stage.subscribe(name)
    stage.subscribe("dora")
    stage.tick(4)
    named = {
        owner: [source.source_id for source in stage.room.mixes.contributors(MixKey(owner))]
        for owner in ("", "bert")
    }
    assert named == {"": ["bert", "cleo", "anna"], "bert": ["cleo", "anna"]}
    assert stage.room.mixes.contributors(MixKey(silent=True)) == []


# ---- no clicks -----------------------------------------------------------------------------

CHANGES = {
    "mute": lambda stage: stage.room.mute_source("anna", True),
    "own mute": lambda stage: stage.room.mute_source("dora", True),
    "removal while heard": lambda stage: stage.room.remove_source("anna"),
    "another joins": lambda stage: stage.publish("emil", 1300.0),
    "a listener joins": lambda stage: stage.subscribe("emil"),
    "personal gain": lambda s: s.room.set_gains("dora", {"anna": PersonalGain(gain_db=-12.0)}),
    "personal mute": lambda s: s.room.set_gains("dora", {"anna": PersonalGain(muted=True)}),
    "pan": lambda s: s.room.set_gains("dora", {"anna": PersonalGain(pan=-1.0)}),
    "deafen": lambda stage: stage.room.set_deafened("dora", True),
    "tier": lambda stage: stage.room.set_tier("dora", 1),
}
BACK = {
    "mute": lambda stage: stage.room.mute_source("anna", False),
    "own mute": lambda stage: stage.room.mute_source("dora", False),
    "removal while heard": lambda stage: stage.publish("anna", 300.0),
    "another joins": lambda stage: stage.room.remove_source("emil"),
    "a listener joins": lambda stage: stage.room.remove_listener("emil"),
    "personal gain": lambda stage: stage.room.set_gains("dora", {}),
    "personal mute": lambda stage: stage.room.set_gains("dora", {}),
    "pan": lambda stage: stage.room.set_gains("dora", {}),
    "deafen": lambda stage: stage.room.set_deafened("dora", False),
    "tier": lambda stage: stage.room.set_tier("dora", 0),
}


@pytest.mark.parametrize("dora_sings", [False, True])
@pytest.mark.parametrize("odd", [0, 1])
@pytest.mark.parametrize("change", CHANGES)
def test_no_change_clicks_there_or_back(change, odd, dora_sings):
    stage, voices = conversation()
    stage.subscribe("dora")
    stage.subscribe("fred")  # keeps the shared mix alive
    if dora_sings:
        voices["dora"] = stage.publish("dora", 1700.0)
    stage.tick(11 + odd)
    stage.tapes["dora"].packets.clear()  # how it began is another matter
    CHANGES[change](stage)
    stage.tick(9)
    BACK[change](stage)
    stage.tick(9)
    tape = stage.tapes["dora"]
    assert is_gapless(tape)
    assert len(tape.packets) >= 8
    limit = loudest_step([*voices.values(), Voice(1300.0)])
    assert stage.steps("dora") < 1.1 * limit
    for block in stage.blocks:
        shares = stage.shares("dora", block)
        assert shares is None or shares.get("dora", 0.0) < 1e-4


def test_a_hard_cut_would_be_noticed():
    """The limit of the test above is far below the step of a voice that is cut off."""
    voices = [Voice(pitch) for pitch in (*PITCHES.values(), 1300.0, 1700.0)]
    assert 1.1 * loudest_step(voices) < sum(voice.amplitude for voice in voices) / 4


# ---- media time ----------------------------------------------------------------------------


def test_a_listener_who_changes_packet_time_has_neither_gap_nor_overlap():
    stage = Stage()
    stage.publish("anna", 300.0)
    stage.subscribe("dora")
    voice = Voice(1700.0)
    stage.attach("dora", voice)
    for _ in range(3):
        stage.tick(7)
        voice.sings = True
        stage.tick(9)
        voice.sings = False
        stage.tick(251)
    tape = stage.tapes["dora"]
    assert {len(sound) for _, sound in tape.packets} == {480, 960}
    assert is_gapless(tape)


def test_blocks_are_long_while_only_one_sings_whatever_its_packets():
    stage = Stage()
    anna = stage.publish("anna", 300.0)
    bert = stage.publish("bert", 700.0)
    for name in ("anna", "bert"):
        stage.subscribe(name)
    bert.sings = False
    stage.tick(500)
    assert stage.room.block == 960
    bert.sings = True
    stage.tick(4)
    assert stage.room.block == 480
    assert {key.ptime_ms for key in stage.room.outputs} == {10}
    anna.sings = False
    stage.tick(500)
    assert stage.room.block == 960
    assert all(is_gapless(tape) for tape in stage.tapes.values())
    assert stage.steps("bert") < 1.1 * anna.steepest()


def test_who_sends_20_ms_packets_gets_20_ms_packets_and_the_room_works_half_as_often():
    stage, voices = conversation()
    for voice in voices.values():
        voice.packet_samples = 960
    stage.subscribe("dora")
    stage.tick(2)
    assert {key.ptime_ms for key in stage.room.outputs} == {20}
    assert stage.room.block == 960
    stage.tick(100)
    for tape in stage.tapes.values():
        assert is_gapless(tape)
        assert {len(sound) for _, sound in tape.packets} == {960}


def test_packets_may_become_shorter_and_longer_while_all_speak():
    stage, voices = conversation()
    stage.subscribe("dora")
    for name, samples, blocks in (("anna", 960, 300), ("anna", 480, 300), ("bert", 480, 300)):
        for voice in voices.values():
            voice.packet_samples = 960
        voices[name].packet_samples = samples
        stage.tick(blocks)
        ptimes = {key.mix.owner: key.ptime_ms for key in stage.room.outputs}
        brief = {name} if samples == 480 else set()
        assert {owner for owner, ptime_ms in ptimes.items() if ptime_ms == 10} == brief
        assert stage.room.block == (480 if brief else 960)
    for listener, tape in stage.tapes.items():
        assert is_gapless(tape)
        assert stage.steps(listener) < 1.1 * loudest_step(voices.values())


def test_a_block_changes_its_length_only_where_a_20_ms_packet_begins():
    stage, _ = conversation()
    stage.tick(1)
    assert not stage.room.may_set_block
    with pytest.raises(ValueError, match="20 ms packet"):
        stage.room.set_block(960)


def test_skipped_blocks_leave_a_gap_of_their_length():
    stage, _ = conversation()
    stage.subscribe("dora")
    stage.tick(10)
    stage.room.skip(6)
    stage.tick(10)
    times = [time for time, _ in stage.tapes["dora"].packets]
    assert np.diff(times).tolist() == [960] * 4 + [960 + 6 * 480] + [960] * 4


# ---- silence -------------------------------------------------------------------------------


def test_an_empty_room_is_dormant():
    stage = Stage()
    stage.tick(2)
    assert stage.room.is_dormant


def test_a_silent_room_says_so_and_goes_to_sleep_until_somebody_sings_or_comes():
    stage, voices = conversation()
    stage.subscribe("dora")
    stage.tick(10)
    assert not stage.room.is_dormant
    for voice in voices.values():
        voice.sings = False
    blocks = 0
    while not stage.room.is_dormant:
        stage.tick()
        blocks += 1
        assert blocks < 2 * QUIET_PACKETS + 250
    assert blocks > QUIET_PACKETS
    voices["anna"].sings = True
    assert not stage.room.is_dormant
    stage.room.skip(20)
    stage.tick(6)
    assert heard_now(stage, "dora") == {"anna": 1.0}
    voices["anna"].sings = False
    while not stage.room.is_dormant:
        stage.tick()
    stage.subscribe("emil")
    assert not stage.room.is_dormant
    stage.tick(4)
    assert len(stage.tapes["emil"].packets) == 2


def test_a_quiet_source_leaves_the_mixes_after_the_hangover_only():
    stage, voices = conversation()
    stage.subscribe("dora")
    stage.tick(10)
    voices["anna"].amplitude = 10 ** (-75 / 20)
    stage.tick(190)
    assert stage.room.sources["anna"].engaged
    stage.tick(20)
    assert not stage.room.sources["anna"].engaged


def test_a_removed_source_is_gone_after_its_fade_and_gives_its_row_back():
    stage, _ = conversation()
    stage.subscribe("dora")
    stage.tick(10)
    row = stage.room.sources["anna"].row
    stage.room.remove_source("anna")
    assert "anna" in stage.room.sources
    stage.tick(4)
    assert "anna" not in stage.room.sources
    assert stage.sources.take() == row


def test_closing_gives_every_row_back():
    stage, _ = conversation()
    stage.subscribe("dora")
    stage.tick(10)
    stage.room.close()
    for arena in (stage.sources, stage.mixes):
        generation = arena.generation
        rows = {arena.take() for _ in range(len(arena.data))}
        assert len(rows) == len(arena.data)
        assert arena.generation == generation


# ---- the limiter ---------------------------------------------------------------------------


def test_below_the_ceiling_the_limiter_changes_nothing():
    stage = Stage(10)
    stage.publish("anna", 300.0, amplitude=0.96)
    stage.subscribe("dora")
    stage.tick(11)
    block = stage.blocks[-2]
    np.testing.assert_array_equal(stage.tapes["dora"].at(block.time, 480), block.voices["anna"])


def test_the_sum_of_loud_voices_never_passes_the_ceiling_and_the_gain_recovers():
    stage = Stage()
    loud = [stage.publish(f"loud {i}", 150.0 + 90.0 * i, amplitude=0.9) for i in range(6)]
    quiet = stage.publish("quiet", 1100.0, amplitude=0.1)
    stage.subscribe("dora")
    stage.tick(60)
    tape = stage.tapes["dora"]
    assert np.abs(tape.sound).max() <= CEILING
    assert np.abs(tape.sound).max() > 0.9
    assert -20 < stage.room.mixes.limiter_db < -3
    for voice in loud:
        voice.sings = False
    stage.tick(120)
    block = stage.blocks[-2]
    np.testing.assert_array_equal(tape.at(block.time, 480), block.voices["quiet"])
    assert stage.room.mixes.limiter_db == 0
    assert quiet.sings


def test_one_room_being_loud_does_not_turn_another_ones_mix_down():
    sources, mixes = SourceArena(2), Arena(2)
    stage, loud = Stage(), Stage()
    for each in (stage, loud):
        each.room = RoomMixer("r", sources, mixes, 10)
        each.subscribe("ear")
    stage.publish("anna", 300.0, amplitude=0.5)
    for i in range(4):
        loud.publish(f"loud {i}", 150.0 + 90.0 * i, amplitude=0.9)
    for _ in range(20):
        stage.tick()
        loud.tick()
    block = stage.blocks[-1]
    np.testing.assert_array_equal(stage.tapes["ear"].at(block.time, 480), block.voices["anna"])


def test_who_is_muted_while_others_come_stays_muted():
    stage = Stage()
    for number in range(5):  # more than the arena has rows, so that it grows
        stage.publish(f"singer {number}", 300.0 + 100.0 * number)
    stage.subscribe("ear")
    stage.room.mute_source("singer 0", True)
    stage.tick(20)
    assert "singer 0" not in {
        name for name, share in stage.shares("ear", stage.blocks[-2]).items() if share > 0.01
    }
    assert not stage.room.sources["singer 0"].wants_in
