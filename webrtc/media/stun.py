"""STUN binding requests and responses, as much as an ICE-lite agent needs (RFC 8489, RFC 8445).

Pure functions over bytes. Only binding requests with MESSAGE-INTEGRITY are of interest: an ICE-lite
agent never sends a check of its own, so it never reads a response.
"""

import hmac
import struct
import zlib
from dataclasses import dataclass

MAGIC_COOKIE = 0x2112A442
BINDING_REQUEST = 0x0001
BINDING_SUCCESS = 0x0101
HEADER_BYTES = 20
MAX_REQUEST_BYTES = 548  # RFC 8489 section 6.1: what fits every IPv4 path
SUCCESS_BYTES = 64
MIN_REQUEST_BYTES = SUCCESS_BYTES  # checks have 92 and more (RFC 8445 section 7.1.1)

_USERNAME = 0x0006
_MESSAGE_INTEGRITY = 0x0008
_XOR_MAPPED_ADDRESS = 0x0020
_USE_CANDIDATE = 0x0025
_FINGERPRINT = 0x8028
_FINGERPRINT_XOR = 0x5354554E

_header = struct.Struct("!HHI12s")
_attribute = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """A parsed binding request whose integrity has not been checked yet.

    Attributes:
        local_ufrag: Our username fragment, the part of USERNAME before the colon.
        use_candidate: Whether the peer nominates this path (RFC 8445 section 7.1.2).
        transaction_id: 12 bytes, echoed in the response.
        signed: The message up to MESSAGE-INTEGRITY with the length field that was signed.
        integrity: The 20 bytes of HMAC-SHA1 that came with it.
    """

    local_ufrag: str
    use_candidate: bool
    transaction_id: bytes
    signed: bytes
    integrity: bytes

    def is_signed_with(self, password: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY was made with `password` (short-term credentials)."""
        return hmac.compare_digest(hmac.digest(password, self.signed, "sha1"), self.integrity)


def parse_binding_request(data: bytes) -> BindingRequest | None:
    """Return the binding request in `data`, or None when it is anything else or malformed.

    A FINGERPRINT is checked when there is one. Attributes behind MESSAGE-INTEGRITY are ignored
    (RFC 8489 section 14.5), except FINGERPRINT. A request that is shorter than its answer would be
    is of no interest: its sender's address may be somebody else's.
    """
    if not MIN_REQUEST_BYTES <= len(data) <= MAX_REQUEST_BYTES:
        return None
    kind, length, cookie, transaction_id = _header.unpack_from(data)
    if kind != BINDING_REQUEST or cookie != MAGIC_COOKIE or length + HEADER_BYTES != len(data):
        return None
    username: bytes | None = None
    use_candidate = False
    integrity: bytes | None = None
    signed_end = 0
    position = HEADER_BYTES
    while position + 4 <= len(data):
        attribute, size = _attribute.unpack_from(data, position)
        value = position + 4
        if value + size > len(data):
            return None
        if attribute == _FINGERPRINT:
            if not _fingerprint_matches(data, position, size):
                return None
        elif integrity is None:
            if attribute == _USERNAME:
                username = data[value : value + size]
            elif attribute == _USE_CANDIDATE:
                use_candidate = True
            elif attribute == _MESSAGE_INTEGRITY:
                if size != 20:
                    return None
                integrity = data[value : value + 20]
                signed_end = position
        position = value + (size + 3 & ~3)
    if username is None or integrity is None:
        return None
    try:
        local_ufrag = username.partition(b":")[0].decode("ascii")
    except UnicodeDecodeError:
        return None
    signed_length = struct.pack("!H", signed_end - HEADER_BYTES + 24)
    signed = data[:2] + signed_length + data[4:signed_end]
    return BindingRequest(local_ufrag, use_candidate, transaction_id, signed, integrity)


def binding_success(request: BindingRequest, ip: bytes, port: int, password: bytes) -> bytes:
    """Return the success response to a request seen from IPv4 address `ip` (4 bytes) and `port`."""
    mapped = struct.pack(
        "!HHBBHI",
        _XOR_MAPPED_ADDRESS,
        8,
        0,
        1,
        port ^ MAGIC_COOKIE >> 16,
        int.from_bytes(ip, "big") ^ MAGIC_COOKIE,
    )
    # The length in a header counts up to and including the attribute that is being computed.
    signed = _header.pack(BINDING_SUCCESS, 12 + 24, MAGIC_COOKIE, request.transaction_id) + mapped
    integrity = _attribute.pack(_MESSAGE_INTEGRITY, 20) + hmac.digest(password, signed, "sha1")
    body = mapped + integrity
    header = _header.pack(BINDING_SUCCESS, len(body) + 8, MAGIC_COOKIE, request.transaction_id)
    crc = zlib.crc32(header + body) ^ _FINGERPRINT_XOR
    return header + body + struct.pack("!HHI", _FINGERPRINT, 4, crc)


def _fingerprint_matches(data: bytes, position: int, size: int) -> bool:
    if size != 4 or position + 8 != len(data):
        return False
    (found,) = struct.unpack_from("!I", data, position + 4)
    return bool(found == zlib.crc32(data[:position]) ^ _FINGERPRINT_XOR)
