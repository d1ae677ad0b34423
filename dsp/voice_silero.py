"""Voice activity by Silero's recurrent network, from the wheel of `silero-vad`, on onnxruntime.

Of that wheel only the file with the network is used: the package's own code imports PyTorch. The
network looks at 32 ms at a time, which costs 65 µs; blocks only gather samples, and the network
runs beside the tick (`dsp.beside`). What is told is what it said last, so it is up to 32 ms old.
onnxruntime reports its use to its maker unless its environment forbids that before it is imported.
"""

import functools
import importlib.util
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsp.beside import Beside, at_once
from dsp.voice_band import RATE_HZ, to_voice_band

WINDOW: Final = 512
"""Samples at 16 kHz that the network looks at; between two looks."""

_BEFORE: Final = 64  # samples of the last window that it wants to see again
_FILE: Final = "data/silero_vad_16k_op15.onnx"
_RATE: Final = np.array(RATE_HZ, np.int64)
_ERRORS_ONLY: Final = 3  # the model has initialisers that nothing uses, and onnxruntime says so


@functools.cache
def is_available() -> bool:
    """Whether both packages are installed."""
    return importlib.util.find_spec("onnxruntime") is not None and _model_path() is not None


class SileroDetector:
    """Listens to one sound; see `dsp.voice_detector.VoiceDetector`."""

    def __init__(self, beside: Beside = at_once) -> None:
        """Make one that has heard nothing.

        Args:
            beside: Where the network runs.

        Raises:
            ImportError: a package is missing.
        """
        self._session = _session()
        self._beside = beside
        self._state = np.zeros((2, 1, 128), np.float32)
        self._gathered = np.zeros((1, _BEFORE + WINDOW), np.float32)
        self._count = _BEFORE
        self._voice = 0.0

    def process(self, block: npt.NDArray[np.float32]) -> float:
        """Return how likely there was a voice in the last window."""
        sound = to_voice_band(block)
        while len(sound):
            part = sound[: _BEFORE + WINDOW - self._count]
            self._gathered[0, self._count : self._count + len(part)] = part
            self._count += len(part)
            sound = sound[len(part) :]
            if self._count == _BEFORE + WINDOW:
                window = self._gathered
                self._gathered = np.empty_like(window)
                self._gathered[0, :_BEFORE] = window[0, -_BEFORE:]
                self._count = _BEFORE
                self._beside(lambda window=window: self._look(window))  # type: ignore[misc]
        return self._voice

    def _look(self, window: npt.NDArray[np.float32]) -> None:
        found, self._state = self._session.run(
            None, {"input": window, "state": self._state, "sr": _RATE}
        )
        self._voice = float(found[0, 0])


def _model_path() -> Path | None:
    spec = importlib.util.find_spec("silero_vad")  # does not import it
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / _FILE
        if path.is_file():
            return path
    return None


@functools.cache
def _session() -> Any:
    """Return the network, which is one for all detectors: what they heard is theirs.

    Raises:
        ImportError: a package is missing.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # or it tells its maker of each session
    import onnxruntime

    path = _model_path()
    if path is None:
        raise ImportError("Silero's voice detector needs the package silero-vad")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
