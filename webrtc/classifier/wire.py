"""What media workers and the classifier tell each other, on a Unix socket in the runtime folder.

The classifier listens, each worker connects. A worker sends the sound of each of its publishers, in
portions of 100 ms, and that one is gone; the classifier answers with what it thinks. A lost
connection loses no more than opinions.
"""

from pathlib import Path
from typing import Final

import msgspec

from dsp.genre.labels import Label
from dsp.genre.profiles import Profile
from webrtc.control.codec import FrameDecoder

PORTION: Final = 4800
"""Samples of a portion, at 48 kHz."""


class Sound(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A portion of a sound.

    Attributes:
        stream: Whose it is.
        begin: Samples of this stream's time before it, at 48 kHz; silence is not sent but counts.
        samples: s16le mono, 48 kHz.
    """

    stream: str
    begin: int
    samples: bytes


class Gone(msgspec.Struct, frozen=True, array_like=True, tag="g"):
    """A stream has ended."""

    stream: str


class Judged(msgspec.Struct, frozen=True, array_like=True, tag="j"):
    """What a sound is thought to be.

    Attributes:
        stream: Whose it is.
        label: What to call it.
        confidence: How likely the label is right.
        firm: Whether that is worth acting on.
        speech: How likely somebody speaks, alone or over music.
        probabilities: Of `dsp.genre.labels.CLASSES`.
        profile: The mixing profile that suits it.
    """

    stream: str
    label: Label
    confidence: float
    firm: bool
    speech: float
    probabilities: list[float]
    profile: Profile


class Busy(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """How the classifier is doing; cumulative since it started."""

    streams: int
    refused: int
    looks: int
    looks_late: int
    cpu_ms: int


ToClassifier = Sound | Gone
FromClassifier = Judged | Busy

_LENGTH_BYTES: Final = 4
_encoder = msgspec.msgpack.Encoder()


def frame(message: ToClassifier | FromClassifier) -> bytes:
    """Return a message as one frame: a 4-byte big-endian length, then msgpack."""
    encoded = bytearray(_LENGTH_BYTES)
    _encoder.encode_into(message, encoded, _LENGTH_BYTES)
    encoded[:_LENGTH_BYTES] = (len(encoded) - _LENGTH_BYTES).to_bytes(_LENGTH_BYTES, "big")
    return bytes(encoded)


def classifier_side_decoder() -> FrameDecoder[ToClassifier]:
    """Return the decoder of what the classifier receives."""
    return FrameDecoder(msgspec.msgpack.Decoder(ToClassifier))


def worker_side_decoder() -> FrameDecoder[FromClassifier]:
    """Return the decoder of what a worker receives."""
    return FrameDecoder(msgspec.msgpack.Decoder(FromClassifier))


def classifier_path(folder: Path) -> Path:
    """Return where the classifier listens."""
    return folder / "classifier.sock"
