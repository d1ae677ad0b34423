"""Noise suppression by RNNoise, a recurrent network for voices, from the wheel of `pyrnnoise`.

Source: Valin, "A Hybrid DSP/Deep Learning Approach to Real-Time Full-Band Speech Enhancement",
2018. Of the wheel (Apache-2.0, RNNoise BSD-3-Clause) only the library with the network inside is
used, through cffi: the package's own Python code works on 16-bit integers and imports more than
this server does. While it computes, cffi leaves the interpreter to others.

A frame of 10 ms costs 0.3 ms, twice that in stereo: too long for the tick. So blocks are handed to
somebody beside it (`dsp.beside`), and what comes out is what went in one block before. With the
network's own 20 ms the sound is late by 30 ms, or by 40 in rooms with blocks of 20 ms. A block that
is not there in time is given up, and the sound stays plain for a second; the network hears it all
the same. Where left and right are the same, as they are with microphones, one network does both.
"""

import functools
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cffi
import numpy as np
import numpy.typing as npt

from dsp.beside import Beside, at_once

NETWORK_LATENCY_SAMPLES: Final = 960

_FRAME: Final = 480
_PAUSE: Final = 48_000  # samples without it after a block that was late
_FULL_SCALE: Final = np.float32(32_768)  # the network takes floats of that
_FILE: Final = {"darwin": "librnnoise.dylib", "win32": "rnnoise.dll"}.get(
    sys.platform, "librnnoise.so"
)

Block = npt.NDArray[np.float32]


@functools.cache
def is_available() -> bool:
    """Whether the library is installed."""
    return _library_path() is not None


class RnnoiseCleaner:
    """Takes what is no voice from one sound; see `dsp.denoiser.Cleaner`."""

    def __init__(self, beside: Beside = at_once) -> None:
        """Make one that has heard nothing.

        Args:
            beside: Where the network runs.

        Raises:
            ImportError: the library is missing.
        """
        self._network = _Network()
        self._beside = beside
        self._length = _FRAME  # of the last block
        self._pause = 0  # samples
        self._pending: _Job | None = None
        self._is_new = True  # the network is to forget what it heard
        self._from_silence = False  # what the network says first is right: nothing came before
        self._heard = 0  # samples that came back since

    @property
    def latency_samples(self) -> int:
        """The network's delay, and one block."""
        return NETWORK_LATENCY_SAMPLES + self._length

    def rest(self) -> None:
        """Begin anew: what is inside is not to be heard before another sound."""
        self._begin(at_rest=True)

    def clean(self, block: Block) -> Block | None:
        """Return the sound of one block before, clean; None while there is none."""
        self._length = len(block)
        if self._pause > 0:
            self._pause -= len(block)
            return None
        before, self._pending = self._pending, _Job(self._network, block.copy(), self._is_new)
        self._is_new = False
        if not self._beside(self._pending.run) or (before is not None and not before.is_done):
            self._begin(at_rest=False)
            self._pause = _PAUSE
            return None
        if before is None:
            self._heard = 0
            return np.zeros_like(block) if self._from_silence else None
        if len(before.sound) != len(block):  # the room's blocks have another length now
            return None
        # A network that comes into the middle of a sound has nothing to say at first.
        self._heard += len(block)
        if self._heard <= NETWORK_LATENCY_SAMPLES and not self._from_silence:
            return None
        return before.sound

    def _begin(self, at_rest: bool) -> None:
        self._pending = None
        self._is_new = True
        self._from_silence = at_rest
        self._heard = 0


class _Job:
    """One block on its way through the network."""

    __slots__ = ("_anew", "_network", "is_done", "sound")

    def __init__(self, network: "_Network", sound: Block, anew: bool) -> None:
        self.is_done = False
        self.sound = sound
        self._network = network
        self._anew = anew

    def run(self) -> None:
        if self._anew:
            self._network.forget()
        self._network.process(self.sound)
        self.is_done = True


class _Network:
    """RNNoise's state for both channels; runs wherever its jobs run, one after the other."""

    def __init__(self) -> None:
        ffi, lib = _library()
        self._from_buffer: Callable[..., Any] = ffi.from_buffer
        self._null = ffi.NULL
        self._lib = lib
        self._states = [ffi.gc(lib.rnnoise_create(ffi.NULL), lib.rnnoise_destroy) for _ in range(2)]
        self._is_mono = True

    def forget(self) -> None:
        for state in self._states:
            self._lib.rnnoise_init(state, self._null)

    def process(self, sound: Block) -> None:
        """Take the noise from a block (n, 2), in place."""
        left, right = np.ascontiguousarray(sound.T) * _FULL_SCALE
        is_mono = np.array_equal(left, right)
        if self._is_mono and not is_mono:
            self._lib.rnnoise_init(self._states[1], self._null)  # what it knew is long ago
        self._is_mono = is_mono
        self._run(self._states[0], left)
        if is_mono:
            right = left
        else:
            self._run(self._states[1], right)
        np.stack((left, right), axis=1, out=sound)
        sound /= _FULL_SCALE

    def _run(self, state: object, channel: Block) -> None:
        for first in range(0, len(channel), _FRAME):
            frame = self._from_buffer("float[]", channel[first : first + _FRAME])
            self._lib.rnnoise_process_frame(state, frame, frame)


def _library_path() -> Path | None:
    spec = importlib.util.find_spec("pyrnnoise")  # does not import it
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / _FILE
        if path.is_file():
            return path
    return None


@functools.cache
def _library() -> tuple[Any, Any]:
    """Return cffi's interface and the library.

    Raises:
        ImportError: it is missing.
    """
    path = _library_path()
    if path is None:
        raise ImportError("RNNoise needs the package pyrnnoise")
    ffi = cffi.FFI()
    ffi.cdef(
        "void *rnnoise_create(void *model); int rnnoise_init(void *state, void *model);"
        "void rnnoise_destroy(void *state);"
        "float rnnoise_process_frame(void *state, float *out, const float *in);"
    )
    return ffi, ffi.dlopen(str(path))
