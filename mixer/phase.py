"""When a room should run, so that its publishers' packets wait as little as possible.

A packet of 10 ms that comes just after a room ran waits 10 ms for the next block. Which phase of
the clock a room runs in is free, so it runs where the sum of its publishers' waits is least.
"""

from collections.abc import Sequence

WORTH_S = 0.001  # a shift costs every listener a small jitter: it must save this much on average
# A room that runs just when a packet is due misses it at the least drift; and a playout sheds a
# whole packet of excess only when what stays is well on the safe side (1.5 ms).
GUARD_S = 0.0017


def best_shift(ready_s: Sequence[float], next_s: float, slot_s: float, stride: int) -> int:
    """Return by how many slots a room should run later from now on, 0 to `stride - 1`.

    Args:
        ready_s: Of each publisher, when the sound of its next block is safely there. One that is
            ready long before the room runs gets rid of the excess by itself, so only the phase
            within a block counts.
        next_s: When the room would run next.
        slot_s: Length of a slot.
        stride: Slots per block.
    """
    block_s = slot_s * stride

    def wait(shift: int) -> float:
        now = next_s + shift * slot_s
        return sum((now - ready - GUARD_S) % block_s for ready in ready_s) / len(ready_s)

    stay = wait(0)
    best = min(range(stride), key=wait)
    return best if stay - wait(best) > WORTH_S else 0
