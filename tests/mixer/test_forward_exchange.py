"""A room that forwards and is served by several workers: who hears whom, in virtual time."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.forward_exchange import ROSTER_EVERY_S, STALLED_S, ForwardExchange
from mixer.forward_levels import CHECK_EVERY_S
from mixer.selection_candidate import Standing
from rooms.bus import BusCodec
from tests.mixer.forward_world import LOUD, SILENT, STEP_S, World

DELAY_S = 0.0002


class ForwardHouse:
    """Workers with a forward room each, and a bus of bytes between them.

    Attributes:
        worlds: By number of the worker.
        sent: Frames that went over the bus, as (worker, frame).
        loses: Whether frames are lost.
        away: Workers that neither say nor hear anything.
    """

    def __init__(self, workers=2, **rules):
        self.worlds = [World(**{"max_speakers": 2, **rules}) for _ in range(workers)]
        self.exchanges = []
        self.sent = []
        self.loses = False
        self.away = set()
        self._codec = BusCodec()
        for number in range(workers):
            self.exchanges.append(self._exchange(number, 100))
        self.share(range(workers))

    def _exchange(self, number, first_serial):
        room = self.worlds[number].room
        made = room.exchange = ForwardExchange(room, "r", number, first_serial)
        return made

    @property
    def now_s(self):
        return self.worlds[0].now_s

    def share(self, workers, foreign=()):
        for number, exchange in enumerate(self.exchanges):
            others = [one for one in workers if one != number] if number in workers else []
            exchange.set_neighbours(others, foreign, self.now_s)

    def restart(self, number):
        """Let a worker begin afresh, without anybody."""
        rules, now_s = self.worlds[number].room.settings, self.now_s
        self.worlds[number] = World(max_speakers=rules.max_speakers)
        self.worlds[number].now_s = now_s
        self.exchanges[number] = self._exchange(number, 10_000)
        others = [one for one in range(len(self.worlds)) if one != number]
        self.exchanges[number].set_neighbours(others, (), now_s)

    def run(self, seconds):
        for _ in range(round(seconds / STEP_S)):
            for number, world in enumerate(self.worlds):
                world.run(STEP_S)
                if round(world.now_s / STEP_S) % 5 == 0:
                    world.room.look(world.now_s)
                    self.exchanges[number].look(world.now_s)
            for number in range(len(self.worlds)):
                self._deliver(number)

    def _deliver(self, number):
        for frame in self.exchanges[number].poll_frames():
            self.sent.append((number, frame))
            if self.loses or number in self.away:
                continue
            message = self._codec.encode(frame, self.now_s)
            for other in self.exchanges[number].neighbours:
                if other not in self.away:
                    arrived = self._codec.decode(message)
                    world, at_s = self.worlds[other], self.now_s + DELAY_S
                    for name, packet in self.exchanges[other].handle(arrived.frame, at_s):
                        world.send(name, packet)

    def heard(self, number, outputs):
        """Return who is heard on outputs of a worker within the next 200 ms."""
        self.worlds[number].got.clear()
        self.run(0.2)
        return self.worlds[number].heard_on(outputs)


def pair(**rules):
    """Return a house: anna (tracks 0, 1) and bert (10, 11) at one worker, cleo at the other."""
    house = ForwardHouse(**rules)
    house.worlds[0].come("anna", [0, 1], says=LOUD)
    house.worlds[0].come("bert", [10, 11], says=LOUD)
    house.worlds[1].come("cleo", [0, 1], says=LOUD)
    house.worlds[1].listen("ear", [20, 21])
    house.run(1.0)
    return house


def test_people_of_two_workers_are_on_each_others_tracks_and_not_on_their_own():
    house = pair()
    assert house.heard(0, [0, 1]) == {"bert", "cleo"}
    assert house.heard(0, [10, 11]) == {"anna", "cleo"}
    assert house.heard(1, [0, 1]) == {"anna", "bert"}
    assert len(house.heard(1, [20, 21])) == 2


def test_packets_arrive_once_each_and_as_they_were_sent():
    house = pair(max_speakers=3)
    world, seen = house.worlds[1], []
    send = world.send

    def note(name, packet):
        if name == "anna":
            seen.append(packet)
        return send(name, packet)

    world.send = note
    before = house.worlds[0].publishers["anna"].sequence
    house.run(0.5)
    assert [one.sequence for one in seen] == list(range(before + 1, before + 26))
    assert all(one.timestamp == one.sequence * 960 for one in seen)
    assert {one.payload[0] for one in seen} == {LOUD}
    assert {(one.level_dbov, one.voice) for one in seen} == {(LOUD, True)}


def test_who_begins_to_speak_is_heard_at_the_other_worker_from_the_first_packet_on():
    house = ForwardHouse()
    house.worlds[0].come("anna")
    for name in ("bert", "cleo"):
        house.worlds[1].come(name)
    house.worlds[1].listen("ear", [20, 21])
    house.run(5.0)
    house.worlds[0].publishers["anna"].says = LOUD
    house.run(0.04)
    first = house.worlds[0].publishers["anna"].sequence - 1
    packets = house.worlds[1].got[20] + house.worlds[1].got.get(21, [])
    assert ("anna", first) in packets


def test_the_loudest_of_all_are_heard_everywhere():
    house = ForwardHouse(workers=3)
    for number, world in enumerate(house.worlds):
        for place in range(3):
            world.come(f"{number}.{place}", says=45)
        world.listen("ear", [90, 91])
    for number in (0, 2):
        house.worlds[number].publishers[f"{number}.1"].says = 20
    house.run(3.0)
    for number in range(3):
        assert house.heard(number, [90, 91]) == {"0.1", "2.1"}


def test_traffic_grows_with_places_and_not_with_people():
    house = ForwardHouse(max_speakers=2)
    for place in range(12):
        house.worlds[0].come(f"{place}", says=LOUD)
    house.run(1.0)
    house.sent.clear()
    house.run(1.0)
    packets = sum(len(frame.forward.packets) for number, frame in house.sent if number == 0)
    assert packets <= 3 * 50 + 3
    assert sum(frame.forward.roster is not None for _, frame in house.sent) <= 3


def test_a_worker_without_publishers_says_nothing_and_one_with_silent_ones_little():
    house = ForwardHouse()
    house.worlds[0].come("anna")
    house.run(5.0)
    house.sent.clear()
    house.run(10.0)
    assert {number for number, _ in house.sent} == {0}
    assert len(house.sent) <= 10 / ROSTER_EVERY_S + 1
    assert not any(frame.forward.packets for _, frame in house.sent)


def test_who_is_muted_leaves_or_is_displaced_frees_the_place_elsewhere_at_once():
    house = pair(max_speakers=1)
    ear = {"ear": house.heard(1, [20])}
    [heard] = ear["ear"]
    owner = house.worlds[1 if heard == "cleo" else 0]
    owner.room.mute_source(heard, True, house.now_s)
    owner.publishers.pop(heard)
    house.run(0.2)
    [other] = house.heard(1, [20])
    assert other != heard
    owner = house.worlds[1 if other == "cleo" else 0]
    owner.room.remove_source(other, house.now_s)
    owner.publishers.pop(other)
    house.run(0.2)
    [last] = house.heard(1, [20])
    assert last not in (heard, other)


def test_priority_counts_at_every_worker():
    house = ForwardHouse(max_speakers=1)
    house.worlds[0].come("chair", says=50)
    house.worlds[1].come("anna", says=20)
    house.worlds[1].listen("ear", [20])
    house.run(2.0)
    assert house.heard(1, [20]) == {"anna"}
    house.worlds[0].room.set_standing("chair", Standing.PRIORITY)
    house.run(1.2)
    assert house.heard(1, [20]) == {"chair"}


def test_a_worker_that_stands_still_holds_no_place_and_is_heard_again_when_it_goes_on():
    house = pair(max_speakers=2)
    house.away.add(1)
    house.run(STALLED_S + 1)
    assert house.heard(0, [0, 1]) == {"bert"}
    house.away.clear()
    house.run(ROSTER_EVERY_S + 0.2)
    assert house.heard(0, [0, 1]) == {"bert", "cleo"}


def test_a_worker_that_begins_afresh_is_understood():
    house = pair()
    house.restart(0)
    house.run(0.2)
    house.worlds[0].come("dora", [0, 1], says=LOUD)
    house.run(1.0)
    assert set(house.worlds[1].room.sources) == {"cleo", "dora"}
    assert house.heard(1, [0, 1]) == {"dora"}
    assert house.heard(0, [0, 1]) == {"cleo"}


def test_a_roster_that_was_lost_comes_again():
    house = ForwardHouse()
    house.worlds[0].come("anna", says=LOUD)
    house.worlds[1].listen("ear", [20, 21])
    house.loses = True
    house.run(2.0)
    house.loses = False
    house.run(ROSTER_EVERY_S + 0.1)
    assert house.heard(1, [20, 21]) == {"anna"}


def test_who_comes_back_by_another_worker_is_heard_once():
    house = pair()
    house.worlds[1].room.remove_source("anna", house.now_s)  # as its own worker takes it in
    house.worlds[1].come("anna", [30, 31], says=LOUD)
    house.run(0.5)
    packets = [name for row in (20, 21) for name, _ in house.worlds[1].got.pop(row, [])]
    assert not house.worlds[1].room.sources["anna"].remote
    house.run(1.0)
    steps = Counter(name for row in (20, 21) for name, _ in house.worlds[1].got.pop(row, []))
    assert max(steps.values()) <= 51
    assert packets
    house.worlds[0].room.remove_source("anna", house.now_s)
    del house.worlds[0].publishers["anna"]
    house.run(1.5)
    assert house.worlds[0].room.sources["anna"].remote


def test_nobody_is_left_when_a_room_spans_workers_no_more():
    house = pair()
    house.share([])
    assert set(house.worlds[0].room.sources) == {"anna", "bert"}
    assert set(house.worlds[1].room.sources) == {"cleo"}
    house.sent.clear()
    house.run(2.0)
    assert house.sent == []
    house.share([0, 1])
    house.run(1.0)
    assert house.heard(1, [0, 1]) == {"anna", "bert"}


def test_lies_are_found_out_where_the_connection_is_and_nothing_is_decoded_elsewhere():
    house = ForwardHouse(max_speakers=1)
    house.worlds[0].come("liar", says=5, sends=60)
    house.worlds[1].come("honest", says=30)
    house.worlds[1].listen("ear", [20])
    house.run(CHECK_EVERY_S)
    assert house.heard(1, [20]) == {"honest"}
    assert house.worlds[1].room.sources["liar"].level == 60
    assert house.worlds[1].room.sources["liar"].meter.decoded == 0


def test_a_flood_does_not_reach_the_others():
    house = ForwardHouse()
    house.worlds[0].come("flood", says=LOUD, per_step=20)
    house.run(2.0)
    house.sent.clear()
    house.run(2.0)
    assert sum(len(frame.forward.packets) for _, frame in house.sent) <= 2 * 110 + 5


def test_a_frame_that_goes_by_a_roster_that_was_lost_is_left_out():
    house = pair()
    house.loses = True
    house.worlds[0].come("dora", says=15)  # of another roster from here on
    house.run(0.3)
    house.loses = False
    house.worlds[1].got.clear()
    house.run(0.1)
    assert house.worlds[1].got.get(20, []) == [] or "dora" not in house.worlds[1].room.sources
    house.run(ROSTER_EVERY_S)
    assert "dora" in house.heard(1, [20, 21])


def test_a_new_stream_of_a_publisher_is_a_new_stream_everywhere():
    house = pair(max_speakers=3)
    house.worlds[1].room.poll_fresh()
    house.worlds[0].room.begin_stream("anna")
    house.run(0.04)
    fresh = house.worlds[1].room.poll_fresh()
    assert [set(rows.tolist()) for rows in fresh] == [
        set(house.worlds[1].room._board.rows_of("anna"))
    ]


def test_who_wants_a_mix_is_known_to_the_others():
    house = ForwardHouse()
    house.run(0.2)
    house.exchanges[1].set_mixes(True)
    house.run(0.2)
    assert house.exchanges[0].mix_is_wanted
    assert not house.exchanges[1].mix_is_wanted
    house.exchanges[1].set_mixes(False)
    house.run(0.2)
    assert not house.exchanges[0].mix_is_wanted


action = st.one_of(
    st.tuples(st.just("level"), st.integers(0, 5), st.sampled_from([15, 25, 40, 60, SILENT])),
    st.tuples(st.just("mute"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("lose"), st.none(), st.booleans()),
    st.tuples(st.just("wait"), st.none(), st.sampled_from([0.02, 0.1, 0.7])),
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(action, max_size=25), st.integers(1, 3), st.integers(2, 3))
def test_any_schedule(schedule, places, workers):
    house = ForwardHouse(workers, max_speakers=places)
    for number in range(6):
        tracks = range(10 * number, 10 * number + places)
        house.worlds[number % workers].come(str(number), list(tracks), says=LOUD)
    for kind, who, what in [*schedule, ("lose", None, False)]:
        world = None if who is None else house.worlds[who % workers]
        match kind:
            case "level":
                world.publishers[str(who)].says = what
            case "mute":
                world.room.mute_source(str(who), what, house.now_s)
            case "lose":
                house.loses = what
            case "wait":
                house.run(what)
        house.run(STEP_S)
        for number in range(6):
            heard = house.worlds[number % workers].room.on_tracks_of(str(number))
            there = [one for one in heard if one is not None]
            assert str(number) not in there
            assert len(there) == len(set(there)) <= places
    for number in range(6):
        world = house.worlds[number % workers]
        world.room.mute_source(str(number), False, house.now_s)
        world.publishers[str(number)].says = 20 if number < places + 1 else 50
    house.run(6.0)
    loud = {str(number) for number in range(places + 1)}
    for number in range(6):
        own = range(10 * number, 10 * number + places)
        heard = house.heard(number % workers, own)
        assert heard <= loud - {str(number)}
        assert len(heard) == places


@pytest.mark.parametrize("count", [0, 1])
def test_an_exchange_without_neighbours_says_nothing(count):
    house = ForwardHouse(workers=1)
    for number in range(count):
        house.worlds[0].come(str(number), says=LOUD)
    house.run(2.0)
    assert house.sent == []
