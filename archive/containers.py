"""What kind of file a blob is, by how it begins; sans-I/O."""

from typing import Final, Literal

Container = Literal["wav", "flac", "opus", "ogg", "mp3"]

HEAD_BYTES: Final = 128
"""So much of a blob is looked at, besides MP3's second frame."""

_MP3_RATES: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MP3_KBPS: Final[dict[tuple[bool, int], tuple[int, ...]]] = {
    (True, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def recognise(blob: bytes) -> Container | None:
    """Return the container of a blob; None for anything else, raw samples for example."""
    if blob[:4] in (b"RIFF", b"RF64", b"BW64", b"RIFX") and blob[8:12] == b"WAVE":
        return "wav"
    if blob[:4] == b"fLaC":
        return "flac"
    if blob[:4] == b"OggS":
        return "opus" if b"OpusHead" in blob[:HEAD_BYTES] else "ogg"
    if (blob[:3] == b"ID3" and _is_id3(blob)) or _is_mp3(blob):
        return "mp3"
    return None


def _is_id3(blob: bytes) -> bool:
    """Return whether an ID3v2 tag begins here: version, and a size of four 7-bit digits."""
    return len(blob) >= 10 and 2 <= blob[3] <= 4 and all(digit < 0x80 for digit in blob[6:10])


def _is_mp3(blob: bytes) -> bool:
    """Return whether two frames of the same stream follow each other: one could be chance."""
    first = _frame_bytes(blob[:4])
    if first is None:
        return False
    second = blob[first : first + 4]
    return (
        _frame_bytes(second) is not None
        and second[1] == blob[1]
        and (second[2] & 0x0C == blob[2] & 0x0C)
    )


def _frame_bytes(head: bytes) -> int | None:
    """Return the length of the frame with this header (ISO 11172-3 and 13818-3), or None."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 0 or not 1 <= bitrate <= 14 or rate == 3:
        return None
    kbps = _MP3_KBPS[version == 3, layer][bitrate - 1]
    rate_hz, padding = _MP3_RATES[version][rate], head[2] >> 1 & 1
    if layer == 3:
        return (12_000 * kbps // rate_hz + padding) * 4
    samples_per_byte = 72_000 if layer == 1 and version != 3 else 144_000
    return samples_per_byte * kbps // rate_hz + padding
