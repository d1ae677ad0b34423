"""Stand-ins for what surrounds the parts of the media worker."""

import socket

from aioice import stun as aioice_stun

from webrtc.media.udp import UdpPort, pack_address


class SentPort:
    """A port that keeps what is sent through it.

    Attributes:
        sent: (data, address) in the order of sending.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, int]] = []

    def send(self, data: bytes, address: int) -> None:
        """Keep a datagram."""
        self.sent.append((data, address))


class Ear:
    """An ICE peer that notes what it is told."""

    def __init__(self) -> None:
        self.selected: list[int] = []
        self.heard: list[tuple[bytes, float]] = []

    def on_selected(self, address: int) -> None:
        """Note the address."""
        self.selected.append(address)

    def on_srtp(self, data: bytes, arrival_s: float) -> None:
        """Note the packet."""
        self.heard.append((data, arrival_s))


def bound_socket() -> socket.socket:
    """Return a datagram socket on a free port of the loopback."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock


def address_of(sock: socket.socket) -> int:
    """Return the address of a socket as one integer."""
    host, port = sock.getsockname()
    return pack_address(host, port)


def receive_all(port: UdpPort, count: int) -> list[bytes]:
    """Return `count` datagrams that loopback has delivered already."""
    found: list[bytes] = []
    while len(found) < count and (batch := port.receive()):
        found.extend(datagram.data for datagram in batch)
    return found


def binding_request(ufrag: str, password: str, *, use_candidate: bool = True) -> bytes:
    """Return a connectivity check as aioice writes it."""
    message = aioice_stun.Message(
        message_method=aioice_stun.Method.BINDING, message_class=aioice_stun.Class.REQUEST
    )
    message.attributes["USERNAME"] = f"{ufrag}:theirs"
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = 1
    if use_candidate:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password.encode())
    return bytes(message)
