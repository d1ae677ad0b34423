"""Voice activity: how likely somebody speaks, by the spectrum and not by the level.

- `silero`: a neural network (`voice_silero.py`). Neither steady noise nor music is a voice for it.
- `webrtc`: WebRTC's noise analysis (`voice_webrtc.py`). Steady noise and tones are no voices for
  it, however loud; music may be one.

The best that is installed is used; where none is, levels have to do.
"""

import functools
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from dsp import denoiser_webrtc, voice_silero
from dsp.beside import Beside, at_once
from dsp.voice_silero import SileroDetector
from dsp.voice_webrtc import WebrtcDetector

VoiceEngine = Literal["silero", "webrtc", "level"]


class VoiceDetector(Protocol):
    """Listens to one sound."""

    def process(self, block: npt.NDArray[np.float32]) -> float:
        """Return how likely there is a voice by the end of a block (n, 2), 0 to 1.

        n is a multiple of 480. What is no number is silence.
        """


@functools.cache
def voice_engine() -> VoiceEngine:
    """Return the best that is installed."""
    if voice_silero.is_available():
        return "silero"
    return "webrtc" if denoiser_webrtc.is_available() else "level"


def make_detector(beside: Beside = at_once) -> VoiceDetector | None:
    """Return a detector that has heard nothing; None where there is only the level.

    Args:
        beside: Where networks run.
    """
    match voice_engine():
        case "silero":
            return SileroDetector(beside)
        case "webrtc":
            return WebrtcDetector()
    return None
