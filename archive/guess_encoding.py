"""Which encoding and how many channels raw samples of unknown format have; sans-I/O.

Sound is predictable: the next sample is nearly what a linear prediction from the last ones says.
Bytes that are read in the wrong way are not. So each way of reading is given a *cost*: how many of
its bits the prediction leaves open, from 0 (all is known before) to 1 (noise). The right way has
the lowest cost, as low bytes that are read as high ones, channels that are taken for one another
and bytes of two samples in one all look like noise.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from archive.encodings import ENCODINGS, Encoding
from archive.samples import values_of

_CHUNK_BYTES: Final = 48 * 512  # whole frames in every format
_CHUNK_SAMPLES: Final = 3072
_CHUNKS: Final = 5
_ORDER: Final = 16
_AROUND: Final = 32
_FLOAT_RANGE: Final = (1e-12, 16.0)
_ODD_FLOATS: Final = 0.005
_MOST_BITS: Final = 52
_TURNS: Final = 85.0  # χ² with 16 degrees of freedom: by chance in one of 10¹⁰ sounds
_TIE: Final = 0.05
_NOISE_COST: Final = 0.92
_SILENT_SIDE: Final = 0.03

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """One way of reading some bytes.

    Attributes:
        encoding: How samples are written.
        channels: 1 or 2.
        cost: Share of the bits that are left open by prediction, 0 to 1.
        gain_db: How much smaller than the sound its prediction's error is.
    """

    encoding: Encoding
    channels: int
    cost: float
    gain_db: float


def readings(data: bytes) -> list[Reading]:
    """Return every way of reading `data` that is possible at all, the best first."""
    chunks = _liveliest(data)
    found = []
    for encoding in ENCODINGS.values():
        parts = [values_of(chunk[: _CHUNK_SAMPLES * encoding.size], encoding) for chunk in chunks]
        parts = [part for part in parts if len(part) >= 4 * _ORDER]
        if not parts or not _is_possible(parts, encoding):
            continue
        found += _both(encoding, parts)
    return sorted(found, key=lambda one: one.cost)


def _liveliest(data: bytes) -> list[bytes]:
    """Return the parts of `data` in which most happens, in their order."""
    if len(data) < 2 * _CHUNK_BYTES:
        return [data]
    count = len(data) // _CHUNK_BYTES
    step = max(1, count // 256)
    parts = {at: data[at * _CHUNK_BYTES : (at + 1) * _CHUNK_BYTES] for at in range(0, count, step)}
    ranked = sorted(parts, key=lambda at: -_entropy(parts[at]))
    return [parts[at] for at in sorted(ranked[:_CHUNKS])]


def _entropy(chunk: bytes) -> float:
    counts = np.bincount(np.frombuffer(chunk, np.uint8), minlength=256)
    shares = counts[counts > 0] / len(chunk)
    return float(-(shares * np.log2(shares)).sum())


def _is_possible(parts: list[Values], encoding: Encoding) -> bool:
    if encoding.kind != "float":
        return True
    values = np.abs(np.concatenate(parts))
    low, high = _FLOAT_RANGE
    good = (values == 0) | ((values >= low) & (values <= high))
    return float(np.mean(good)) >= 1 - _ODD_FLOATS


def _both(encoding: Encoding, parts: list[Values]) -> list[Reading]:
    """Return the reading as mono and as stereo."""
    parts = [np.nan_to_num(np.clip(part, -16, 16), posinf=0, neginf=0) for part in parts]
    step = _step(encoding, parts)
    variance = float(np.var(np.concatenate(parts)))
    windows = np.concatenate([_lags(part)[: len(part) // 2 * 2 - _ORDER] for part in parts])
    mono = _Fit.of(windows)
    stereo = [_Fit.of(windows[channel::2]) for channel in (0, 1)]
    sides = [_cost(fit, step) / encoding.bits for fit in stereo]
    as_one = min(1.0, _cost(mono, step) / encoding.bits)
    as_two = min(1.0, (sides[0] + sides[1]) / 2)
    if _takes_turns(mono, step):
        as_one = max(as_one, as_two + _TIE)
    else:
        as_two = max(as_two, as_one + _TIE)
    if min(float(np.ptp(fit.windows[:, -1])) for fit in stereo) == 0.0:
        as_two += _SILENT_SIDE  # rather samples of twice the width whose low half is not used
    # Samples of twice the width, taken for two channels, have one that is nothing but noise.
    if max(sides) > _NOISE_COST:
        as_two = max(as_two, *sides)
    return [
        Reading(encoding, 1, min(1.0, as_one), _gain_db(variance, mono)),
        Reading(encoding, 2, min(1.0, as_two), _gain_db(variance, *stereo)),
    ]


def _step(encoding: Encoding, parts: list[Values]) -> float:
    """Return what one step of the samples is worth: low bits that are never set do not count."""
    if encoding.kind in ("mulaw", "alaw"):
        return 0.0
    bits = min(
        _MOST_BITS, 24 if encoding.bits == 32 and encoding.kind == "float" else encoding.bits
    )
    whole = np.concatenate(parts) * 2.0 ** (bits - 1)
    used = int(np.bitwise_or.reduce(np.rint(np.abs(whole)).astype(np.int64)))
    unused = (used & -used).bit_length() - 1 if used else 0
    return float(2.0 ** (unused + 1 - bits))


def _lags(values: Values) -> Values:
    """Return each sample (last column) behind those from which it is predicted."""
    return np.lib.stride_tricks.sliding_window_view(values, _ORDER + 1)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A linear prediction: what it was made from, and its errors."""

    windows: Values
    errors: Values

    @classmethod
    def of(cls, windows: Values) -> "_Fit":
        return cls(windows, _errors(windows))


def _errors(windows: Values) -> Values:
    """Return the errors of the least-squares prediction of the last column from the others."""
    known, wanted = windows[:, :-1], windows[:, -1]
    squares = known.T @ known
    ridge = 1e-9 * (np.trace(squares) / len(squares) + 1e-30)
    weights = np.linalg.solve(squares + ridge * np.eye(len(squares)), known.T @ wanted)
    return wanted - known @ weights


def _takes_turns(mono: _Fit, step: float) -> bool:
    """Return whether every other sample follows other rules: then there are two channels.

    A likelihood-ratio test of one prediction for all samples against one for each channel, with
    errors weighted so that loud moments count no more than others.
    """
    spread = [float(np.ptp(mono.windows[channel::2, -1])) for channel in (0, 1)]
    if min(spread) == 0.0 < max(spread):
        return True  # one channel is silent
    scale = _smooth(mono.errors) + max(step, 1e-9) / 4
    weighed = mono.windows / scale[:, None]
    joint = _errors(weighed)
    apart = np.concatenate([_errors(weighed[channel::2]) for channel in (0, 1)])
    together, rest = max(float(joint @ joint), 1e-30), max(float(apart @ apart), 1e-30)
    return float(len(joint) * np.log(together / rest)) > _TURNS


def _smooth(errors: Values) -> Values:
    return np.convolve(np.abs(errors), np.ones(_AROUND) / _AROUND, "same")


def _cost(fit: _Fit, step: float) -> float:
    """Return how many bits each sample leaves open on average; all of them if it is noise."""
    # In G.711 steps grow with the sample: 1/16 of its segment.
    steps = np.maximum(np.abs(fit.windows[:, -1]), 0.004) / 24 if step == 0.0 else step
    return float(np.mean(np.log2(1 + 4 * _smooth(fit.errors) / steps)))


def _gain_db(variance: float, *fits: _Fit) -> float:
    rest = float(np.mean([np.mean(np.square(fit.errors)) for fit in fits]))
    if variance <= 0:
        return 0.0
    return float(10 * np.log10(variance / max(rest, variance * 1e-10)))
