"""RTCP reports, read and written (RFC 3550 section 6): SR, RR, SDES; the rest is skipped."""

import struct
from dataclasses import dataclass, field

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202

_head = struct.Struct("!BBH")
_sender_info = struct.Struct("!IQIII")
_block = struct.Struct("!IIIIII")
_NTP_EPOCH_OFFSET = 2_208_988_800  # seconds between 1900 and 1970


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one of our streams.

    Attributes:
        ssrc: The stream.
        fraction_lost: Share lost since the last report, 0 to 1.
        cumulative_lost: Packets lost in all; negative with duplicates.
        highest_sequence: Extended highest sequence number received.
        jitter: Interarrival jitter in timestamp units.
        last_sr: Middle 32 bits of our last SR's NTP time, 0 when it got none.
        delay_since_last_sr: In units of 1/65536 s.
    """

    ssrc: int
    fraction_lost: float
    cumulative_lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay_since_last_sr: int


@dataclass(slots=True)
class Report:
    """The parts of a compound packet that matter to us."""

    sender_reports: list[tuple[int, int]] = field(default_factory=list)  # (ssrc, ntp middle 32)
    blocks: list[ReportBlock] = field(default_factory=list)


def parse_rtcp(data: bytes) -> Report | None:
    """Return the reports in a compound packet (decrypted), or None when it is malformed."""
    report = Report()
    position = 0
    while position < len(data):
        if position + 4 > len(data):
            return None
        first, kind, words = _head.unpack_from(data, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            return None
        count = first & 31
        if kind == SENDER_REPORT:
            if position + 28 + 24 * count > end:
                return None
            ssrc, ntp, _, _, _ = _sender_info.unpack_from(data, position + 4)
            report.sender_reports.append((ssrc, ntp >> 16 & 0xFFFFFFFF))
            _read_blocks(data, position + 28, count, report.blocks)
        elif kind == RECEIVER_REPORT:
            if position + 8 + 24 * count > end:
                return None
            _read_blocks(data, position + 8, count, report.blocks)
        position = end
    return report


def _read_blocks(data: bytes, position: int, count: int, blocks: list[ReportBlock]) -> None:
    for i in range(count):
        ssrc, lost, highest, jitter, last_sr, delay = _block.unpack_from(data, position + 24 * i)
        cumulative = lost & 0xFFFFFF
        if cumulative >= 0x800000:
            cumulative -= 0x1000000
        blocks.append(
            ReportBlock(ssrc, (lost >> 24) / 256, cumulative, highest, jitter, last_sr, delay)
        )


def ntp_time(wall_s: float) -> int:
    """Return the 64-bit NTP timestamp of a Unix time."""
    return int((wall_s + _NTP_EPOCH_OFFSET) * 4294967296.0) & 0xFFFFFFFFFFFFFFFF


def middle_32(ntp: int) -> int:
    """Return the middle 32 bits of an NTP timestamp, as LSR carries them."""
    return ntp >> 16 & 0xFFFFFFFF


def sender_report(ssrc: int, ntp: int, timestamp: int, packets: int, octets: int) -> bytes:
    """Return an SR without report blocks (28 bytes)."""
    return _head.pack(0x80, SENDER_REPORT, 6) + _sender_info.pack(
        ssrc, ntp, timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
    )


def receiver_report(ssrc: int, block: ReportBlock | None) -> bytes:
    """Return an RR with at most one block."""
    if block is None:
        return _head.pack(0x80, RECEIVER_REPORT, 1) + struct.pack("!I", ssrc)
    lost = (
        min(255, int(block.fraction_lost * 256)) << 24
        | max(-0x800000, min(0x7FFFFF, block.cumulative_lost)) & 0xFFFFFF
    )
    return (
        _head.pack(0x81, RECEIVER_REPORT, 7)
        + struct.pack("!I", ssrc)
        + _block.pack(
            block.ssrc,
            lost,
            block.highest_sequence & 0xFFFFFFFF,
            block.jitter & 0xFFFFFFFF,
            block.last_sr,
            block.delay_since_last_sr & 0xFFFFFFFF,
        )
    )


def source_description(ssrc: int, cname: str) -> bytes:
    """Return an SDES chunk with the CNAME."""
    name = cname.encode()
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    chunk += bytes(-len(chunk) % 4)
    return _head.pack(0x81, SOURCE_DESCRIPTION, len(chunk) // 4) + chunk
