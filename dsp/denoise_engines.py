"""The engines of noise suppression by name, and what each costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

DenoiseEngine = Literal["webrtc", "rnnoise"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What an engine costs: docs/dsp.md says how it was measured, and the page shows it.

    Attributes:
        latency_ms: By how much the sound comes later, with blocks of 10 ms.
        us: CPU microseconds for 10 ms of a voice.
    """

    latency_ms: float
    us: float


COSTS: Final[Mapping[DenoiseEngine, Cost]] = {
    "webrtc": Cost(latency_ms=7, us=40),
    "rnnoise": Cost(latency_ms=30, us=290),
}
PACKAGES: Final[Mapping[DenoiseEngine, str]] = {
    "webrtc": "pywebrtc-audio",
    "rnnoise": "pyrnnoise",
}
"""What has to be installed."""
