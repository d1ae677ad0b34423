"""What the headers of Opus packets say.

References: RFC 6716 (packet format in section 3, SILK header bits in 4.2.3).
"""

from dataclasses import dataclass
from enum import Enum, IntEnum

from webrtc.media.opus_library import INVALID_PACKET, MalformedPacketError

MAX_PACKET_SAMPLES = 5_760  # 120 ms, the longest packet of RFC 6716


class Bandwidth(IntEnum):
    """OPUS_BANDWIDTH_*: highest frequency coded."""

    NARROW = 1101  # 4 kHz
    MEDIUM = 1102  # 6 kHz
    WIDE = 1103  # 8 kHz
    SUPERWIDE = 1104  # 12 kHz
    FULL = 1105  # 20 kHz


class Mode(Enum):
    """Coder of a packet's frames; only the first two can carry in-band FEC."""

    SILK = "silk"
    HYBRID = "hybrid"
    CELT = "celt"


_FRAME_SAMPLES = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
"""Samples of one frame by configuration number, RFC 6716 table 2."""
_BANDWIDTHS = (
    (Bandwidth.NARROW,) * 4
    + (Bandwidth.MEDIUM,) * 4
    + (Bandwidth.WIDE,) * 4
    + (Bandwidth.SUPERWIDE,) * 2
    + (Bandwidth.FULL,) * 2
    + (Bandwidth.NARROW,) * 4
    + (Bandwidth.WIDE,) * 4
    + (Bandwidth.SUPERWIDE,) * 4
    + (Bandwidth.FULL,) * 4
)


@dataclass(frozen=True, slots=True)
class PacketInfo:
    """What the header of a packet says."""

    mode: Mode
    bandwidth: Bandwidth
    channels: int
    frames: int
    samples: int
    carries_fec: bool
    is_dtx: bool


def packet_samples(payload: bytes) -> int:
    """Return the duration of `payload` in samples at 48 kHz, 120 to 5760.

    Raises:
        MalformedPacketError: the header breaks rule R1, R5 or R6 of RFC 6716, section 3.4.
    """
    if not payload:
        raise MalformedPacketError(INVALID_PACKET)
    toc = payload[0]
    code = toc & 3
    samples = _FRAME_SAMPLES[toc >> 3]
    if code == 0:
        return samples
    if code != 3:
        return 2 * samples
    if len(payload) < 2:
        raise MalformedPacketError(INVALID_PACKET)
    samples *= payload[1] & 0x3F
    if not 0 < samples <= MAX_PACKET_SAMPLES:
        raise MalformedPacketError(INVALID_PACKET)
    return samples


def packet_is_dtx(payload: bytes) -> bool:
    """Return whether `payload` is a DTX packet: a header with no or one byte behind it."""
    return len(payload) <= 2


def packet_mode(payload: bytes) -> Mode:
    """Return the coder of the frames of a packet that is not empty."""
    configuration = payload[0] >> 3
    if configuration < 12:
        return Mode.SILK
    return Mode.HYBRID if configuration < 16 else Mode.CELT


def packet_carries_fec(payload: bytes) -> bool:
    """Return whether the SILK layer has a redundant copy (LBRR) of the packet before this one.

    Only the first frame's flags count, as in libopus; False for packets that cannot be read.
    """
    if len(payload) < 2 or payload[0] >> 3 >= 16:
        return False
    start = _first_frame(payload)
    if start is None:
        return False
    flags = payload[start]
    silk_frames = max(1, _FRAME_SAMPLES[payload[0] >> 3] // 960)
    # One voice-activity bit for each 20 ms, then the LBRR bit; the side channel's follow.
    found = flags >> (7 - silk_frames) & 1
    if payload[0] & 0x04:
        found |= flags >> (6 - 2 * silk_frames) & 1
    return bool(found)


def inspect(payload: bytes) -> PacketInfo:
    """Return what the header of `payload` says.

    Raises:
        MalformedPacketError: as `packet_samples`.
    """
    samples = packet_samples(payload)
    configuration = payload[0] >> 3
    return PacketInfo(
        mode=packet_mode(payload),
        bandwidth=_BANDWIDTHS[configuration],
        channels=2 if payload[0] & 0x04 else 1,
        frames=samples // _FRAME_SAMPLES[configuration],
        samples=samples,
        carries_fec=packet_carries_fec(payload),
        is_dtx=packet_is_dtx(payload),
    )


def _first_frame(payload: bytes) -> int | None:
    """Return the offset of the first frame's first byte, or None where the packet has none."""
    code = payload[0] & 3
    if code == 2:
        start = 1 + _length_bytes(payload[1])
    elif code == 3:
        start = _behind_code_3_header(payload)
    else:
        start = 1
    return start if start < len(payload) else None


def _behind_code_3_header(payload: bytes) -> int:
    """Return the offset behind count, padding and frame lengths (RFC 6716, section 3.2.5)."""
    header = payload[1]
    start = 2
    if header & 0x40:
        while start < len(payload) and payload[start] == 255:
            start += 1
        start += 1
    if header & 0x80:
        for _ in range((header & 0x3F) - 1):
            if start >= len(payload):
                break
            start += _length_bytes(payload[start])
    return start


def _length_bytes(first: int) -> int:
    """Return the size of a frame length by its first byte (RFC 6716, section 3.2.1)."""
    return 2 if first >= 252 else 1
