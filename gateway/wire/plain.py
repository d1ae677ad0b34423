"""Clients of the old kind: no control line, an id of their own choice, samples from the start.

Who they are is taken from their datagrams: what stands before the last 2048 bytes is the id.
Whether they are let in is decided elsewhere; this only says who asks, seldom enough that a flood
of ids is no work for anybody. An id as the server gives them is never of the old kind: its owner
has a control line, and is not known here yet, since datagrams overtake what the front process says,
or not any more.
"""

import ipaddress
from collections import OrderedDict
from typing import Final

from gateway.wire.datagrams import CHUNK_BYTES, MOST_ID_BYTES, is_given

AGAIN_S: Final = 2.0
"""Who was not let in is asked about again after so long."""
MOST_ASKING: Final = 64
"""Ids that are remembered; while so many have asked within `AGAIN_S`, no others are heard."""

_PRIVATE: Final = tuple(
    (int(network.network_address), int(network.netmask))
    for network in map(
        ipaddress.IPv4Network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
    )
)


def plain_id(datagram: bytes) -> bytes:
    """Return what would be the id of a client of the old kind; b"" for none."""
    count = len(datagram) - CHUNK_BYTES
    return datagram[:count] if 0 < count <= MOST_ID_BYTES else b""


def is_private(host: int) -> bool:
    """Whether an IPv4 address is of a network that nobody routes to the world (RFC 1918, 3927)."""
    return any(host & mask == network for network, mask in _PRIVATE)


class Knocks:
    """Who asks to be let in. It never reads a clock."""

    def __init__(self) -> None:
        """Know nobody."""
        self._asked: OrderedDict[str, float] = OrderedDict()

    def hear(self, datagram: bytes, address: int, now_s: float) -> str | None:
        """Return the id of a client that asks, None for anything else; times never go back.

        Args:
            datagram: One of nobody whom we know.
            address: Where it comes from, `ip << 16 | port`.
            now_s: When it came.
        """
        while self._asked and next(iter(self._asked.values())) <= now_s - AGAIN_S:
            self._asked.popitem(last=False)
        if not is_private(address >> 16) or len(self._asked) >= MOST_ASKING:
            return None
        try:
            client_id = plain_id(datagram).decode()
        except UnicodeDecodeError:
            return None
        if not client_id or not client_id.isprintable() or is_given(client_id):
            return None
        if client_id in self._asked:
            return None
        self._asked[client_id] = now_s
        return client_id
