"""Echo and noise taken from the microphone, by the adapters that the server has."""

from typing import Any

import numpy as np
import numpy.typing as npt

from dsp.denoiser import Denoiser, engines, make_denoiser
from dsp.units import SAMPLE_RATE_HZ

Mono = npt.NDArray[np.float32]


class Cleaner:
    """Echo cancellation against what the loudspeaker plays, then noise suppression.

    Without the package both are off, and `is_working` says so.

    Attributes:
        is_working: Whether there is anything that cleans.
    """

    def __init__(self) -> None:
        """Begin with nothing learned."""
        self.is_working = "webrtc" in engines()
        self._echo: Any = None
        self._noise: Denoiser | None = None
        if self.is_working:
            from pywebrtc_audio import EchoCanceller

            self._echo = EchoCanceller(SAMPLE_RATE_HZ, 1, 0)
            self._noise = make_denoiser("webrtc")

    def process(self, near: Mono, far: Mono) -> Mono:
        """Return 10 ms of the microphone, float32 (480,), cleaned.

        Args:
            near: What the microphone heard.
            far: What the loudspeaker played at that time.
        """
        if self._echo is None or self._noise is None:
            return near
        clean = np.asarray(self._echo.process(near, far), np.float32).reshape(-1)
        stereo = np.repeat(clean[:, None], 2, axis=1)
        self._noise.process(stereo)
        return stereo[:, 0].copy()
