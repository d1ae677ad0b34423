"""One connection in virtual time: a host that notes what it is told, no handshake, no network."""

import asyncio
import itertools
from collections import Counter

import numpy as np
import pytest
from aiortc.rtp import RtcpPacket, RtcpSrPacket
from pylibsrtp import Policy, Session

from mixer.playout_packet import MediaPacket
from tests.media.fakes import SentPort, binding_request, bound_socket
from tests.media.test_sdp import MINIMAL
from webrtc.errors import ClientError
from webrtc.media import peer as peer_module
from webrtc.media import sdp
from webrtc.media.aiortc_adapter import RENEW_CERTIFICATE_S, CertificateSupply
from webrtc.media.allowance import BURST_S, LEEWAY
from webrtc.media.fanout import SendTable
from webrtc.media.forward_table import ForwardTable
from webrtc.media.ice_lite import IceLiteMux
from webrtc.media.intake import Intake
from webrtc.media.peer import GIVE_UP_S, STREAM_CHANGE_S, Peer
from webrtc.media.sdp import read_offer
from webrtc.media.udp import Datagram, UdpPort, pack_address

KEY = bytes(range(30))
HERE = pack_address("127.0.0.1", 4000)
START_S = 1000.0


class HandshakeLeftOut:
    """In place of the DTLS transport: `connect` is all that happens."""

    def __init__(self, _channel, _certificate, on_state):
        self.state = "new"
        self.outgoing = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
        self.incoming = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_INBOUND))
        self._on_state = on_state

    async def start(self, *, server, fingerprints):
        """Never comes to an end by itself."""
        assert server
        assert fingerprints

    async def stop(self):
        """Nothing to stop."""

    def connect(self):
        self.state = "connected"
        self._on_state("connected")


class Host:
    """A worker as far as a peer sees it.

    Attributes:
        played: Sequence numbers of what was handed on to the mixer, "new stream" in between.
        sent: Where RTCP leaves.
    """

    def __init__(self, sock):
        port = UdpPort(sock)
        self.sent = SentPort()
        self.ice = IceLiteMux(self.sent, [])
        self.counters = Counter()
        self.intake = Intake(port, self.counters)
        self.table = SendTable(port)
        self.forward_table = ForwardTable(port)
        self.certificates = CertificateSupply(START_S)
        self.played = []
        self.states = []

    def ntp_now(self, now_s):
        return int(now_s * 2**32)

    def media_time(self, peer, now_s):
        return round((now_s - START_S) * 48_000)

    def peer_changed(self, peer, state):
        self.states.append(state)

    def peer_media(self, peer, packet):
        self.played.append(packet.sequence)

    def peer_red(self, peer, packet):
        self.played.append(("red", packet.sequence))

    def peer_stream_changed(self, peer):
        self.played.append("new stream")

    def peer_tier(self, peer, tier):
        raise AssertionError("nobody reports loss here")


@pytest.fixture
async def host(monkeypatch):
    monkeypatch.setattr(peer_module, "DtlsTransport", HandshakeLeftOut)
    with bound_socket() as sock:
        yield Host(sock)


@pytest.fixture
async def peer(host):
    """A client that publishes and listens, connected at `START_S`."""
    made = Peer("anna", host, START_S)
    made.negotiate(read_offer(MINIMAL), publishes=True, subscribes=True)
    await asyncio.sleep(0)
    check = binding_request(made._channel.ufrag, made._channel.password)
    host.ice.dispatch([Datagram(check, HERE, START_S)], START_S)
    made._dtls.connect()
    host.sent.sent.clear()
    yield made
    await made.close()


def media(sequence, now_s, ssrc):
    """Return what the intake hands on."""
    return MediaPacket(sequence, sequence * 480, b"opus", now_s, False, None, False), 111, ssrc


def send(peer, sequence, now_s, ssrc):
    peer._on_rtp(*media(sequence, now_s, ssrc))


# ---- certificates ----------------------------------------------------------------------------


def fingerprint(answer):
    return next(line for line in answer.splitlines() if line.startswith("a=fingerprint"))


async def test_a_connection_names_its_own_certificate_even_when_others_have_a_newer_one(host, peer):
    offer = read_offer(MINIMAL)
    former = fingerprint(peer.negotiate(offer, publishes=True, subscribes=True))
    later = Peer("bert", host, START_S + RENEW_CERTIFICATE_S)
    assert fingerprint(later.negotiate(offer, publishes=True, subscribes=True)) != former
    assert fingerprint(peer.negotiate(offer, publishes=True, subscribes=True)) == former
    await later.close()


# ---- a changed SSRC ------------------------------------------------------------------------


async def test_another_ssrc_is_another_stream(host, peer):
    send(peer, 65535, START_S, ssrc=1)
    send(peer, 7, START_S + 0.01, ssrc=2)
    send(peer, 8, START_S + 0.02, ssrc=2)
    assert host.played == [65535, "new stream", 7, 8]
    assert peer.reception.ssrc == 2
    assert peer.reception.packets == 2


async def test_two_streams_at_once_do_not_chase_each_other(host, peer):
    for i in range(300):  # three seconds
        send(peer, i, START_S + i * 0.01, ssrc=1)
        send(peer, 5000 + i, START_S + i * 0.01 + 0.005, ssrc=2)
    changes = host.played.count("new stream")
    assert 1 <= changes <= 3 / STREAM_CHANGE_S
    heard = [what for what in host.played if what != "new stream"]
    assert len(heard) + host.counters["rtp_second_stream"] == 600
    assert len(heard) >= 299
    streams = [number // 5000 for number in heard]
    assert sum(a != b for a, b in itertools.pairwise(streams)) == changes


async def test_the_former_stream_may_come_back_after_a_while(host, peer):
    send(peer, 1, START_S, ssrc=1)
    send(peer, 2, START_S + 5, ssrc=2)
    send(peer, 3, START_S + 5 + STREAM_CHANGE_S, ssrc=1)
    assert host.played == [1, "new stream", 2, "new stream", 3]


# ---- consent -------------------------------------------------------------------------------


def check(host, peer, now_s):
    """Let the client's next connectivity check come, as browsers send it every 2.5 s or so."""
    request = binding_request(peer._channel.ufrag, peer._channel.password)
    host.ice.dispatch([Datagram(request, HERE, now_s)], now_s)


def visit_until(host, peer, state, first_s):
    """Look after the peer once a second until it has a state; return when that was."""
    for second in range(100):
        peer.visit(first_s + second)
        if peer.state == state:
            return first_s + second
    raise AssertionError(f"never {state}")


async def test_who_is_not_heard_any_more_is_not_sent_to_within_ten_seconds(host, peer):
    rows = take_tracks(peer, 1)
    for second in range(30):  # checks alone are enough
        if second % 3 == 0:
            check(host, peer, START_S + second)
        peer.visit(START_S + second)
    assert host.states == ["connected"]
    heard_s = START_S + 27
    gone_s = visit_until(host, peer, "disconnected", START_S + 30)
    assert gone_s - heard_s <= 10
    assert peer.outputs == []
    host.sent.sent.clear()
    peer.visit(gone_s + 1)
    assert host.sent.sent == []
    check(host, peer, gone_s + 2)
    peer.visit(gone_s + 2)
    assert peer.state == "connected"
    assert peer.outputs == rows
    assert visit_until(host, peer, "failed", gone_s + 3) - gone_s >= GIVE_UP_S


async def test_sound_is_a_sign_of_life_and_what_is_not_authentic_is_none(host, peer):
    for second in range(20):
        send(peer, second, START_S + second, ssrc=1)
        peer.visit(START_S + second)
    assert peer.state == "connected"
    forged = b"\x80\x6f" + bytes(40)
    for second in range(20, 32):
        peer.on_srtp(forged, START_S + second)
        peer.visit(START_S + second)
    assert peer.state == "disconnected"
    assert host.counters["srtp_rejected"] == 12


async def test_sound_before_the_handshake_is_counted(host):
    early = Peer("bert", host, START_S)
    early.on_srtp(b"\x80\x6f" + bytes(40), START_S)
    assert host.counters == {"srtp_early": 1}
    await early.close()


# ---- how much it may send ------------------------------------------------------------------


async def test_the_answer_tells_the_bitrate_that_publishers_are_to_keep_to(host):
    made = Peer("anna", host, START_S, bitrate_bps=64_000)
    answer = made.negotiate(read_offer(MINIMAL), publishes=True, subscribes=True)
    assert "maxaveragebitrate=64000" in answer
    await made.close()


def flood(peer, octets, seconds, start_s=START_S):
    """Send a packet of so many octets every 10 ms."""
    for index in range(round(100 * seconds)):
        packet, payload_type, ssrc = media(index, start_s + index * 0.01, ssrc=1)
        peer._on_rtp(packet._replace(payload=bytes(octets)), payload_type, ssrc)


async def test_a_publisher_above_its_bitrate_is_heard_at_the_rate_that_is_allowed(host, peer):
    flood(peer, 1200, 8)  # 960 kb/s, three times what passes
    passed = 1200 * len(host.played)
    allowed = sdp.BITRATE_BPS * LEEWAY / 8
    assert allowed * 8 - 1200 <= passed <= allowed * (8 + BURST_S)
    assert host.counters["rtp_over_bitrate"] == peer.allowance.refused == 800 - len(host.played)


async def test_within_its_bitrate_nothing_is_refused(host, peer):
    flood(peer, 2 * sdp.BITRATE_BPS // 800, 8)
    assert len(host.played) == 800
    assert peer.allowance.refused == 0


async def test_a_lane_that_brings_too_much_is_left_at_the_next_visit(host, peer, monkeypatch):
    left = []
    monkeypatch.setattr(host.intake, "leave_lane", left.append)
    peer.on_lane(100, 16_000, 0.0, START_S + 1)
    peer.visit(START_S + 1)
    assert left == []
    peer.on_lane(800, 400_000, 0.0, START_S + 2)
    peer.visit(START_S + 2)
    assert left == [peer._intake_row]
    send(peer, 1, START_S + 2, ssrc=1)
    assert host.counters["rtp_over_bitrate"] == 1


# ---- sender reports ------------------------------------------------------------------------


def reports(host):
    """Return the sender reports sent since the last call."""
    session = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_INBOUND))
    found = []
    for data, _ in host.sent.sent:
        found += RtcpPacket.parse(session.unprotect_rtcp(data))
    host.sent.sent.clear()
    return [report.sender_info for report in found if isinstance(report, RtcpSrPacket)]


def visit(host, peer, first_s, last_s):
    """Look after the peer once a second, as a worker does, and return its sender reports."""
    for second in range(int(first_s), int(last_s)):
        peer._channel.heard_s = START_S + second
        peer.visit(START_S + second)
    return reports(host)


def say(host, peer, media_time):
    rows = np.array([peer.row], np.int32)
    assert host.table.send(rows, b"opus", media_time, False, (0x80, b"")) == 1


async def test_a_report_is_sent_while_sound_is_and_pairs_clock_and_media_time(host, peer):
    say(host, peer, 0)
    _, _, first_timestamp = host.table.counters(peer.row)
    found = []
    for second in range(20):
        say(host, peer, second * 48_000)
        found += visit(host, peer, second, second + 1)
    assert 3 <= len(found) <= 6
    for report in found:
        elapsed_s = report.ntp_timestamp / 2**32 - START_S
        since = (report.rtp_timestamp - first_timestamp) & 0xFFFFFFFF
        assert since == round(elapsed_s * 48_000)
    assert found[-1].packet_count <= 21


async def test_nothing_is_reported_of_a_stream_that_rests(host, peer):
    assert visit(host, peer, 0, 10) == []
    say(host, peer, 0)
    assert len(visit(host, peer, 10, 30)) == 1
    assert visit(host, peer, 30, 60) == []
    say(host, peer, 60 * 48_000)
    assert len(visit(host, peer, 60, 70)) == 1


# ---- further tracks ------------------------------------------------------------------------


def take_tracks(peer, count):
    """Let the client take so many tracks, and return their rows of the forward table."""
    assert peer.session.want_tracks(count)
    offered = peer.offer(START_S)
    answered = "".join(
        f"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:{mid}\r\na={direction}\r\n"
        for mid, direction in [
            ("0", "sendrecv"),
            *((t.mid, "recvonly") for t in peer.session.tracks.all),
        ]
    )
    peer.take_answer(answered, publishes=True, subscribes=True)
    assert offered.count("a=sendonly") == count
    return peer.outputs


def forward(host, rows, sequence, now_s):
    packet = MediaPacket(sequence, sequence * 960, b"opus", now_s)
    return host.forward_table.send(np.array(rows, np.int32), packet, 960, 77)


async def test_tracks_that_the_client_takes_can_be_sent_to_until_it_is_gone(host, peer):
    rows = take_tracks(peer, 2)
    assert forward(host, rows, 1, START_S) == 2
    assert peer.sent() == (2, 8)
    say(host, peer, 0)
    assert peer.sent() == (3, 12)
    assert not peer.session.want_tracks(2)
    peer.allow(publishes=True, subscribes=False)
    assert peer.outputs == []
    peer.allow(publishes=True, subscribes=True)
    assert peer.outputs == rows
    await peer.close()
    assert peer.outputs == []
    assert forward(host, rows, 2, START_S) == 0


async def test_who_roams_hears_the_tracks_at_the_new_address(host, peer):
    rows = take_tracks(peer, 1)
    with bound_socket() as elsewhere:
        peer.on_selected(pack_address(*elsewhere.getsockname()))
        forward(host, rows, 1, START_S)
        assert len(UdpPort(elsewhere).receive()) == 1


async def test_each_track_on_which_something_is_sent_has_a_report(host, peer):
    rows = take_tracks(peer, 3)
    for sequence in range(50):
        forward(host, rows[:2], sequence, START_S + sequence * 0.02)
    found = visit(host, peer, 1, 2)
    assert [report.packet_count for report in found] == [50, 50]
    assert visit(host, peer, 2, 20) == []


async def test_another_packet_time_takes_an_offer_although_the_tracks_are_settled(peer):
    take_tracks(peer, 1)
    assert not peer.session.want_tracks(1)
    peer.session.ptime_ms = 20
    assert peer.session.want_tracks(1)
    assert "a=ptime:20" in peer.offer(START_S)
    assert not peer.session.want_tracks(1)


async def test_an_answer_to_no_offer_is_the_clients_mistake(peer):
    with pytest.raises(ClientError) as raised:
        peer.take_answer("v=0", publishes=True, subscribes=True)
    assert raised.value.reason == "no_offer_pending"
