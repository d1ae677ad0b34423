"""The reverb: a feedback delay network of eight lines.

After J.-M. Jot and A. Chaigne, "Digital Delay Networks for Designing Artificial Reverberators" (AES
90th convention, 1991). What leaves the lines is mixed by a Hadamard matrix, which loses no energy,
and goes back into them, so that what decays is decided by the lines' filters alone:

- A line of L samples is turned down by g = 10^(−3 L / (fs · decay)), hence every path through the
  network falls by 60 dB in `decay`, however long it is.
- Damping makes the highs die sooner: a one-pole low-pass (1 − p) / (1 − p z⁻¹), whose gain is 1 at
  0 Hz, with p = (1 − R) / (1 + R) and R = g^(1/α − 1), so that at half the sample rate the decay is
  α of what it is at the bottom. A damping of 100 % is α = 0.1.
- Size scales the lines, from a small room at 0 % to a hall at 100 %. It changes the spacing of the
  reflections and leaves the decay alone.

Before the network stand the pre-delay and, for each channel, four all-passes in series (M. R.
Schroeder, "Natural Sounding Artificial Reverberation", JAES 10(3), 1962), which make a clap's first
reflections dense. Left and right feed four lines each and are read from four lines each with
changing signs, so that a voice in the middle comes back from both sides, and differently.

What goes in is scaled so that steady noise comes out as loud as it went in, at every decay and
size: per channel, the network holds 4 b² / mean(1 − g²) of the power that enters by the gain b.
"""

import math
from dataclasses import dataclass
from typing import Final

from dsp.units import SAMPLE_RATE_HZ, check_range, dry_and_wet

LINES: Final = 8
LENGTHS: Final = (1447, 1693, 1949, 2221, 2521, 2857, 3251, 3677)
"""The lines at a size of 100 %, in samples: 30 to 77 ms; prime, so that echoes do not coincide."""
LINE_RING: Final = 3728
"""Samples kept of each line: the longest, and so that lines do not meet in sets of the caches."""
ALLPASSES: Final = ((131, 173, 251, 397), (139, 181, 263, 409))
"""Samples of the all-passes, left and right; none shorter than a chunk of the engines."""
ALLPASS_RING: Final = 432
ALLPASS_GAIN: Final = 0.5
PRE_RING: Final = 9984
"""Samples kept of each channel for the pre-delay: 200 ms and a chunk more."""

PRE: Final = LINES
DIFFUSERS: Final = PRE + 2 * PRE_RING
NETWORK: Final = DIFFUSERS + 2 * len(ALLPASSES[0]) * ALLPASS_RING
MEMORY: Final = NETWORK + LINES * LINE_RING
"""Values to be kept: the lines' filters, then from `PRE` on the pre-delays, from `DIFFUSERS` on the
all-passes, from `NETWORK` on the lines."""

_SMALLEST: Final = 0.2  # of the lines at a size of 0 %
_DULLEST: Final = 0.1  # of the decay at half the sample rate, at a damping of 100 %

Coefficients = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ReverbSettings:
    """Settings of the reverb.

    Attributes:
        size_percent: How far apart the walls are, 0 to 100 %.
        decay_s: Time in which the lows fall by 60 dB, 0.2 to 10 s.
        damping_percent: How much sooner the highs are gone, 0 to 100 %.
        pre_delay_ms: Time before the first reflection, 0 to 200 ms.
        mix_percent: Share of the room, 0 to 100 %, at equal power.
    """

    size_percent: float = 50.0
    decay_s: float = 1.8
    damping_percent: float = 40.0
    pre_delay_ms: float = 20.0
    mix_percent: float = 25.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("size_percent", self.size_percent, 0, 100, "%")
        check_range("decay_s", self.decay_s, 0.2, 10, "s")
        check_range("damping_percent", self.damping_percent, 0, 100, "%")
        check_range("pre_delay_ms", self.pre_delay_ms, 0, 200, "ms")
        check_range("mix_percent", self.mix_percent, 0, 100, "%")


OFF: Final = ReverbSettings(mix_percent=0.0)


def coefficients(settings: ReverbSettings) -> Coefficients:
    """Return dry, wet, the gain of what goes in, the pre-delay, and of each line three things.

    These are eight lengths in samples, eight gains (with the filter's 1 − p and the matrix's
    1/√8), and eight p. With no share at all nothing goes in, so that lines that are put to use fill
    from silence.
    """
    lengths = line_lengths(settings)
    gains = [10.0 ** (-3.0 * n / (SAMPLE_RATE_HZ * settings.decay_s)) for n in lengths]
    ratio = _DULLEST ** (settings.damping_percent / 100.0)
    poles = [_pole(gain, ratio) for gain in gains]
    losses = sum(1.0 - gain * gain for gain in gains) / LINES
    return (
        *dry_and_wet(settings.mix_percent),
        math.sqrt(losses / 4.0) if settings.mix_percent > 0.0 else 0.0,
        float(pre_delay_samples(settings)),
        *map(float, lengths),
        *(g * (1.0 - p) / math.sqrt(LINES) for g, p in zip(gains, poles, strict=True)),
        *poles,
    )


def line_lengths(settings: ReverbSettings) -> list[int]:
    """Return the lengths of the lines in samples."""
    scale = _SMALLEST + (1.0 - _SMALLEST) * settings.size_percent / 100.0
    return [round(scale * length) for length in LENGTHS]


def pre_delay_samples(settings: ReverbSettings) -> int:
    """Return the pre-delay in samples."""
    return round(settings.pre_delay_ms * SAMPLE_RATE_HZ / 1000.0)


def lasting_samples(settings: ReverbSettings) -> int:
    """Return how long what comes in can stay inside before it is heard."""
    return pre_delay_samples(settings) + max(map(sum, ALLPASSES)) + max(line_lengths(settings))


def _pole(gain: float, ratio: float) -> float:
    highs = math.pow(gain, 1.0 / ratio - 1.0)
    return (1.0 - highs) / (1.0 + highs)
