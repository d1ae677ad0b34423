"""Levels in dBov, 0 (full scale) to 127 (silence) as RFC 6464 counts, and noise floors."""

from typing import Final

SILENCE_DBOV: Final = 127
AUDIBLE_DBOV: Final = 65
"""What is quieter than this is not heard."""
FLOOR_RISE_DB_PER_S: Final = 3.0


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
