"""The few STUN messages an ICE client needs (RFC 8489, RFC 8445), as bytes in and bytes out."""

import binascii
import hmac
import os
import struct
from dataclasses import dataclass
from hashlib import sha1

MAGIC_COOKIE = 0x2112A442
BINDING_REQUEST = 0x0001
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_USERNAME = 0x0006
_MESSAGE_INTEGRITY = 0x0008
_XOR_MAPPED_ADDRESS = 0x0020
_PRIORITY = 0x0024
_USE_CANDIDATE = 0x0025
_FINGERPRINT = 0x8028
_ICE_CONTROLLING = 0x802A
_FINGERPRINT_XOR = 0x5354554E
# Priority of a peer-reflexive host path: type preference 110 (RFC 8445 section 5.1.2.2).
_PRFLX_PRIORITY = (110 << 24) + (65535 << 8) + 255


@dataclass(frozen=True, slots=True)
class StunHeader:
    """Kind and transaction of a STUN message."""

    kind: int
    transaction_id: bytes


def parse_header(message: bytes) -> StunHeader | None:
    """Return the header of a STUN message, or None when it is not one."""
    if len(message) < 20:
        return None
    kind, length, cookie, transaction_id = _HEADER.unpack_from(message)
    if cookie != MAGIC_COOKIE or length + 20 != len(message):
        return None
    return StunHeader(kind, transaction_id)


def new_transaction_id() -> bytes:
    """Return 96 random bits (RFC 8489 section 5)."""
    return os.urandom(12)


def check_request(transaction_id: bytes, username: str, remote_password: str) -> bytes:
    """Return a controlling agent's connectivity check that nominates its pair.

    Args:
        transaction_id: 12 bytes; the answer carries them back.
        username: `remote ufrag:local ufrag`.
        remote_password: key of the message integrity.
    """
    attributes = (
        _attribute(_USERNAME, username.encode())
        + _attribute(_PRIORITY, struct.pack("!I", _PRFLX_PRIORITY))
        + _attribute(_ICE_CONTROLLING, bytes(8))
        + _attribute(_USE_CANDIDATE, b"")
    )
    return _signed(BINDING_REQUEST, transaction_id, attributes, remote_password)


def check_response(transaction_id: bytes, address: tuple[str, int], local_password: str) -> bytes:
    """Return the success response to a check that came from `address`."""
    packed = bytes(int(part) for part in address[0].split("."))
    mapped = struct.pack(
        "!BBHI",
        0,
        1,
        address[1] ^ (MAGIC_COOKIE >> 16),
        int.from_bytes(packed, "big") ^ MAGIC_COOKIE,
    )
    attributes = _attribute(_XOR_MAPPED_ADDRESS, mapped)
    return _signed(BINDING_SUCCESS, transaction_id, attributes, local_password)


def _attribute(kind: int, value: bytes) -> bytes:
    padding = -len(value) % 4
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(padding)


def _signed(kind: int, transaction_id: bytes, attributes: bytes, password: str) -> bytes:
    """Return the message with MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489, 14.5 and 14.7).

    Each covers what stands before it, under a header whose length already counts it.
    """
    covered = _HEADER.pack(kind, len(attributes) + 24, MAGIC_COOKIE, transaction_id) + attributes
    digest = hmac.digest(password.encode(), covered, sha1)
    attributes += _attribute(_MESSAGE_INTEGRITY, digest)
    covered = _HEADER.pack(kind, len(attributes) + 8, MAGIC_COOKIE, transaction_id) + attributes
    checksum = binascii.crc32(covered) ^ _FINGERPRINT_XOR
    return covered + _attribute(_FINGERPRINT, struct.pack("!I", checksum))
