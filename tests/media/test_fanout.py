"""One payload to many subscribers, by the compiled loop and by the plain one."""

import logging
import sys

import numpy as np
import pytest
from aiortc import rtp as oracle
from aiortc.rtcdtlstransport import SRTP_PROFILES
from pylibsrtp import Policy, Session

from tests.media.fakes import address_of, bound_socket, receive_all
from webrtc.media import fanout, rtp
from webrtc.media.fanout import SendTable
from webrtc.media.rtp import MAX_PAYLOAD_BYTES
from webrtc.media.udp import UdpPort, pack_address

HEADER = rtp.csrc_header([7, 8], [20, 30], 5)
PLAIN_HEADER = (0x80, b"")
PROFILES = pytest.mark.parametrize(
    "profile", SRTP_PROFILES, ids=lambda p: p.openssl_profile.decode()
)


def policy(profile, kind, seed=1):
    key = bytes((seed + i) & 255 for i in range(profile.key_length + profile.salt_length))
    made = Policy(key=key, ssrc_type=kind, srtp_profile=profile.libsrtp_profile)
    made.allow_repeat_tx = True
    made.window_size = 1024
    return made


def outgoing(profile=SRTP_PROFILES[-1], seed=1):
    return Session(policy(profile, Policy.SSRC_ANY_OUTBOUND, seed))


def incoming(profile=SRTP_PROFILES[-1], seed=1):
    return Session(policy(profile, Policy.SSRC_ANY_INBOUND, seed))


class House:
    """A table on a real socket, with subscribers on real sockets."""

    def __init__(self, compiled):
        self.sockets = [bound_socket()]
        self.table = SendTable(UdpPort(self.sockets[0]), compiled=compiled)
        assert self.table.engine == ("compiled" if compiled else "plain")

    def subscriber(self, ssrc, profile=SRTP_PROFILES[-1], seed=1):
        sock = bound_socket()
        self.sockets.append(sock)
        row = self.table.add(outgoing(profile, seed), ssrc, 111, address_of(sock))
        return row, UdpPort(sock)

    def send(self, rows, payload=b"opus", time=0, marker=False, header=HEADER):
        return self.table.send(np.array(rows, np.int32), payload, time, marker, header)

    def close(self):
        for sock in self.sockets:
            sock.close()


@pytest.fixture
def house(request):
    made = House(getattr(request, "param", True))
    yield made
    made.close()


both = pytest.mark.parametrize("house", [True, False], ids=["compiled", "plain"], indirect=True)


def open_packet(data, profile=SRTP_PROFILES[-1], seed=1, session=None):
    clear = (session or incoming(profile, seed)).unprotect(data)
    return oracle.RtpPacket.parse(clear, oracle.HeaderExtensionsMap())


@PROFILES
def test_both_loops_send_the_same_bytes(profile):
    sent = []
    for compiled in (True, False):
        house = House(compiled)
        rows, ports = [], []
        for i in range(3):
            row, port = house.subscriber(1000 + i, profile, seed=i)
            house.table._rows[row]["sequence"] = 65_530 + i
            house.table._rows[row]["timestamp_offset"] = 2**32 - 2000
            rows.append(row)
            ports.append(port)
        for n in range(12):
            header = HEADER if n % 2 else PLAIN_HEADER
            house.send(rows[: 1 + n % 3], bytes([n]) * (1 + 100 * n), 960 * n, n == 3, header)
        sent.append([receive_all(port, 12) for port in ports])
        house.close()
    assert sent[0] == sent[1]
    assert [len(packets) for packets in sent[0]] == [12, 8, 4]


@both
@PROFILES
def test_a_subscriber_can_read_what_it_is_sent(house, profile):
    row, port = house.subscriber(4711, profile, seed=9)
    house.table._rows[row]["timestamp_offset"] = 100
    house.send([row], b"first", 960, True)
    house.send([row], b"second", 1920)
    session = incoming(profile, 9)
    first, second = (open_packet(d, session=session) for d in receive_all(port, 2))
    assert (first.payload, first.marker, first.timestamp) == (b"first", 1, 1060)
    assert (second.payload, second.marker, second.timestamp) == (b"second", 0, 2020)
    assert second.sequence_number == (first.sequence_number + 1) & 0xFFFF
    assert {first.ssrc, second.ssrc} == {4711}
    assert {first.payload_type, second.payload_type} == {111}
    assert first.csrc == [7, 8]


@both
@pytest.mark.parametrize("start", [0, 1, 32767, 65534, 65535])
def test_sequence_and_timestamp_wrap(house, start):
    row, port = house.subscriber(1)
    house.table._rows[row]["sequence"] = (start - 1) & 0xFFFF
    house.table._rows[row]["timestamp_offset"] = 2**32 - 960
    for n in range(3):
        house.send([row], time=960 * n)
    session = incoming()
    packets = [open_packet(data, session=session) for data in receive_all(port, 3)]
    assert [p.sequence_number for p in packets] == [(start + n) & 0xFFFF for n in range(3)]
    assert [p.timestamp for p in packets] == [2**32 - 960, 0, 960]
    assert house.table.counters(row) == (3, 12, 960)
    assert house.table.timestamp(row, 2880) == 1920


@both
def test_a_shift_moves_the_timestamps_of_one_row(house):
    row, port = house.subscriber(1)
    other, other_port = house.subscriber(2)
    before = house.table.timestamp(row, 0), house.table.timestamp(other, 0)
    house.table.shift(row, -960)
    house.send([row, other], time=960)
    [one], [two] = receive_all(port, 1), receive_all(other_port, 1)
    assert open_packet(one).timestamp == before[0]
    assert open_packet(two).timestamp == (before[1] + 960) & 0xFFFFFFFF


@both
def test_many_subscribers_in_several_batches_each_get_their_own(house):
    rows, ports = zip(*(house.subscriber(i, seed=i) for i in range(150)), strict=True)
    assert house.send(rows) == 150
    for i, port in enumerate(ports):
        [data] = receive_all(port, 1)
        assert open_packet(data, seed=i).ssrc == i
    assert (house.table.sent, house.table.dropped) == (150, 0)


@both
def test_removed_rows_are_silent_and_used_again(house):
    row, port = house.subscriber(1)
    kept, kept_port = house.subscriber(2)
    house.send([row, kept])
    house.table.remove(row)
    assert house.send([row, kept]) == 1
    assert (house.table.sent, house.table.dropped) == (3, 1)
    assert len(receive_all(kept_port, 2)) == 2
    again, again_port = house.subscriber(3, seed=5)
    assert again == row
    assert house.table.counters(again) == (0, 0, 0)
    house.send([again])
    assert open_packet(receive_all(again_port, 1)[0], seed=5).ssrc == 3
    assert len(receive_all(port, 2)) == 1


@both
def test_a_subscriber_who_roams_is_followed(house):
    row, port = house.subscriber(1)
    elsewhere = bound_socket()
    house.sockets.append(elsewhere)
    house.table.move(row, address_of(elsewhere))
    house.send([row])
    assert len(receive_all(UdpPort(elsewhere), 1)) == 1
    assert port.receive() == []


@both
def test_one_address_without_a_way_costs_only_its_own_packets(house):
    rows, ports = zip(*(house.subscriber(i) for i in range(10)), strict=True)
    for lost in (0, 4, 9):
        house.table.move(rows[lost], pack_address("255.255.255.255", 9))  # needs SO_BROADCAST
    assert house.send(rows) == 7
    assert house.table.dropped == 3
    arrived = [len(port.receive()) for port in ports]
    assert arrived == [0, 1, 1, 1, 0, 1, 1, 1, 1, 0]


@both
def test_a_detour_carries_the_packets_of_its_row(house):
    taken = []
    row, port = house.subscriber(1)
    by_detour = house.table.add(outgoing(seed=3), 2, 96, 0, taken.append)
    assert house.send([row, by_detour], b"both") == 2
    assert open_packet(receive_all(port, 1)[0]).payload == b"both"
    packet = open_packet(taken[0], seed=3)
    assert (packet.payload, packet.payload_type, packet.ssrc) == (b"both", 96, 2)
    house.table.remove(by_detour)
    assert house.send([by_detour]) == 0
    assert len(taken) == 1


@both
def test_the_longest_payload_with_the_longest_header_fits_and_a_longer_one_is_refused(house):
    row, port = house.subscriber(1)
    header = rtp.csrc_header(list(range(15)), [0] * 15, 14)
    assert house.send([row], bytes(MAX_PAYLOAD_BYTES), header=header) == 1
    assert len(open_packet(receive_all(port, 1)[0]).payload) == MAX_PAYLOAD_BYTES
    with pytest.raises(ValueError, match="1201"):
        house.send([row], bytes(MAX_PAYLOAD_BYTES + 1))


@both
def test_nobody_to_send_to_is_fine(house):
    assert house.send([]) == 0


def test_growing_keeps_every_row(house):
    rows, ports = zip(*(house.subscriber(i) for i in range(64)), strict=True)
    house.send(rows)
    before = [house.table.counters(row) for row in rows]
    more = [house.subscriber(i)[0] for i in range(64, 140)]
    assert len({*rows, *more}) == 140
    assert [house.table.counters(row) for row in rows] == before
    house.send(rows)
    for i, port in enumerate(ports):
        session = incoming()
        first, second = (open_packet(data, session=session) for data in receive_all(port, 2))
        assert second.sequence_number == (first.sequence_number + 1) & 0xFFFF
        assert second.ssrc == i


def test_sequence_numbers_begin_where_srtp_cannot_lose_the_first_rollover(house):
    """RFC 3711 section 3.3.1: a receiver that misses packets around a wrap guesses wrong."""
    for i in range(100):
        row, _ = house.subscriber(i)
        assert house.table._rows[row]["sequence"] < 2**15
        house.table.remove(row)


def test_without_numba_the_plain_loop_takes_over_and_says_so(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "webrtc.media.fanout_kernel", None)
    with caplog.at_level(logging.WARNING, fanout.logger.name), bound_socket() as sock:
        table = SendTable(UdpPort(sock))
        assert table.engine == "plain"
        row = table.add(outgoing(), 1, 111, address_of(sock))
        assert table.send(np.array([row], np.int32), b"x", 0, False, PLAIN_HEADER) == 1
    assert "not available" in caplog.text
