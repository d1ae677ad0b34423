"""The gateway's datagrams.

To the server: the client's id, then the payload. To the client: the payload alone.

| payload | bytes |
|---|---|
| `pcm` | 1024 samples, 16 bits little-endian, mono, 44.1 kHz: exactly 2048 |
| `opus` | sequence number (16 bits), time in samples at 48 kHz (32 bits), big-endian; a packet |

The id that the server gives is 32 hexadecimal digits (128 bits). Clients of the old kind choose one
of 1 to 64 bytes by themselves, of any other look; since their payload has one length only, the rest
is the id.
"""

import secrets
import struct
from typing import Final, Literal, NamedTuple

PayloadKind = Literal["pcm", "opus"]

RATE_HZ: Final = 44_100
CHUNK_SAMPLES: Final = 1024
CHUNK_BYTES: Final = 2 * CHUNK_SAMPLES
CHUNK_S: Final = CHUNK_SAMPLES / RATE_HZ
SILENT_CHUNK: Final = bytes(CHUNK_BYTES)

ID_BYTES: Final = 32
MOST_ID_BYTES: Final = 64

OPUS_HEADER: Final = struct.Struct(">HI")
MOST_OPUS_BYTES: Final = 1275
"""The longest frame of RFC 6716; we send one frame in each packet."""


class OpusPacket(NamedTuple):
    """A payload of kind `opus`."""

    sequence: int
    timestamp: int
    payload: bytes


def new_client_id() -> str:
    """Return an id that nobody can guess."""
    return secrets.token_hex(ID_BYTES // 2)


def is_given(client_id: str) -> bool:
    """Whether an id has the look of those that the server gives."""
    return len(client_id) == ID_BYTES and not set(client_id) - set("0123456789abcdef")


def write_opus(sequence: int, timestamp: int, payload: bytes) -> bytes:
    """Return a payload of kind `opus`."""
    return OPUS_HEADER.pack(sequence & 0xFFFF, timestamp & 0xFFFF_FFFF) + payload


def read_opus(body: bytes) -> OpusPacket | None:
    """Return what a payload of kind `opus` says; None if it is none."""
    size = len(body) - OPUS_HEADER.size
    if not 0 < size <= MOST_OPUS_BYTES:
        return None
    sequence, timestamp = OPUS_HEADER.unpack_from(body)
    return OpusPacket(sequence, timestamp, body[OPUS_HEADER.size :])
