"""A waveform as a picture: SVG, or PNG for what reads no SVG; sans-I/O."""

import struct
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np

WIDTH: Final = 800
HEIGHT: Final = 160
_COLOUR: Final = (59, 130, 246)


def waveform_svg(peaks: Sequence[float]) -> str:
    """Return a drawing of peaks (0 to 1), mirrored at the middle line."""
    middle, step = HEIGHT / 2, WIDTH / max(1, len(peaks))
    bars = "".join(
        f"M{(number + 0.5) * step:.1f} {middle - _half(peak):.1f}V{middle + _half(peak):.1f}"
        for number, peak in enumerate(peaks)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        "<title>Waveform</title>"
        f'<path d="{bars}" stroke="rgb{_COLOUR}" stroke-width="{step * 0.7:.2f}" fill="none"/>'
        "</svg>"
    )


def waveform_png(peaks: Sequence[float]) -> bytes:
    """Return the same as an image with a transparent ground (PNG, ISO 15948)."""
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    levels = np.array(peaks if len(peaks) else [0.0])
    halves = np.array([_half(one) for one in levels[np.arange(WIDTH) * len(levels) // WIDTH]])
    rows = np.abs(np.arange(HEIGHT)[:, None] + 0.5 - HEIGHT / 2)
    pixels[rows <= halves] = (*_COLOUR, 255)
    lines = np.concatenate([np.zeros((HEIGHT, 1), np.uint8), pixels.reshape(HEIGHT, -1)], axis=1)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in parts)


def _half(peak: float) -> float:
    return max(0.5, min(1.0, peak) * (HEIGHT / 2 - 1))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
