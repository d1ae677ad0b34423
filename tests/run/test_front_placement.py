import itertools
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from rooms.models import Broadcast, Recording, Room, RoomSettings
from webrtc.front_placement import BUSY, Placement

numbers = itertools.count()


@dataclass
class Fleet:
    """Workers without processes."""

    loads: list[float]
    away: set[int] = field(default_factory=set)

    def __len__(self):
        return len(self.loads)

    def connected(self, worker):
        return worker not in self.away

    def load(self, worker):
        return self.loads[worker]

    def index_of(self, number):
        return number - 1000 if number in range(1000, 1000 + len(self.loads)) else None


def a_room(room_id="r", mode="mix", worker=0):
    settings = RoomSettings(mode=mode)
    return Room(
        room_id=room_id, created_at=0.0, host_key_hash=b"", worker=worker, settings=settings
    )


def fill(placement, room, count):
    """Let so many come and return where they went."""
    went = []
    for _ in range(count):
        worker = placement.choose(room)
        placement.put(room.room_id, f"somebody {next(numbers)}", worker)
        went.append(worker)
    return went


def test_a_room_fills_its_own_worker_first_then_the_next_and_then_all_alike():
    placement = Placement(Fleet([0.1, 0.1, 0.1]), 3)
    room = a_room(worker=1)
    went = fill(placement, room, 15)
    assert went[:9] == [1] * 3 + [0] * 3 + [2] * 3
    assert sorted(went[9:]) == [0, 0, 1, 1, 2, 2]
    assert placement.workers_of(room) == [0, 1, 2]


def test_a_room_that_fits_stays_where_it_is():
    placement = Placement(Fleet([0.5, 0.0]), 100)
    assert set(fill(placement, a_room(), 99)) == {0}


def test_a_busy_worker_gets_nobody_while_another_has_time():
    fleet = Fleet([BUSY, 0.2, 0.1])
    placement = Placement(fleet, 100)
    assert fill(placement, a_room(), 3) == [2, 2, 2]
    fleet.loads = [1.0, 1.0, 1.0]
    assert fill(placement, a_room(), 2) == [0, 1]  # where the fewest are


def test_a_room_waits_for_its_worker_and_spreads_only_to_those_that_are_there():
    placement = Placement(Fleet([0.0, 0.0, 0.5], {0, 1}), 2)
    assert fill(placement, a_room(), 4) == [0, 0, 2, 2]
    assert Placement(Fleet([0.0, 0.0], {0, 1}), 0).choose(a_room()) == 0


def test_a_room_that_forwards_outgrows_a_worker_as_others_do():
    placement = Placement(Fleet([0.1, 0.0]), 2)
    assert fill(placement, a_room(mode="forward"), 4) == [0, 0, 1, 1]


def test_who_leaves_is_counted_no_more():
    placement = Placement(Fleet([0.0, 0.0]), 1)
    room = a_room()
    placement.put("r", "anna", 0)
    placement.put("r", "bert", 1)
    assert (placement.worker_of("anna"), placement.worker_of("bert")) == (0, 1)
    assert placement.remove("bert") == "r"
    assert placement.workers_of(room) == [0]
    assert placement.remove("bert") is None
    assert placement.worker_of("bert") is None
    placement.put("r", "bert", 1)
    placement.remove("anna")
    assert placement.workers_of(room) == [1]
    assert placement.people_of(1) == ["bert"]
    assert [placement.count(0), placement.count(1)] == [0, 1]
    placement.forget_room("r")
    assert placement.workers_of(room) == [0]
    assert placement.worker_of("bert") is None


def test_who_is_awaited_serves_until_it_has_told():
    placement = Placement(Fleet([0.0, 0.0]), 10)
    room = a_room()
    placement.expect("r", [0, 1])
    placement.put("r", "anna", 0)
    assert placement.workers_of(room) == [0, 1]
    assert placement.has_told(0) == ["r"]
    assert placement.workers_of(room) == [0, 1]
    assert placement.has_told(1) == ["r"]
    assert placement.workers_of(room) == [0]
    assert placement.has_told(1) == []


@pytest.mark.parametrize("moves", [1, 2])
def test_who_comes_twice_is_counted_once(moves):
    placement = Placement(Fleet([0.0, 0.0]), 10)
    for worker in range(moves):
        placement.put("r", "anna", worker)
    assert placement.workers_of(a_room()) == [moves - 1]
    assert placement.count(moves - 1) == 1


def test_a_worker_that_records_a_room_serves_it_with_people_and_without():
    placement = Placement(Fleet([0.0, 0.0]), 3)
    begun = Recording("r1", {1000: "a", 1001: "b"}, [(0.0, None)], [], 0.0, home=1001)
    room = replace(a_room(), recording=begun)
    assert placement.workers_of(room) == [1]
    placement.put("r", "anna", 0)
    assert placement.workers_of(room) == [0, 1]
    elsewhere = replace(begun, rings={7: "a"}, home=7)
    assert placement.workers_of(replace(room, recording=elsewhere)) == [0]
    of_an_older_version = replace(begun, home=0)
    assert placement.workers_of(replace(room, recording=of_an_older_version)) == [0]
    stream = Broadcast("b1", {1000: "a", 1001: "b"}, 0.0, 0.0, home=1001)
    assert placement.workers_of(replace(room, recording=None, broadcast=stream)) == [0, 1]
