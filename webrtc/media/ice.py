"""What a peer and its connectivity ask of each other, whichever ICE agent runs below."""

from collections.abc import Callable, Sequence
from typing import Protocol


class IcePeer(Protocol):
    """Who wants to hear of a channel."""

    def on_selected(self, address: int) -> None:
        """The peer is to be reached at this address from now on (`udp.pack_address`)."""

    def on_srtp(self, data: bytes, arrival_s: float) -> None:
        """An SRTP or SRTCP packet came from an address of the peer."""


class Channel(Protocol):
    """One peer's connectivity.

    Attributes:
        role: ICE role as aiortc names it.
        heard_s: When something authentic last came; the peer sets it too.
    """

    role: str
    heard_s: float

    @property
    def via(self) -> Callable[[bytes], None] | None:
        """How the fan-out sends where it cannot use the worker's own socket; else None."""
        ...

    @property
    def is_lite(self) -> bool:
        """Whether our SDP says ice-lite."""
        ...

    @property
    def address(self) -> int | None:
        """Where the client is reached now; None before anything was selected."""
        ...

    @property
    def ufrag(self) -> str:
        """Our current username fragment."""
        ...

    @property
    def password(self) -> str:
        """Our current password."""
        ...

    @property
    def candidates(self) -> Sequence[str]:
        """Our candidates as SDP attribute values."""
        ...

    async def prepare(self) -> None:
        """Get ready to be described; again after `rotate`."""

    def rotate(self) -> None:
        """Take new credentials for an ICE restart."""

    def set_remote(self, ufrag: str, password: str, candidates: Sequence[str]) -> None:
        """Take the client's credentials and the candidates of its offer (SDP attribute values)."""

    def add_candidate(self, candidate: str) -> None:
        """Take a trickled candidate."""

    def send(self, data: bytes) -> None:
        """Send one packet; drops it when there is no way yet."""

    def close(self) -> None:
        """Forget the peer; a waiting `_recv` raises ConnectionError."""

    async def _recv(self) -> bytes: ...

    async def _send(self, data: bytes) -> None: ...


class IceAgent(Protocol):
    """Opens channels."""

    def open(self, peer: IcePeer) -> Channel:
        """Return a channel for a new peer."""
