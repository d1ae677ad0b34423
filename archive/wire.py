"""What a media worker hands over: some 100 ms of one source in a datagram; sans-I/O.

| bytes | what                                                              |
|-------|-------------------------------------------------------------------|
| 4     | `AGa1`                                                            |
| 8     | media time of the first sample: samples at 48 kHz, signed         |
| 2     | frames                                                            |
| 1     | channels, 1 or 2                                                  |
| 1     | length of the participant's id                                    |
| n     | the participant's id                                              |
| rest  | samples, 16 bits, little-endian, channels side by side            |
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

PIECE_FRAMES: Final = 4800
"""Most frames of a piece."""
MAX_PIECE_BYTES: Final = 16 + 255 + PIECE_FRAMES * 4

Pcm = npt.NDArray[np.int16]

_HEAD: Final = struct.Struct("<4sqHBB")
_MAGIC: Final = b"AGa1"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a source's sound.

    Attributes:
        source_id: The participant's id.
        media_time: Of the first sample on the room's clock, at 48 kHz.
        pcm: int16 (frames, channels).
    """

    source_id: str
    media_time: int
    pcm: Pcm


def write_piece(piece: Piece) -> bytes:
    """Return a datagram."""
    name = piece.source_id.encode()
    frames, channels = piece.pcm.shape
    head = _HEAD.pack(_MAGIC, piece.media_time, frames, channels, len(name))
    return head + name + piece.pcm.astype("<i2", copy=False).tobytes()


def read_piece(datagram: bytes) -> Piece | None:
    """Return what is in a datagram, None if it is none of ours."""
    if len(datagram) < _HEAD.size:
        return None
    magic, media_time, frames, channels, length = _HEAD.unpack_from(datagram)
    begin = _HEAD.size + length
    sound = datagram[begin:]
    if magic != _MAGIC or channels not in (1, 2) or len(sound) != frames * channels * 2:
        return None
    try:
        name = datagram[_HEAD.size : begin].decode()
    except UnicodeDecodeError:
        return None
    return Piece(name, media_time, np.frombuffer(sound, "<i2").reshape(frames, channels))
