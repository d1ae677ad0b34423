"""When the rooms of a worker run, slot by slot of virtual time."""

import functools
import gc
import logging
import math
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.arena import SAMPLE_RATE_HZ
from mixer.exchange import RoomExchange
from mixer.room import QUIET_PACKETS
from tests.mixer.stage import Voice
from webrtc.control.messages import RecordRoom
from webrtc.media import hall as hall_module
from webrtc.media.hall import Hall
from webrtc.media.recordings import RecordingTaps
from webrtc.media.ticker import SLOT_S, SLOTS_PER_TURN
from webrtc.recording.ring import RingReader


class Sheet:
    """A fan-out table that notes what is sent.

    Attributes:
        sent: (rows, payload, media time, marker, header), in order.
    """

    sends_blocks = False

    def __init__(self):
        self.sent = []

    def send(self, rows, payload, media_time, marker, header):
        self.sent.append((rows.tolist(), payload, media_time, marker, header))
        return len(rows)


class House:
    """A hall on a clock of its own.

    Attributes:
        ran: (slot, room id, media time after it) of each block.
    """

    def __init__(self, ptime="auto"):
        self.sheet = Sheet()
        self.hall = Hall(ptime, 0, self.sheet)
        self.slot = 0
        self.ran = []
        self.voices = {}

    def room(self, name, *, sings=True, listeners=1):
        room = self.hall.put_room(name, b"")
        voice = self.voices[name] = Voice(300.0)
        voice.sings = sings
        room.mixer.add_source("singer", 1, voice)
        for i in range(listeners):
            room.mixer.add_listener(f"ear {i}", 100 * len(self.voices) + i, 0)
        self.hall.wake(room, self.slot + 1)
        return room

    def go(self, slots):
        for _ in range(slots):
            self.slot += 1
            for room in self.hall.run(self.slot, self.slot * SLOT_S):
                self.ran.append((self.slot, room.room_id, room.mixer.block_time))

    def slots_of(self, name):
        return [slot for slot, room, _ in self.ran if room == name]

    def times_of(self, name):
        return [time for _, room, time in self.ran if room == name]


@pytest.mark.parametrize(("ptime", "stride"), [(10, 4), (20, 8)])
def test_a_room_runs_once_per_block_in_its_own_phase(ptime, stride):
    house = House(ptime)
    for i in range(10):
        house.room(f"r{i}")
    house.go(80)
    for i in range(10):
        slots = house.slots_of(f"r{i}")
        assert set(np.diff(slots)) == {stride}
        assert slots[0] % stride == i % stride
        block = house.hall.rooms[f"r{i}"].mixer.block
        assert house.times_of(f"r{i}") == [n * block for n in range(len(slots))]


def test_a_room_follows_its_mixers_blocks_without_missing_a_slot():
    house = House()
    room = house.room("a")
    other = Voice(500.0)
    other.sings = True
    room.mixer.add_source("other", 2, other)
    house.go(30)
    for samples, stride in ((960, 8), (480, 4), (960, 8)):
        house.voices["a"].packet_samples = other.packet_samples = samples
        house.go(1000)
        assert room.stride == stride
        assert set(np.diff(house.slots_of("a")[-20:])) == {stride}
    assert max(np.diff(house.slots_of("a"))) == 8
    sent = [time for _, _, time, _, _ in house.sheet.sent]
    assert set(np.diff(sent)) == {960}


def test_the_next_slot_is_the_next_in_which_somebody_runs():
    house = House(10)
    assert house.hall.next_slot(0) is None
    house.room("a")
    house.room("b")
    due = []
    slot = 0
    while len(due) < 6:
        slot = house.hall.next_slot(slot)
        due.append(slot)
    house.go(due[-1])
    assert [slot for slot, _, _ in house.ran] == due


@given(shifts=st.lists(st.tuples(st.integers(1, 40), st.integers(-7, 7)), max_size=8))
@pytest.mark.parametrize("ptime", [10, 20])
def test_a_shift_moves_one_block_by_so_much_and_keeps_media_time_whole(ptime, shifts):
    house = House(ptime)
    room = house.room("a")
    house.go(20)
    for slots, shift in shifts:
        house.go(slots)
        while not house.ran or house.ran[-1][0] != house.slot:
            house.go(1)
        house.hall.shift(room, int(math.fmod(shift, room.stride)), house.slot)
    house.go(40)
    gaps = np.diff(house.slots_of("a"))
    moved = [int(math.fmod(shift, room.stride)) for _, shift in shifts]
    assert list(gaps[gaps != room.stride] - room.stride) == [slots for slots in moved if slots]
    assert set(np.diff(house.times_of("a"))) == {room.mixer.block}


@given(shifts=st.lists(st.tuples(st.integers(1, 40), st.integers(-7, 7)), max_size=8))
@pytest.mark.parametrize("ptime", [10, 20, "auto"])
def test_other_workers_are_told_by_how_much_a_room_has_moved(ptime, shifts):
    house, told = House(ptime), []
    room = house.room("a")
    exchange = room.mixer.exchange = RoomExchange(room.mixer, "a", 1)
    exchange.set_neighbours([0])
    house.hall.publish = lambda frame: told.append((house.slot, frame))
    for slots, shift in [*shifts, (20, 0)]:
        house.go(slots)
        house.voices["a"].packet_samples = 960 if shift % 2 else 480  # and longer blocks, by auto
        while not told or told[-1][0] != house.slot:
            house.go(1)
        house.hall.shift(room, int(math.fmod(shift, room.stride)), house.slot)
    begins = [
        slot * SLOT_S - frame.media_time / SAMPLE_RATE_HZ - frame.moved_s for slot, frame in told
    ]
    assert begins == pytest.approx([begins[0]] * len(begins), abs=1e-9)


def test_a_silent_room_sleeps_and_wakes_in_time():
    house = House(10)
    room = house.room("a", sings=False)
    other = house.room("b")
    house.go(8 * (QUIET_PACKETS + 10))
    assert (room.awake, other.awake) == (False, True)
    assert house.hall.awake == 1
    ran = len(house.slots_of("a"))
    house.go(1003)
    assert len(house.slots_of("a")) == ran
    house.voices["a"].sings = True
    assert house.hall.wake(room, house.slot + 1)
    assert not house.hall.wake(room, house.slot + 1)
    house.go(40)
    slots, times = house.slots_of("a"), house.times_of("a")
    samples_per_slot = SLOT_S * SAMPLE_RATE_HZ
    assert [t - times[0] for t in times] == [(s - slots[0]) * samples_per_slot for s in slots]


@given(naps=st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_waking_keeps_the_parity_of_20_ms_packets(naps):
    """A packet's two halves are the blocks of one even and the next odd number, for ever."""
    house = House()
    room = house.room("a", sings=False)
    for nap in naps:
        while room.awake:
            house.go(1)
        house.go(nap)
        room.mixer.set_tier("ear 0", 0)
        house.hall.wake(room, house.slot + 1)
        house.go(1)
    times = [time for _, _, time, _, _ in house.sheet.sent]
    assert times
    assert all(time % 960 == 0 for time in times)


def test_a_room_that_is_woken_does_not_run_before_its_time():
    """The worker was late: slots of the past are still to run when a packet wakes a room."""
    house = House()
    house.room("busy")
    room = house.hall.put_room("woken", b"")
    house.slot = 100
    house.hall.wake(room, 111)
    house.go(10)
    assert house.slots_of("woken") == []
    house.go(8)
    assert house.slots_of("woken")[0] >= 111


@pytest.mark.parametrize("ptime", ["auto", 20])
def test_left_out_turns_are_left_out_of_everybodys_media_time(ptime):
    house = House(ptime)
    for i in range(8):
        house.room(f"r{i}")
    house.go(40)
    before = {name: house.times_of(name)[-1] for name in house.hall.rooms}
    house.hall.skip_turns(3)
    house.slot += 3 * SLOTS_PER_TURN
    house.go(SLOTS_PER_TURN)
    for name, room in house.hall.rooms.items():
        first = house.times_of(name)[-SLOTS_PER_TURN // room.stride]
        assert first == before[name] + room.mixer.block + 3 * 960


def test_rooms_that_sleep_keep_their_media_time_over_left_out_turns():
    house = House()
    room = house.room("a", sings=False)
    house.room("b")
    while room.awake:
        house.go(1)
    before = room.mixer.block_time
    house.hall.skip_turns(5)
    assert room.mixer.block_time == before


def test_dropping_a_room_ends_it():
    house = House()
    house.room("a")
    house.room("b")
    house.go(16)
    dropped = house.hall.drop_room("a")
    assert dropped is not None
    assert house.hall.drop_room("a") is None
    ran = len(house.slots_of("a"))
    house.go(16)
    assert len(house.slots_of("a")) == ran
    assert house.hall.awake == 1
    assert list(house.hall.rooms) == ["b"]


def test_putting_a_room_again_keeps_it_and_takes_the_new_state():
    house = House()
    room = house.room("a")
    assert house.hall.put_room("a", b"new") is room
    assert room.state == b"new"


def test_one_encode_serves_all_who_hear_the_same():
    house = House()
    house.room("a", listeners=50)
    house.go(80)
    assert house.hall.encodes == 10
    assert [len(rows) for rows, *_ in house.sheet.sent] == [50] * 10


def test_packets_name_the_source_only_while_it_is_heard():
    house = House()
    house.room("a", listeners=1)
    house.hall.rooms["a"].mixer.add_listener("levels", 7, 5)
    house.go(40)
    headers = {tuple(rows): header for rows, _, _, _, header in house.sheet.sent}
    plain, levels = headers[100,], headers[7,]
    assert plain == (0x81, bytes([0, 0, 0, 1]))
    assert levels[0] == 0x91
    assert levels[1][:4] == bytes([0, 0, 0, 1])
    assert levels[1][8] == 0x50
    assert levels[1][9] == 29  # the voice's amplitude of 0.05 as a sine
    house.voices["a"].sings = False
    house.go(40)
    assert {header for *_, header in house.sheet.sent[-2:]} == {(0x80, b"")}


def test_a_room_that_breaks_does_not_silence_the_others(caplog):
    house = House(10)
    house.room("broken").mixer.advance = lambda now_s, played: 1 / 0
    house.room("fine")
    with caplog.at_level(logging.ERROR, hall_module.__name__):
        house.go(8 * 100)
    assert len(house.slots_of("fine")) == 200
    assert house.hall.defects == 200
    assert 0 < len(caplog.records) < 20


@pytest.mark.parametrize("ptime", ["auto", 20])
@given(naps=st.lists(st.integers(1, 300), min_size=1, max_size=4), shift=st.integers(-3, 3))
def test_media_time_goes_on_with_the_clock_whether_a_room_runs_sleeps_or_moves(ptime, naps, shift):
    house = House(ptime)
    room = house.room("r")
    for nap in naps:
        house.go(21)
        while house.ran[-1][0] != house.slot:
            house.go(1)
        house.hall.shift(room, shift, house.slot)
        house.go(21)
        ran, _, block_time = house.ran[-1]
        assert room.media_time(ran) == block_time
        assert room.media_time(ran + 0.5) == block_time + 60
        house.hall._sleep(room)
        house.slot += nap
        asleep = room.media_time(house.slot)
        assert asleep == block_time + (house.slot - ran) * 120
        house.hall.wake(room, house.slot + 1)


def test_a_room_that_never_ran_is_at_its_beginning():
    house = House()
    assert house.hall.put_room("r", b"").media_time(1234.5) == 0


def test_health_hears_which_engine_runs_the_strips(monkeypatch):
    def missing():
        raise ImportError("no numba")

    assert House().hall.dsp_engine == "numba"
    monkeypatch.setattr("dsp.engine._load_numba", missing)
    assert House().hall.dsp_engine == "numpy"


@given(shifts=st.lists(st.integers(-7, 7), max_size=60))
@pytest.mark.parametrize("ptime", [10, 20])
def test_a_recorded_room_keeps_to_the_clock_however_often_it_is_shifted(ptime, shifts):
    """Its people's clocks may drift for hours, and another worker of the room has other people."""
    house = House(ptime)
    recorded, other = house.room("recorded"), house.room("other")
    with RecordingRoom(recorded):
        begun = recorded.media_time(0), other.media_time(0)
        phase = recorded.phase
        for shift in shifts:
            slots = int(math.fmod(shift, recorded.stride))
            house.hall.shift(recorded, slots, house.slot)
            phase = (phase + slots) % recorded.stride
            assert recorded.phase == phase, "it still runs when it is best"
        position, there = recorded.media_time(house.slot), other.media_time(house.slot)
        apart = (position - begun[0]) - (there - begun[1])
        assert abs(apart) < recorded.mixer.block


@functools.cache
def ring():
    return RingReader("test")


class RecordingRoom:
    """A room that a recording is made of, for a while."""

    def __init__(self, room):
        self.room = room
        self.taps = RecordingTaps(0, lambda room, instant_s: room.media_time(instant_s / SLOT_S))

    def __enter__(self):
        order = RecordRoom("r1", {0: ring().path}, [(0.0, None)], mix_by=0)
        self.taps.put(self.room, order)

    def __exit__(self, *_):
        self.taps.forget(self.room)


def test_a_room_that_is_dropped_is_freed_without_the_garbage_collector():
    """A busy worker seldom has time for old objects, and rooms hold large ones."""
    house = House()
    kept = house.room("kept")
    gone = weakref.ref(house.room("gone").mixer)
    house.go(3 * SLOTS_PER_TURN)
    gone().remove_source("singer")
    house.go(8 * SLOTS_PER_TURN)
    assert not gone().sources
    gc.collect()
    gc.disable()
    try:
        house.hall.drop_room("gone")
        assert gone() is None
    finally:
        gc.enable()
    assert house.hall.rooms == {"kept": kept}
