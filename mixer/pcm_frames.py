"""Plain samples as a playout's payloads: what files and simulated networks have instead of Opus."""

import numpy as np

from mixer.playout_packet import Block, DecodeError
from mixer.stretch import OVERLAP_SAMPLES, SHORTEST_PERIOD, find_period

_FRAME_BYTES = 8  # two float32
_SHORTEST, _LONGEST = 120, 5760  # 2.5 to 120 ms, as for Opus
_MEMORY = 1200
_NOTHING = np.zeros((0, 2), np.float32)
_RISE = np.linspace(0, 1, SHORTEST_PERIOD, dtype=np.float32)[:, None]


def pcm_payload(block: Block) -> bytes:
    """Return float32 samples (n, 2), 120 to 5760 of them, as a payload."""
    return block.astype("<f4", copy=False).tobytes()


class PcmDecoder:
    """Reads payloads of samples; fills holes with the last pitch period, over and over."""

    def __init__(self) -> None:
        """Begin in silence."""
        self._played: list[Block] = []  # of late; as it came where nothing was blended
        self._length = 0  # of these
        self._guess = _NOTHING  # what concealment goes on with

    def samples(self, payload: bytes) -> int:
        """Return the samples of a payload.

        Raises:
            DecodeError: It does not hold 2.5 to 120 ms of whole samples.
        """
        count, rest = divmod(len(payload), _FRAME_BYTES)
        if rest or not _SHORTEST <= count <= _LONGEST:
            raise DecodeError(f"{len(payload)} bytes are no block of samples")
        return count

    def is_dtx(self, payload: bytes) -> bool:
        """Return False: silence is sent as such."""
        return False

    def carries_fec(self, payload: bytes) -> bool:
        """Return False: there are no copies."""
        return False

    def decode(self, payload: bytes, out: Block) -> int:
        """Write a payload's samples to `out`, blended with what concealment would have gone on."""
        count = self.samples(payload)
        block = np.frombuffer(payload, "<f4").reshape(-1, 2)
        out[:count] = block
        if len(self._guess):
            going_on = self._repeat(len(_RISE))
            out[: len(_RISE)] += (going_on - out[: len(_RISE)]) * (1 - _RISE)
            self._guess = _NOTHING
            block = out[:count].copy()
        played = self._played
        played.append(block)
        self._length += count
        while self._length - len(played[0]) >= _MEMORY:
            self._length -= len(played.pop(0))
        return count

    def decode_fec(self, payload: bytes, out: Block) -> int:
        """Conceal: there are no copies."""
        return self.conceal(out)

    def conceal(self, out: Block) -> int:
        """Fill `out` with the last period of what was played, repeated."""
        if not len(self._guess):
            self._guess = self._period()
        out[:] = self._repeat(len(out))
        return len(out)

    def reset(self) -> None:
        """Forget what was played."""
        self._played.clear()
        self._length = 0
        self._guess = _NOTHING

    def _period(self) -> Block:
        """Return the end of what was played, one period long, or as much as there is."""
        last = np.concatenate(self._played or [_NOTHING])[-_MEMORY:]
        if len(last) < SHORTEST_PERIOD + OVERLAP_SAMPLES:
            return np.zeros((1, 2), np.float32)
        backwards = np.ascontiguousarray(last[::-1])  # the lag is sought from the end
        found = find_period(backwards, len(backwards))
        return last[-(found.samples if found else SHORTEST_PERIOD) :]

    def _repeat(self, count: int) -> Block:
        turns = -(-count // len(self._guess)) + 1
        sound = np.tile(self._guess, (turns, 1))
        self._guess = np.roll(self._guess, -(count % len(self._guess)), axis=0)
        return sound[:count]
