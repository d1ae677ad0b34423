"""Levels in dBov, 0 (full scale) to 127 (silence) as RFC 6464 counts, and noise floors."""

from mixer import kernels
from mixer.kernels import AUDIBLE_DBOV, FLOOR_RISE_DB_PER_S, SILENCE_DBOV

__all__ = ["AUDIBLE_DBOV", "FLOOR_RISE_DB_PER_S", "SILENCE_DBOV", "follow_floor", "level_dbov"]


def level_dbov(power: float) -> int:
    """Return the level of a mean square, 0 (full scale) to 127 (silence), as RFC 6464 counts."""
    return int(kernels.level_dbov(power))


def follow_floor(floor_dbov: float, level_dbov: float, elapsed_s: float) -> float:
    """Return a noise floor after one more block: it falls at once and rises slowly.

    It never falls below `AUDIBLE_DBOV`: digital silence is no room, and from there the floor would
    take half a minute to any noise.

    Args:
        floor_dbov: What it was.
        level_dbov: Level of the block.
        elapsed_s: Time since the last block.
    """
    return min(max(floor_dbov - FLOOR_RISE_DB_PER_S * elapsed_s, level_dbov), AUDIBLE_DBOV)
