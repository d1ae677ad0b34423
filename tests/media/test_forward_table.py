"""One publisher's packets to the tracks of many, by the compiled loop and by the plain one."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pylibsrtp import Error as SrtpError

from mixer.forward_stream import OutputStream
from mixer.playout_packet import MediaPacket
from tests.media.fakes import address_of, bound_socket, receive_all
from tests.media.test_fanout import incoming, open_packet, outgoing
from webrtc.media.forward_table import ForwardTable
from webrtc.media.rtp import MAX_PAYLOAD_BYTES
from webrtc.media.udp import UdpPort

CSRC = 0xABCDEF01


class House:
    """A table on a real socket, with listeners on real sockets."""

    def __init__(self, compiled):
        self.sockets = [bound_socket()]
        self.table = ForwardTable(UdpPort(self.sockets[0]), compiled=compiled)

    def listener(self, *ssrcs, via=None):
        """Return the rows of a listener's tracks, which share a session, and its port."""
        sock = bound_socket()
        self.sockets.append(sock)
        session = outgoing()
        rows = [self.table.add(session, ssrc, 111, address_of(sock), via) for ssrc in ssrcs]
        return rows, UdpPort(sock)

    def send(self, rows, sequence=1, timestamp=0, payload=b"opus", arrival_s=1.0, marker=False):
        packet = MediaPacket(sequence, timestamp, payload, arrival_s, marker)
        return self.table.send(np.array(rows, np.int32), packet, 960, CSRC)

    def close(self):
        for sock in self.sockets:
            sock.close()


@pytest.fixture(params=[True, False], ids=["compiled", "plain"])
def house(request):
    made = House(request.param)
    yield made
    made.close()


def test_each_listener_gets_the_payload_under_numbers_of_its_own(house):
    (anna, bert), (one, two) = zip(house.listener(7), house.listener(9), strict=True)
    assert house.send([*anna, *bert], sequence=100, timestamp=5000) == 2
    house.send([*anna, *bert], sequence=101, timestamp=5960)
    for ssrc, port in ((7, one), (9, two)):
        session = incoming()
        first, second = (open_packet(data, session=session) for data in receive_all(port, 2))
        assert first.ssrc == second.ssrc == ssrc
        assert first.payload == b"opus"
        assert first.payload_type == 111
        assert first.csrc == [CSRC]
        assert (first.marker, second.marker) == (1, 0)
        assert second.sequence_number == first.sequence_number + 1 & 0xFFFF
        assert second.timestamp == first.timestamp + 960 & 0xFFFFFFFF


def test_two_tracks_of_a_listener_share_the_key_and_nothing_else(house):
    rows, port = house.listener(7, 8)
    house.send(rows)
    session = incoming()
    packets = [open_packet(data, session=session) for data in receive_all(port, 2)]
    assert [packet.ssrc for packet in packets] == [7, 8]


def test_what_comes_out_of_order_leaves_under_its_own_number_and_nothing_leaves_twice(house):
    rows, port = house.listener(7)
    for sequence in (10, 12, 11):
        assert house.send(rows, sequence, sequence * 960) == 1
    session = incoming()
    numbers = [open_packet(data, session=session).sequence_number for data in receive_all(port, 3)]
    assert [number - numbers[0] & 0xFFFF for number in numbers] == [0, 2, 1]


def test_another_source_goes_on_where_the_last_one_stopped(house):
    rows, port = house.listener(7)
    house.send(rows, 10, 960, arrival_s=1.0)
    house.table.break_off(np.array(rows, np.int32))
    house.send(rows, 5000, 10**9, arrival_s=1.005)
    session = incoming()
    first, second = (open_packet(data, session=session) for data in receive_all(port, 2))
    assert second.sequence_number == first.sequence_number + 1 & 0xFFFF
    assert second.timestamp == first.timestamp + 960 & 0xFFFFFFFF
    assert second.marker == 1


@pytest.mark.slow
def test_sixty_five_thousand_packets_later_the_key_still_fits(house):
    rows, port = house.listener(7)
    session = incoming()
    for i in range(65_536 + 3000):
        house.send(rows, i & 0xFFFF, i * 960 & 0xFFFFFFFF, arrival_s=i * 0.02)
        for data in receive_all(port, 1):
            assert open_packet(data, session=session).payload == b"opus"


def test_reports_tell_what_was_sent_and_what_time_it_is_on_the_track(house):
    rows, port = house.listener(7)
    house.send(rows, 10, 960, payload=b"12345", arrival_s=1.0)
    [packet] = [open_packet(data) for data in receive_all(port, 1)]
    packets, octets, timestamp = house.table.report(rows[0], 1.5)
    assert (packets, octets) == (1, 5)
    assert timestamp == packet.timestamp + 24_000 & 0xFFFFFFFF


def test_what_fits_no_path_is_dropped_and_counted(house):
    rows, port = house.listener(7)
    assert house.send(rows, payload=bytes(MAX_PAYLOAD_BYTES + 1)) == 0
    assert house.table.dropped == 1
    assert house.send(rows, 2, 960, payload=bytes(MAX_PAYLOAD_BYTES)) == 1
    assert len(receive_all(port, 1)) == 1


def test_a_listener_who_roams_is_found_and_one_who_left_is_not(house):
    rows, before = house.listener(7)
    _, after = house.listener(8)
    house.table.move(rows[0], address_of(after.sock))
    assert house.send(rows) == 1
    assert receive_all(before, 1) == []
    assert len(receive_all(after, 1)) == 1
    house.table.remove(rows[0])
    assert house.send(rows) == 0


def test_a_detour_gets_what_it_asked_for(house):
    taken = []
    rows, _ = house.listener(7, via=taken.append)
    others, port = house.listener(8)
    assert house.send([*rows, *others]) == 2
    assert len(taken) == len(receive_all(port, 1)) == 1
    assert open_packet(taken[0]).ssrc == 7


def test_the_table_grows(house):
    rows = [row for i in range(100) for row in house.listener(i + 1)[0]]
    assert len(set(rows)) == 100
    assert house.send(rows) == 100


steps = st.one_of(
    st.just(None),
    st.tuples(st.integers(-70, 200), st.integers(-2000, 120_000), st.floats(0, 0.5), st.booleans()),
    st.just((1, 960, 0.02, False)),
)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
    st.lists(steps, max_size=40),
)
def test_the_compiled_loop_obeys_the_same_rules(sequence, timestamp, script):
    house = House(True)
    try:
        rows, port = house.listener(7)
        session = incoming()
        stream = None
        base = 0, 0
        arrival_s = 1.0
        for step in [(0, 0, 0.0, False), *script]:
            if step is None:
                house.table.break_off(np.array(rows, np.int32))
                if stream is not None:
                    stream.break_off()
                continue
            ahead, later, elapsed_s, marker = step
            sequence = sequence + ahead & 0xFFFF
            timestamp = timestamp + later & 0xFFFFFFFF
            arrival_s += elapsed_s
            house.send(rows, sequence, timestamp, arrival_s=arrival_s, marker=marker)
            packets = []
            for data in receive_all(port, 1):
                with contextlib.suppress(SrtpError):  # a number that left already is refused
                    packets.append(open_packet(data, session=session))
            if stream is None:
                [first] = packets
                base = first.sequence_number, first.timestamp
                stream = OutputStream(*base)
            out = stream.rewrite(sequence, timestamp, 960, marker, arrival_s)
            if out is None:
                assert packets == []
            elif packets:
                assert [(p.sequence_number, p.timestamp, bool(p.marker)) for p in packets] == [out]
            row = house.table._rows[rows[0]]
            assert (row["sequence"], row["timestamp"]) == (stream.sequence, stream.timestamp)
    finally:
        house.close()
