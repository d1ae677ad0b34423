"""RTP and RTCP as the load client sends and reads them (RFC 3550, RFC 6464, RFC 2198)."""

import struct
from dataclasses import dataclass

NTP_EPOCH_OFFSET_S = 2_208_988_800  # 1900 to 1970
LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

_FIXED = struct.Struct("!BBHII")
_SENDER_REPORT = 200
_RECEIVER_REPORT = 201
_REPORT_BLOCK = struct.Struct("!IIIIII")


def rtp_packet(
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    *,
    marker: bool = False,
    level: tuple[int, int] | None = None,
) -> bytes:
    """Return an unprotected RTP packet.

    Args:
        payload_type: 0 to 127.
        sequence: counted without end; wrapped here.
        timestamp: 48 kHz samples, counted without end; wrapped here.
        ssrc: the stream.
        payload: Opus or RED.
        marker: first packet of a talkspurt.
        level: RFC 6464 extension as (extension id, byte: voice flag in bit 7, −dBov below it).
    """
    first = 0x80 if level is None else 0x90
    fixed = _FIXED.pack(
        first,
        payload_type | (0x80 if marker else 0),
        sequence & 0xFFFF,
        timestamp & 0xFFFFFFFF,
        ssrc,
    )
    if level is None:
        return fixed + payload
    # One-byte header extension (RFC 8285): one element of one byte, padded to one word.
    extension = bytes((0xBE, 0xDE, 0, 1, level[0] << 4, level[1], 0, 0))
    return fixed + extension + payload


def rtp_payload(packet: bytes) -> bytes:
    """Return what an unprotected RTP packet carries, without CSRCs, extensions and padding."""
    start = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    end = len(packet) - packet[-1] if packet[0] & 0x20 else len(packet)
    return packet[start:end]


def red_payload(opus_type: int, primary: bytes, redundant: bytes | None, offset: int) -> bytes:
    """Return a RED payload (RFC 2198) with at most one earlier block, `offset` samples older."""
    if redundant is None or offset >= 1 << 14 or len(redundant) >= 1 << 10:
        return bytes((opus_type,)) + primary
    header = (1 << 31) | (opus_type << 24) | (offset << 10) | len(redundant)
    return header.to_bytes(4, "big") + bytes((opus_type,)) + redundant + primary


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says about one stream (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: float  # 0 to 1
    lost: int
    highest_sequence: int
    jitter: int  # 48 kHz samples
    last_sr: int = 0  # middle 32 bits of the NTP time of the last sender report
    delay_since_sr: int = 0  # 1/65536 s

    def pack(self) -> bytes:
        """Return the 24 bytes on the wire."""
        return _REPORT_BLOCK.pack(
            self.ssrc,
            (round(self.fraction_lost * 255) << 24) | (self.lost & 0xFFFFFF),
            self.highest_sequence & 0xFFFFFFFF,
            self.jitter,
            self.last_sr,
            self.delay_since_sr,
        )


@dataclass(frozen=True, slots=True)
class SenderReport:
    """When a sender's media clock showed what."""

    ssrc: int
    ntp_middle: int  # middle 32 bits of the NTP time


def receiver_report(ssrc: int, blocks: list[ReportBlock]) -> bytes:
    """Return an RTCP receiver report, alone in its packet (reduced size, RFC 5506)."""
    body = b"".join(block.pack() for block in blocks)
    return (
        struct.pack("!BBHI", 0x80 | len(blocks), _RECEIVER_REPORT, 1 + len(body) // 4, ssrc) + body
    )


def sender_report(
    ssrc: int, unix_time_s: float, timestamp: int, packets: int, octets: int
) -> bytes:
    """Return an RTCP sender report without report blocks."""
    seconds = int(unix_time_s)
    fraction = int((unix_time_s - seconds) * (1 << 32))
    return struct.pack(
        "!BBHIIIIII",
        0x80,
        _SENDER_REPORT,
        6,
        ssrc,
        (seconds + NTP_EPOCH_OFFSET_S) & 0xFFFFFFFF,
        fraction,
        timestamp & 0xFFFFFFFF,
        packets,
        octets & 0xFFFFFFFF,
    )


def parse_rtcp(packet: bytes) -> tuple[list[SenderReport], list[ReportBlock]]:
    """Return the sender reports and the report blocks of a compound RTCP packet."""
    senders: list[SenderReport] = []
    blocks: list[ReportBlock] = []
    while len(packet) >= 8:
        count, kind = packet[0] & 0x1F, packet[1]
        size = 4 + 4 * int.from_bytes(packet[2:4], "big")
        part, packet = packet[:size], packet[size:]
        if kind == _SENDER_REPORT and len(part) >= 28:
            ssrc, ntp_high, ntp_low = struct.unpack_from("!III", part, 4)
            senders.append(SenderReport(ssrc, (ntp_high & 0xFFFF) << 16 | ntp_low >> 16))
            blocks += _blocks(part[28:], count)
        elif kind == _RECEIVER_REPORT:
            blocks += _blocks(part[8:], count)
    return senders, blocks


def _blocks(body: bytes, count: int) -> list[ReportBlock]:
    found = []
    for at in range(0, min(count * 24, len(body) - 23), 24):
        ssrc, lost, highest, jitter, last_sr, delay = _REPORT_BLOCK.unpack_from(body, at)
        found.append(
            ReportBlock(ssrc, (lost >> 24) / 256, lost & 0xFFFFFF, highest, jitter, last_sr, delay)
        )
    return found
