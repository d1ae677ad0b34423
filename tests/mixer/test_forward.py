"""A room that forwards: which packets go where."""

import random

import pytest

from mixer.forward import BURST_S, PACKETS_PER_S
from mixer.forward_levels import CHECK_EVERY_S, COMPARED_PACKETS, WARM_PACKETS, Trust
from mixer.playout_packet import MediaPacket
from mixer.selection_candidate import Standing
from tests.mixer.forward_world import GARBAGE, LOUD, SILENT, STEP_S, World, payload_of


def trio(**settings):
    """Return a world in which three speak, each with two tracks, and one listens on two."""
    world = World(**{"max_speakers": 2, **settings})
    for number, name in enumerate(["anna", "bert", "cleo"]):
        world.come(name, [10 * number, 10 * number + 1], says=LOUD)
    world.listen("dora", [90, 91])
    return world


def told(world):
    """Return who is on whose tracks now, of all that changed since the last call."""
    events = world.room.poll_events()
    names = [name for event in events for name in event.listeners]
    assert len(names) == len(set(names))
    return {name: event.sources for event in events for name in event.listeners}


def test_three_who_speak_hear_both_others_and_nobody_hears_themselves():
    world = trio()
    world.run(1.0)
    world.got.clear()
    world.run(0.5)
    assert world.heard_on([0, 1]) == {"bert", "cleo"}
    assert world.heard_on([10, 11]) == {"anna", "cleo"}
    assert world.heard_on([20, 21]) == {"anna", "bert"}
    assert world.heard_on([90, 91]) == set(world.room.chosen)


def test_one_track_carries_one_person_at_a_time():
    world = trio()
    world.run(1.0)
    world.got.clear()
    world.run(0.2)
    assert all(len({name for name, _ in packets}) == 1 for packets in world.got.values())


def test_who_begins_to_speak_is_forwarded_from_the_first_packet_on():
    world = World(max_speakers=2)
    world.listen("dora", [90, 91])
    for name in ("anna", "bert", "cleo"):
        world.come(name)
    world.run(5.0)
    world.publishers["cleo"].says = LOUD
    world.run(0.04)
    first = world.publishers["cleo"].sequence - 1
    assert ("cleo", first) in world.got[90] + world.got[91]


def test_a_muted_publisher_is_not_heard_from_the_next_packet_on_and_comes_back():
    world = trio()
    world.run(1.0)
    world.room.mute_source("anna", True, world.now_s)
    world.got.clear()
    world.run(1.0)
    assert world.heard_on([0, 1, 10, 11, 20, 21, 90, 91]) == {"bert", "cleo"}
    assert world.room.sources["anna"].level == SILENT
    assert not world.room.speaks("anna", world.now_s)
    world.room.mute_source("anna", False, world.now_s)
    world.run(1.0)
    assert "anna" in world.heard_on([10, 11])


def test_who_leaves_makes_room_at_once():
    world = trio(max_speakers=1)
    world.run(1.0)
    [speaker] = world.room.chosen
    world.room.remove_source(speaker, world.now_s)
    del world.publishers[speaker]
    world.got.clear()
    world.run(STEP_S)
    assert world.heard_on([90, 91]) == set(world.room.chosen) != {speaker}


def test_who_stops_without_leaving_loses_the_place_after_a_while():
    world = trio(max_speakers=1)
    world.run(1.0)
    [speaker] = world.room.chosen
    del world.publishers[speaker]
    world.run(1.0)
    world.got.clear()
    world.run(0.1)
    assert world.heard_on([90, 91]) == set(world.room.chosen) != {speaker}


def test_when_all_fall_silent_looking_takes_them_off_the_tracks():
    world = trio()
    world.run(1.0)
    world.room.poll_events()
    world.room.look(world.now_s + 10.0)
    assert told(world)["dora"] == (None, None)
    assert world.room.chosen == []


def test_a_pinned_publisher_is_heard_before_louder_ones():
    world = trio(max_speakers=1)
    world.come("ella", says=55)
    world.room.set_standing("ella", Standing.PINNED)
    world.run(1.0)
    assert world.room.chosen == ["ella"]


def test_fewer_places_are_fewer_people_on_everybodys_tracks():
    world = trio()
    world.run(1.0)
    world.room.apply(type(world.room.settings)(max_speakers=1), world.now_s)
    world.got.clear()
    world.run(0.2)
    assert len(world.heard_on([90, 91])) == 1
    assert sum(one is not None for one in world.room.on_tracks_of("dora")) == 1


def test_everybody_is_told_once_who_is_on_their_tracks():
    world = trio()
    world.run(1.0)
    news = told(world)
    assert set(news) == {"anna", "bert", "cleo", "dora"}
    assert set(news["anna"]) == {"bert", "cleo"}
    assert news["dora"] == world.room.on_tracks_of("dora")
    assert told(world) == {}


def test_who_hears_the_same_is_told_together():
    world = trio()
    for number in range(5):
        world.listen(f"audience {number}", [100 + 2 * number, 101 + 2 * number])
    world.run(1.0)
    [together] = [event for event in world.room.poll_events() if "dora" in event.listeners]
    assert {*(f"audience {i}" for i in range(5)), "dora"} <= set(together.listeners)
    assert together in world.room.everything()


def test_nobody_is_told_of_tracks_that_were_taken_away():
    world = trio()
    world.run(1.0)
    world.listen("dora", [80])
    world.room.remove_listener("anna")
    assert set(told(world)) == {"bert", "cleo"}
    world.run(0.1)
    assert told(world) == {"dora": world.room.on_tracks_of("dora")}
    assert len(world.room.on_tracks_of("dora")) == 1


def test_tracks_on_which_somebody_new_is_are_fresh_once():
    world = trio()
    world.run(1.0)
    fresh = {row for rows in world.room.poll_fresh() for row in rows.tolist()}
    assert fresh == {0, 1, 10, 11, 20, 21, 90, 91}
    world.run(0.1)
    assert world.room.poll_fresh() == []
    world.room.begin_stream("anna")
    [again] = world.room.poll_fresh()
    assert sorted(again.tolist()) == sorted(
        row for row in (10, 11, 20, 21, 90, 91) if world.got[row][-1][0] == "anna"
    )


# ---- those who misbehave -------------------------------------------------------------------


def test_a_flood_is_cut_down_to_what_a_voice_needs_and_the_others_are_heard():
    world = World(max_speakers=2)
    world.listen("dora", [90, 91])
    world.come("flood", says=5, per_step=100)
    world.come("anna", says=LOUD)
    world.run(4.0)
    packets = [name for row in (90, 91) for name, _ in world.got[row]]
    assert packets.count("flood") <= PACKETS_PER_S * (4.0 + BURST_S) + 1
    assert packets.count("anna") == pytest.approx(200, abs=2)
    assert world.room.counters["forward_flood"] > 15_000


def test_huge_packets_are_a_flood_too():
    world = World()
    world.listen("dora", [90])
    world.come("anna", says=LOUD)
    sent = 0
    for i in range(200):
        world.now_s += STEP_S
        packet = MediaPacket(i, i * 960, bytes([LOUD]) * 1200, world.now_s, level_dbov=LOUD)
        sent += len(world.send("anna", packet) or ())
    assert sent * 1200 <= 40_000 * (4.0 + BURST_S) + 1200


def test_a_network_that_held_half_a_second_back_is_no_flood():
    world = World()
    world.listen("dora", [90])
    world.come("anna", says=LOUD)
    world.run(1.0)
    world.got.clear()
    burst = [world.publishers["anna"].packet(2.0) for _ in range(50)]
    for packet in burst:
        world.send("anna", packet)
    assert len(world.got[90]) == 50


def liar_among_speakers(seconds, **liar):
    """Return a world with one place, after a liar and an honest speaker have both been there."""
    world = World(max_speakers=1)
    world.listen("dora", [90])
    world.come("liar", **liar)
    world.come("anna", says=LOUD)
    world.run(seconds)
    return world


def test_who_claims_to_shout_while_silent_is_found_out_and_measured():
    world = liar_among_speakers(6.0, says=2, sends=100)
    assert world.room.sources["liar"].meter.trust is Trust.MEASURING
    assert world.room.counters["forward_wrong_levels"] == 1
    assert world.room.sources["liar"].level == 100
    assert world.room.chosen == ["anna"]


def test_a_liar_is_found_out_within_a_second():
    world = liar_among_speakers(1.0, says=2, sends=100)
    assert world.room.sources["liar"].meter.trust is Trust.MEASURING


def test_who_begins_to_lie_later_is_found_out_at_the_next_check():
    world = liar_among_speakers(1.0, says=LOUD)
    assert world.room.sources["liar"].meter.trust is Trust.TRUSTING
    world.publishers["liar"].says, world.publishers["liar"].sends = 2, 100
    world.run(CHECK_EVERY_S + 1.0)
    assert world.room.sources["liar"].meter.trust is Trust.MEASURING


@pytest.mark.parametrize("truth", [LOUD - 10, LOUD + 10])
def test_another_way_of_measuring_is_no_lie(truth):
    world = liar_among_speakers(30.0, says=LOUD, sends=truth)
    assert world.room.sources["liar"].meter.trust is Trust.TRUSTING


def test_what_nobody_hears_is_as_quiet_as_anything_else_that_nobody_hears():
    world = liar_among_speakers(30.0, says=126, sends=70)
    assert world.room.sources["liar"].meter.trust is Trust.TRUSTING


def test_an_honest_publisher_is_hardly_ever_decoded():
    world = World()
    world.come("anna", says=LOUD)
    world.run(60.0)
    meter = world.room.sources["anna"].meter
    assert 0 < meter.decoded <= 7 * (WARM_PACKETS + COMPARED_PACKETS)


def test_who_says_no_level_is_measured():
    world = World(max_speakers=1)
    world.listen("dora", [90])
    world.come("mute box", says=None, sends=100)
    world.come("plain", says=None, sends=LOUD)
    world.run(4.0)
    assert world.room.chosen == ["plain"]
    assert world.room.sources["plain"].level == LOUD


def test_what_cannot_be_decoded_is_silence_where_it_has_to_be_measured():
    world = World()
    world.come("anna", says=None)
    world.send("anna", MediaPacket(1, 0, GARBAGE, 1.0))
    assert world.room.sources["anna"].level == SILENT


def test_copies_of_what_came_already_are_not_sent_again_and_of_what_was_lost_are():
    world = World()
    world.listen("dora", [90])
    world.come("anna", says=LOUD)
    world.run(1.0)
    world.got.clear()

    def send(sequence, redundant=False):
        packet = MediaPacket(
            sequence, sequence * 960, payload_of(LOUD), 1.1, level_dbov=LOUD, redundant=redundant
        )
        world.send("anna", packet)

    send(51)
    send(51, redundant=True)
    send(53)
    send(52, redundant=True)
    send(52, redundant=True)
    assert [sequence for _, sequence in world.got[90]] == [51, 53, 52]
    assert world.room.counters["forward_repeated"] == 2


def test_whatever_happens_nobody_hears_themselves_and_no_track_repeats_a_packet():
    rng = random.Random(7)
    world = World(max_speakers=3)
    names = [f"p{i}" for i in range(9)]
    tracks = {name: [10 * i, 10 * i + 1, 10 * i + 2] for i, name in enumerate(names)}
    for name in names[:5]:
        world.come(name, tracks[name], says=LOUD)
    for _ in range(400):
        name = rng.choice(names)
        match rng.randrange(5):
            case 0 if name not in world.publishers:
                world.come(name, tracks[name], says=LOUD)
            case 1 if name in world.publishers:
                del world.publishers[name]
                world.room.remove_source(name, world.now_s)
                world.room.remove_listener(name)
            case 2 if name in world.publishers:
                world.publishers[name].says = rng.choice([15, 25, 40, 127])
            case 3:
                world.room.mute_source(name, rng.random() < 0.5, world.now_s)
            case _:
                world.run(rng.choice([0.02, 0.1, 0.7, 3.0]))
        for name, rows in tracks.items():
            for row in rows:
                packets = world.got.pop(row, [])
                assert name not in {source for source, _ in packets}
                assert len(packets) == len(set(packets))
