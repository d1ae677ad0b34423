"""Microphone and loudspeaker by PortAudio; either may be missing, or be unplugged and come back.

Nobody waits for a device: blocks go through bounded queues, and what is not there is silence. All
opening and closing happens in `tend`, in one thread at a time, and leads to what is wanted then;
so quick toggling leaves nothing open.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gateway.client.coding import BLOCK, Mono
from mixer.arena import SAMPLE_RATE_HZ

_LATENCY_S: Final = 0.02


class Device:
    """One direction of sound.

    Attributes:
        wanted: Whether it should be open.
        problem: Why it is not open although it should be; "" otherwise.
    """

    def __init__(self, which: str | None, *, wanted: bool = True) -> None:
        """Prepare; `tend` opens it.

        Args:
            which: A device's number or a part of its name; None for the default one.
            wanted: Whether it should be open.
        """
        self.wanted = wanted
        self.problem = ""
        self._which = int(which) if which is not None and which.isdecimal() else which
        self._stream: Any = None
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether sound flows."""
        return self._stream is not None

    def tend(self) -> None:
        """Open or close it, as it is wanted; to be called now and then, not in the event loop."""
        with self._lock:
            stream = self._stream
            if stream is not None and not (self.wanted and stream.active):
                self._stream = None
                _close(stream)
            if self.wanted and self._stream is None:
                self._stream = self._open()

    def close(self) -> None:
        """Close it for good."""
        self.wanted = False
        self.tend()

    def _open(self) -> Any:
        try:
            stream = self._make()
            stream.start()
        except Exception as error:  # PortAudio's, the library's absence, a name that is no device
            self.problem = str(error) or type(error).__name__
            return None
        self.problem = ""
        return stream

    def _make(self) -> Any:
        raise NotImplementedError


class Microphone(Device):
    """Gives blocks of 10 ms."""

    def __init__(
        self, which: str | None, take: Callable[[Mono], None], *, wanted: bool = True
    ) -> None:
        """Prepare.

        Args:
            which: See `Device`.
            take: Called with each block, float32 (480,), in PortAudio's thread.
            wanted: Whether it should be open.
        """
        super().__init__(which, wanted=wanted)
        self._take = take

    def _make(self) -> Any:
        import sounddevice

        return sounddevice.InputStream(
            samplerate=SAMPLE_RATE_HZ,
            blocksize=BLOCK,
            device=self._which,
            channels=1,
            dtype="float32",
            latency=_LATENCY_S,
            callback=self._call,
        )

    def _call(self, data: npt.NDArray[np.float32], *_: object) -> None:
        self._take(data[:, 0].copy())


class Loudspeaker(Device):
    """Plays blocks of 10 ms."""

    def __init__(self, which: str | None, give: Callable[[], Mono], *, wanted: bool = True) -> None:
        """Prepare.

        Args:
            which: See `Device`.
            give: Called for each block, in PortAudio's thread.
            wanted: Whether it should be open.
        """
        super().__init__(which, wanted=wanted)
        self._give = give

    def _make(self) -> Any:
        import sounddevice

        return sounddevice.OutputStream(
            samplerate=SAMPLE_RATE_HZ,
            blocksize=BLOCK,
            device=self._which,
            channels=1,
            dtype="float32",
            latency=_LATENCY_S,
            callback=self._call,
        )

    def _call(self, out: npt.NDArray[np.float32], *_: object) -> None:
        out[:, 0] = self._give()


def list_devices() -> str:
    """Return a table of the machine's devices, or why there is none."""
    try:
        import sounddevice

        return str(sounddevice.query_devices()) or "There are no sound devices."
    except Exception as error:  # as in `Device`
        return f"There is no sound here: {error}"


def look_again() -> None:
    """Let PortAudio see what has been plugged in; only while no stream is open."""
    try:
        import sounddevice

        sounddevice._terminate()
        sounddevice._initialize()
    except Exception:  # as in `Device`: then the next attempt will say what is wrong
        return


def _close(stream: Any) -> None:
    try:
        stream.close()
    except Exception:  # it is gone already
        return
