"""The loudspeakers of this machine, if it has any."""

from typing import Any, Final, Protocol

import numpy as np

from mixer.arena import SAMPLE_RATE_HZ
from mixer.cli.sound_files import Samples

_LATENCY_S: Final = 0.1


class Speakers(Protocol):
    """Something that plays."""

    def write(self, block: Samples) -> None:
        """Play samples (n, 2); waits while the device has enough."""

    def close(self) -> None:
        """Play to the end and give the device back."""


def open_speakers() -> Speakers | None:
    """Return the default device; None where there is no sound system or no device."""
    try:
        import sounddevice

        stream = sounddevice.OutputStream(
            samplerate=SAMPLE_RATE_HZ, channels=2, dtype="float32", latency=_LATENCY_S
        )
        stream.start()
    except Exception:  # no library, no device, no sound server: each library has its own errors
        return None
    return _Device(stream)


class _Device:
    """A device, until it is unplugged: then nothing is heard, and all goes on."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._works = True

    def write(self, block: Samples) -> None:
        if self._works:
            try:
                self._stream.write(np.ascontiguousarray(block))
            except Exception:  # PortAudio's own
                self._works = False

    def close(self) -> None:
        if self._works:
            self._stream.stop()
        self._stream.close()
