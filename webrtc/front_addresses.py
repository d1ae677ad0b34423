"""Where a request comes from, and how many may come from one place.

Behind proxies that the operator trusts, the client is the last address in `X-Forwarded-For` that is
none of theirs; what stands before it may be made up. Everybody else's header is not looked at.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from webrtc.signaling.rate import TokenBucket

MAX_PLACES: Final = 10_000
"""How many places are remembered; the one that asked least recently is forgotten first."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Addresses:
    """Knows the proxies.

    Args:
        trusted: their addresses or networks.
    """

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._trusted = [ipaddress.ip_network(one) for one in trusted]

    def of(self, request: web.Request) -> str:
        """Return the client's address, "" if nobody knows."""
        peer = _parsed(request.remote or "")
        if peer is None or not self._is_trusted(peer):
            return str(peer or "")
        header = ",".join(request.headers.getall("X-Forwarded-For", []))
        for text in reversed(header.split(",")):
            hop = _parsed(text.strip())
            if hop is None:
                break
            peer = hop
            if not self._is_trusted(hop):
                break
        return str(peer)

    def _is_trusted(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted)


def _parsed(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class Crowd:
    """How often each place may ask. Sans-I/O: `now` is passed in.

    Args:
        rate_per_s: what each may do for long.
        burst: what each may do at once.
    """

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, address: str, now: float) -> float:
        """Count one request; return 0, or the seconds to wait."""
        place = _place(address)
        bucket = self._buckets.get(place)
        if bucket is None:
            bucket = self._buckets[place] = TokenBucket(self._rate_per_s, self._burst, now)
            if len(self._buckets) > MAX_PLACES:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(place)
        return bucket.take(1, now)


def _place(address: str) -> str:
    """Return what counts as one place: of IPv6 the first 64 bits, which one household has."""
    parsed = _parsed(address)
    if parsed is None or parsed.version == 4:
        return address
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False))
