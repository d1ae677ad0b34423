"""Media from the socket to whoever plays it, by the compiled loop and by the plain way."""

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from mixer.playout import Playout
from mixer.playout_packet import MediaPacket
from tests.media.fakes import address_of, bound_socket
from webrtc.media import intake as intake_module
from webrtc.media import intake_kernel as kernel
from webrtc.media import rtp, udp
from webrtc.media.intake import MAX_ROUTES, Intake
from webrtc.media.opus import Application, Decoder, Encoder, EncoderSettings
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


class Jumped:
    """The module `time` once the wall clock has been set anew; the kernel stamps by the old one."""

    def __init__(self, seconds):
        self._seconds = seconds

    def time(self):
        return time.time() + self._seconds

    @staticmethod
    def monotonic():
        return time.monotonic()


@pytest.mark.parametrize("seconds", [-3600, 3600])
@pytest.mark.parametrize("compiled", [True, False])
def test_a_wall_clock_that_jumps_by_an_hour_is_not_heard(house, monkeypatch, seconds, compiled):
    """Between a packet's stamp and its reading: it counts as arrived when it was read."""
    before_s = time.monotonic()
    if compiled:
        monkeypatch.setattr(intake_module, "time", Jumped(seconds))
        house.send(house.outgoing.protect(packet()))
        house.read()
        [(heard, _, _)] = house.heard
        arrival_s = heard.arrival_s
    else:
        monkeypatch.setattr(udp, "time", Jumped(seconds))
        house.send(b"anything")
        [datagram] = UdpPort(house.server).receive()
        arrival_s = datagram.arrival_s
    assert before_s <= arrival_s <= time.monotonic()


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


@pytest.mark.slow
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


# ---- what goes by a lane -------------------------------------------------------------------

RATE_HZ, SAMPLES, SSRC, TYPE = 48_000, 480, 7, 111
GUARD = np.float32(-7.0)


class Owner:
    """Counts what came along a lane."""

    def __init__(self):
        self.packets = self.octets = 0

    def on_lane(self, packets, octets, jitter, arrival_s):
        self.packets += packets
        self.octets += octets


class LentHouse(House):
    """The sender's stream goes by a lane; what does not reaches its playout, as in a worker."""

    def __init__(self):
        super().__init__()
        self.owner = Owner()
        self.arena = np.full((3, 960, 2), GUARD, np.float32)
        self.lanes = self.intake.lanes
        self.playout, newest = calm_playout()
        self.sequence, self.timestamp = newest.sequence, newest.timestamp
        self.lane = self.lanes.lend(
            self.row,
            self.playout,
            self.owner,
            source=1,
            ssrc=SSRC,
            payload_type=TYPE,
            sequence=newest.sequence,
            timestamp=newest.timestamp,
            jitter=0.0,
        )
        assert self.lane is not None

    @property
    def record(self):
        return self.lanes.records[self.row]

    @property
    def waiting(self):
        return [payload for payload, _ in self.lanes.packets(self.record)]

    @property
    def due_s(self):
        """When the next block is to be played."""
        record = self.record
        return float(record["next"] / RATE_HZ + record["deadline_s"] + record["spare_s"]) + 1e-4

    def deliver(self, clear):
        """Send a packet that is on time; return whether libsrtp let it through."""
        position = int(self.record["position"] + self.record["samples"])
        self.record["last_transit_s"] = time.monotonic() - position / RATE_HZ
        try:
            self.send(self.outgoing.protect(clear))
        except SrtpError:
            return False
        self.read()
        return not self.counters["srtp_rejected"]


def calm_playout():
    """Return a playout that can be lent, as of now, and the packet that waits in it."""
    playout, out = Playout(Decoder()), np.zeros((SAMPLES, 2), np.float32)
    encoder = Encoder(EncoderSettings(application=Application.RESTRICTED_LOWDELAY))
    noise = np.random.default_rng(1).standard_normal((SAMPLES, 2)).astype(np.float32)
    payload = encoder.encode(0.1 * noise)
    begin_s = time.monotonic() - 4.0
    for index in range(400):
        arrival_s = begin_s + index * SAMPLES / RATE_HZ
        newest = MediaPacket(index, index * SAMPLES, payload, arrival_s)
        playout.push(newest)
        if index < 399:
            playout.pull(out, arrival_s + 0.002)
    return playout, newest


def likely(value, *others):
    """Return a strategy that mostly gives `value`."""
    return st.sampled_from([value] * (8 * len(others)) + list(others))


@st.composite
def hostile(draw):
    """Return what differs from the packet that a lane waits for."""
    toc = draw(likely(0xFC - 8, 0xFC, 0xFF, 0x00))
    sound = draw(
        st.sampled_from([0, 1, 2, 3, 80, 511, 512, 513, 1300]).flatmap(
            lambda size: st.binary(min_size=size, max_size=size) | st.just(bytes(size))
        )
    )
    return (
        draw(likely(0x80, 0x90, 0xA0, 0xB0, 0x81, 0x9F, 0x8F)),
        draw(likely(TYPE, TYPE | 0x80, TYPE + 1)),
        draw(likely(0, 1, -1, 32_768)),
        draw(likely(0, SAMPLES, -SAMPLES, 2**31)),
        draw(likely(SSRC, SSRC + 1)),
        draw(likely(b"", b"\xbe\xde\0\1\xa0\x9e\0\0", b"\xbe\xde\xff\xff", b"\xbe\xde\0\1\xaf")),
        bytes([toc])[: len(sound)] + sound[1:],
    )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(hostile(), min_size=1, max_size=7))
def test_a_lane_takes_what_it_waits_for_as_the_plain_parser_reads_it_and_nothing_else(packets):
    house = LentHouse()
    try:
        record, toc = house.record, house.waiting[0][0]
        for first, second, ahead, later, ssrc, tail, sound in packets:
            waiting = house.waiting
            sequence = house.sequence + 1 + ahead & 0xFFFF
            timestamp = house.timestamp + SAMPLES + later & 0xFFFFFFFF
            clear = rtp.pack_fixed(first, second, sequence, timestamp, ssrc) + tail + sound
            sent_s = time.monotonic()
            if not house.deliver(clear):
                return
            if time.monotonic() - sent_s > kernel.MAX_TRANSIT_STEP_S / 2:
                return  # this machine stalled: it came late
            found = rtp.parse_rtp(clear, LEVEL_ID)
            fits = (
                found is not None
                and (found.payload_type, found.ssrc) == (TYPE, SSRC)
                and (ahead, later) == (0, 0)
                and 2 < len(found.payload) <= kernel.PLACE_BYTES
                and found.payload[0] == toc
                and len(waiting) < kernel.PLACES
            )
            if found is None:
                assert house.counters.pop("rtp_malformed") == 1
                assert house.waiting == waiting
            elif fits:
                assert house.waiting == [*waiting, found.payload]
                house.sequence, house.timestamp = sequence, timestamp
            else:
                assert house.heard[-1][0].payload == found.payload
                assert house.lanes.get(house.row) is None
                assert not record["active"]
                return
            assert house.heard == []
    finally:
        house.close()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.binary(min_size=2, max_size=511), likely(True, False)), min_size=1, max_size=40
    )
)
def test_hostile_sound_stays_in_its_row_and_is_counted(payloads):
    house = LentHouse()
    try:
        toc, rows = house.waiting[:1][0][:1], np.array([house.row], np.int32)
        sent = 0
        for payload, plays in payloads:
            house.sequence = house.sequence + 1 & 0xFFFF
            house.timestamp += SAMPLES
            clear = rtp.pack_fixed(0x80, TYPE, house.sequence, house.timestamp, SSRC)
            assert house.deliver(clear + toc + payload)
            sent += 1
            if plays:
                house.lanes.play(rows, house.arena, SAMPLES, house.due_s)
            if house.lanes.get(house.row) is None:
                break
        house.intake.remove(house.row)
        assert house.owner.packets + len(house.heard) == sent
        assert np.all(house.arena[[0, 2]] == GUARD)
        assert np.all(house.arena[1, SAMPLES:] == GUARD)
        assert np.all(np.isfinite(house.arena))
    finally:
        house.close()
