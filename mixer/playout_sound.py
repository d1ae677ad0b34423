"""From payloads to sound without a break: decoding, repair, concealment and its fades."""

import numpy as np

from mixer.playout_packet import Block, DecodeError, FrameDecoder
from mixer.playout_pool import SamplePool
from mixer.playout_stats import PlayoutStats

OPUS_STEP = 120  # libopus conceals multiples of 2.5 ms
FADE_IN = 240  # 5 ms


class SoundMaker:
    """Decodes into a pool, or straight into a block, and keeps the gain of concealment.

    Concealment keeps its loudness for a while, then fades; sound that comes back fades in from
    the gain that is left.
    """

    __slots__ = (
        "_decoder",
        "_fade_after",
        "_gain",
        "_resting",
        "_silent_after",
        "_stats",
        "made_up",
        "pool",
    )

    def __init__(
        self, decoder: FrameDecoder, stats: PlayoutStats, fade_after: int, silent_after: int
    ) -> None:
        """Fade concealment from `fade_after` to `silent_after` samples."""
        self._decoder = decoder
        self._stats = stats
        self._fade_after = fade_after
        self._silent_after = silent_after
        self.pool = SamplePool()
        self.silence()

    def silence(self) -> None:
        """Drop what waits; what comes next fades in."""
        self.pool.clear()
        self.made_up = 0
        """Samples in a row that no packet said, comfort noise of a silent publisher included."""
        self._gain = 0.0
        self._resting = False

    @property
    def full(self) -> bool:
        """Whether the next packet is played as it is, without a fade."""
        return self._gain == 1.0

    @property
    def faded_out(self) -> bool:
        """Whether so much was made up that nothing of it is heard any more."""
        return self.made_up >= self._silent_after

    def decode(self, payload: bytes, samples: int, skipped: int = 0) -> bool:
        """Append a packet of `samples`, without the first `skipped`; return whether concealed."""
        room = self.pool.room(samples)
        concealed = self.decode_into(payload, room)
        if skipped > 0:
            room[:-skipped] = room[skipped:].copy()
            samples -= skipped
        self.pool.keep(samples)
        return concealed

    def decode_into(self, payload: bytes, room: Block) -> bool:
        """Decode a packet into `room`, which it fills; return whether it had to be concealed."""
        decoder = self._decoder
        resting = decoder.is_dtx(payload)
        try:
            decoder.decode(payload, room)
        except DecodeError:
            self._stats.malformed += 1
            decoder.conceal(room)
            self._fade(room)
            return True
        self._resting = resting
        if resting:
            self._fade(room)
            return False
        self.made_up = 0
        if self._gain != 1.0:
            self._fade_in(room)
        return False

    def repair(self, carrier: bytes, hole: int) -> bool:
        """Append the `hole` samples before `carrier` from its copy; return whether concealed."""
        whole = whole_steps(hole)
        room = self.pool.room(whole)
        try:
            self._decoder.decode_fec(carrier, room)
        except DecodeError:
            return self.conceal(hole)
        self.made_up = 0
        if self._gain != 1.0:
            self._fade_in(room)
        self.pool.keep(hole)
        self._stats.fec_samples += hole
        return False

    def conceal(self, samples: int) -> bool:
        """Append `samples` of made-up sound; return whether that is a fault, not a silence."""
        room = self.pool.room(whole_steps(samples))
        self._decoder.conceal(room)
        self._fade(room)
        self.pool.keep(samples)
        return not self._resting

    def _fade(self, room: Block) -> None:
        """Count `room` as made up and take it down as the run grows."""
        before = self._gain
        if not self._resting:
            self._stats.concealed_samples += len(room)
        self.made_up += len(room)
        if self.made_up > self._fade_after:
            left = (self._silent_after - self.made_up) / (self._silent_after - self._fade_after)
            self._gain = min(before, max(0.0, left))
        if before != 1.0 or self._gain != 1.0:
            room *= np.linspace(before, self._gain, len(room), dtype=np.float32)[:, None]

    def _fade_in(self, room: Block) -> None:
        head = room[:FADE_IN]
        head *= np.linspace(self._gain, 1.0, len(head), dtype=np.float32)[:, None]
        self._gain = 1.0


def whole_steps(samples: int) -> int:
    """Return `samples` rounded up to what libopus can conceal."""
    return -(-samples // OPUS_STEP) * OPUS_STEP
