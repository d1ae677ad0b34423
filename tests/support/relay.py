"""A network between browsers and a media worker that can be cut, lose and change addresses.

The worker listens on 127.0.0.1 and announces another loopback address, where the relay stands with
the same port: `WEBRTC_HOST=127.0.0.1`, `WEBRTC_ANNOUNCED_IPS=ADDRESS`.
"""

import asyncio
import math
import socket
from collections import Counter
from types import TracebackType
from typing import Self

from mixer.netsim import NetworkSimulator

ADDRESS = "127.0.0.2"

_SERVER = "127.0.0.1"
_FLOWS_S = 30.0
_AT_ONCE_S = 0.0005
_Address = tuple[str, int]


class Relay:
    """Carries datagrams to and fro; an async context manager.

    Like a router with address translation, it shows the server an address of its own for every
    client.

    Attributes:
        cut: nothing gets through while it is true.
        network: what media packets pass on their way to the server; clean in the beginning.
    """

    def __init__(self, port: int) -> None:
        self.cut = False
        self.network: NetworkSimulator[tuple[bytes, _Address]] = NetworkSimulator(seed=1)
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._near = _bound(ADDRESS, port)
        self._far: dict[_Address, socket.socket] = {}
        self._delivered: Counter[_Address] = Counter()

    async def __aenter__(self) -> Self:
        self._loop.add_reader(self._near.fileno(), self._from_clients)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.remove_reader(self._near.fileno())
        self._near.close()
        self.change_addresses()

    @property
    def addresses(self) -> set[_Address]:
        """What the server sees: one address for each client that has sent something."""
        return {each.getsockname() for each in self._far.values()}

    def change_addresses(self) -> None:
        """Forget all translations: from now on every client comes from a new address."""
        for each in self._far.values():
            self._loop.remove_reader(each.fileno())
            each.close()
        self._far.clear()
        self._delivered.clear()

    async def flows(self, clients: int, datagrams: int = 200) -> None:
        """Wait until so many clients got so much since the addresses changed."""
        async with asyncio.timeout(_FLOWS_S):
            while sum(count >= datagrams for count in self._delivered.values()) < clients:
                await asyncio.sleep(0.02)

    def _from_clients(self) -> None:
        while (arrived := _receive(self._near)) is not None:
            datagram, client = arrived
            if client not in self._far:
                far = self._far[client] = _bound(_SERVER, 0)
                self._loop.add_reader(far.fileno(), self._from_server, far, client)
            if self.cut:
                continue
            if not _is_media(datagram):
                self._to_server(datagram, client)
                continue
            now_s = self._loop.time()
            self.network.send((datagram, client), len(datagram), now_s)
            for time_s, packet in self.network.poll(math.inf):
                if time_s - now_s < _AT_ONCE_S:
                    self._to_server(*packet)
                else:
                    self._loop.call_at(time_s, self._to_server, *packet)

    def _to_server(self, datagram: bytes, client: _Address) -> None:
        if client in self._far:  # the addresses may have changed meanwhile
            _send(self._far[client], datagram, (_SERVER, self._port))

    def _from_server(self, far: socket.socket, client: _Address) -> None:
        while (arrived := _receive(far)) is not None:
            if not self.cut:
                self._delivered[client] += 1
                _send(self._near, arrived[0], client)


def _is_media(datagram: bytes) -> bool:
    """Whether it is SRTP, not SRTCP, DTLS or STUN (RFC 7983, RFC 5761)."""
    return len(datagram) > 12 and 128 <= datagram[0] <= 191 and not 192 <= datagram[1] <= 223


def _bound(ip: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.bind((ip, port))
    return opened


def _receive(from_socket: socket.socket) -> tuple[bytes, _Address] | None:
    try:
        datagram, sender = from_socket.recvfrom(2048)
    except (BlockingIOError, ConnectionRefusedError):
        return None
    return datagram, sender


def _send(through: socket.socket, datagram: bytes, to: _Address) -> None:
    try:
        through.sendto(datagram, to)
    except (BlockingIOError, ConnectionRefusedError):
        return  # a network may lose what it likes
