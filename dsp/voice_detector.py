"""Voice activity: how likely somebody speaks, by the spectrum and not by the level.

WebRTC's noise analysis, as packed by `pywebrtc-audio` (Apache-2.0): steady noise and tones are no
voices for it, however loud. A block of 10 ms costs 11 µs. Where the package is missing
(`dsp.denoiser.is_available`), levels have to do.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dsp.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    pass


class VoiceDetector:
    """Listens to one sound."""

    def __init__(self) -> None:
        """Make one that has heard nothing.

        Raises:
            ImportError: the package is missing.
        """
        from pywebrtc_audio import VoiceDetector as Detector

        self._detector: Detector = Detector(SAMPLE_RATE_HZ, 1)

    def process(self, block: npt.NDArray[np.float32]) -> float:
        """Return how likely there is a voice in a block (n, 2), 0 to 1.

        n is a multiple of 480.
        """
        return float(
            self._detector.process(np.nan_to_num(block.mean(axis=1), posinf=0.0, neginf=0.0))
        )
