"""WAV, and RF64 where that is too small; sans-I/O.

`read_wav` finds format and samples in the beginning of a file, `wav_header` writes what goes in
front of samples. A file whose sizes are zero or too large (a recorder that was killed, a stream)
holds samples as far as it goes. Sources: Microsoft's RIFF documents, EBU Tech 3306 (RF64).
"""

import struct
from dataclasses import dataclass
from typing import Final

from archive.encodings import Encoding, SampleFormat

MOST_WAV_BYTES: Final = 0xFFFF_FFFF
"""A larger file is RF64."""

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_TAG_OF: Final = {"unsigned": _PCM, "signed": _PCM, "float": _FLOAT, "alaw": _ALAW, "mulaw": _MULAW}
_UNKNOWN: Final = 0xFFFF_FFFF
_GUID_TAIL: Final = bytes.fromhex("000000001000800000aa00389b71")
_SPEAKERS: Final = {1: 4, 2: 3}


class WavError(ValueError):
    """This is no WAV file, or none that can be read."""


@dataclass(frozen=True, slots=True)
class WavFile:
    """What a header says.

    Attributes:
        format: Of the samples.
        data_at: First byte of the samples.
        data_bytes: How many there are, whole frames only; None when the file ends where they do.
    """

    format: SampleFormat
    data_at: int
    data_bytes: int | None

    def samples_in(self, length: int) -> tuple[int, int]:
        """Return where samples begin and end in a file of `length` bytes, whole frames only."""
        there = max(0, length - self.data_at)
        used = there if self.data_bytes is None else min(there, self.data_bytes)
        return self.data_at, self.data_at + used // self.format.frame_size * self.format.frame_size


def read_wav(head: bytes) -> WavFile:
    """Return what the beginning of a file says.

    Args:
        head: At least up to the samples; all before them is read, chunk by chunk.

    Raises:
        WavError: It is no WAV, cut off before its samples, or of another coding than PCM, float,
            A-law and µ-law.
    """
    mark = head[:4]
    if mark not in (b"RIFF", b"RF64", b"BW64", b"RIFX") or head[8:12] != b"WAVE":
        raise WavError("this is no WAV file")
    order = ">" if mark == b"RIFX" else "<"
    form: SampleFormat | None = None
    large: int | None = None
    at = 12
    while at + 8 <= len(head):
        name, size = head[at : at + 4], struct.unpack_from(order + "I", head, at + 4)[0]
        body = head[at + 8 : at + 8 + min(size, 64)]
        if name == b"ds64" and len(body) >= 16:
            large = struct.unpack_from("<Q", body, 8)[0]
        elif name == b"fmt ":
            form = _format(body, order)
        elif name == b"data":
            if form is None:
                raise WavError("samples come before their format")
            return WavFile(form, at + 8, _data_bytes(size, large))
        at += 8 + size + (size & 1)
    raise WavError("the file ends before its samples")


def _data_bytes(size: int, large: int | None) -> int | None:
    if size == _UNKNOWN and large is not None:
        return large or None
    # A writer that was killed left 0, one that wrote a stream all ones.
    return None if size in (0, _UNKNOWN) else size


def _format(body: bytes, order: str) -> SampleFormat:
    if len(body) < 16:
        raise WavError("the format is cut off")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from(order + "HHIIHH", body)
    if tag == _EXTENSIBLE:
        if len(body) < 40 or body[26:40] != _GUID_TAIL:
            raise WavError("the samples are of an unknown coding")
        tag = struct.unpack_from(order + "H", body, 24)[0]
    byte_order = "big" if order == ">" and bits > 8 else "little"
    kinds = {_FLOAT: "float", _ALAW: "alaw", _MULAW: "mulaw"}
    kind = ("unsigned" if bits == 8 else "signed") if tag == _PCM else kinds.get(tag)
    if kind is None:
        raise WavError(f"samples of coding {tag} cannot be read")
    try:
        encoding = Encoding(kind, bits, byte_order)  # type: ignore[arg-type]
        return SampleFormat(encoding, rate_hz, channels)
    except ValueError as error:
        raise WavError(str(error)) from None


def wav_header(form: SampleFormat, data_bytes: int | None, *, growing: bool = False) -> bytes:
    """Return what goes before the samples.

    Args:
        form: Of the samples; little-endian, 8 bits unsigned.
        data_bytes: How many will follow; None for as many as there will be.
        growing: Leave room for RF64, so that the header of a file that grows can be replaced by
            one of the same length.

    Raises:
        WavError: WAV does not have such samples.
    """
    encoding = form.encoding
    signed_8 = encoding.kind == "signed" and encoding.bits == 8
    if encoding.order == "big" or signed_8:
        raise WavError(f"WAV has no samples of {encoding.name}")
    fmt = _fmt_chunk(form)
    fact = b"" if encoding.kind in ("signed", "unsigned") else struct.pack("<4sII", b"fact", 4, 0)
    reserve = 12 + 8 + 28 + len(fmt) + len(fact) + 8
    size = data_bytes or 0
    is_large = data_bytes is not None and reserve + size + 1 > MOST_WAV_BYTES
    frames = size // form.frame_size
    if fact and data_bytes is not None:
        fact = struct.pack("<4sII", b"fact", 4, min(frames, _UNKNOWN))
    middle = b""
    if is_large:
        riff = reserve + size + (size & 1) - 8
        middle = struct.pack("<4sIQQQI", b"ds64", 28, riff, size, frames, 0)
    elif growing:
        middle = struct.pack("<4sI28x", b"JUNK", 28)
    rest = len(fmt) + len(fact) + len(middle) + 4 + 8
    if is_large:
        start = struct.pack("<4sI4s", b"RF64", _UNKNOWN, b"WAVE")
        data = struct.pack("<4sI", b"data", _UNKNOWN)
    else:
        unknown = data_bytes is None
        riff = _UNKNOWN if unknown else rest + size + (size & 1)
        start = struct.pack("<4sI4s", b"RIFF", riff, b"WAVE")
        data = struct.pack("<4sI", b"data", _UNKNOWN if unknown else size)
    return start + middle + fmt + fact + data


def _fmt_chunk(form: SampleFormat) -> bytes:
    encoding, channels = form.encoding, form.channels
    tag, frame = _TAG_OF[encoding.kind], form.frame_size
    rate = form.rate_hz
    head = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, encoding.bits)
    if channels <= 2 and (tag != _PCM or encoding.bits <= 16):
        extra = b"" if tag == _PCM else b"\x00\x00"
        return struct.pack("<4sI", b"fmt ", len(head) + len(extra)) + head + extra
    head = struct.pack("<H", _EXTENSIBLE) + head[2:]
    speakers = _SPEAKERS.get(channels, 0)
    extra = struct.pack("<HHIH", 22, encoding.bits, speakers, tag) + _GUID_TAIL
    return struct.pack("<4sI", b"fmt ", 40) + head + extra
