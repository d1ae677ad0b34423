"""Bytes made from bytes: seeded, so that a run can be repeated."""

import random
from collections.abc import Sequence
from typing import Final

MAX_BYTES: Final = 4096
_TOKENS: Final = (
    *(bytes([value]) for value in (0, 1, 0x7F, 0x80, 0xFF)),
    b"\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b'"',
    b"\\",
    b"\\ud800",
    b"[" * 64,
    b'{"a":' * 32,
    b"null",
    b"-1",
    b"1e999",
    b"NaN",
    b"99999999999999999999",
    b"\r\n",
    b"\xe2\x80\xae",
    b"%00",
    b"*",
    b"=",
    b",",
)


def mutated(data: bytes, corpus: Sequence[bytes], rng: random.Random) -> bytes:
    """Return `data` after a few random changes."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        position = rng.randrange(len(found) + 1)
        match rng.randrange(7):
            case 0 if found:
                found[position % len(found)] ^= 1 << rng.randrange(8)
            case 1 if found:
                found[position % len(found)] = rng.randrange(256)
            case 2:
                found[position:position] = rng.choice(_TOKENS)
            case 3:
                del found[position : position + rng.choice((1, 2, 4, 16, 256))]
            case 4:
                found[position:position] = found[: rng.choice((1, 4, 16, 64))]
            case 5:
                other = rng.choice(corpus)
                start = rng.randrange(len(other) + 1)
                found[position:] = other[start : start + MAX_BYTES]
            case _:
                found[position:position] = rng.randbytes(rng.choice((1, 2, 4, 8)))
    return bytes(found[:MAX_BYTES])
