"""Voice activity: how likely somebody speaks, by the spectrum and not by the level.

WebRTC's noise analysis, as packed by `pywebrtc-audio` (Apache-2.0): steady noise and tones are no
voices for it, however loud. It listens at
16 kHz, where a block of 10 ms costs 5 µs. Where the package is missing
(`dsp.denoiser.is_available`), levels have to do.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    pass


_RATE_HZ: Final = 16_000
_MEAN: Final = np.full(6, 1 / 6, np.float32)


class VoiceDetector:
    """Listens to one sound."""

    def __init__(self) -> None:
        """Make one that has heard nothing.

        Raises:
            ImportError: the package is missing.
        """
        from pywebrtc_audio import VoiceDetector as Detector

        self._detector: Detector = Detector(_RATE_HZ, 1)

    def process(self, block: npt.NDArray[np.float32]) -> float:
        """Return how likely there is a voice in a block (n, 2), 0 to 1.

        n is a multiple of 480.
        """
        # Three neighbours of both channels make one sample: good enough to tell a voice.
        mono = block.reshape(-1, 6) @ _MEAN
        if not np.isfinite(mono.sum()):
            mono = np.nan_to_num(mono, posinf=0.0, neginf=0.0)
        return float(self._detector.process(mono))
