"""The ICE-lite agent against clients, roaming clients, impostors and floods."""

import asyncio

import pytest
from aioice import stun as oracle

from tests.media.fakes import Ear, SentPort, address_of, binding_request, bound_socket
from tests.support.patience import PATIENCE_S
from webrtc.media import ice_lite
from webrtc.media.ice_lite import (
    MAX_ADDRESSES,
    MAX_CREDENTIALS,
    MAX_PEER_QUEUE,
    MAX_QUEUED_HANDSHAKES,
    IceLiteMux,
)
from webrtc.media.udp import Datagram, UdpPort, pack_address

NOW = 1000.0
HERE = pack_address("192.0.2.1", 4000)
THERE = pack_address("198.51.100.7", 5000)
HELLO = b"\x16\xfe\xfd hello"
MEDIA = b"\x80\x6f media"


class Scene:
    """An agent with one peer."""

    def __init__(self):
        self.port = SentPort()
        self.mux = IceLiteMux(self.port, ["1 1 udp 1 192.0.2.9 40000 typ host"])
        self.ear = Ear()
        self.channel = self.mux.open(self.ear)

    def arrive(self, data, address=HERE, now_s=NOW):
        self.mux.dispatch([Datagram(data, address, now_s - 0.001)], now_s)

    def check(self, address=HERE, now_s=NOW, channel=None, **how):
        channel = channel or self.channel
        self.arrive(binding_request(channel.ufrag, channel.password, **how), address, now_s)

    def tables(self):
        return len(self.mux._by_address), len(self.mux._by_ufrag)


@pytest.fixture
def scene():
    return Scene()


# ---- checks --------------------------------------------------------------------------------


def test_an_authentic_check_is_answered_with_the_address_it_came_from(scene):
    scene.check()
    [(data, address)] = scene.port.sent
    answer = oracle.parse_message(data)
    assert address == HERE
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.1", 4000)
    assert answer.check_message_integrity(scene.channel.password.encode())
    assert scene.ear.selected == [HERE]
    assert scene.channel.heard_s == NOW


@pytest.mark.parametrize(
    ("counter", "make"),
    [
        ("stun_rejected", lambda c: binding_request(c.ufrag, "x" * 24)),
        ("stun_unknown", lambda c: binding_request("nobody", c.password)),
        ("stun_malformed", lambda c: binding_request(c.ufrag, c.password)[:-1]),
        ("stun_malformed", lambda _: bytes(20)),
        ("unknown_protocol", lambda _: b"GET / HTTP/1.1"),
        ("unknown_protocol", lambda _: b""),
        ("unknown_protocol", lambda _: b"\xff" * 40),
        ("unknown_address", lambda _: MEDIA),
        ("unknown_address", lambda _: HELLO),
    ],
)
def test_what_is_not_authentic_is_counted_and_gets_no_answer(scene, counter, make):
    scene.arrive(make(scene.channel))
    assert dict(scene.mux.counters) == {counter: 1}
    assert scene.port.sent == []
    assert scene.tables() == (0, 1)
    assert scene.channel.heard_s == 0.0


def test_checks_over_real_sockets():
    with bound_socket() as server, bound_socket() as client:
        port = UdpPort(server)
        mux = IceLiteMux(port, [])
        channel = mux.open(Ear())
        client.settimeout(PATIENCE_S)
        client.sendto(binding_request(channel.ufrag, channel.password), server.getsockname())
        mux.dispatch(port.receive(), NOW)
        answer = oracle.parse_message(client.recv(2048))
        assert answer.attributes["XOR-MAPPED-ADDRESS"] == client.getsockname()
        assert channel.address == address_of(client)


# ---- roaming -------------------------------------------------------------------------------


def test_the_address_in_use_moves_only_with_use_candidate(scene):
    scene.check(HERE)
    scene.check(THERE, use_candidate=False)
    assert scene.channel.address == HERE
    scene.check(THERE)
    assert scene.channel.address == THERE
    assert scene.ear.selected == [HERE, THERE]


def test_media_is_taken_from_every_validated_address(scene):
    scene.check(HERE)
    scene.check(THERE, use_candidate=False)
    scene.arrive(MEDIA, HERE)
    scene.arrive(MEDIA, THERE)
    assert scene.ear.heard == [(MEDIA, NOW - 0.001)] * 2


def test_repeated_checks_tell_the_peer_of_its_address_once(scene):
    for i in range(5):
        scene.check(now_s=NOW + i)
    assert scene.ear.selected == [HERE]


def test_addresses_of_a_peer_are_bounded_and_the_one_in_use_stays(scene):
    scene.check(HERE)
    for i in range(3 * MAX_ADDRESSES):
        scene.check(THERE + i, use_candidate=False, now_s=NOW + i)
    assert scene.tables() == (MAX_ADDRESSES, 1)
    scene.arrive(MEDIA, HERE)
    assert len(scene.ear.heard) == 1
    scene.arrive(MEDIA, THERE)
    assert scene.mux.counters["unknown_address"] == 1


def test_an_address_that_a_nat_gives_to_somebody_else_is_theirs(scene):
    other = Ear()
    channel = scene.mux.open(other)
    scene.check(HERE)
    scene.check(HERE, channel=channel)
    scene.arrive(MEDIA)
    assert len(other.heard) == 1
    assert scene.ear.heard == []
    scene.channel.close()
    scene.arrive(MEDIA)
    assert len(other.heard) == 2


# ---- ICE restart ---------------------------------------------------------------------------


def test_old_credentials_hold_until_the_new_ones_were_used_with_nomination(scene):
    old = scene.channel.ufrag, scene.channel.password
    scene.channel.rotate()
    assert (scene.channel.ufrag, scene.channel.password) != old
    scene.arrive(binding_request(*old))
    assert len(scene.port.sent) == 1
    scene.check(THERE, use_candidate=False)
    scene.arrive(binding_request(*old))
    assert len(scene.port.sent) == 3
    scene.check(THERE)
    scene.arrive(binding_request(*old))
    assert len(scene.port.sent) == 4
    assert scene.mux.counters == {"stun_unknown": 1}


def test_each_pair_of_credentials_is_checked_by_its_own_password(scene):
    first = scene.channel.ufrag, scene.channel.password
    scene.channel.rotate()
    scene.arrive(binding_request(first[0], scene.channel.password))
    scene.arrive(binding_request(scene.channel.ufrag, first[1]))
    assert scene.mux.counters == {"stun_rejected": 2}


def test_restarts_without_end_keep_a_bounded_number_of_credentials(scene):
    for _ in range(10):
        scene.channel.rotate()
    assert len(scene.channel.credentials) == MAX_CREDENTIALS
    assert scene.tables() == (0, MAX_CREDENTIALS)


def test_credentials_are_long_and_never_the_same():
    mux = IceLiteMux(SentPort(), [])
    channels = [mux.open(Ear()) for _ in range(100)]
    assert len({c.ufrag for c in channels}) == len({c.password for c in channels}) == 100
    assert all(len(c.ufrag) >= 4 and len(c.password) >= 22 for c in channels)  # RFC 8445 5.3


# ---- floods --------------------------------------------------------------------------------


def test_a_flood_of_checks_from_strangers_is_bounded_over_any_number_of_rounds(scene):
    junk = binding_request("nobody", "x" * 24)
    for round_ in range(100):
        batch = [Datagram(junk, THERE + i, NOW) for i in range(64)]
        scene.mux.dispatch(batch, NOW + round_ * 0.0001)
    looked_at = scene.mux.counters["stun_unknown"]
    assert looked_at <= ice_lite.STUN_BURST + 0.01 * ice_lite.STUN_RATE
    assert looked_at + scene.mux.counters["stun_flood"] == 6400


def test_a_connected_peer_is_heard_through_a_flood_of_strangers(scene):
    scene.check()
    for _ in range(100):
        scene.mux.dispatch([Datagram(bytes(20), THERE, NOW)] * 64, NOW)
    scene.port.sent.clear()
    scene.check()
    assert len(scene.port.sent) == 1


def test_strangers_who_know_the_fragment_do_not_use_up_the_peers_allowance(scene):
    scene.check()
    forged = binding_request(scene.channel.ufrag, "x" * 24)
    for _ in range(500):
        scene.arrive(forged, HERE)
    scene.port.sent.clear()
    scene.check()
    assert len(scene.port.sent) == 1


def test_a_peer_that_asks_too_often_is_answered_at_its_rate(scene):
    for i in range(1000):
        scene.check(now_s=NOW + i * 0.001)
    answered = len(scene.port.sent)
    assert abs(answered - (ice_lite.PEER_BURST + ice_lite.PEER_RATE)) <= 1
    assert scene.mux.counters == {"stun_rate": 1000 - answered}
    scene.check(now_s=NOW + 10)
    assert len(scene.port.sent) == answered + 1


def test_dtls_of_one_peer_fills_its_own_share_of_the_queue_only(scene):
    other = scene.mux.open(Ear())
    scene.check(HERE)
    scene.check(THERE, channel=other)
    for _ in range(MAX_QUEUED_HANDSHAKES):
        scene.arrive(HELLO, HERE)
    scene.arrive(HELLO, THERE)
    assert scene.mux.counters == {"dtls_dropped": MAX_QUEUED_HANDSHAKES - MAX_PEER_QUEUE}
    delivered = 0
    while scene.mux.has_handshakes:
        scene.mux.deliver_handshake()
        delivered += 1
    assert delivered == MAX_PEER_QUEUE + 1
    scene.arrive(HELLO, HERE)
    assert scene.mux.has_handshakes


# ---- DTLS over the channel -----------------------------------------------------------------


async def test_dtls_goes_through_the_channel_both_ways(scene):
    scene.check()
    scene.port.sent.clear()
    scene.arrive(HELLO)
    scene.mux.deliver_handshake()
    assert await scene.channel._recv() == HELLO
    await scene.channel._send(b"\x16answer")
    assert scene.port.sent == [(b"\x16answer", HERE)]


async def test_a_client_hello_of_ours_waits_until_the_client_is_reachable(scene):
    sending = asyncio.create_task(scene.channel._send(HELLO))
    await asyncio.sleep(0)
    assert scene.port.sent == []
    scene.check()
    await sending
    assert scene.port.sent[-1] == (HELLO, HERE)


async def test_a_queue_that_nobody_empties_drops(scene):
    scene.check()
    for _ in range(MAX_PEER_QUEUE + 3):
        scene.arrive(HELLO)
        scene.mux.deliver_handshake()
    assert scene.mux.counters["dtls_dropped"] == 3


async def test_closing_ends_whoever_waits_and_leaves_nothing_behind(scene):
    scene.check(HERE)
    scene.check(THERE, use_candidate=False)
    scene.channel.rotate()
    unreachable = scene.mux.open(Ear())
    waiting = [
        asyncio.create_task(scene.channel._recv()),
        asyncio.create_task(unreachable._send(HELLO)),
    ]
    await asyncio.sleep(0)
    for channel in (scene.channel, unreachable, scene.channel):
        channel.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionError, ConnectionError]
    assert scene.tables() == (0, 0)
    with pytest.raises(ConnectionError):
        await scene.channel._recv()
    with pytest.raises(ConnectionError):
        await scene.channel._send(b"late")
    scene.channel.send(b"late")
    assert (b"late", HERE) not in scene.port.sent


async def test_a_datagram_that_waits_for_a_closed_channel_does_no_harm(scene):
    scene.check()
    for _ in range(MAX_PEER_QUEUE):
        scene.arrive(HELLO)
    scene.channel.close()
    while scene.mux.has_handshakes:
        scene.mux.deliver_handshake()
    with pytest.raises(ConnectionError):
        await scene.channel._recv()
