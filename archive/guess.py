"""What a blob of sound is: a file by its header, else raw samples by what they look like; sans-I/O.

A guess ranks candidates by their confidence, 0 to 1: how likely encoding, byte order, channels
*and* rate are right. Noise, text and compressed data give low ones, at most `NOISE_CONFIDENCE`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from archive.containers import Container, recognise
from archive.encodings import RATES_HZ, SampleFormat
from archive.guess_encoding import Reading, readings
from archive.guess_rate import rate_shares
from archive.samples import values_of

NOISE_CONFIDENCE: Final = 0.6
"""The most that a guess may claim where nothing is predictable."""

_MOST_RATE_BYTES: Final = 4 << 20
_LEAST_BYTES: Final = 256
_SHARPNESS: Final = 60.0
_SURE_GAIN_DB: Final = 6.0
_HINT_WEIGHT: Final = 4.0
_CANDIDATES: Final = 12
_LIKELY: Final = 4
_UNLIKELY: Final = 0.01
"""Of the likeliest encoding's share; what has less is not listened to for its rate."""
_WORTH_A_SEARCH: Final = 0.2
"""Share of an encoding from which a codec's grid is searched for: that takes a second."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One format that raw samples may have.

    Attributes:
        format: The format.
        confidence: How likely all of it is right, 0 to 1.
        encoding_confidence: The same of encoding and channels alone.
    """

    format: SampleFormat
    confidence: float
    encoding_confidence: float


@dataclass(frozen=True, slots=True)
class Guess:
    """What a blob is.

    Attributes:
        container: Of a file; None for raw samples.
        candidates: Formats of raw samples, the likeliest first; none for a file, and none where
            there is too little to tell.
    """

    container: Container | None
    candidates: tuple[Candidate, ...] = ()

    @property
    def is_garbage(self) -> bool:
        """Whether this is neither a file nor likely to be sound."""
        sure = self.candidates and self.candidates[0].encoding_confidence > NOISE_CONFIDENCE
        return self.container is None and not sure


def guess(blob: bytes, hint: SampleFormat | None = None) -> Guess:
    """Return what `blob` is.

    Args:
        blob: A file or raw samples.
        hint: What raw samples are likely to be, where that is known: believed as far as it can be
            true at all.
    """
    container = recognise(blob)
    if container is not None:
        return Guess(container)
    if len(blob) < _LEAST_BYTES:
        return Guess(None, () if hint is None else (Candidate(hint, 0.5, 0.5),))
    found = readings(blob)
    if not found:
        return Guess(None)
    candidates = []
    likely = _encodings(found, hint)[:_LIKELY]
    for reading, share in likely:
        heard = blob if share >= _UNLIKELY * likely[0][1] else b""
        rates = _rates(heard, reading, hint, thoroughly=share >= _WORTH_A_SEARCH)
        for rate_hz, rate_share in zip(RATES_HZ, rates, strict=True):
            form = SampleFormat(reading.encoding, rate_hz, reading.channels)
            candidates.append(Candidate(form, share * rate_share, share))
    if hint is not None and hint.rate_hz not in RATES_HZ:
        candidates += _odd_rate(candidates, hint)
    candidates.sort(key=lambda one: -one.confidence)
    return Guess(None, tuple(candidates[:_CANDIDATES]))


def _encodings(found: Sequence[Reading], hint: SampleFormat | None) -> list[tuple[Reading, float]]:
    """Return the readings with their likelihoods, the likeliest first."""
    costs = np.array([one.cost for one in found])
    weights = np.exp(-_SHARPNESS * (costs - costs.min()) / max(1 - costs.min(), 0.08))
    if hint is not None:
        wanted = [(one.encoding, one.channels) == (hint.encoding, hint.channels) for one in found]
        weights[wanted] *= _HINT_WEIGHT
    shares = weights / weights.sum()
    ranked = sorted(zip(found, shares, strict=True), key=lambda pair: -pair[1])
    return [(one, float(share) * _soundness(one)) for one, share in ranked]


def _soundness(reading: Reading) -> float:
    """Return how much this is like sound: 1 if it is predictable, else at most the noise's."""
    gain = min(1.0, max(0.0, reading.gain_db) / _SURE_GAIN_DB)
    left = min(1.0, max(0.0, 1 - reading.cost) / 0.08)
    sure = min(gain, left)
    return NOISE_CONFIDENCE * sure if sure < 1 else 1.0


def _rates(
    blob: bytes, reading: Reading, hint: SampleFormat | None, *, thoroughly: bool
) -> list[float]:
    """Return how likely each rate is."""
    values = values_of(blob[:_MOST_RATE_BYTES], reading.encoding)
    usable = len(values) // reading.channels * reading.channels
    sound = values[:usable].reshape(-1, reading.channels).mean(axis=1)
    shares = rate_shares(sound, thoroughly=thoroughly)
    if hint is not None and hint.rate_hz in RATES_HZ:
        shares[RATES_HZ.index(hint.rate_hz)] *= _HINT_WEIGHT
        shares /= shares.sum()
    return [float(share) for share in shares]


def _odd_rate(candidates: Sequence[Candidate], hint: SampleFormat) -> list[Candidate]:
    """Return the best candidates with the hint's rate, which is none of the usual ones."""
    best: dict[tuple[object, int], Candidate] = {}
    for one in candidates:
        best.setdefault((one.format.encoding, one.format.channels), one)
    return [
        Candidate(
            SampleFormat(one.format.encoding, hint.rate_hz, one.format.channels),
            one.encoding_confidence / 2,
            one.encoding_confidence,
        )
        for one in best.values()
    ]
