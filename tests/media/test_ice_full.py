"""`WEBRTC_ICE=full` against aioice as a client: connecting, restarting, names that stay names."""

import asyncio
import contextlib
import os
from collections import Counter

import aioice
import pytest
from aiortc.sdp import SessionDescription

from tests.media.fakes import Ear
from tests.media.studio import loopback_only
from tests.media.test_sdp import MINIMAL
from tests.media.test_worker import connect, put, running
from tests.support.patience import PATIENCE_S
from webrtc.control.messages import Answer, Offer, PutRoom
from webrtc.media import ice_full, rtp
from webrtc.media.aiortc_adapter import DtlsTransport, SharedCertificate
from webrtc.media.ice_full import MAX_CANDIDATES, MAX_PEER_QUEUE, FullIceAgent

MEDIA = b"\x80\x6f media"
HELLO = b"\x16\xfe\xfd hello"
NAMED = "1 1 udp 2122252543 9b0c6a6e-0000-4000-8000-000000000000.local 40000 typ host"


@pytest.fixture(autouse=True)
def _on_loopback():
    with loopback_only():
        yield


@pytest.fixture
async def scene():
    made = Scene()
    before = open_files()
    yield made
    made.channel.close()
    for client in made.clients:
        await client.close()
    await until(lambda: not made.channel._endings)
    await until(lambda: open_files() <= before)


def open_files():
    return len(os.listdir("/proc/self/fd"))


async def until(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


def new_client():
    return aioice.Connection(ice_controlling=True, components=1, use_ipv6=False)


class Scene:
    """One channel of the agent, and its clients one after the other."""

    def __init__(self):
        self.counters = Counter()
        self.ear = Ear()
        self.channel = FullIceAgent(self.counters).open(self.ear)
        self.clients = []

    async def introduce(self, candidates=None):
        """Return a new client that knows the channel, as the channel knows the client."""
        client = new_client()
        self.clients.append(client)
        await client.gather_candidates()
        await self.channel.prepare()
        if candidates is None:
            candidates = [candidate.to_sdp() for candidate in client.local_candidates]
        self.channel.set_remote(client.local_username, client.local_password, candidates)
        client.remote_username = self.channel.ufrag
        client.remote_password = self.channel.password
        for line in self.channel.candidates:
            await client.add_remote_candidate(aioice.Candidate.from_sdp(line))
        await client.add_remote_candidate(None)
        return client

    async def connect(self, candidates=None):
        client = await self.introduce(candidates)
        selected = len(self.ear.selected)
        async with asyncio.timeout(PATIENCE_S):
            await client.connect()
        await until(lambda: len(self.ear.selected) > selected)
        return client


# ---- a channel -----------------------------------------------------------------------------


async def test_packets_go_both_ways_and_each_kind_to_its_reader(scene):
    client = await scene.connect()
    await client.send(MEDIA)
    await client.send(HELLO)
    await client.send(b"\xff neither")
    async with asyncio.timeout(PATIENCE_S):
        assert await scene.channel._recv() == HELLO
        await until(lambda: scene.ear.heard)
        scene.channel.send(MEDIA)
        assert await client.recv() == MEDIA
        await scene.channel._send(HELLO)
        assert await client.recv() == HELLO
    [(data, arrival_s)] = scene.ear.heard
    assert data == MEDIA
    assert scene.channel.heard_s >= arrival_s
    assert scene.channel.address is not None


async def test_a_restart_moves_to_the_new_connection_without_a_gap(scene):
    before = await scene.connect()
    credentials = scene.channel.ufrag, scene.channel.password
    scene.channel.rotate()
    async with asyncio.timeout(PATIENCE_S):
        scene.channel.send(MEDIA + b"1")  # nothing is agreed on: the former path carries
        assert await before.recv() == MEDIA + b"1"
        await before.send(MEDIA + b"0")
        await until(lambda: scene.ear.heard)
        scene.ear.heard.clear()
        after = await scene.connect()
        assert (scene.channel.ufrag, scene.channel.password) != credentials
        scene.channel.send(MEDIA + b"2")
        assert await after.recv() == MEDIA + b"2"
        await after.send(MEDIA + b"3")
        await until(lambda: scene.ear.heard)
    assert [data for data, _ in scene.ear.heard] == [MEDIA + b"3"]
    assert scene.counters["send_unconnected"] == 0


async def test_restarts_that_come_to_nothing_leave_nothing(scene):
    connected = await scene.connect()
    for _ in range(3):
        scene.channel.rotate()
        await scene.introduce([])
    await connected.send(MEDIA)
    await until(lambda: scene.ear.heard)
    scene.channel.send(MEDIA)
    async with asyncio.timeout(PATIENCE_S):
        assert await connected.recv() == MEDIA


async def test_a_name_is_never_looked_up_and_the_clients_checks_tell_its_address(
    scene, monkeypatch
):
    looked_up = []

    async def look_up(connection):
        looked_up.append(connection)
        raise OSError

    monkeypatch.setattr(aioice.ice, "get_or_create_mdns_protocol", look_up)
    client = await scene.connect([NAMED])
    assert looked_up == []
    await client.send(MEDIA)
    await until(lambda: scene.ear.heard)


async def test_only_so_many_addresses_over_udp_are_taken(scene):
    await scene.channel.prepare()
    lines = ["nonsense", "", "1 1 tcp 1 192.0.2.1 9 typ host tcptype active", NAMED]
    for line in lines:
        scene.channel.add_candidate(line)
    for i in range(MAX_CANDIDATES + 20):
        scene.channel.add_candidate(f"candidate:1 1 udp 1 192.0.2.1 {4000 + i} typ host")
        await asyncio.sleep(0)
    taken = scene.channel._connection.remote_candidates
    assert [candidate.port for candidate in taken] == list(range(4000, 4000 + MAX_CANDIDATES))
    assert scene.counters["candidate_malformed"] == 2


async def test_a_client_that_never_checks_is_given_up(scene, monkeypatch):
    monkeypatch.setattr(ice_full, "FIRST_CHECK_S", 0.0)
    await scene.introduce([])
    task = scene.channel._task
    async with asyncio.timeout(PATIENCE_S):
        await task
    assert scene.ear.selected == []


async def test_what_nobody_reads_is_dropped_and_counted(scene):
    client = await scene.connect()
    for _ in range(MAX_PEER_QUEUE + 5):
        await client.send(HELLO)
    await until(lambda: scene.counters["dtls_dropped"] == 5)


async def test_before_a_connection_nothing_can_be_sent(scene):
    scene.channel.send(MEDIA)
    assert scene.counters["send_unconnected"] == 1
    with pytest.raises(ConnectionError):
        await scene.channel._send(HELLO)


async def test_closing_ends_whoever_waits(scene):
    await scene.connect()
    reading = asyncio.create_task(scene.channel._recv())
    await asyncio.sleep(0)
    scene.channel.close()
    scene.channel.close()
    with pytest.raises(ConnectionError):
        await reading
    with pytest.raises(ConnectionError):
        await scene.channel._recv()


# ---- a worker ------------------------------------------------------------------------------


@pytest.fixture
async def worker(tmp_path):
    async with running(tmp_path, ice="full") as made:
        made.handle(PutRoom("r"))
        yield made


async def test_two_stock_clients_speak_and_are_sent_the_other(worker):
    names = ["anna", "bert"]
    for i, name in enumerate(names):
        worker.handle(put(name, csrc=i + 1))
    clients = [await connect(worker, name) for name in names]
    peers = [worker.participants[name].peer for name in names]
    mixer = worker.hall.rooms["r"].mixer
    await until(lambda: all(mixer.sources[name].heard for name in names))
    await until(lambda: all(worker.table.counters(peer.row)[0] > 20 for peer in peers))
    for client in clients:
        received = [
            report
            for report in (await client.getReceivers()[0].getStats()).values()
            if report.type == "inbound-rtp"
        ]
        assert received[0].packetsReceived > 10
        await client.close()


class Caller:
    """A client with a DTLS connection that outlives its ICE connections.

    Attributes:
        role: As DTLS asks of ICE.
        got: SRTP and SRTCP that came, since the last restart.
    """

    role = "controlling"

    def __init__(self, worker):
        self._worker = worker
        self._certificate = SharedCertificate.generateCertificate()
        self._inbox = asyncio.Queue()
        self._ice = None
        self._reading = None
        self._sequence = 0
        self.states = []
        self.got = []
        self.dtls = DtlsTransport(self, self._certificate, self.states.append)

    async def negotiate(self):
        """Offer with fresh ICE credentials, at first or to restart ICE; return the answer."""
        ice = new_client()
        await ice.gather_candidates()
        text = MINIMAL.replace("abcd", ice.local_username)
        text = text.replace("0123456789012345678901", ice.local_password)
        text = text.replace("AA:BB", self._certificate.sha256())
        text += "".join(f"a=candidate:{c.to_sdp()}\n" for c in ice.local_candidates)
        answer = await self._worker.handle(Offer(1, "anna", text))
        assert isinstance(answer, Answer), answer
        media = SessionDescription.parse(answer.sdp).media[0]
        ice.remote_username, ice.remote_password = media.ice.usernameFragment, media.ice.password
        for line in answer.sdp.splitlines():
            if line.startswith("a=candidate:"):
                candidate = aioice.Candidate.from_sdp(line.removeprefix("a=candidate:"))
                await ice.add_remote_candidate(candidate)
        await ice.add_remote_candidate(None)
        async with asyncio.timeout(PATIENCE_S):
            await ice.connect()
        await self._stop_reading()
        self._ice, self.got = ice, []
        self._reading = asyncio.create_task(self._read(ice))
        return media

    async def handshake(self, media):
        fingerprints = [(f.algorithm, f.value) for f in media.dtls.fingerprints]
        async with asyncio.timeout(PATIENCE_S):
            await self.dtls.start(server=False, fingerprints=fingerprints)

    async def speak(self, packets):
        for _ in range(packets):
            self._sequence += 1
            fixed = rtp.pack_fixed(0x80, 111, self._sequence, self._sequence * 480, 77)
            await self._ice.send(self.dtls.outgoing.protect(fixed + b"\xf8\xff\xfe"))

    async def close(self):
        await self.dtls.stop()
        await self._stop_reading()

    async def _stop_reading(self):
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await self._reading
            await self._ice.close()

    async def _read(self, ice):
        while True:
            data = await ice.recv()
            if 127 < data[0] < 192:
                self.got.append(data)
            else:
                self._inbox.put_nowait(data)

    async def _recv(self):
        return await self._inbox.get()

    async def _send(self, data):
        await self._ice.send(data)


async def test_an_ice_restart_keeps_keys_and_counters(worker):
    worker.handle(put("anna"))
    caller = Caller(worker)
    first = await caller.negotiate()
    await caller.handshake(first)
    peer = worker.participants["anna"].peer
    await until(lambda: peer.state == "connected")
    await caller.speak(5)
    await until(lambda: peer.reception is not None and peer.reception.packets == 5)
    row = peer.row
    again = await caller.negotiate()
    assert again.ice.usernameFragment != first.ice.usernameFragment
    assert again.dtls.fingerprints == first.dtls.fingerprints
    await caller.speak(5)
    await until(lambda: peer.reception.packets == 10)
    assert worker.participants["anna"].peer is peer
    assert (peer.state, peer.row) == ("connected", row)
    await until(lambda: caller.got)  # a report, over the new connection
    assert caller.states == ["connecting", "connected"]
    await caller.close()
