"""Chunks of 44.1 kHz that come as they come, played as even blocks of 48 kHz.

The sender's clock is not ours: one of 150 ppm is 13 seconds off after a day. So the resampler's
ratio follows it, steered by the *spare*, what is left in the buffer after the barest pull of a
while: it is kept at the margin. Pitch never moves by more than 500 ppm, which is 0.9 cent.

soxr with a variable ratio holds back 240 of its input's samples. Samples at twice the rate, made by
a filter that holds back next to nothing, halve that time: 3 ms instead of 5.

State   | event                                   | next    | done
--------|-----------------------------------------|---------|--------------------------------------
idle    | a chunk                                 | waiting | a block and the margin are waited for
waiting | a pull, and that time has passed        | playing | what is older is skipped; fade in
playing | a pull, enough there                    | playing |
playing | a pull, too little there                | idle    | the rest, and a tail of 5 ms
idle    | a chunk soon after: it was late         | waiting | the margin grows
playing | far too much there, for a whole window  | playing | skip, blended over 5 ms
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import soxr
from scipy.signal import firwin, upfirdn

from gateway.wire.datagrams import RATE_HZ
from mixer.arena import BLOCK_10MS, SAMPLE_RATE_HZ
from mixer.playout import Pull
from mixer.playout_packet import Block

Mono = npt.NDArray[np.float32]

MOST_PPM: Final = 500.0
_WINDOW_S: Final = 2.0
# The buffer changes by 0.048 samples a second for each ppm; with these two the loop settles within
# half a minute (both poles at 1/14 s), and clocks of 150 ppm cost it 50 samples until then.
_PPM_PER_SAMPLE: Final = 3.0
_PPM_PER_SAMPLE_AND_S: Final = 0.108
_FIRST_MARGIN: Final = 96  # 2 ms, while the clock is not known
_LEAST_MARGIN: Final = 48
_MOST_MARGIN: Final = 3_840
_SPARE: Final = 48  # 1 ms beyond what a late chunk would have needed
_MARGIN_FALL_PER_S: Final = 2.0
_LATE_WITHIN_S: Final = 0.1
_SKIP_ABOVE: Final = 2_400  # 50 ms over the margin: to drift it away would take minutes
_FADE: Final = 240
_CAPACITY: Final = SAMPLE_RATE_HZ // 2
_DOUBLE_HZ: Final = 2 * RATE_HZ
_DOUBLING: Final = (2 * firwin(67, RATE_HZ / 2, window=("kaiser", 6.0), fs=_DOUBLE_HZ)).astype(
    np.float32
)
"""Flat to 19 kHz, 60 dB down from 25 kHz on, and 0.4 ms long; soxr takes away what lies between."""
_MEMORY: Final = 34  # samples that it looks back on
_RISE: Final = np.linspace(0, 1, _FADE, dtype=np.float32)
_FALL: Final = 1 - _RISE


class ChunkPlayout:
    """One sender's playout; see `mixer.source.PlayoutLike`. It never reads a clock.

    Attributes:
        underruns: How often it ran dry and the next chunk came late.
        overruns: Times at which sound was thrown away because there was too much.
    """

    packet_samples = BLOCK_10MS  # rooms with such senders run every 10 ms

    def __init__(self) -> None:
        """Begin idle."""
        self.underruns = 0
        self.overruns = 0
        self._resampler: soxr.ResampleStream | None = soxr.ResampleStream(
            _DOUBLE_HZ * (1 + MOST_PPM * 1e-6), SAMPLE_RATE_HZ, 1, quality="HQ", vr=True
        )
        self._memory = np.zeros(_MEMORY, np.float32)
        self._samples = np.zeros(2 * _CAPACITY, np.float32)
        self._read = self._write = 0
        self._state = "idle"
        self._begin_s = 0.0
        self._dry_s = float("-inf")
        self._rising = False
        self._last = np.float32(0)
        self._margin = float(_FIRST_MARGIN)
        self._low = _CAPACITY
        self._window_s = 0.0
        self._sum = 0.0  # of the controller: what the clocks differ by, in ppm
        self._ppm = 0.0
        self._steer(0.0)

    @property
    def drift_ppm(self) -> float:
        """By how much the sender's clock is taken to be faster than ours."""
        return self._sum

    @property
    def is_buffering(self) -> bool:
        """Whether there is anything to play."""
        return self._state != "idle"

    @property
    def waiting_s(self) -> float:
        """How much waits to be played."""
        return (self._write - self._read) / SAMPLE_RATE_HZ

    def close(self) -> None:
        """Let the resampler go, which its library misses at the end of the process.

        What is pushed afterwards is ignored.
        """
        self._resampler = None

    def safe_time_s(self) -> float | None:
        """Return None: it plays when it is asked to."""
        return None

    def push(self, chunk: bytes, now_s: float) -> None:
        """Take a chunk of 16-bit samples at 44.1 kHz that came at `now_s`."""
        if self._resampler is None:
            return
        if self._state == "idle":
            if now_s - self._dry_s < _LATE_WITHIN_S:
                self.underruns += 1
                late = (now_s - self._dry_s) * SAMPLE_RATE_HZ + _SPARE
                self._margin = min(_MOST_MARGIN, self._margin + late)
            self._resampler.clear()  # what it holds is of another time
            self._memory[:] = 0.0
            self._steer(self._ppm)
            self._read = self._write = 0
        samples = np.frombuffer(chunk, "<i2").astype(np.float32)
        samples *= np.float32(1 / 32768)
        sound = self._resampler.resample_chunk(self._doubled(samples))
        if self._state == "idle":
            self._state = "waiting"
            held = len(samples) * SAMPLE_RATE_HZ / RATE_HZ - len(sound)  # in the resampler
            self._begin_s = now_s + (self._margin + held) / SAMPLE_RATE_HZ
        self._append(sound)

    def pull(self, out: Block, now_s: float) -> Pull:
        """Write the next block; see `PlayoutLike`."""
        if self._state == "idle":
            return Pull.SILENT
        count = len(out)
        if self._state == "waiting":
            # The last block before a chunk comes may need what comes with it.
            older = round((now_s - self._begin_s) * SAMPLE_RATE_HZ) - count
            if older < 0:
                return Pull.SILENT
            self._read += max(0, min(older, self._write - self._read - count))
            self._state = "playing"
            self._rising = True
            self._low = _CAPACITY
            self._window_s = now_s + _WINDOW_S
        have = self._write - self._read
        if have < count:
            self._run_dry(out, have, now_s)
            return Pull.SOUND
        sound = self._samples[self._read : self._read + count]
        self._read += count
        if self._rising:
            sound[:_FADE] *= _RISE
            self._rising = False
        out[:, 0] = sound
        out[:, 1] = sound
        self._last = sound[-1]
        self._low = min(self._low, have - count)
        if now_s >= self._window_s:
            self._control()
            self._low = _CAPACITY
            self._window_s = now_s + _WINDOW_S
        return Pull.SOUND

    def _doubled(self, samples: Mono) -> Mono:
        """Return the samples at twice their rate."""
        sound = np.concatenate([self._memory, samples])
        self._memory = sound[-_MEMORY:]
        doubled: Mono = upfirdn(_DOUBLING, sound, 2)[2 * _MEMORY : 2 * len(sound)]
        return doubled

    def _append(self, sound: Mono) -> None:
        count = len(sound)
        if self._write + count > len(self._samples):
            keep = self._samples[self._read : self._write].copy()
            self._read, self._write = 0, len(keep)
            self._samples[: len(keep)] = keep
        self._samples[self._write : self._write + count] = sound
        self._write += count
        surplus = self._write - self._read - _CAPACITY
        if surplus > 0:
            self.overruns += 1
            self._skip(surplus)

    def _run_dry(self, out: Block, have: int, now_s: float) -> None:
        """Play what is left, and let it fall to silence."""
        sound = np.zeros(len(out), np.float32)
        sound[:have] = self._samples[self._read : self._write]
        last = sound[have - 1] if have else self._last
        tail = min(_FADE, len(out) - have)
        sound[have : have + tail] = last * _FALL[:tail]
        if have + tail == len(out):
            sound[-tail:] *= np.linspace(1, 0, tail, dtype=np.float32)
        if self._rising:
            sound[:_FADE] *= _RISE
        out[:, 0] = out[:, 1] = sound
        self._state = "idle"
        self._dry_s = now_s

    def _control(self) -> None:
        """Bring the spare to the margin."""
        error = self._low - self._margin
        self._margin = max(_LEAST_MARGIN, self._margin - _MARGIN_FALL_PER_S * _WINDOW_S)
        if error > _SKIP_ABOVE:
            self.overruns += 1
            self._skip(int(error))
            return
        # What has been reached of the bounds is not summed up further.
        summed = self._sum + _PPM_PER_SAMPLE_AND_S * _WINDOW_S * error
        ppm = _PPM_PER_SAMPLE * error + summed
        if abs(ppm) < MOST_PPM or abs(summed) < abs(self._sum):
            self._sum = max(-MOST_PPM, min(MOST_PPM, summed))
        self._steer(max(-MOST_PPM, min(MOST_PPM, ppm)))

    def _steer(self, ppm: float) -> None:
        self._ppm = ppm
        if self._resampler is not None:
            self._resampler.set_io_ratio(_DOUBLE_HZ * (1 + ppm * 1e-6), SAMPLE_RATE_HZ, 0)

    def _skip(self, count: int) -> None:
        """Leave out what comes next, but for a blend."""
        old = self._samples[self._read : self._read + _FADE].copy()
        self._read += count
        new = self._samples[self._read : self._read + _FADE]
        if len(old) == len(new):
            new += (old - new) * _FALL
