"""When a room should run, so that its publishers' packets wait as little as possible.

A packet of 10 ms that comes just after a room ran waits 10 ms for the next block. Which phase of
the clock a room runs in is free, so it runs where the sum of its publishers' waits is least.

A phase is reached by running earlier or later. Earlier costs next to nothing, but a publisher whose
sound is not there by then would be cut off: so it is done only when everybody's is. Later leaves a
hole in every listener's stream, and a publisher who did not need it must shed a block of delay.
"""

from collections.abc import Sequence

WORTH_S = 0.001  # a shift costs every listener a small jitter: it must save this much on average
HOLE_SHARE = 0.1  # and this share of the hole that it leaves
# A room that runs just when a packet is due misses it at the least drift, so it keeps away by this.
GUARD_S = 0.0017
# Where it is, it stays while nothing is missed: a playout can do with 0.3 ms (its
# `compress_above_ms`), and clocks drift by less than the rest until the next look.
STAY_GUARD_S = 0.0005


def best_shift(ready_s: Sequence[float], next_s: float, slot_s: float, stride: int) -> int:
    """Return by how many slots a room should run later from now on, less than `stride` either way.

    Negative: that much earlier.

    Args:
        ready_s: Of each publisher, when the sound of its next block is safely there. One that is
            ready long before the room runs gets rid of the excess by itself, so only the phase
            within a block counts.
        next_s: When the room would run next.
        slot_s: Length of a slot.
        stride: Slots per block.
    """
    block_s = slot_s * stride

    def wait(shift: int, guard_s: float) -> float:
        now = next_s + shift * slot_s - guard_s
        return sum((now - ready) % block_s for ready in ready_s) / len(ready_s) + guard_s

    stay = wait(0, STAY_GUARD_S)
    last = max(ready_s)
    best, most = 0, WORTH_S
    for later in range(1, stride):
        shift = later - stride
        saved = stay - wait(later, GUARD_S)
        if next_s + shift * slot_s - GUARD_S < last:
            shift = later
            saved -= HOLE_SHARE * later * slot_s
        if saved > most:
            best, most = shift, saved
    return best
