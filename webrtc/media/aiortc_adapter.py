"""Every private touch of aiortc and of the libraries below it stands here; one contract test.

What we use: `RTCDtlsTransport` for the handshake and the SRTP keys, over an ICE transport of our
own that has aiortc's interface (`_recv`, `_send`, `role`); aiortc's SDP parser; and the addresses
of libsrtp's functions inside pylibsrtp for the compiled fan-out. What we do not use, and why:
its receiver (a 16-packet prefetch: 80 ms of delay, 280 ms after a single loss), its sender (one
encoder and one task per subscriber) and its ICE agent (one port per connection, no restart).
"""

from collections.abc import Callable
from typing import Protocol, cast

import aioice
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import (
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
)
from aiortc.rtcicetransport import RTCIceTransport
from aiortc.sdp import MediaDescription, SessionDescription, candidate_to_sdp
from OpenSSL import SSL
from pylibsrtp import Session
from pylibsrtp import _binding as srtp_binding

__all__ = [
    "CertificateSupply",
    "DtlsTransport",
    "IceChannel",
    "MediaDescription",
    "SessionDescription",
    "SharedCertificate",
    "candidate_to_sdp",
    "has_early_checks",
    "parse_sdp",
    "send_now",
    "srtp_pointer",
    "srtp_protect_address",
    "srtp_unprotect_address",
]

RENEW_CERTIFICATE_S = 10 * 86_400.0  # aiortc's certificates are valid for 30 days


class IceChannel(Protocol):
    """What aiortc's DTLS transport asks of an ICE transport."""

    role: str

    async def _recv(self) -> bytes: ...

    async def _send(self, data: bytes) -> None: ...


# Ours is an ECDSA certificate. The last two are for a peer that insists on being the DTLS server
# (`a=setup:passive`) and has an RSA certificate, as some encoders have.
CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305"
)


class SharedCertificate(RTCCertificate):
    """One certificate and one OpenSSL context for all connections of a worker.

    aiortc makes both anew per connection, which costs a quarter of a millisecond and some 20 KB;
    and it speaks with ECDSA servers only.
    """

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            self._context.set_cipher_list(CIPHERS)
            # An idle connection keeps no read and write buffers.
            self._context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        return self._context

    def sha256(self) -> str:
        """Return the fingerprint as SDP writes it."""
        return next(f.value for f in self.getFingerprints() if f.algorithm == "sha-256")


class CertificateSupply:
    """The certificate of a worker's new connections: young, whatever the worker's age.

    Connections that are there keep theirs; what they told the client about it must stay true.
    """

    def __init__(self, now_s: float) -> None:
        """Make the first certificate."""
        self._made_s = now_s
        self._certificate = SharedCertificate.generateCertificate()

    def take(self, now_s: float) -> SharedCertificate:
        """Return the certificate for a connection that begins now."""
        if now_s - self._made_s >= RENEW_CERTIFICATE_S:
            self._made_s = now_s
            self._certificate = SharedCertificate.generateCertificate()
        return self._certificate


class DtlsTransport:
    """A DTLS-SRTP handshake over an `IceChannel`, and the sessions that come out of it."""

    def __init__(
        self, channel: IceChannel, certificate: SharedCertificate, on_state: Callable[[str], None]
    ) -> None:
        """Prepare the transport; nothing runs before `start`.

        Args:
            channel: Carries the datagrams.
            certificate: Ours.
            on_state: Called with "connecting", "connected", "closed" or "failed".
        """
        self._dtls = RTCDtlsTransport(cast(RTCIceTransport, channel), [certificate])
        self._dtls.on("statechange", lambda: on_state(self._dtls.state))

    @property
    def state(self) -> str:
        """`new`, `connecting`, `connected`, `closed` or `failed`."""
        return self._dtls.state

    async def start(self, *, server: bool, fingerprints: list[tuple[str, str]]) -> None:
        """Run the handshake; the outcome is told by `on_state`.

        Args:
            server: Whether we wait for the ClientHello (`a=setup:passive` in our SDP).
            fingerprints: (algorithm, value) of the peer's certificate, at least one.
        """
        self._dtls._set_role("server" if server else "client")
        await self._dtls.start(
            RTCDtlsParameters([RTCDtlsFingerprint(name, value) for name, value in fingerprints])
        )

    async def stop(self) -> None:
        """Say goodbye and stop."""
        await self._dtls.stop()
        self._dtls.remove_all_listeners()

    @property
    def outgoing(self) -> Session:
        """SRTP session for what we send; only while connected."""
        return self._dtls._tx_srtp

    @property
    def incoming(self) -> Session:
        """SRTP session for what we receive; only while connected."""
        return self._dtls._rx_srtp


def parse_sdp(text: str) -> SessionDescription:
    """Return the parsed description.

    Raises:
        ValueError: It is malformed, in whatever way; aiortc's parser lets many exceptions through.
    """
    try:
        return SessionDescription.parse(text)
    except Exception as error:
        raise ValueError(f"malformed SDP: {error!r}") from error


def srtp_pointer(session: Session) -> int:
    """Return the address of the libsrtp session behind `session`."""
    return int(srtp_binding.ffi.cast("uintptr_t", session._srtp[0]))


def srtp_protect_address() -> int:
    """Return the address of `srtp_protect`."""
    return _function_address("srtp_protect")


def srtp_unprotect_address() -> int:
    """Return the address of `srtp_unprotect`."""
    return _function_address("srtp_unprotect")


def _function_address(name: str) -> int:
    pointer = srtp_binding.ffi.addressof(srtp_binding.lib, name)
    return int(srtp_binding.ffi.cast("uintptr_t", pointer))


def has_early_checks(connection: aioice.Connection) -> bool:
    """Whether the client has begun to check before we did."""
    return bool(connection._early_checks)


def send_now(connection: aioice.Connection, data: bytes) -> bool:
    """Send through the nominated pair without a coroutine; return whether there is one."""
    pair = connection._nominated.get(1)
    if pair is None:
        return False
    pair.protocol.transport.sendto(data, pair.remote_addr)
    return True
