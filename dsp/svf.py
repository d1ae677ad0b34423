"""A second-order filter section: state variable, trapezoidal integrators.

Transfer functions are those of R. Bristow-Johnson's "Audio EQ Cookbook" (bilinear transform with
the corner prewarped). The structure is A. Simper's ("Linear Trapezoidal Integrated State Variable
Filter", Cytomic 2013): its coefficients stay small where the corner is low, so that 20 Hz is right
in single precision too, where a direct form's coefficients would have to tell 1 − 3·10⁻⁶ from 1.

With g = tan(π f / fs), damping k and a = 1 / (1 + g (g + k)), the two integrators z1, z2 advance as

    high = x − z2
    y1 = z1 + 2 a g · high − 2 (1 − a) · z1
    y2 = z2 + 2 a g · z1 + 2 a g² · high
    band = (z1 + y1) / 2        low = (z2 + y2) / 2        output = m0 x + m1 band + m2 low

and become y1, y2. A section's coefficients are (2ag, 2ag², 2(1−a), m0, m1/2, m2/2).
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp.units import SAMPLE_RATE_HZ

Section = tuple[float, float, float, float, float, float]

NEUTRAL: Final[Section] = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
"""A section that passes the sound through and keeps no state."""

_HIGHEST_HZ = 0.49 * SAMPLE_RATE_HZ


def peak(frequency_hz: float, gain_db: float, q: float) -> Section:
    """Return a bell; `q` is the cookbook's, symmetric for boost and cut."""
    a = 10.0 ** (gain_db / 40.0)
    k = 1.0 / (q * a)
    return _section(_warp(frequency_hz), k, 1.0, k * (a * a - 1.0), 0.0)


def low_shelf(frequency_hz: float, gain_db: float, q: float) -> Section:
    """Return a shelf of `gain_db` below the corner; half of it, in dB, at the corner."""
    a = 10.0 ** (gain_db / 40.0)
    k = 1.0 / q
    return _section(_warp(frequency_hz) / math.sqrt(a), k, 1.0, k * (a - 1.0), a * a - 1.0)


def high_shelf(frequency_hz: float, gain_db: float, q: float) -> Section:
    """Return a shelf of `gain_db` above the corner; half of it, in dB, at the corner."""
    a = 10.0 ** (gain_db / 40.0)
    k = 1.0 / q
    g = _warp(frequency_hz) * math.sqrt(a)
    return _section(g, k, a * a, k * (1.0 - a) * a, 1.0 - a * a)


def high_pass(frequency_hz: float, q: float) -> Section:
    """Return a high-pass of 12 dB per octave; its gain at the corner is `q`."""
    k = 1.0 / q
    return _section(_warp(frequency_hz), k, 1.0, -k, -1.0)


def to_sos(sections: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return sections (n, 6) as scipy's second-order sections (n, 6): b0 b1 b2 a0 a1 a2."""
    ag, agg, rest, m0, m1, m2 = sections.T
    a = 1.0 - rest / 2.0
    zero = np.zeros_like(a)
    # Times a throughout, so that a0 is 1: a (1 + g k + g²) = 1.
    poles = np.stack([zero + 1.0, agg - 2.0 * a, 2.0 * a - 1.0 + agg], axis=1)
    band = np.stack([ag, zero, -ag], axis=1)
    low = np.stack([agg, 2.0 * agg, agg], axis=1)
    zeros = m0[:, None] * poles + m1[:, None] * band + m2[:, None] * low
    return np.concatenate([zeros, poles], axis=1)


def carried(
    states: npt.NDArray[np.float64], old: npt.NDArray[np.float64], new: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return states (n, 2, channels) of scipy's `sosfilt`, moved from old to new sections (n, 6).

    What stays the same is z1 and z2, which hold the signal's band and low parts whatever the
    coefficients are; scipy's states mean something else under each set of coefficients.
    """
    moved = np.zeros_like(states)
    for number, state in enumerate(states):
        if old[number, 0] and new[number, 0]:
            integrators = np.linalg.pinv(_sos_states_of(old[number]), rcond=1e-9) @ state
            moved[number] = _sos_states_of(new[number]) @ integrators
    return moved


def _sos_states_of(section: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the matrix (2, 2) that makes scipy's two states of z1 and z2.

    Both filters must go on alike without input: the first output is scipy's first state, and the
    second is its second state less a1 times the first output.
    """
    ag, agg, rest, _, m1, m2 = section
    step = np.array([[1.0 - rest, -ag], [ag, 1.0 - agg]])
    output = np.array([m1, m2]) @ (np.eye(2) + step)
    a1 = to_sos(section[None])[0, 4]
    return np.stack([output, output @ step + a1 * output])


def _warp(frequency_hz: float) -> float:
    return math.tan(math.pi * min(frequency_hz, _HIGHEST_HZ) / SAMPLE_RATE_HZ)


def _section(g: float, k: float, m0: float, m1: float, m2: float) -> Section:
    a = 1.0 / (1.0 + g * (g + k))
    share = a * g
    return 2.0 * share, 2.0 * share * g, 2.0 * share * (g + k), m0, m1 / 2.0, m2 / 2.0
