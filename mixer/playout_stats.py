"""What a playout counts."""

from dataclasses import dataclass


@dataclass(slots=True)
class PlayoutStats:
    """Counters since the playout was made; the figures at the end are those of the last reading."""

    received: int = 0
    duplicates: int = 0
    late: int = 0
    """Packets that came after their turn."""
    lost: int = 0
    """Packets that were missing at their turn; those that came late are counted again there."""
    recovered: int = 0
    """Packets played from a redundant copy."""
    reordered: int = 0
    malformed: int = 0
    dropped: int = 0
    """Packets thrown away unplayed: backlog skipped, or a bound reached."""
    resets: int = 0
    fec_samples: int = 0
    concealed_samples: int = 0
    compressed_samples: int = 0
    expanded_samples: int = 0
    skipped_samples: int = 0
    buffer_ms: float = 0.0
    """Sound that waits, decoded or not."""
    target_ms: float = 0.0
    """Delay aimed at, behind the fastest packet."""
    jitter_ms: float = 0.0
    """Interarrival jitter of RFC 3550."""
    mean_wait_ms: float | None = None
    """Time from arrival to pull; None before anything was pulled."""
