"""Full ICE through aioice, one socket per peer: the fallback where ICE-lite is not possible.

Configured by `WEBRTC_ICE=full`: a host behind a NAT that does not map its UDP port, or a client
that cannot talk to an ICE-lite agent. It costs a socket and some timers per peer and sends packet
by packet. Two of aioice's habits are worked around: candidates of `.local` names are not resolved
(that blocks for a second; the client's own checks tell its address), and checking does not begin
before there is something to check, because aioice gives up at once otherwise. An ICE restart gets
a connection of its own; DTLS and SRTP go on over it.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence

import aioice

from webrtc.media.aiortc_adapter import has_early_checks, send_now
from webrtc.media.ice import IcePeer
from webrtc.media.udp import pack_address

logger = logging.getLogger(__name__)

MAX_PEER_QUEUE = 32
MAX_CANDIDATES = 40
FIRST_CHECK_S = 20.0


class FullIceAgent:
    """Opens a channel with sockets of its own for each peer."""

    def __init__(self, counters: Counter[str]) -> None:
        """Count into `counters`."""
        self.counters = counters

    def open(self, peer: IcePeer) -> "FullChannel":
        """Return a channel for a new peer."""
        return FullChannel(peer, self.counters)


class FullChannel:
    """One peer's connectivity over aioice."""

    role = "controlled"
    is_lite = False

    def __init__(self, peer: IcePeer, counters: Counter[str]) -> None:
        """Made by `FullIceAgent.open`."""
        self.heard_s = 0.0
        self.address: int | None = None
        self._peer = peer
        self._counters = counters
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_PEER_QUEUE)
        self._connection = _make_connection()
        self._live: aioice.Connection | None = None  # the one that carries packets now
        self._task: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def via(self) -> Callable[[bytes], None]:
        """Packets go through aioice."""
        return self.send

    @property
    def ufrag(self) -> str:
        """Current username fragment."""
        return self._connection.local_username

    @property
    def password(self) -> str:
        """Current password."""
        return self._connection.local_password

    @property
    def candidates(self) -> Sequence[str]:
        """Our candidates, gathered by `prepare`."""
        return [candidate.to_sdp() for candidate in self._connection.local_candidates]

    async def prepare(self) -> None:
        """Gather candidates."""
        if not self._connection.local_candidates:
            await self._connection.gather_candidates()

    def rotate(self) -> None:
        """Begin a new connection; the old one carries packets until the new one can."""
        former, task = self._connection, self._task
        self._connection, self._task = _make_connection(), None
        if former is self._live and task is not None:
            self._own(task)  # ends when its connection is closed
            return
        if task is not None:
            task.cancel()
        self._own(asyncio.create_task(former.close()))

    def set_remote(self, ufrag: str, password: str, candidates: Sequence[str]) -> None:
        """Take the client's side and begin to check."""
        connection = self._connection
        connection.remote_username, connection.remote_password = ufrag, password
        for candidate in candidates[:MAX_CANDIDATES]:
            self.add_candidate(candidate)
        if self._task is None:
            self._task = asyncio.create_task(self._run(connection), name="full ICE")

    def add_candidate(self, candidate: str) -> None:
        """Take a candidate; names and what cannot be parsed are left out."""
        if len(self._connection.remote_candidates) >= MAX_CANDIDATES:
            return
        try:
            parsed = aioice.Candidate.from_sdp(candidate.removeprefix("candidate:"))
        except (ValueError, AssertionError, IndexError):
            self._counters["candidate_malformed"] += 1
            return
        if parsed.host.endswith(".local") or parsed.transport.lower() != "udp":
            return
        task = asyncio.create_task(self._connection.add_remote_candidate(parsed))
        self._own(task)

    def send(self, data: bytes) -> None:
        """Send one packet through the nominated pair."""
        if self._live is None or not send_now(self._live, data):
            self._counters["send_unconnected"] += 1

    def close(self) -> None:
        """Forget the peer."""
        if self._closed:
            return
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        for connection in {self._connection, self._live} - {None}:
            if connection is not None:
                self._own(asyncio.create_task(connection.close()))
        if self._inbox.full():
            self._inbox.get_nowait()
        self._inbox.put_nowait(None)

    async def _recv(self) -> bytes:
        data = None if self._closed else await self._inbox.get()
        if data is None:
            raise ConnectionError("closed")
        return data

    async def _send(self, data: bytes) -> None:
        if self._live is None:
            raise ConnectionError("not connected")
        self.send(data)

    async def _run(self, connection: aioice.Connection) -> None:
        """Connect, then hand on what comes until the connection ends."""
        give_up_s = time.monotonic() + FIRST_CHECK_S
        try:
            while not connection.remote_candidates and not has_early_checks(connection):
                if time.monotonic() > give_up_s:
                    return
                await asyncio.sleep(0.05)
            await connection.connect()
            before, self._live = self._live, connection
            if before is not None:
                self._own(asyncio.create_task(before.close()))
            self.address = pack_address("0.0.0.0", 0)  # noqa: S104 — aioice knows the real one
            self._peer.on_selected(self.address)
            while True:
                self._dispatch(await connection.recv())
        except ConnectionError as error:
            logger.info("full ICE ended: %s", error)

    def _dispatch(self, data: bytes) -> None:
        now = self.heard_s = time.monotonic()
        if not data:
            return
        if 127 < data[0] < 192:
            self._peer.on_srtp(data, now)
        elif 19 < data[0] < 64:
            try:
                self._inbox.put_nowait(data)
            except asyncio.QueueFull:
                self._counters["dtls_dropped"] += 1
        else:
            self._counters["unknown_protocol"] += 1

    def _own(self, task: "asyncio.Task[None]") -> None:
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)


def _make_connection() -> aioice.Connection:
    return aioice.Connection(ice_controlling=False, components=1, use_ipv6=False)
