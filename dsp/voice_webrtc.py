"""Voice activity by WebRTC's noise analysis, as packed by `pywebrtc-audio` (Apache-2.0).

A block of 10 ms costs 5 µs.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dsp.voice_band import RATE_HZ, to_voice_band

if TYPE_CHECKING:
    pass


class WebrtcDetector:
    """Listens to one sound; see `dsp.voice_detector.VoiceDetector`."""

    def __init__(self) -> None:
        """Make one that has heard nothing.

        Raises:
            ImportError: the package is missing.
        """
        from pywebrtc_audio import VoiceDetector

        self._detector: VoiceDetector = VoiceDetector(RATE_HZ, 1)

    def process(self, block: npt.NDArray[np.float32]) -> float:
        """Return how likely there is a voice in a block (n, 2)."""
        return float(self._detector.process(to_voice_band(block)))
