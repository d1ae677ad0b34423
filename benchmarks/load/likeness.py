"""Where a stretch of known sound stands in a recording of it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve

Mono = npt.NDArray[np.float32]

_SMALLEST_LIKENESS = 0.5
_QUIET_RMS = 0.003  # −50 dBFS


@dataclass(frozen=True, slots=True)
class Match:
    """A stretch of `sent` found in `heard`, both as sample indices of their beginnings."""

    sent_at: int
    heard_at: int


def find(stretch: Mono, heard: Mono) -> tuple[int, float]:
    """Return where `stretch` fits `heard` best, and its likeness there, 0 to 1."""
    wide = heard.astype(np.float64)
    wanted = stretch.astype(np.float64)
    product = fftconvolve(wide, wanted[::-1], mode="valid")
    energy = fftconvolve(wide**2, np.ones(wanted.size), mode="valid")
    scale = np.sqrt(np.maximum(energy, 1e-9) * max(float(wanted @ wanted), 1e-9))
    likeness = np.abs(product) / scale
    best = int(np.argmax(likeness))
    return best, float(likeness[best])


def follow(
    sent: Mono, heard: Mono, offset: int, stretch_samples: int, search_samples: int
) -> list[Match]:
    """Return the matches of consecutive stretches of `sent`; quiet and unclear ones are left out.

    Args:
        sent: the known sound.
        heard: the recording.
        offset: where about sample 0 of `sent` stands in `heard`.
        stretch_samples: length of each stretch.
        search_samples: how far before and behind the expected place to look.
    """
    matches = []
    for at in range(0, sent.size - stretch_samples, stretch_samples):
        stretch = sent[at : at + stretch_samples]
        begin = max(at + offset - search_samples, 0)
        region = heard[begin : at + offset + stretch_samples + search_samples]
        if np.sqrt(np.mean(np.square(stretch))) < _QUIET_RMS or region.size < stretch_samples:
            continue
        place, likeness = find(stretch, region)
        if likeness >= _SMALLEST_LIKENESS:
            matches.append(Match(at, begin + place))
    return matches
