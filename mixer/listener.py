"""A listener of a room: which mix it hears, and what it alone changed."""

import math
from dataclasses import dataclass

from mixer.outputs import Output

MUTED_BELOW_DB = -60.0
Gains = tuple[float, float]  # left, right, linear


@dataclass(frozen=True, slots=True)
class PersonalGain:
    """What one listener changed about one source.

    Attributes:
        gain_db: −60 (silence) to +12.
        pan: −1 left to +1 right, equal power with unity in the middle.
        muted: Not heard at all.
        solo: Heard, muted or not, and nobody without it.
    """

    gain_db: float = 0.0
    pan: float = 0.0
    muted: bool = False
    solo: bool = False

    def __post_init__(self) -> None:
        if not -60.0 <= self.gain_db <= 12.0:
            raise ValueError(f"gain_db {self.gain_db} is not in -60…12")
        if not -1.0 <= self.pan <= 1.0:
            raise ValueError(f"pan {self.pan} is not in -1…1")

    @property
    def is_neutral(self) -> bool:
        """Whether it changes nothing."""
        return self.gain_db == 0.0 and self.pan == 0.0 and not (self.muted or self.solo)

    def stereo(self) -> Gains:
        """Return the linear gains of the left and right channel.

        A stereo source is balanced, not folded: the far channel fades, the near one stays.
        """
        if (self.muted and not self.solo) or self.gain_db <= MUTED_BELOW_DB:
            return 0.0, 0.0
        gain = 10.0 ** (self.gain_db / 20.0)
        left = math.cos(max(0.0, self.pan) * math.pi / 2)
        right = math.cos(max(0.0, -self.pan) * math.pi / 2)
        return gain * left, gain * right


class Listener:
    """State of one listener.

    Attributes:
        listener_id: The participant's id.
        handle: Row of the fan-out table that its packets leave from.
        level_id: Negotiated id of the mixer-to-client level extension, 0 without.
        patient: Takes samples whenever they come: nobody is given shorter blocks for its sake.
        tier: Bitrate tier, 0 the best.
        deafened: Hears nothing.
        gains: Personal gains by source id, without neutral ones.
        solos: Ids of the sources that it wants to hear alone.
        output: The output it is on now; None before the first block.
    """

    __slots__ = (
        "deafened",
        "gains",
        "handle",
        "level_id",
        "listener_id",
        "output",
        "patient",
        "solos",
        "tier",
    )

    def __init__(
        self, listener_id: str, handle: int, level_id: int, *, patient: bool = False
    ) -> None:
        """Make a listener that hears the shared mix."""
        self.patient = patient
        self.listener_id = listener_id
        self.handle = handle
        self.level_id = level_id
        self.tier = 0
        self.deafened = False
        self.gains: dict[str, PersonalGain] = {}
        self.solos: frozenset[str] = frozenset()
        self.output: Output | None = None
