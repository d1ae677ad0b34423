"""How loud a publisher is, by its own word (RFC 6464) as long as that can be believed.

| state     | event                                        | next      | the level is      |
|-----------|----------------------------------------------|-----------|-------------------|
| trusting  | a packet with a level                        | trusting  | the packet's      |
| trusting  | a packet without one                         | trusting  | measured          |
| trusting  | `CHECK_EVERY_S` since the last check         | checking  | the packet's      |
| checking  | a run of packets was decoded and agrees      | trusting  | the packet's      |
| checking  | it differs by more than `TOLERANCE_DB`, once | checking  | the packet's      |
| checking  | the same twice in a row                      | measuring | measured          |
| measuring | any packet                                   | measuring | measured          |

The first packets are checked. A frame is coded by its difference from the one before, so that a
decoder needs some packets until it is right; only what comes then is compared.
"""

import enum
import math
from collections.abc import Callable
from typing import Final

import numpy as np

from mixer.levels import AUDIBLE_DBOV, SILENCE_DBOV, level_dbov
from mixer.playout_packet import DecodeError, FrameDecoder

CHECK_EVERY_S: Final = 10.0
TOLERANCE_DB: Final = 12.0
"""Senders average over different lengths, some take peaks for levels."""
WARM_PACKETS: Final = 6
COMPARED_PACKETS: Final = 10
_MAX_SAMPLES = 5760


class Trust(enum.Enum):
    """What is done with a publisher's word."""

    TRUSTING = "trusting"
    CHECKING = "checking"
    MEASURING = "measuring"


class LevelMeter:
    """Levels of one publisher's stream.

    Attributes:
        trust: See the table.
        decoded: Packets that were decoded for it.
    """

    __slots__ = (
        "_checked_s",
        "_claimed",
        "_compared",
        "_decoder",
        "_doubted",
        "_make_decoder",
        "_measured",
        "_room",
        "_seen",
        "decoded",
        "trust",
    )

    def __init__(self, make_decoder: Callable[[], FrameDecoder]) -> None:
        """Measure with decoders from `make_decoder` what has to be measured."""
        self.trust = Trust.TRUSTING
        self.decoded = 0
        self._make_decoder = make_decoder
        self._decoder: FrameDecoder | None = None
        self._room = np.zeros((0, 2), np.float32)
        self._checked_s = -math.inf
        self._doubted = False
        self._begin_run()

    def level(self, payload: bytes, claimed_dbov: int | None, now_s: float) -> int:
        """Return the level of the next packet, 0 (loudest) to 127 (silence).

        Args:
            payload: Of the packet; one that cannot be decoded is taken at its word, or as silence.
            claimed_dbov: What it says itself, None if nothing.
            now_s: The present.
        """
        if claimed_dbov is None or self.trust is Trust.MEASURING:
            return self._measure(payload)
        if self.trust is Trust.TRUSTING:
            if now_s - self._checked_s < CHECK_EVERY_S:
                return claimed_dbov
            self.trust = Trust.CHECKING
            self._begin_run()
        self._check(payload, claimed_dbov, now_s)
        return claimed_dbov

    def _begin_run(self) -> None:
        self._seen = self._compared = 0
        self._claimed = self._measured = 0.0

    def _check(self, payload: bytes, claimed_dbov: int, now_s: float) -> None:
        power = self._power(payload)
        if power is None:
            return
        self._seen += 1
        if self._seen <= WARM_PACKETS:
            return
        self._compared += 1
        self._claimed += 10.0 ** (-claimed_dbov / 10)
        self._measured += power
        if self._compared < COMPARED_PACKETS:
            return
        agrees = self._agrees()
        self._begin_run()
        if agrees:
            self.trust = Trust.TRUSTING
            self._doubted = False
            self._checked_s = now_s
            self._decoder = None
        elif self._doubted:
            self.trust = Trust.MEASURING
        else:
            self._doubted = True

    def _agrees(self) -> bool:
        """Whether word and deed are about as loud; what nobody hears is all the same."""
        claimed, measured = (
            min(level_dbov(total / COMPARED_PACKETS), AUDIBLE_DBOV)
            for total in (self._claimed, self._measured)
        )
        return abs(claimed - measured) <= TOLERANCE_DB

    def _measure(self, payload: bytes) -> int:
        power = self._power(payload)
        return SILENCE_DBOV if power is None else level_dbov(power)

    def _power(self, payload: bytes) -> float | None:
        """Return a packet's mean square, None if it holds no sound."""
        decoder = self._decoder
        if decoder is None:
            decoder = self._decoder = self._make_decoder()
            self._room = np.zeros((_MAX_SAMPLES, 2), np.float32)
        if decoder.is_dtx(payload):
            return None
        try:
            room = self._room[: decoder.samples(payload)]
            decoder.decode(payload, room)
        except DecodeError:
            return None
        self.decoded += 1
        flat = room.reshape(-1)
        return float(np.dot(flat, flat)) / len(flat)
