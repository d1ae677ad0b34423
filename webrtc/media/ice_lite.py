"""ICE-lite on one UDP port for all peers of a worker (RFC 8445 section 2.5 and appendix A).

An ICE-lite agent answers checks and never sends any, so it needs no remote candidates, no timers
and no resolver for `.local` names. A peer is found by the username fragment of its checks; from
then on by its address. What an attacker can try, and what stands against it:

- *Guessing*: every request must carry MESSAGE-INTEGRITY under the password that belongs to the
  fragment it names; fragments have 47 bits, passwords 142.
- *Reflection*: only authenticated requests are answered, with no more bytes than came.
- *Flooding*: requests from unknown addresses are looked at `STUN_RATE` times a second at most, and
  each peer is answered `PEER_RATE` times a second; the rest is dropped and counted. Only authentic
  requests use a peer's allowance up, so that knowing its fragment does not cut it off.
- *Table growth*: a peer holds at most `MAX_ADDRESSES` addresses and `MAX_CREDENTIALS` pairs of
  credentials (old ones stay valid over an ICE restart until the new ones were used).
- *Stale roaming*: the address in use moves only on an authenticated request with USE-CANDIDATE.
"""

import asyncio
import secrets
import string
from collections import Counter, deque
from collections.abc import Sequence

from webrtc.media import stun
from webrtc.media.ice import IcePeer
from webrtc.media.udp import Datagram, UdpPort

STUN_RATE = 10_000.0  # per second; some 10 µs each
STUN_BURST = 300.0
PEER_RATE = 50.0  # requests per second and peer; browsers send some 20 while connecting
PEER_BURST = 100.0
MAX_ADDRESSES = 8
MAX_CREDENTIALS = 3
MAX_QUEUED_HANDSHAKES = 1024  # datagrams waiting for a slice of time
MAX_PEER_QUEUE = 32

_ALPHABET = string.ascii_letters + string.digits


class LiteChannel:
    """One peer's connectivity; has the interface that the DTLS transport asks of ICE."""

    role = "controlled"
    is_lite = True
    via = None

    def __init__(self, mux: "IceLiteMux", peer: IcePeer) -> None:
        """Made by `IceLiteMux.open`."""
        self.peer = peer
        self.address: int | None = None
        self.heard_s = 0.0  # when an authenticated datagram last came
        self.queued = 0  # its DTLS datagrams that wait for a slice of time
        self.credentials: list[tuple[str, bytes]] = []
        self._mux = mux
        self._addresses: dict[int, None] = {}  # ordered: the oldest goes first
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_PEER_QUEUE)
        self._allowance = PEER_BURST
        self._allowance_s = 0.0
        self._closed = False
        self._reachable = asyncio.Event()
        self.rotate()

    @property
    def ufrag(self) -> str:
        """Current username fragment."""
        return self.credentials[-1][0]

    @property
    def password(self) -> str:
        """Current password."""
        return self.credentials[-1][1].decode()

    @property
    def candidates(self) -> Sequence[str]:
        """Our candidates, the same for all peers."""
        return self._mux.candidates

    async def prepare(self) -> None:
        """Nothing is gathered."""

    def set_remote(self, ufrag: str, password: str, candidates: Sequence[str]) -> None:
        """Nothing to know: the client's checks tell its address."""

    def add_candidate(self, candidate: str) -> None:
        """Likewise."""

    def rotate(self) -> None:
        """Take new credentials for an ICE restart; the old ones stay valid for now."""
        ufrag = _random(8)
        self.credentials.append((ufrag, _random(24).encode()))
        self._mux._by_ufrag[ufrag] = self
        while len(self.credentials) > MAX_CREDENTIALS:
            self._mux._by_ufrag.pop(self.credentials.pop(0)[0], None)

    def may_ask(self, now_s: float) -> bool:
        """Take one request from the allowance."""
        self._allowance += (now_s - self._allowance_s) * PEER_RATE
        self._allowance = min(self._allowance, PEER_BURST)
        self._allowance_s = now_s
        if self._allowance < 1.0:
            return False
        self._allowance -= 1.0
        return True

    def bind(self, address: int) -> None:
        """Remember a validated address."""
        if address in self._addresses:
            return
        while len(self._addresses) >= MAX_ADDRESSES:
            oldest = next(a for a in self._addresses if a != self.address)
            self._unbind(oldest)
        self._addresses[address] = None
        other = self._mux._by_address.get(address)
        if other is not None and other is not self:
            other._addresses.pop(address, None)  # a NAT gave the address to somebody else
        self._mux._by_address[address] = self

    def select(self, address: int) -> None:
        """Use this address from now on."""
        if address != self.address:
            self.address = address
            self._reachable.set()
            self.peer.on_selected(address)

    def retire_credentials(self, used: str) -> None:
        """Forget credentials older than the ones that were just used."""
        while self.credentials[0][0] != used:
            self._mux._by_ufrag.pop(self.credentials.pop(0)[0], None)

    def deliver(self, data: bytes) -> None:
        """Hand a DTLS datagram to whoever waits in `_recv`."""
        try:
            self._inbox.put_nowait(data)
        except asyncio.QueueFull:
            self._mux.counters["dtls_dropped"] += 1

    def send(self, data: bytes) -> None:
        """Send one packet to the selected address."""
        if self.address is not None and not self._closed:
            self._mux.port.send(data, self.address)

    async def _recv(self) -> bytes:
        if self._closed:
            raise ConnectionError("closed")
        data = await self._inbox.get()
        if data is None:
            raise ConnectionError("closed")
        return data

    async def _send(self, data: bytes) -> None:
        await self._reachable.wait()  # the client's first check tells where it is
        if self.address is None or self._closed:
            raise ConnectionError("closed")
        self._mux.port.send(data, self.address)

    def close(self) -> None:
        """Forget the peer; a waiting `_recv` raises ConnectionError."""
        if self._closed:
            return
        self._closed = True
        self._reachable.set()
        for ufrag, _ in self.credentials:
            self._mux._by_ufrag.pop(ufrag, None)
        for address in list(self._addresses):
            self._unbind(address)
        if self._inbox.full():
            self._inbox.get_nowait()
        self._inbox.put_nowait(None)
        del self.peer  # nobody asks for it any more; a cycle would wait for the garbage collector

    def _unbind(self, address: int) -> None:
        self._addresses.pop(address, None)
        if self._mux._by_address.get(address) is self:
            del self._mux._by_address[address]


class IceLiteMux:
    """Tells the peers of one UDP port apart and answers their checks."""

    def __init__(self, port: UdpPort, candidates: Sequence[str]) -> None:
        """Serve `port`, known to clients by `candidates` (SDP attribute values)."""
        self.port = port
        self.candidates = candidates
        self.counters: Counter[str] = Counter()
        self._by_address: dict[int, LiteChannel] = {}
        self._by_ufrag: dict[str, LiteChannel] = {}
        self._handshakes: deque[tuple[LiteChannel, bytes]] = deque()
        self._allowance = STUN_BURST
        self._allowance_s = 0.0

    def open(self, peer: IcePeer) -> LiteChannel:
        """Return a channel for a new peer."""
        return LiteChannel(self, peer)

    def dispatch(self, datagrams: list[Datagram], now_s: float) -> None:
        """Route datagrams by their first byte (RFC 7983)."""
        by_address = self._by_address
        for data, address, arrival_s in datagrams:
            first = data[0] if data else 255
            if 127 < first < 192:
                channel = by_address.get(address)
                if channel is not None:
                    channel.peer.on_srtp(data, arrival_s)
                else:
                    self.counters["unknown_address"] += 1
            elif first < 4:
                if address in by_address or self._may_look(now_s):
                    self._answer(data, address, now_s)
                else:
                    self.counters["stun_flood"] += 1
            elif 19 < first < 64:
                self._queue_handshake(data, address)
            else:
                self.counters["unknown_protocol"] += 1

    @property
    def has_handshakes(self) -> bool:
        """Whether DTLS datagrams wait to be delivered."""
        return bool(self._handshakes)

    def deliver_handshake(self) -> None:
        """Deliver one waiting DTLS datagram: up to two milliseconds of cryptography follow."""
        channel, data = self._handshakes.popleft()
        channel.queued -= 1
        channel.deliver(data)

    def _may_look(self, now_s: float) -> bool:
        gained = (now_s - self._allowance_s) * STUN_RATE
        self._allowance = min(STUN_BURST, self._allowance + gained)
        self._allowance_s = now_s
        if self._allowance < 1.0:
            return False
        self._allowance -= 1.0
        return True

    def _queue_handshake(self, data: bytes, address: int) -> None:
        channel = self._by_address.get(address)
        if channel is None:
            self.counters["unknown_address"] += 1
            return
        if channel.address is None:
            channel.select(address)
        if len(self._handshakes) == MAX_QUEUED_HANDSHAKES or channel.queued == MAX_PEER_QUEUE:
            self.counters["dtls_dropped"] += 1
            return
        channel.queued += 1
        self._handshakes.append((channel, data))

    def _answer(self, data: bytes, address: int, now_s: float) -> None:
        request = stun.parse_binding_request(data)
        if request is None:
            self.counters["stun_malformed"] += 1
            return
        channel = self._by_ufrag.get(request.local_ufrag)
        if channel is None:
            self.counters["stun_unknown"] += 1
            return
        password = next(p for u, p in channel.credentials if u == request.local_ufrag)
        if not request.is_signed_with(password):
            self.counters["stun_rejected"] += 1
            return
        if not channel.may_ask(now_s):
            self.counters["stun_rate"] += 1
            return
        channel.heard_s = now_s
        channel.bind(address)
        ip, port = (address >> 16).to_bytes(4, "big"), address & 0xFFFF
        self.port.send(stun.binding_success(request, ip, port, password), address)
        if request.use_candidate:
            channel.retire_credentials(request.local_ufrag)
            channel.select(address)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
