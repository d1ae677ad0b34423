"""What we use of aiortc and the libraries below it is still there, and still means the same.

A failure here says what changed under us. Look at the new release's version of the named thing,
change `webrtc/media/aiortc_adapter.py` alone, then this file.
"""

import asyncio
import datetime
import importlib.metadata
import inspect
import re

import aioice
import pytest
from aiortc import RTCCertificate, rtcdtlstransport, sdp
from aiortc.rtcdtlstransport import RTCDtlsTransport, State
from OpenSSL import SSL
from pylibsrtp import Policy, Session
from pylibsrtp import _binding as srtp_binding

from tests.support.patience import PATIENCE_S
from webrtc.media import aiortc_adapter
from webrtc.media.aiortc_adapter import (
    RENEW_CERTIFICATE_S,
    CertificateSupply,
    DtlsTransport,
    SharedCertificate,
)

# Not "error" alone: what an earlier test has left to the garbage collector is not aiortc's.
pytestmark = [
    pytest.mark.filterwarnings(f"error::{kind}")
    for kind in ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")
]


def parameters(function):
    """Return the names of a function's parameters, `self` left out."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


def source_of(thing):
    return inspect.getsource(thing)


def test_the_release_is_one_that_was_read():
    version = importlib.metadata.version("aiortc")
    assert version.startswith("1.16."), (
        f"aiortc is {version}: read aiortc_adapter.py against its rtcdtlstransport.py and sdp.py, "
        "then allow it here and in requirements.txt"
    )


@pytest.mark.parametrize(
    ("owner", "name", "expected"),
    [
        (RTCDtlsTransport, "__init__", ["transport", "certificates"]),
        (RTCDtlsTransport, "start", ["remoteParameters"]),
        (RTCDtlsTransport, "stop", []),
        (RTCDtlsTransport, "_set_role", ["role"]),
        (RTCCertificate, "_create_ssl_context", ["srtp_profiles"]),
        (RTCCertificate, "getFingerprints", []),
        (RTCCertificate, "generateCertificate", []),
        (rtcdtlstransport.RTCDtlsFingerprint, "__init__", ["algorithm", "value"]),
        (rtcdtlstransport.RTCDtlsParameters, "__init__", ["fingerprints", "role"]),
        (sdp.SessionDescription, "parse", ["sdp"]),
        (sdp, "candidate_to_sdp", ["candidate"]),
        (aioice.Connection, "add_remote_candidate", ["remote_candidate"]),
        (Session, "protect", ["packet"]),
        (Session, "unprotect", ["packet"]),
        (Session, "protect_rtcp", ["packet"]),
        (Session, "unprotect_rtcp", ["packet"]),
    ],
)
def test_signatures_are_as_they_were(owner, name, expected):
    assert hasattr(owner, name), f"{owner.__name__}.{name} is gone"
    assert parameters(getattr(owner, name)) == expected, f"{owner.__name__}.{name} changed"


def test_the_transport_asks_of_ice_what_our_channels_have():
    """`_recv`, `_send` and `role`: anything else it touches would need a channel that has it."""
    touched = set(re.findall(r"self\._?transport\.(\w+)", source_of(RTCDtlsTransport)))
    assert touched <= {"_recv", "_send", "role"}, f"aiortc now uses {touched} of ICE"


def test_the_states_are_the_ones_that_peers_follow():
    assert {state.name.lower() for state in State} == {
        "new", "connecting", "connected", "closed", "failed"
    }  # fmt: skip


def test_the_attributes_that_hold_the_keys_are_there():
    transport = DtlsTransport(Pipe(), SharedCertificate.generateCertificate(), print)
    for name in ("_tx_srtp", "_rx_srtp"):
        assert hasattr(transport._dtls, name), f"RTCDtlsTransport.{name} is gone"
    assert transport.state == "new"


def test_the_openssl_context_is_shared_and_keeps_no_idle_buffers():
    certificate = SharedCertificate.generateCertificate()
    profiles = rtcdtlstransport.SRTP_PROFILES
    assert certificate._create_ssl_context(profiles) is certificate._create_ssl_context(profiles)
    assert certificate._context.set_mode(0) & SSL.MODE_RELEASE_BUFFERS


def test_the_fingerprint_is_written_as_sdp_has_it():
    parts = SharedCertificate.generateCertificate().sha256().split(":")
    assert len(parts) == 32
    assert all(len(part) == 2 and part == part.upper() for part in parts)


def test_new_connections_get_a_young_certificate_and_those_of_ten_days_the_same():
    now_s = 5000.0
    supply = CertificateSupply(now_s)
    seen = {}
    for hour in range(60 * 24):  # two months
        seen.setdefault(supply.take(now_s + hour * 3600).sha256(), []).append(hour)
    longest = RENEW_CERTIFICATE_S / 3600
    assert [hours[-1] - hours[0] + 1 for hours in seen.values()] == [longest] * 6


def test_a_certificate_outlives_by_far_the_time_for_which_it_is_handed_out():
    expires = SharedCertificate.generateCertificate()._cert.not_valid_after_utc
    left = expires - datetime.datetime.now(datetime.UTC)
    assert left.total_seconds() > 2 * RENEW_CERTIFICATE_S


def test_the_aioice_internals_of_the_fallback_are_there():
    connection = aioice.Connection(ice_controlling=False)
    assert list(connection._early_checks) == []
    assert dict(connection._nominated) == {}
    assert not aiortc_adapter.has_early_checks(connection)
    assert not aiortc_adapter.send_now(connection, b"x")
    assert "remote_addr" in source_of(aioice.ice.CandidatePair)
    assert "self.protocol" in source_of(aioice.ice.CandidatePair)


@pytest.mark.parametrize("text", ["m=audio", "v=x\r\n", "m=audio 9 UDP/TLS 300\r\n", "a=setup:x"])
def test_the_parser_fails_in_one_way_only(text):
    with pytest.raises(ValueError, match="malformed SDP"):
        aiortc_adapter.parse_sdp(text)


# ---- libsrtp by pointer --------------------------------------------------------------------


def test_protect_by_pointer_does_what_the_session_does():
    def session():
        policy = Policy(key=bytes(range(30)), ssrc_type=Policy.SSRC_ANY_OUTBOUND)
        return Session(policy)

    packet = bytes([0x80, 111, 0, 1]) + bytes(8) + b"sound"
    by_method, by_pointer = session(), session()
    ffi = srtp_binding.ffi
    protect = ffi.cast("int (*)(void *, char *, int *)", aiortc_adapter.srtp_protect_address())
    buffer = ffi.new("char[]", packet + bytes(200))
    length = ffi.new("int *", len(packet))
    pointer = ffi.cast("void *", aiortc_adapter.srtp_pointer(by_pointer))
    assert protect(pointer, buffer, length) == 0
    assert ffi.buffer(buffer)[: length[0]] == by_method.protect(packet)


def test_a_packet_too_long_for_pylibsrtp_is_no_srtp_error():
    """Why `Peer.on_srtp` looks at the length first."""
    session = Session(Policy(key=bytes(30), ssrc_type=Policy.SSRC_ANY_INBOUND))
    with pytest.raises(ValueError, match="too long"):
        session.unprotect(bytes(1501))


# ---- a handshake ---------------------------------------------------------------------------


class Pipe:
    """A channel that ends in another one."""

    role = "controlled"

    def __init__(self):
        self.inbox = asyncio.Queue()
        self.other = None

    async def _recv(self):
        data = await self.inbox.get()
        if data is None:
            raise ConnectionError("closed")
        return data

    async def _send(self, data):
        self.other.inbox.put_nowait(data)


class Ends:
    """Two transports joined by pipes, and what they said of themselves."""

    def __init__(self):
        self.pipes = Pipe(), Pipe()
        self.pipes[0].other, self.pipes[1].other = self.pipes[1], self.pipes[0]
        self.certificates = [SharedCertificate.generateCertificate() for _ in range(2)]
        self.states = [], []
        self.transports = [
            DtlsTransport(pipe, certificate, states.append)
            for pipe, certificate, states in zip(
                self.pipes, self.certificates, self.states, strict=True
            )
        ]

    async def shake_hands(self, fingerprint=None):
        one, two = (("sha-256", certificate.sha256()) for certificate in self.certificates)
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(
                self.transports[0].start(server=True, fingerprints=[fingerprint or two]),
                self.transports[1].start(server=False, fingerprints=[one]),
            )


async def test_a_handshake_gives_both_ends_keys_that_fit():
    ends = Ends()
    await ends.shake_hands()
    assert ends.states == (["connecting", "connected"], ["connecting", "connected"])
    packet = bytes([0x80, 111, 0, 1]) + bytes(8) + b"sound"
    server, client = ends.transports
    assert client.incoming.unprotect(server.outgoing.protect(packet)) == packet
    assert server.incoming.unprotect(client.outgoing.protect(packet)) == packet
    await client.stop()
    async with asyncio.timeout(PATIENCE_S):
        while server.state != "closed":
            await asyncio.sleep(0)
    assert ends.states[0][-1] == "closed"
    await server.stop()


@pytest.mark.parametrize("fingerprint", [("sha-256", "AA:BB"), ("md-9", "AA"), ("sha-1", "")])
async def test_a_certificate_of_another_fingerprint_is_refused(fingerprint):
    ends = Ends()
    await ends.shake_hands(fingerprint)
    assert ends.states[0] == ["connecting", "failed"]
    for transport in ends.transports:
        await transport.stop()


async def test_a_handshake_that_is_cut_off_fails_and_can_be_stopped():
    ends = Ends()
    starting = asyncio.create_task(
        ends.transports[0].start(server=True, fingerprints=[("sha-256", "AA")])
    )
    await asyncio.sleep(0)
    ends.pipes[0].inbox.put_nowait(None)
    await starting
    assert ends.states[0] == ["connecting", "failed"]
    await ends.transports[0].stop()
