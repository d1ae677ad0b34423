"""Who may send datagrams: known ids, from the address that each began with, no more than sound.

Whatever is dropped is counted, by reason:

| counter | dropped because |
|---|---|
| `unknown` | nobody of this id is registered, or it is too short to hold an id |
| `spoofed` | it came from another address than the first, or another host than the control line |
| `short`, `oversized` | its payload is no payload of the client's kind |
| `flooded` | the client sent more than sound needs |
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from gateway.wire.datagrams import (
    CHUNK_BYTES,
    ID_BYTES,
    MOST_OPUS_BYTES,
    OPUS_HEADER,
    PayloadKind,
)
from gateway.wire.plain import plain_id

STALE_S: Final = 15.0
"""Without a datagram for so long, a client is unbound; its next one binds it again."""
_RATE_PER_S: Final = {"pcm": 60.0, "opus": 150.0}  # 43 and at most 100 are needed
_BURST: Final = {"pcm": 20.0, "opus": 50.0}


@dataclass(slots=True, eq=False)
class Client:
    """A registered client.

    Attributes:
        key: Whose it is; for the caller.
        kind: What it sends and gets.
        host: IPv4 address of its control line; 0 for any.
        address: Where its datagrams come from, `ip << 16 | port`; None before the first.
        heard_s: When the last good one came.
        id_bytes: How long its id is, of which clients of the old kind decide themselves.
    """

    key: str
    kind: PayloadKind
    host: int
    address: int | None = None
    heard_s: float = float("-inf")
    id_bytes: int = ID_BYTES
    _tokens: float = 0.0
    _filled_s: float = float("-inf")

    def takes(self, now_s: float) -> bool:
        """Whether one more datagram is within what sound needs; times never go back."""
        rate, burst = _RATE_PER_S[self.kind], _BURST[self.kind]
        self._tokens = min(burst, self._tokens + (now_s - self._filled_s) * rate)
        self._filled_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Guard:
    """The registered clients.

    Attributes:
        dropped: How many datagrams were dropped, by reason.
    """

    def __init__(self) -> None:
        """Know nobody."""
        self.dropped: Counter[str] = Counter()
        self._clients: dict[bytes, Client] = {}

    def add(self, client_id: str, client: Client) -> None:
        """Register a client, in place of any of that id."""
        key = client_id.encode()
        client.id_bytes = len(key)
        self._clients[key] = client

    def remove(self, client_id: str) -> None:
        """Forget a client; unknown ids are ignored."""
        self._clients.pop(client_id.encode(), None)

    def knows(self, datagram: bytes) -> bool:
        """Whether a datagram bears the id of a registered client."""
        return self._client(datagram) is not None

    def admit(self, datagram: bytes, address: int, now_s: float) -> tuple[Client, bytes] | None:
        """Return who sent a datagram, and its payload; None when it is dropped.

        The first datagram binds its address.
        """
        client = self._client(datagram)
        reason = "unknown" if client is None else self._fault(client, datagram, address)
        if reason is None and client is not None and not client.takes(now_s):
            reason = "flooded"
        if reason is not None or client is None:
            self.dropped[reason or ""] += 1
            return None
        client.address = address
        client.heard_s = now_s
        return client, datagram[client.id_bytes :]

    def stale(self, now_s: float) -> list[Client]:
        """Return the clients that were bound and have gone silent, and unbind them."""
        silent = [
            client
            for client in self._clients.values()
            if client.address is not None and now_s - client.heard_s > STALE_S
        ]
        for client in silent:
            client.address = None
        return silent

    def _client(self, datagram: bytes) -> Client | None:
        known = self._clients
        return known.get(datagram[:ID_BYTES]) or known.get(plain_id(datagram))

    @staticmethod
    def _fault(client: Client, datagram: bytes, address: int) -> str | None:
        if client.address is None:
            if client.host and address >> 16 != client.host:
                return "spoofed"
        elif address != client.address:
            return "spoofed"
        size = len(datagram) - client.id_bytes
        if client.kind == "pcm":
            least = most = CHUNK_BYTES
        else:
            least, most = OPUS_HEADER.size + 1, OPUS_HEADER.size + MOST_OPUS_BYTES
        return "short" if size < least else "oversized" if size > most else None
