"""From payloads to sound without a break: decoding, repair, concealment and its fades."""

import numpy as np

from mixer.playout_packet import Block, DecodeError, FrameDecoder
from mixer.playout_pool import SamplePool
from mixer.playout_stats import PlayoutStats
from mixer.stretch import crossfade

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
        """Whether so much was made up, and played, that nothing of it is heard any more."""
        return self.made_up - len(self.pool) >= self._silent_after

    def decode(self, payload: bytes, samples: int, skipped: int = 0) -> bool:
        """Append a packet of `samples`, without the first `skipped`; return whether concealed."""
        room = self.pool.room(samples)
        concealed = self.decode_into(payload, room)
        self._keep(room, skipped)
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

    def lead_in(self, samples: int) -> None:
        """Append silence before what comes first."""
        self.pool.room(samples).fill(0)
        self.pool.keep(samples)

    def repair(self, carrier: bytes, samples: int, skipped: int) -> bool:
        """Append the packet before `carrier` from the copy in it, without the first `skipped`.

        Both packets have `samples`. Return whether it had to be concealed.
        """
        room = self.pool.room(samples)
        try:
            # Asked for less than the packet, libopus would conceal and not use the copy.
            self._decoder.decode_fec(carrier, room)
        except DecodeError:
            return self.conceal(samples)
        self.made_up = 0
        if self._gain != 1.0:
            self._fade_in(room)
        self._keep(room, skipped)
        self._stats.fec_samples += samples - skipped
        return False

    def conceal(self, samples: int) -> bool:
        """Append `samples` of made-up sound, a multiple of 2.5 ms.

        Return whether that is a fault, not a silence. Pieces of less than 10 ms are for streams of
        such packets only: libopus cuts them out of 10 ms otherwise, and the cut is heard.
        """
        room = self.pool.room(samples)
        self._decoder.conceal(room)
        self._fade(room)
        self.pool.keep(samples)
        return not self._resting

    def _keep(self, room: Block, skipped: int) -> None:
        """Append `room` without its first `skipped`, blended so that it goes on unbroken."""
        if skipped > 0:
            rest = room[skipped:]
            crossfade(room[: len(rest)].copy(), rest)
            room[:-skipped] = rest.copy()
        self.pool.keep(len(room) - max(skipped, 0))

    def _fade(self, room: Block) -> None:
        """Count `room` as made up and take it down as the run grows."""
        begun = self.made_up
        self.made_up += len(room)
        if not self._resting:
            self._stats.concealed_samples += len(room)
        if self.made_up > self._fade_after:
            left = self._silent_after - np.arange(begun, self.made_up, dtype=np.float32)
            gains = np.clip(left / (self._silent_after - self._fade_after), 0.0, self._gain)
            room *= gains[:, None]
            self._gain = float(gains[-1])
        elif self._gain != 1.0:
            room *= np.float32(self._gain)

    def _fade_in(self, room: Block) -> None:
        head = room[:FADE_IN]
        head *= np.linspace(self._gain, 1.0, len(head), dtype=np.float32)[:, None]
        self._gain = 1.0
