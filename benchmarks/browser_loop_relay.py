"""A bad network between the server and a browser on the same machine: a UDP relay."""

import asyncio
import math
from collections.abc import Callable

from mixer.netsim import NetworkSimulator
from mixer.netsim_settings import NetworkConditions

Address = tuple[str, int]

_HOST = "127.0.0.1"


def is_rtp(datagram: bytes) -> bool:
    """Return whether it is RTP, and not RTCP, STUN or DTLS beside it (RFC 7983, RFC 5761)."""
    return len(datagram) >= 12 and 128 <= datagram[0] < 192 and not 64 <= datagram[1] & 0x7F < 96


class Relay:
    """Carries datagrams both ways; RTP towards the browser is lost and delayed.

    Connection checks, the handshake and reports pass unharmed, so that a measurement is of sound on
    a bad network and not of how a connection gets on there.

    Attributes:
        stats: what became of the RTP packets towards the browser.
    """

    def __init__(self, server: Address, conditions: NetworkConditions, seed: int = 1) -> None:
        """Carry to and from `server`; needs a running event loop from `open` on."""
        self._server = server
        self._network: NetworkSimulator[bytes] = NetworkSimulator(conditions, seed)
        self.stats = self._network.stats
        self._browser_side: asyncio.DatagramTransport | None = None
        self._servers_side: asyncio.DatagramTransport | None = None
        self._browser: Address | None = None

    async def open(self) -> int:
        """Return the port on the loopback address that stands for the server."""
        loop = asyncio.get_running_loop()
        self._servers_side, _ = await loop.create_datagram_endpoint(
            lambda: _Side(self._from_server), remote_addr=self._server
        )
        self._browser_side, _ = await loop.create_datagram_endpoint(
            lambda: _Side(self._from_browser), local_addr=(_HOST, 0)
        )
        port: int = self._browser_side.get_extra_info("sockname")[1]
        return port

    def close(self) -> None:
        """Carry nothing any more."""
        for side in (self._browser_side, self._servers_side):
            if side is not None:
                side.close()
        self._browser_side = self._servers_side = None

    def _from_browser(self, datagram: bytes, sender: Address) -> None:
        self._browser = sender
        if self._servers_side is not None:
            self._servers_side.sendto(datagram)

    def _from_server(self, datagram: bytes, _sender: Address) -> None:
        if not is_rtp(datagram):
            self._to_browser(datagram)
            return
        loop = asyncio.get_running_loop()
        self._network.send(datagram, len(datagram), loop.time())
        for time_s, arrived in self._network.poll(math.inf):
            loop.call_at(time_s, self._to_browser, arrived)

    def _to_browser(self, datagram: bytes) -> None:
        if self._browser_side is not None and self._browser is not None:
            self._browser_side.sendto(datagram, self._browser)


class _Side(asyncio.DatagramProtocol):
    """Hands on what a socket gets."""

    def __init__(self, hand_on: Callable[[bytes, Address], None]) -> None:
        self._hand_on = hand_on

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._hand_on(data, addr)
