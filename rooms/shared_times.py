"""How long things take between replicas."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SharedTimes:
    """Seconds."""

    beat_s: float = 1.0
    lease_s: float = 3.0
    """Without a beat for so long, a replica is dead, and its people are not seen any more."""
    keep_s: float = 60.0
    """How long its people can come back to another replica as who they were."""
    empty_s: float = 900.0
    """How long a room with nobody in it is kept if whoever made it does not remove it."""
    start_s: float = 2.0
    """How long a start waits for Redis."""


DEFAULT_TIMES: Final = SharedTimes()
