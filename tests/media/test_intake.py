"""Media from the socket to whoever plays it, by the compiled loop and by the plain way."""

import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from mixer.playout_packet import MediaPacket
from tests.media.fakes import address_of, bound_socket
from webrtc.media import intake as intake_module
from webrtc.media import rtp
from webrtc.media.intake import MAX_ROUTES, Intake
from webrtc.media.udp import BATCH, UdpPort, pack_address

LEVEL_ID = 10
KEY = bytes(range(30))


def session(kind):
    policy = Policy(key=KEY, ssrc_type=kind)
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return Session(policy)


class House:
    """An intake on a real socket and one sender on another."""

    def __init__(self):
        self.sockets = [bound_socket(), bound_socket()]
        self.server, self.client = self.sockets
        self.counters = Counter()
        self.intake = Intake(UdpPort(self.server), self.counters)
        assert self.intake.is_compiled
        self.heard = []
        self.outgoing = session(Policy.SSRC_ANY_OUTBOUND)
        self.row = self.add()
        self.intake.route(address_of(self.client), self.row)

    def add(self):
        incoming = session(Policy.SSRC_ANY_INBOUND)
        return self.intake.add(incoming, LEVEL_ID, lambda *heard: self.heard.append(heard))

    def send(self, data, client=None):
        (client or self.client).sendto(data, self.server.getsockname())

    def read(self):
        rest = self.intake.read()
        while self.intake.was_full:
            rest += self.intake.read()
        return [datagram.data for datagram in rest]

    def close(self):
        for sock in self.sockets:
            sock.close()


@pytest.fixture
def house():
    made = House()
    yield made
    made.close()


def packet(sequence=1, payload=b"sound", first=0x80, tail=b""):
    return rtp.pack_fixed(first, 0x80 | 111, sequence, 960, 7) + tail + payload


def test_media_of_a_known_sender_reaches_its_sink_decrypted(house):
    tail = b"\xbe\xde\0\1\xa0\x9e\0\0"
    house.send(house.outgoing.protect(packet(first=0x90, tail=tail)))
    assert house.read() == []
    [(media, payload_type, ssrc)] = house.heard
    assert (payload_type, ssrc) == (111, 7)
    assert media == MediaPacket(1, 960, b"sound", media.arrival_s, True, 30, True)
    assert 0 <= time.monotonic() - media.arrival_s < 5


def test_everything_else_is_handed_on_as_it_came(house):
    others = [b"\0\1 stun", b"\x16 dtls", b"\x80\xc8" + bytes(30), b"", b"\x80\x6f short"]
    for data in others:
        house.send(data)
    stranger = bound_socket()
    house.sockets.append(stranger)
    protected = house.outgoing.protect(packet())
    house.send(protected, stranger)
    assert house.read() == [*others, protected]
    assert house.heard == []


def test_forged_and_repeated_packets_are_counted(house):
    protected = house.outgoing.protect(packet())
    house.send(protected)
    house.send(protected)
    house.send(protected[:-1] + bytes([protected[-1] ^ 1]))
    house.send(b"\x80\x6f" + bytes(1990))
    assert house.read() == []
    assert len(house.heard) == 1
    assert house.counters == {"srtp_rejected": 3}


def test_more_than_a_batch_comes_complete_and_in_order(house):
    for i in range(2 * BATCH + 3):
        house.send(house.outgoing.protect(packet(i)))
    assert house.read() == []
    assert [media.sequence for media, *_ in house.heard] == list(range(2 * BATCH + 3))


elements = st.builds(
    lambda number, value: bytes([number << 4 | len(value) - 1]) + value,
    st.sampled_from([1, 3, LEVEL_ID, 15]),
    st.binary(min_size=1, max_size=4),
)
extensions = st.lists(elements | st.just(b"\0"), max_size=4).map(b"".join)


def with_extension(body, off, sound):
    """Return what follows the fixed header; `off` words too many are announced."""
    body += bytes(-len(body) % 4)
    return b"\xbe\xde\0" + bytes([max(0, len(body) // 4 + off)]) + body + sound


tails = st.builds(with_extension, extensions, st.sampled_from([0, 0, 0, -1, 1]), st.binary())


@settings(max_examples=300, deadline=None)
@given(first=st.sampled_from([0x80, 0x90, 0x90, 0x90, 0x91, 0xB0]), tail=tails)
def test_the_compiled_parser_reads_what_the_plain_one_reads(first, tail):
    clear = bytes([first, 111, 0, 5]) + bytes(8) + tail
    try:
        protected = session(Policy.SSRC_ANY_OUTBOUND).protect(clear)
    except SrtpError:
        return  # libsrtp itself refuses headers that are longer than the packet
    house = House()
    try:
        house.send(protected)
        assert house.read() == []
        expected = rtp.parse_rtp(clear, LEVEL_ID)
        if house.counters["srtp_rejected"]:
            return
        assert house.counters["rtp_malformed"] == (expected is None)
        assert len(house.heard) == (expected is not None)
        for media, payload_type, ssrc in house.heard:
            assert expected == rtp.RtpPacket(
                payload_type,
                media.marker,
                media.sequence,
                media.timestamp,
                ssrc,
                media.level_dbov,
                media.voice,
                media.payload,
            )
    finally:
        house.close()


def test_a_removed_sender_is_a_stranger_again_and_its_row_is_used_anew(house):
    house.intake.remove(house.row)
    protected = house.outgoing.protect(packet())
    house.send(protected)
    assert house.read() == [protected]
    assert house.add() == house.row
    house.send(protected)
    assert house.read() == [protected]  # nobody said yet that this address is its


def test_many_senders_come_and_go_and_each_address_leads_to_its_own():
    house = House()
    sinks = {}
    try:
        sockets = [bound_socket() for _ in range(200)]
        house.sockets += sockets
        for i, sock in enumerate(sockets):
            heard = []
            incoming = session(Policy.SSRC_ANY_INBOUND)
            row = house.intake.add(incoming, 0, lambda *said, heard=heard: heard.append(said[2]))
            sinks[i] = (row, heard)
            house.intake.route(address_of(sock), row)
        for i in range(0, 200, 3):
            house.intake.remove(sinks.pop(i)[0])
        for i, sock in enumerate(sockets):
            head = rtp.pack_fixed(0x80, 111, 1, 0, i)
            house.send(session(Policy.SSRC_ANY_OUTBOUND).protect(head + b"x"), sock)
        assert len(house.read()) == 67
        assert all(heard == [i] for i, (_, heard) in sinks.items())
    finally:
        house.close()


def test_a_sender_that_roams_without_end_holds_a_bounded_number_of_addresses(house):
    for i in range(1000):
        house.intake.route(pack_address("192.0.2.1", 1024 + i), house.row)
    assert len(house.intake._rows) == MAX_ROUTES
    assert len(house.intake._keys) == 256
    house.intake.route(address_of(house.client), house.row)
    house.send(house.outgoing.protect(packet()))
    house.read()
    assert len(house.heard) == 1


def test_an_address_that_a_nat_gives_to_somebody_else_stays_theirs(house):
    other = []
    row = house.intake.add(session(Policy.SSRC_ANY_INBOUND), 0, lambda *said: other.append(said))
    house.intake.route(address_of(house.client), row)
    house.intake.remove(house.row)
    house.send(house.outgoing.protect(packet()))
    house.read()
    assert len(other) == 1


def test_without_numba_media_is_handed_on_like_everything_else(monkeypatch):
    monkeypatch.setattr(intake_module, "_load_kernel", lambda: None)
    with bound_socket() as server, bound_socket() as client:
        plain = Intake(UdpPort(server), Counter())
        assert not plain.is_compiled
        assert plain.add(session(Policy.SSRC_ANY_INBOUND), 0, print) is None
        client.sendto(b"\x80\x6f" + bytes(30), server.getsockname())
        assert [datagram.data for datagram in plain.read()] == [b"\x80\x6f" + bytes(30)]
        assert not plain.was_full
