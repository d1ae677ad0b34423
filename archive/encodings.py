"""Which encodings of plain samples there are; needs no package, as settings name them.

µ-law and A-law are those of ITU-T G.711.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["unsigned", "signed", "float", "mulaw", "alaw"]
ByteOrder = Literal["little", "big"]

RATES_HZ: Final = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000)
"""Sample rates that unknown sound may have."""

_WIDTHS: Final[dict[str, tuple[int, ...]]] = {
    "unsigned": (8,),
    "signed": (8, 16, 24, 32),
    "float": (32, 64),
    "mulaw": (8,),
    "alaw": (8,),
}
_ORDERS: Final[tuple[ByteOrder, ...]] = ("little", "big")
_NAMES: Final = {"unsigned": "u", "signed": "s", "float": "f"}


@dataclass(frozen=True, slots=True, order=True)
class Encoding:
    """How one sample is written.

    Attributes:
        kind: What the bits mean.
        bits: Width; 8 for µ-law and A-law.
        order: Which byte comes first; "little" where there is one byte only.

    Raises:
        ValueError: There is no such encoding.
    """

    kind: Kind
    bits: int
    order: ByteOrder = "little"

    def __post_init__(self) -> None:
        if self.bits not in _WIDTHS[self.kind]:
            raise ValueError(f"no {self.kind} samples of {self.bits} bits are known")
        if self.bits == 8 and self.order != "little":
            raise ValueError("one byte has no order")

    @property
    def size(self) -> int:
        """Bytes of a sample."""
        return self.bits // 8

    @property
    def name(self) -> str:
        """Return the short name that FFmpeg gives it: u8, s16le, f32be, mulaw."""
        if self.kind not in _NAMES:
            return self.kind
        ending = "" if self.bits == 8 else "le" if self.order == "little" else "be"
        return f"{_NAMES[self.kind]}{self.bits}{ending}"


def _all() -> dict[str, Encoding]:
    found = [
        Encoding(kind, bits, order)
        for kind in ("unsigned", "signed", "float", "mulaw", "alaw")
        for bits in _WIDTHS[kind]
        for order in _ORDERS[: 1 if bits == 8 else 2]
    ]
    return {one.name: one for one in found}


ENCODINGS: Final = _all()
"""Every encoding by its name."""


@dataclass(frozen=True, slots=True, order=True)
class SampleFormat:
    """What raw samples are.

    Raises:
        ValueError: Rate or channels are out of range.
    """

    encoding: Encoding
    rate_hz: int
    channels: int

    def __post_init__(self) -> None:
        if not 1 <= self.rate_hz <= 768_000:
            raise ValueError("a sample rate is from 1 to 768000 Hz")
        if not 1 <= self.channels <= 64:
            raise ValueError("there are 1 to 64 channels")

    @property
    def frame_size(self) -> int:
        """Bytes of one sample of all channels."""
        return self.encoding.size * self.channels
