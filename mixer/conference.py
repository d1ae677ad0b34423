"""The engine for scripts: participants, volumes, a network's quality, start and stop.

::

    with ConferenceAudioMixer() as mixer:
        alice = mixer.add_participant("alice", volume=0.8)
        alice.add_audio(samples)            # as it comes, any length, int16 or float
        mixer.set_network_quality(50)
        mixed = mixer.mix()                 # the next 20 ms, in the script's own time
        mixer.start()                       # or by the clock, in a thread:
        chunk = mixer.get_mixed_audio()

Every method may be called from any thread. This file reads a clock and starts a thread, which
nothing else in `mixer` does; nothing else imports it.
"""

import threading
import time
from collections import deque
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import soxr

from mixer.arena import SAMPLE_RATE_HZ
from mixer.listener import PersonalGain
from mixer.netsim_settings import NetworkConditions, quality
from mixer.studio import BLOCK_S, Studio

Samples = npt.NDArray[np.float32]

MOST_VOLUME: Final = 3.98
"""12 dB."""
BUFFER_S: Final = 1.0
OUTPUT_CHUNKS: Final = 50


class AudioStream:
    """One participant's sound on its way into the mix, in a buffer that is bounded.

    Attributes:
        name: The participant's.
        volume: As it was set last; `ConferenceAudioMixer.set_volume` changes it.
        dropped_samples: How many were dropped because nobody mixed them in time, at 48 kHz.
    """

    def __init__(self, name: str, sample_rate_hz: int, buffer_s: float) -> None:
        """Make an empty stream.

        Args:
            name: The participant's name.
            sample_rate_hz: Of what is added.
            buffer_s: So much is kept; of more, the oldest goes.
        """
        self.name = name
        self.volume = 1.0
        self.dropped_samples = 0
        self._lock = threading.Lock()
        self._chunks: deque[Samples] = deque()
        self._buffered = 0
        self._most = round(buffer_s * SAMPLE_RATE_HZ)
        self._resampler = None
        if sample_rate_hz != SAMPLE_RATE_HZ:
            self._resampler = soxr.ResampleStream(sample_rate_hz, SAMPLE_RATE_HZ, 2, quality="LQ")

    @property
    def buffered_s(self) -> float:
        """How much waits to be mixed."""
        return self._buffered / SAMPLE_RATE_HZ

    def add_audio(self, samples: npt.NDArray[Any]) -> None:
        """Add sound.

        Args:
            samples: (n,), (n, 1) or (n, 2); int16, or floats of full scale 1.

        Raises:
            ValueError: Another shape or type.
        """
        block = _stereo(samples)
        with self._lock:
            if self._resampler is not None:
                block = self._resampler.resample_chunk(block)
            self._chunks.append(block)
            self._buffered += len(block)
            while self._buffered > self._most:
                surplus = self._buffered - self._most
                dropped = len(self._take(surplus))
                self.dropped_samples += dropped

    def read(self, count: int) -> Samples:
        """Return the next samples; see `mixer.studio.Feed`."""
        with self._lock:
            return self._take(count)

    def _take(self, count: int) -> Samples:
        taken = []
        while count and self._chunks:
            chunk = self._chunks.popleft()
            if len(chunk) > count:
                self._chunks.appendleft(chunk[count:])
                chunk = chunk[:count]
            taken.append(chunk)
            count -= len(chunk)
            self._buffered -= len(chunk)
        return np.concatenate(taken) if taken else np.zeros((0, 2), np.float32)


class ConferenceAudioMixer:
    """Mixes a conference; a context manager that stops at the end.

    Attributes:
        dropped_chunks: How many mixed chunks were dropped because nobody fetched them in time.
    """

    def __init__(
        self,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        *,
        buffer_s: float = BUFFER_S,
        simulate_network: bool = True,
        seed: int = 0,
    ) -> None:
        """Make an empty conference.

        Args:
            sample_rate_hz: Of all that goes in; what comes out has 48 kHz.
            buffer_s: How much of a participant's sound is kept until it is mixed.
            simulate_network: Whether participants come through a simulated network, and with it
                through the jitter buffer, which costs some 20 ms even while it is perfect.
            seed: Of the network.
        """
        self.dropped_chunks = 0
        self._rate_hz = sample_rate_hz
        self._buffer_s = buffer_s
        self._simulates = simulate_network
        self._seed = seed
        self._conditions = quality(100)
        self._lock = threading.RLock()
        self._studio = Studio()
        self._streams: dict[str, AudioStream] = {}
        self._mixed: deque[Samples] = deque(maxlen=OUTPUT_CHUNKS)
        self._filled = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    # ---- who is there ----------------------------------------------------------------------

    @property
    def participants(self) -> list[str]:
        """Their names, in the order in which they came."""
        with self._lock:
            return list(self._streams)

    def add_participant(self, name: str, volume: float = 1.0) -> AudioStream:
        """Add a participant and return where its sound goes.

        Raises:
            ValueError: The name is taken, or the volume out of range.
        """
        gain = _gain(volume)
        with self._lock:
            stream = AudioStream(name, self._rate_hz, self._buffer_s)
            network = self._conditions if self._simulates else None
            seed = self._seed + self._studio.added
            self._studio.add(name, stream, gain, network=network, seed=seed)
            self._studio.monitor(name)
            stream.volume = volume
            self._streams[name] = stream
        return stream

    def remove_participant(self, name: str) -> None:
        """Fade a participant out over 20 ms.

        Raises:
            KeyError: There is none of that name.
        """
        with self._lock:
            del self._streams[name]
            self._studio.remove(name)

    def set_volume(self, name: str, volume: float) -> None:
        """Change a participant's volume, without a click: 0 is silence, 1 as it came, up to 3.98.

        Raises:
            KeyError: There is none of that name.
            ValueError: The volume is out of range.
        """
        gain = _gain(volume)
        with self._lock:
            self._streams[name].volume = volume
            self._studio.set_gain(name, gain)

    def set_network_quality(
        self, conditions: float | NetworkConditions, name: str | None = None
    ) -> None:
        """Change the network of one participant, or of all, also of those who come later.

        Args:
            conditions: A quality from 0 to 100 %, or conditions in full.
            name: Whose; None for everybody's.

        Raises:
            KeyError: There is none of that name.
            ValueError: The quality is out of range, or networks are not simulated.
        """
        if not self._simulates:
            raise ValueError("made with simulate_network=False, it has no network")
        if not isinstance(conditions, NetworkConditions):
            conditions = quality(conditions)
        with self._lock:
            if name is None:
                self._conditions = conditions
            elif name not in self._streams:
                raise KeyError(name)
            for one in self._streams if name is None else [name]:
                playout = self._studio.network(one)
                assert playout is not None, "all of them come through a network"
                playout.network.conditions = conditions

    # ---- sound -----------------------------------------------------------------------------

    def mix(self) -> Samples:
        """Mix the next 20 ms and return them: float32 (960, 2), 48 kHz, never over full scale."""
        with self._lock:
            return self._studio.mix().copy()

    def mix_minus(self, name: str) -> Samples:
        """Return the last 20 ms as this participant hears them: without itself.

        Raises:
            KeyError: There is none of that name, or nothing has been mixed since it came.
        """
        with self._lock:
            if name not in self._streams:
                raise KeyError(name)
            return self._studio.minus(name).copy()

    @property
    def is_running(self) -> bool:
        """Whether it mixes by the clock."""
        return self._thread is not None

    def start(self) -> None:
        """Mix 20 ms every 20 ms in a thread of its own, until `stop`."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="mixer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop mixing by the clock; what was mixed can still be fetched."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping.set()
            thread.join()

    def get_mixed_audio(self, timeout_s: float = 1.0) -> Samples | None:
        """Return the oldest chunk that the thread has mixed; None if none comes in time.

        At most a second is kept; of more, the oldest goes.
        """
        with self._filled:
            if not self._filled.wait_for(lambda: self._mixed, timeout_s):
                return None
            return self._mixed.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._stopping.wait(max(0.0, due_s - time.monotonic())):
            mixed = self.mix()
            with self._filled:
                self.dropped_chunks += len(self._mixed) == OUTPUT_CHUNKS
                self._mixed.append(mixed)
                self._filled.notify()
            due_s += BLOCK_S


def _gain(volume: float) -> PersonalGain:
    if not 0.0 <= volume <= MOST_VOLUME:
        raise ValueError(f"volume must be 0 to {MOST_VOLUME}, not {volume:g}")
    if volume < 0.001:
        return PersonalGain(muted=True)
    return PersonalGain(float(20 * np.log10(volume)))


def _stereo(samples: npt.NDArray[Any]) -> Samples:
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[1] not in (1, 2)):
        raise ValueError(f"samples are (n,), (n, 1) or (n, 2), not {samples.shape}")
    if samples.dtype != np.int16 and samples.dtype.kind != "f":
        raise ValueError(f"samples are int16 or floats, not {samples.dtype}")
    scale = np.float32(1 / 32768 if samples.dtype == np.int16 else 1)
    stereo = np.empty((len(samples), 2), np.float32)
    stereo[:] = samples.reshape(len(samples), -1)
    np.nan_to_num(stereo, copy=False, posinf=0.0, neginf=0.0)
    stereo *= scale
    return stereo
