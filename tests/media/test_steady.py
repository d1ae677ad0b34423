"""A room's blocks in one compiled call: the same packets as by the long way, whatever happens."""

import itertools
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from mixer.listener import PersonalGain
from mixer.room import QUIET_PACKETS
from tests.media.fakes import address_of, bound_socket
from tests.mixer.stage import Voice
from webrtc.media import fanout
from webrtc.media.fanout import SendTable
from webrtc.media.hall import Hall
from webrtc.media.opus_library import OpusError
from webrtc.media.ticker import SLOT_S
from webrtc.media.udp import UdpPort

PEOPLE = ("anna", "bert", "cleo", "dora")
STRIDE = 4


class LongWay(SendTable):
    """A table that wants every payload by itself."""

    sends_blocks = False


class House:
    """One room on a real socket; everybody listens on one other."""

    def __init__(self, table_class, monkeypatch, ptime="auto", complexity=5):
        numbers = itertools.count(1)
        monkeypatch.setattr(fanout.secrets, "randbits", lambda bits: next(numbers) * 977 % 2**bits)
        self.sockets = ours, theirs = bound_socket(), bound_socket()
        theirs.setblocking(False)
        self.theirs = theirs
        self.table = table_class(UdpPort(ours))
        self.hall = Hall(ptime, complexity, self.table)
        self.room = self.hall.put_room("r", b"")
        self.mixer = self.room.mixer
        self.voices = {}
        self.rows = {}
        self.packets = []
        self.steady_blocks = 0
        self.block = 0
        self.hall.wake(self.room, 1)

    def close(self):
        for sock in self.sockets:
            sock.close()

    def come(self, name):
        number = PEOPLE.index(name)
        voice = self.voices[name] = Voice(200.0 * (number + 2), 0.05 / (number + 1))
        voice.sings = True
        self.mixer.add_source(name, 1000 + number, voice)
        session = Session(Policy(key=bytes(30), ssrc_type=Policy.SSRC_ANY_OUTBOUND))
        self.rows[name] = self.table.add(session, number, 111, address_of(self.theirs))
        self.mixer.add_listener(name, self.rows[name], 5 * (number % 2))

    def leave(self, name):
        self.mixer.remove_source(name)
        self.mixer.remove_listener(name)
        self.table.remove(self.rows.pop(name))
        del self.voices[name]

    def go(self, blocks):
        for _ in range(blocks):
            self.hall.wake(self.room, self.block * STRIDE)
            for slot in range(self.block * STRIDE, self.block * STRIDE + STRIDE):
                before = self.room.steady
                for room in self.hall.run(slot, slot * SLOT_S):
                    self.steady_blocks += before is not None and before is room.steady
                self.read()
            self.block += 1
        assert self.hall.defects == 0

    def read(self):
        while True:
            try:
                self.packets.append(self.theirs.recv(2048))
            except BlockingIOError:
                return

    def by_stream(self):
        """Return each stream's packets: who is sent to first within a block is free."""
        streams = defaultdict(list)
        for packet in self.packets:
            streams[packet[8:12]].append(packet)
        return dict(streams)


def act(house, step):
    kind, name, other, value = step
    here = name in house.voices
    if kind == "come and go":
        house.leave(name) if here else house.come(name)
    elif not here:
        return
    elif kind == "sing":
        house.voices[name].sings = not house.voices[name].sings
    elif kind == "mute":
        house.mixer.mute_source(name, value > 0.5)
    elif kind == "gain":
        house.mixer.set_gains(name, {other: PersonalGain(-12.0 * value, value)})
    elif kind == "deafen":
        house.mixer.set_deafened(name, value > 0.5)
    elif kind == "tier":
        house.mixer.set_tier(name, int(value * 2.99))


STEPS = st.lists(
    st.tuples(
        st.integers(1, 60),
        st.tuples(
            st.sampled_from(["come and go", "sing", "mute", "gain", "deafen", "tier"]),
            st.sampled_from(PEOPLE),
            st.sampled_from(PEOPLE),
            st.floats(0, 1),
        ),
    ),
    max_size=6,
)


@pytest.mark.slow
@pytest.mark.parametrize("ptime", ["auto", 10, 20])
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS, speakers=st.sampled_from([1, 2, 6]))
def test_both_ways_send_the_same_bytes(ptime, steps, speakers, monkeypatch):
    sent = []
    for table_class in (SendTable, LongWay):
        house = House(table_class, monkeypatch, ptime)
        try:
            house.mixer.max_speakers = speakers
            for name in PEOPLE[:3]:
                house.come(name)
            house.go(30)
            for blocks, step in steps:
                act(house, step)
                house.go(blocks)
            house.go(30)
            assert (house.steady_blocks > 0) == (table_class is SendTable)
            sent.append((house.by_stream(), house.hall.encodes, house.table.sent))
        finally:
            house.close()
    assert sent[0] == sent[1]


@pytest.fixture
def house(monkeypatch):
    made = House(SendTable, monkeypatch)
    for name in PEOPLE[:3]:
        made.come(name)
    made.go(10)
    yield made
    made.close()


def test_nearly_all_blocks_of_a_room_that_talks_take_the_short_way(house):
    house.steady_blocks = 0
    house.go(100)
    assert house.steady_blocks == 100


def test_who_comes_is_heard_and_hears_in_a_room_that_was_steady(house):
    house.come("dora")
    house.go(10)
    contributors = {packet[0] & 15 for packet in house.by_stream()[bytes([0, 0, 0, 3])][-3:]}
    assert contributors == {3}
    assert house.room.steady is not None


def test_a_silent_mix_beside_a_sounding_one_does_not_stop_the_short_way(house):
    for name in ("bert", "cleo"):
        house.voices[name].sings = False
    house.go(6 * QUIET_PACKETS)  # the mix of the only one who sings has nothing more to say
    house.steady_blocks = 0
    before = len(house.by_stream()[bytes([0, 0, 0, 0])])
    house.go(100)
    assert house.steady_blocks == 50  # of 20 ms: who sings alone has nobody to hear soon
    assert len(house.by_stream()[bytes([0, 0, 0, 0])]) == before


def test_a_refused_encode_is_a_defect_of_that_block_and_not_of_the_next(house, monkeypatch):
    steady = house.room.steady
    row = int(steady._odd.jobs["count"][0])
    steady._odd.jobs["count"] = steady._even.jobs["count"] = 7  # no frame size of Opus
    house.mixer.advance(1.0)
    with pytest.raises(OpusError):
        steady.send()
    steady._odd.jobs["count"] = steady._even.jobs["count"] = row
    house.go(10)
