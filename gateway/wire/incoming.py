"""Chunks of 44.1 kHz that come as they come, played as even blocks of 48 kHz.

The sender's clock is not ours: one of 150 ppm is 13 seconds off after a day. So the resampler's
ratio follows it, steered by the chunks' median slack (see `gateway.wire.slack`): it is kept at the
margin. Pitch never moves by more than 500 ppm, which is 0.9 cent.

soxr with a variable ratio holds back 240 of its input's samples. At twice the rate, with a nought
between any two samples, that is 2.7 ms instead of 5.4. What the noughts bring is mirrored at
22 kHz: of all that lies below 19.5 kHz, soxr takes it away; the rest stays above 22 kHz.

State   | event                                   | next    | done
--------|-----------------------------------------|---------|--------------------------------------
idle    | a chunk                                 | waiting | a block and the margin are waited for
waiting | a pull, that time passes by its end     | playing | fade in, at its place in the block
playing | a pull, enough there                    | playing |
playing | a pull, too little there                | idle    | the rest, and a tail of 5 ms
idle    | a chunk soon after: it was late         | waiting | see `_place_late`
playing | far too much there, for a whole window  | playing | skip, blended over 5 ms
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from gateway.wire.datagrams import RATE_HZ
from gateway.wire.slack import SPARE, SlackWatch
from mixer.arena import BLOCK_10MS, SAMPLE_RATE_HZ
from mixer.playout_packet import Block, Pull

Mono = npt.NDArray[np.float32]

MOST_PPM: Final = 500.0
_WINDOW_S: Final = 2.0
# The buffer changes by 0.048 samples a second for each ppm; with these two the loop settles within
# half a minute (both poles at 1/10 s), and clocks of 150 ppm cost it 30 samples until then.
_PPM_PER_SAMPLE: Final = 4.2
_PPM_PER_SAMPLE_AND_S: Final = 0.21
_LATE_WITHIN_S: Final = 0.1
_SKIP_ABOVE: Final = 480  # 10 ms over the margin: to drift it away would take 20 s
_FADE: Final = 240
_CAPACITY: Final = SAMPLE_RATE_HZ // 2
_DOUBLE_HZ: Final = 2 * RATE_HZ
_DOUBLE: Final = np.float32(2 / 32768)  # every other sample, twice as loud: as loud as before
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
        self._samples = np.zeros(2 * _CAPACITY, np.float32)
        self._read = self._write = 0
        self._state = "idle"
        self._dry_s = float("-inf")
        self._short = 0  # what the last pull then lacked
        self._late_before = False
        self._risen = _FADE  # samples of the fade-in that were played
        self._last = np.float32(0)
        self._slack = SlackWatch()
        self._pulled_s = 0.0  # the last pull; while waiting, the time that is waited for
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
        slack = (self._pulled_s - now_s) * SAMPLE_RATE_HZ + self._write - self._read
        if self._state == "idle":
            if now_s - self._dry_s < _LATE_WITHIN_S:
                self.underruns += 1
                slack = self._place_late(slack - self._short)
            else:
                self._slack.forget()
                slack = self._slack.margin()
                self._slack.see(slack)
            self._resampler.clear()  # what it holds is of another time
            self._steer(self._ppm)
            self._read = self._write = 0
        else:
            self._slack.see(slack)
            self._late_before = self._late_before and slack < 0
        samples = np.frombuffer(chunk, "<i2")
        doubled = np.zeros(2 * len(samples), np.float32)
        np.multiply(samples, _DOUBLE, out=doubled[::2])
        sound = self._resampler.resample_chunk(doubled)
        if self._state == "idle":
            self._state = "waiting"
            held = len(samples) * SAMPLE_RATE_HZ / RATE_HZ - len(sound)  # in the resampler
            self._pulled_s = now_s + (slack + held) / SAMPLE_RATE_HZ
        self._append(sound)

    def pull(self, out: Block, now_s: float) -> Pull:
        """Write the next block; see `PlayoutLike`."""
        if self._state == "idle":
            return Pull.SILENT
        if self._state == "waiting":
            # The last block before a chunk comes may need what comes with it.
            silent = len(out) - round((now_s - self._pulled_s) * SAMPLE_RATE_HZ)
            if silent >= len(out):
                return Pull.SILENT
            self._read += max(0, min(-silent, self._write - self._read - len(out)))
            silent = max(0, silent)
            out[:silent] = 0.0
            out = out[silent:]
            self._state = "playing"
            self._risen = 0
            self._low = _CAPACITY
            self._window_s = now_s + _WINDOW_S
        self._pulled_s = now_s
        count = len(out)
        have = self._write - self._read
        if have < count:
            self._run_dry(out, have, now_s)
            return Pull.SOUND
        sound = self._samples[self._read : self._read + count]
        self._read += count
        if self._risen < _FADE:
            self._rise(sound)
        out[:, 0] = sound
        out[:, 1] = sound
        self._last = sound[-1]
        self._low = min(self._low, have - count)
        if now_s >= self._window_s:
            self._control()
            self._low = _CAPACITY
            self._window_s = now_s + _WINDOW_S
        return Pull.SOUND

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

    def _place_late(self, slack: float) -> float:
        """Return the slack to give to a chunk that came too late for its place by `-slack`.

        It has its place as if it had come in time, or where it would have with a margin that has
        become longer; where chunks are late one after the other, the path is another.
        """
        if self._late_before:
            self._slack.forget()
            self._slack.see(SPARE)
            return SPARE
        self._late_before = True
        self._slack.see(slack)
        typical = self._slack.typical()
        growth = 0.0 if typical is None else self._slack.margin() - typical
        self._slack.shift(growth)
        return slack + growth

    def _rise(self, sound: Mono) -> None:
        """Fade in, as far as that has not been done."""
        rise = _RISE[self._risen :][: len(sound)]
        sound[: len(rise)] *= rise
        self._risen += len(rise)

    def _run_dry(self, out: Block, have: int, now_s: float) -> None:
        """Play what is left, and let it fall to silence."""
        sound = np.zeros(len(out), np.float32)
        sound[:have] = self._samples[self._read : self._write]
        last = sound[have - 1] if have else self._last
        tail = min(_FADE, len(out) - have)
        sound[have : have + tail] = last * _FALL[:tail]
        if have + tail == len(out):
            sound[-tail:] *= np.linspace(1, 0, tail, dtype=np.float32)
        self._rise(sound)
        out[:, 0] = out[:, 1] = sound
        self._state = "idle"
        self._dry_s = now_s
        self._short = len(out) - have
        self._read = self._write

    def _control(self) -> None:
        """Bring the median slack to the margin."""
        typical = self._slack.typical()
        self._slack.end_window()
        margin = self._slack.margin()
        if typical is None:
            return
        error = typical - margin
        if min(error, self._low) > _SKIP_ABOVE:
            self.overruns += 1
            self._skip(int(min(error, self._low)))
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
        self._slack.forget()
        old = self._samples[self._read : self._read + _FADE].copy()
        self._read += count
        new = self._samples[self._read : self._read + _FADE]
        if len(old) == len(new):
            new += (old - new) * _FALL
