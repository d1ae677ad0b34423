"""RTP headers with the one-byte header extensions that we read and write (RFC 3550, 8285).

Read: audio level of a client (RFC 6464). Written by the fan-out: CSRC list and mixer-to-client
levels (RFC 6465).
"""

import struct
from typing import NamedTuple

AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
CSRC_LEVEL_URI = "urn:ietf:params:rtp-hdrext:csrc-audio-level"
MAX_CSRCS = 15  # the CC field has four bits
MAX_HEARD = MAX_CSRCS + 1  # in all mixes of a room: one who is named hears another in their place
MAX_PAYLOAD_BYTES = 1200  # with headers and tag it fits every path

_fixed = struct.Struct("!BBHII")
_extension = struct.Struct("!HH")


class RtpPacket(NamedTuple):
    """A parsed packet; `level_dbov` is 0 (loudest) to 127 (silence), None when not sent."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    level_dbov: int | None
    voice: bool
    payload: bytes


def parse_rtp(data: bytes, audio_level_id: int) -> RtpPacket | None:
    """Return the RTP packet in `data` (already decrypted), or None when it is malformed.

    Args:
        data: The whole packet.
        audio_level_id: Negotiated id of RFC 6464, 0 when it is not negotiated.
    """
    length = len(data)
    if length < 12:
        return None
    first, second, sequence, timestamp, ssrc = _fixed.unpack_from(data)
    if first >> 6 != 2:
        return None
    position = 12 + 4 * (first & 15)
    level: int | None = None
    voice = False
    if first & 0x10:
        if position + 4 > length:
            return None
        profile, words = _extension.unpack_from(data, position)
        position += 4
        end = position + 4 * words
        if end > length:
            return None
        if profile == 0xBEDE and audio_level_id:
            found = _one_byte_element(data, position, end, audio_level_id)
            if found is not None:
                level, voice = found & 0x7F, found >= 0x80
        position = end
    if first & 0x20:
        length -= data[-1]
    if position > length:
        return None
    return RtpPacket(
        second & 0x7F,
        second >= 0x80,
        sequence,
        timestamp,
        ssrc,
        level,
        voice,
        data[position:length],
    )


def _one_byte_element(data: bytes, position: int, end: int, wanted: int) -> int | None:
    """Return the first byte of extension element `wanted`, or None."""
    while position < end:
        head = data[position]
        if head == 0:  # padding
            position += 1
            continue
        if head >> 4 == 15:  # reserved: stop (RFC 8285 section 4.2)
            return None
        if head >> 4 == wanted and position + 1 < end:
            return data[position + 1]
        position += 2 + (head & 15)
    return None


def pack_fixed(first: int, second: int, sequence: int, timestamp: int, ssrc: int) -> bytes:
    """Return the 12 fixed bytes of a header."""
    return _fixed.pack(first, second, sequence, timestamp, ssrc)


def csrc_header(csrcs: list[int], levels: list[int], level_id: int) -> tuple[int, bytes]:
    """Return the first header byte and what follows the fixed header of a mixed packet.

    Args:
        csrcs: Contributing sources, at most `MAX_CSRCS` are named.
        levels: Level of each in dBov, 0 to 127 (RFC 6465).
        level_id: Negotiated id of RFC 6465, 0 when it is not negotiated.
    """
    named = csrcs[:MAX_CSRCS]
    count = len(named)
    first = 0x80 | count
    tail = struct.pack(f"!{count}I", *named)
    if level_id and count:
        element = bytes([level_id << 4 | count - 1, *levels[:count]])
        padded = element + bytes(-len(element) % 4)
        tail += _extension.pack(0xBEDE, len(padded) // 4) + padded
        first |= 0x10
    return first, tail
