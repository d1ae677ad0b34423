"""One participant's connection: ICE checks, DTLS, SRTP and RTCP. Datagrams in, datagrams out."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import pylibsrtp
from OpenSSL import SSL

from benchmarks.load import stun
from benchmarks.load.dtls import DtlsSession, HandshakeError
from benchmarks.load.rtp import (
    ReportBlock,
    parse_rtcp,
    receiver_report,
    red_payload,
    rtp_packet,
    sender_report,
)
from benchmarks.load.sdp import OPUS_TYPE, RED_TYPE, Identity, RemotePeer


class State(Enum):
    """Where a connection stands; only forwards, one step at a time, or to FAILED."""

    CHECKING = "checking"
    HANDSHAKING = "handshaking"
    CONNECTED = "connected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Connection:
    """Both sides of a connection, as the SDP agreed on them."""

    participant: int
    identity: Identity
    remote: RemotePeer
    payload_type: int


class Participant:
    """The state of one connection. It never waits: `timeout_s` says when to come back."""

    def __init__(
        self, connection: Connection, context: SSL.Context, send: Callable[[bytes], None]
    ) -> None:
        self.state = State.CHECKING
        self.failure = ""
        self.remote_loss = 0.0
        self._connection = connection
        self._send = send
        self._dtls = DtlsSession(
            context,
            is_client=connection.remote.client_is_dtls_client,
            peer_fingerprint=connection.remote.fingerprint,
        )
        self._username = f"{connection.remote.ufrag}:{connection.identity.ufrag}"
        self._transaction = b""
        self._sequence = random.getrandbits(15)
        self._timestamp = random.getrandbits(32)
        self._media_time = 0
        self._packets = 0
        self._octets = 0
        self._previous: bytes | None = None
        self._last_sr: tuple[int, int] = (0, 0)  # middle of its NTP time, arrival ns

    # ---- ICE -------------------------------------------------------------------------------

    def send_check(self) -> None:
        """Send a connectivity or consent check (RFC 8445, RFC 7675)."""
        self._transaction = stun.new_transaction_id()
        self._send(
            stun.check_request(self._transaction, self._username, self._connection.remote.password)
        )

    def handle_stun(self, message: bytes) -> None:
        """Take a STUN message: an answer to our check, or a check of a full ICE agent."""
        header = stun.parse_header(message)
        if header is None:
            return
        if header.kind == stun.BINDING_REQUEST:
            self._send(
                stun.check_response(
                    header.transaction_id,
                    self._connection.remote.address,
                    self._connection.identity.password,
                )
            )
        elif header.kind == stun.BINDING_SUCCESS and header.transaction_id == self._transaction:
            self._transaction = b""
            if self.state is State.CHECKING:
                self.state = State.HANDSHAKING
                self._send_all(self._dtls.start())

    # ---- DTLS ------------------------------------------------------------------------------

    def handle_dtls(self, datagram: bytes) -> None:
        """Take a DTLS datagram; the state tells whether it completed the handshake."""
        if self.state is State.FAILED:
            return
        try:
            self._send_all(self._dtls.handle_datagram(datagram))
        except HandshakeError as error:
            self.state, self.failure = State.FAILED, str(error)
            return
        if self._dtls.srtp is not None:
            self.state = State.CONNECTED

    def dtls_timeout_s(self) -> float | None:
        """Return after how many seconds a lost flight has to be repeated; None without one."""
        return self._dtls.timeout_s() if self.state is State.HANDSHAKING else None

    def repeat_flight(self) -> None:
        """Repeat the last flight."""
        self._send_all(self._dtls.handle_timeout())

    # ---- media -----------------------------------------------------------------------------

    def protect(self, payload: bytes, level: int, samples: int, *, marker: bool) -> bytes:
        """Return the next packet of our stream, protected, `samples` long.

        Where the answer prefers RED, the packet carries its predecessor once more, as Chromium's.
        """
        assert self._dtls.srtp is not None
        if self._connection.payload_type == RED_TYPE:
            previous, self._previous = self._previous, payload
            payload = red_payload(OPUS_TYPE, payload, previous, samples)
        extension = self._connection.remote.level_extension
        packet = rtp_packet(
            self._connection.payload_type,
            self._sequence,
            self._timestamp + self._media_time,
            self._connection.identity.ssrc,
            payload,
            marker=marker,
            level=None if extension is None else (extension, level),
        )
        self._sequence += 1
        self._media_time += samples
        self._packets += 1
        self._octets += len(payload)
        return bytes(self._dtls.srtp.outbound.protect(packet))

    def skip(self, samples: int) -> None:
        """Let media time pass without a packet."""
        self._media_time += samples

    def send(self, datagram: bytes) -> None:
        """Send a protected packet."""
        self._send(datagram)

    def unprotect(self, packet: bytes) -> bytes | None:
        """Return a received RTP packet in the clear, None when it does not verify."""
        assert self._dtls.srtp is not None
        try:
            return bytes(self._dtls.srtp.inbound.unprotect(packet))
        except pylibsrtp.Error:
            return None

    def handle_rtcp(self, packet: bytes, now_ns: int) -> None:
        """Take a protected RTCP packet: remember sender reports, and what is said of us."""
        if self._dtls.srtp is None:
            return
        try:
            plain = self._dtls.srtp.inbound.unprotect_rtcp(packet)
        except pylibsrtp.Error:
            return
        senders, blocks = parse_rtcp(plain)
        for sender in senders:
            self._last_sr = sender.ntp_middle, now_ns
        for block in blocks:
            if block.ssrc == self._connection.identity.ssrc:
                self.remote_loss = block.fraction_lost

    def last_sr(self, now_ns: int) -> tuple[int, int]:
        """Return a report block's LSR and DLSR fields (RFC 3550 section 6.4.1)."""
        middle, arrived_ns = self._last_sr
        return (middle, (now_ns - arrived_ns) * 65536 // 1_000_000_000) if middle else (0, 0)

    def send_reports(self, block: ReportBlock | None) -> None:
        """Send what is due: a sender report if we speak, a receiver report if we hear."""
        assert self._dtls.srtp is not None
        ssrc = self._connection.identity.ssrc
        if self._packets:
            report = sender_report(
                ssrc,
                time.time(),
                self._timestamp + self._media_time,
                self._packets,
                self._octets,
            )
            self._send(bytes(self._dtls.srtp.outbound.protect_rtcp(report)))
        if block is not None:
            report = receiver_report(ssrc, [block])
            self._send(bytes(self._dtls.srtp.outbound.protect_rtcp(report)))

    def _send_all(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            self._send(datagram)
