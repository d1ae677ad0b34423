"""DTLS-SRTP of the load client: one certificate for all its participants (RFC 5763, RFC 5764)."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from pylibsrtp import Policy, Session

_MTU_BYTES = 1200


@dataclass(frozen=True, slots=True)
class _Profile:
    """A way to protect media, as OpenSSL and libsrtp name it."""

    name: bytes
    number: int
    key_bytes: int
    salt_bytes: int


# In order of preference.
_PROFILES = (
    _Profile(b"SRTP_AEAD_AES_256_GCM", Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12),
    _Profile(b"SRTP_AEAD_AES_128_GCM", Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    _Profile(b"SRTP_AES128_CM_SHA1_80", Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
)
_CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA"
)


class HandshakeError(Exception):
    """The DTLS handshake failed, or its peer is not the one that the SDP named."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate with its key, both PEM, and its SDP fingerprint."""

    certificate_pem: bytes
    key_pem: bytes
    fingerprint: str  # sha-256, upper-case hexadecimal with colons

    @classmethod
    def generate(cls) -> "Certificate":
        """Return a fresh P-256 certificate, valid for a day."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "load client")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        return cls(
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            fingerprint_of(certificate),
        )


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Return the SHA-256 fingerprint as SDP writes it (RFC 8122)."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def make_context(certificate: Certificate) -> SSL.Context:
    """Return the context that all sessions of a process share."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_options(SSL.OP_NO_TICKET)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_arguments: True)
    context.use_certificate(x509.load_pem_x509_certificate(certificate.certificate_pem))
    key = serialization.load_pem_private_key(certificate.key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    context.use_privatekey(key)
    context.set_cipher_list(_CIPHERS)
    context.set_tlsext_use_srtp(b":".join(profile.name for profile in _PROFILES))
    return context


@dataclass(frozen=True, slots=True)
class SrtpPair:
    """The two SRTP sessions of a connection."""

    outbound: Session
    inbound: Session


class DtlsSession:
    """One participant's handshake, without a socket: datagrams in, datagrams out."""

    def __init__(self, context: SSL.Context, *, is_client: bool, peer_fingerprint: str) -> None:
        self._connection = SSL.Connection(context)
        self._connection.set_ciphertext_mtu(_MTU_BYTES)
        self._is_client = is_client
        self._peer_fingerprint = peer_fingerprint
        self.srtp: SrtpPair | None = None
        if is_client:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    def start(self) -> list[bytes]:
        """Return the first flight of a client; a server has none."""
        return self._advance() if self._is_client else []

    def handle_datagram(self, datagram: bytes) -> list[bytes]:
        """Take a DTLS datagram; return what is to be sent.

        Raises:
            HandshakeError: the handshake cannot succeed any more.
        """
        self._connection.bio_write(datagram)
        if self.srtp is None:
            return self._advance()
        with suppress(SSL.Error):  # OpenSSL answers a repeated last flight of the peer by itself
            self._connection.recv(1500)
        return self._outgoing()

    def timeout_s(self) -> float | None:
        """Return after how many seconds `handle_timeout` is due; None means never."""
        return None if self.srtp is not None else self._connection.DTLSv1_get_timeout()

    def handle_timeout(self) -> list[bytes]:
        """Return the flight that has to be repeated."""
        self._connection.DTLSv1_handle_timeout()
        return self._outgoing()

    def _advance(self) -> list[bytes]:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return self._outgoing()
        except SSL.Error as error:
            raise HandshakeError(f"DTLS handshake failed: {error}") from error
        self._check_peer()
        self.srtp = self._export_keys()
        return self._outgoing()

    def _outgoing(self) -> list[bytes]:
        try:
            return _datagrams(self._connection.bio_read(1 << 16))
        except SSL.WantReadError:
            return []

    def _check_peer(self) -> None:
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None or fingerprint_of(certificate) != self._peer_fingerprint.upper():
            raise HandshakeError("the peer's certificate is not the one in its SDP")

    def _export_keys(self) -> SrtpPair:
        """Derive both directions' keys (RFC 5764 section 4.2)."""
        chosen = self._connection.get_selected_srtp_profile()
        profile = next((known for known in _PROFILES if known.name == chosen), None)
        if profile is None:
            raise HandshakeError("no common SRTP profile")
        key_bytes, salt_bytes = profile.key_bytes, profile.salt_bytes
        material = self._connection.export_keying_material(
            b"EXTRACTOR-dtls_srtp", 2 * (key_bytes + salt_bytes)
        )
        keys = material[: 2 * key_bytes]
        salts = material[2 * key_bytes :]
        client = keys[:key_bytes] + salts[:salt_bytes]
        server = keys[key_bytes:] + salts[salt_bytes:]
        mine, theirs = (client, server) if self._is_client else (server, client)
        return SrtpPair(
            _session(mine, Policy.SSRC_ANY_OUTBOUND, profile.number),
            _session(theirs, Policy.SSRC_ANY_INBOUND, profile.number),
        )


def _datagrams(records: bytes) -> list[bytes]:
    """Cut what OpenSSL wrote into datagrams of whole records (RFC 6347 section 4.1).

    Its memory buffer is a stream and does not keep the borders of the datagrams.
    """
    datagrams = [b""]
    while records:
        size = 13 + int.from_bytes(records[11:13], "big")
        if datagrams[-1] and len(datagrams[-1]) + size > _MTU_BYTES:
            datagrams.append(b"")
        datagrams[-1] += records[:size]
        records = records[size:]
    return datagrams


def _session(key: bytes, kind: int, profile: int) -> Session:
    policy = Policy(key=key, ssrc_type=kind, srtp_profile=profile)
    policy.window_size = 1024
    return Session(policy)
