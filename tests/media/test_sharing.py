"""Rooms between the bus and their mixers."""

import socket
from collections import Counter

import msgspec
import pytest

from mixer.exchange_frames import RosterEntry
from rooms.bus import Arrived
from tests.rooms.bus_contract import a_frame, a_meter_frame
from webrtc.media.fanout import SendTable
from webrtc.media.hall import Hall
from webrtc.media.sharing import Sharing
from webrtc.media.udp import UdpPort


class Bus:
    """Notes what is shared, and hands out what a test puts into it."""

    def __init__(self):
        self.counters = Counter()
        self.shared = {}
        self.published = []
        self.waiting = []

    def share(self, room_id, workers):
        self.shared[room_id] = list(workers)

    def publish(self, frame):
        self.published.append(frame)

    def flush(self):
        self.flushed = len(self.published)

    def take(self):
        taken, self.waiting = self.waiting, []
        return taken

    def on_arrival(self, tell):
        pass

    def close(self):
        pass


class Scene:
    def __init__(self, port):
        self.bus = Bus()
        self.hall = Hall("auto", 5, SendTable(port))
        self.woken = []
        self.followed = []
        self.told = []
        self.sharing = Sharing(
            self.bus, self.hall, 1, self.woken.append, self.followed.append, self.told.append
        )
        self.room = self.hall.put_room("studio", b"")


@pytest.fixture
def scene():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        yield Scene(UdpPort(sock))


def test_a_room_of_its_own_never_touches_the_bus(scene):
    scene.sharing.set_workers(scene.room, [])
    scene.sharing.set_workers(scene.room, [1])
    assert scene.room.mixer.exchange is None
    assert scene.bus.shared == {}
    assert scene.sharing.workers_of(scene.room) == []


def test_a_shared_room_has_neighbours_until_it_has_none(scene):
    scene.sharing.set_workers(scene.room, [0, 1, 2])
    assert scene.bus.shared == {"studio": [0, 2]}
    assert scene.sharing.workers_of(scene.room) == [0, 1, 2]
    scene.sharing.set_workers(scene.room, [])
    assert scene.bus.shared == {"studio": []}
    assert scene.sharing.workers_of(scene.room) == []


def test_what_sounds_elsewhere_wakes_a_room(scene):
    scene.sharing.set_workers(scene.room, [0, 1])
    scene.bus.waiting = [Arrived(a_frame(room_id="gone"), 5.0), Arrived(a_frame(), 5.0)]
    scene.sharing.read()
    assert scene.woken == [scene.room]
    assert set(scene.room.mixer.sources) == {"anna", "bert"}


def test_meters_go_to_whoever_takes_them_and_count_as_no_block(scene):
    taken = []
    scene.sharing.on_meters = lambda *told: taken.append(told)
    scene.sharing.set_workers(scene.room, [0, 1])
    frames = [a_frame(number=8), a_meter_frame(number=0), a_frame(number=9)]
    scene.bus.waiting = [Arrived(frame, 5.0) for frame in frames]
    scene.sharing.read()
    assert taken == [(scene.room, frames[1], 5.0)]
    assert scene.sharing.counters["bus_lost"] == 0


def test_a_room_that_is_dropped_is_shared_no_more(scene):
    scene.sharing.set_workers(scene.room, [0, 1])
    scene.sharing.forget(scene.room)
    assert scene.bus.shared == {"studio": []}


def test_a_defect_in_one_frame_leaves_the_others_alone(scene, caplog):
    scene.sharing.set_workers(scene.room, [0, 1])
    nobody_stands_so = RosterEntry("anna", 1, standing=99)
    broken = msgspec.structs.replace(a_frame(number=1), roster=[nobody_stands_so])
    scene.bus.waiting = [Arrived(broken, 5.0), Arrived(a_frame(number=2), 5.0)]
    scene.sharing.read()
    assert scene.sharing.counters["bus_defects"] == 1
    assert "a frame of another worker" in caplog.text
    assert scene.woken == [scene.room]


def test_frames_that_never_came_are_counted_and_new_beginnings_are_not(scene):
    scene.sharing.set_workers(scene.room, [0, 1, 2])
    numbers = [(0, 7), (0, 8), (2, 1), (0, 11), (2, 2), (0, 1), (0, 2)]
    for worker, number in numbers:
        scene.bus.waiting = [Arrived(a_frame(worker, number=number), 5.0)]
        scene.sharing.read()
    assert scene.sharing.counters["bus_lost"] == 2
    scene.sharing.set_workers(scene.room, [1, 2])
    scene.sharing.set_workers(scene.room, [0, 1, 2])
    scene.bus.waiting = [Arrived(a_frame(0, number=50), 5.0)]
    scene.sharing.read()
    assert scene.sharing.counters["bus_lost"] == 2
