"""What goes into a playout and what comes out: packets, the decoder it drives, a pull's outcome."""

from enum import IntEnum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 48_000
"""RTP clock of Opus and sample rate of every block (RFC 7587, section 4.1)."""

Block = NDArray[np.float32]
"""Samples of shape (n, 2), float32, C-contiguous, full scale ±1."""


class DecodeError(Exception):
    """A payload that cannot be decoded: malformed, truncated, or not what it claims to be."""


class Pull(IntEnum):
    """Outcome of one pull."""

    SILENT = 0
    """Nothing to play; the block was not touched."""
    SOUND = 1
    """Decoded from what the publisher sent, in-band FEC included."""
    CONCEALED = 2
    """At least part of the block was made up because a packet was missing."""
    LENT = 3
    """The stream is lent: whoever has it has written the block."""


class MediaPacket(NamedTuple):
    """One RTP packet of one publisher, unprotected and undecoded."""

    sequence: int
    """RTP sequence number, 16 bits."""
    timestamp: int
    """RTP timestamp, 32 bits, at 48 kHz."""
    payload: bytes
    arrival_s: float
    """Kernel arrival stamp, in the clock that `pull` gets as `now_s`."""
    marker: bool = False
    level_dbov: int | None = None
    """RFC 6464 level: 0 loudest, 127 silent; None where the packet carries none."""
    voice: bool | None = None
    redundant: bool = False
    """A copy recovered from a later packet (RFC 2198): fills a hole, says nothing on transit."""


class FrameDecoder(Protocol):
    """Decoder of one publisher's payloads; stateful, so the order of calls is the order of sound.

    Every method that takes a payload raises `DecodeError` on one it cannot read, and may be
    called again afterwards.
    """

    def samples(self, payload: bytes) -> int:
        """Return the duration of `payload` in samples, 120 (2.5 ms) to 5760 (120 ms)."""
        ...

    def is_dtx(self, payload: bytes) -> bool:
        """Return whether `payload` only says that the publisher is silent."""
        ...

    def carries_fec(self, payload: bytes) -> bool:
        """Return whether `payload` carries a copy of the packet before it."""
        ...

    def decode(self, payload: bytes, out: Block) -> int:
        """Decode `payload` into the start of `out`; return the samples written."""
        ...

    def decode_fec(self, payload: bytes, out: Block) -> int:
        """Fill `out` (a multiple of 120 samples) with what precedes `payload`; return its size."""
        ...

    def conceal(self, out: Block) -> int:
        """Fill `out` (a multiple of 120 samples) with a guess; return its length."""
        ...

    def reset(self) -> None:
        """Forget everything decoded so far."""
        ...
