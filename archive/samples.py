"""Plain samples as bytes, in every encoding that has been common; sans-I/O.

Full scale is ±1 in float32. Integers scale by a power of two, so that a value of b bits comes
back unchanged for b ≤ 24. µ-law and A-law are those of ITU-T G.711.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from archive.encodings import ByteOrder, Encoding, SampleFormat

Sound = npt.NDArray[np.float32]
"""Samples (n, channels)."""

# ---- G.711 ------------------------------------------------------------------------------------


def _mulaw_table() -> npt.NDArray[np.float32]:
    code = ~np.arange(256) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return (np.where(code & 0x80, -magnitude, magnitude) / 32768).astype(np.float32)


def _alaw_table() -> npt.NDArray[np.float32]:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = code >> 4 & 7, code & 0x0F
    small = (mantissa << 4) + 8
    magnitude = np.where(exponent == 0, small, small + 0x100 << np.maximum(exponent - 1, 0))
    return (np.where(code & 0x80, magnitude, -magnitude) / 32768).astype(np.float32)


LAW_TABLES: Final = {"mulaw": _mulaw_table(), "alaw": _alaw_table()}
"""What each byte means, float32 (256,)."""


def _law_bytes(values: npt.NDArray[np.float64], table: npt.NDArray[np.float32]) -> bytes:
    """Return the byte whose value is nearest to each."""
    order = np.argsort(table, kind="stable")
    levels = table[order].astype(np.float64)
    edges = (levels[1:] + levels[:-1]) / 2
    return order[np.searchsorted(edges, values)].astype(np.uint8).tobytes()


# ---- bytes to sound and back --------------------------------------------------------------------


def values_of(data: bytes | memoryview, encoding: Encoding) -> npt.NDArray[np.float64]:
    """Return all whole samples of `data` one after the other, full scale ±1, float64 (n,).

    What is no number in a float stays as it is.
    """
    usable = len(data) // encoding.size * encoding.size
    raw = np.frombuffer(data[:usable], np.uint8)
    if encoding.kind in LAW_TABLES:
        return LAW_TABLES[encoding.kind][raw].astype(np.float64)
    if encoding.kind == "unsigned":
        return (raw.astype(np.float64) - 128) / 128
    mark = "<" if encoding.order == "little" else ">"
    if encoding.kind == "float":
        with np.errstate(invalid="ignore"):  # signalling NaNs
            return raw.view(f"{mark}f{encoding.size}").astype(np.float64)
    if encoding.bits == 24:
        return _from_24(raw, encoding.order) / (1 << 23)
    return raw.view(f"{mark}i{encoding.size}").astype(np.float64) / (1 << encoding.bits - 1)


def _from_24(raw: npt.NDArray[np.uint8], order: ByteOrder) -> npt.NDArray[np.float64]:
    words = np.zeros((len(raw) // 3, 4), np.uint8)
    words[:, 1:] = raw.reshape(-1, 3) if order == "little" else raw.reshape(-1, 3)[:, ::-1]
    return (words.view("<i4")[:, 0] >> 8).astype(np.float64)


def decode(data: bytes | memoryview, form: SampleFormat) -> Sound:
    """Return the whole frames of `data`; what is no number is silence."""
    values = values_of(data, form.encoding)
    frames = len(values) // form.channels
    with np.errstate(over="ignore"):
        sound = values[: frames * form.channels].reshape(frames, form.channels).astype(np.float32)
    return np.nan_to_num(sound, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def encode(sound: npt.NDArray[np.floating], encoding: Encoding) -> bytes:
    """Return samples (n, channels) as bytes, rounded and clipped to full scale; NaN is silence."""
    values = np.nan_to_num(np.asarray(sound, np.float64).ravel(), posinf=1.0, neginf=-1.0)
    if encoding.kind in LAW_TABLES:
        return _law_bytes(values, LAW_TABLES[encoding.kind])
    mark = "<" if encoding.order == "little" else ">"
    if encoding.kind == "float":
        return values.astype(f"{mark}f{encoding.size}").tobytes()
    top = float(1 << encoding.bits - 1)
    whole = np.clip(np.rint(values * top), -top, top - 1).astype(np.int64)
    if encoding.kind == "unsigned":
        return (whole + 128).astype(np.uint8).tobytes()
    if encoding.bits == 24:
        words = whole.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3]
        return (words if encoding.order == "little" else words[:, ::-1]).tobytes()
    return whole.astype(f"{mark}i{encoding.size}").tobytes()
