"""Bounds and tastes of a playout."""

from dataclasses import dataclass, field

from mixer.jitter import TransitSettings


@dataclass(frozen=True, slots=True)
class PlayoutSettings:
    """Bounds and tastes of a playout.

    Raises:
        ValueError: a field is out of range.
    """

    margin_ms: float = 1.0
    """Waited beyond the deadline that the jitter asks for."""
    compress_above_ms: float = 0.3
    """Spare beyond the margin that must be left when delay is taken out."""
    skip_above_ms: float = 80.0
    """Excess delay that is skipped at once; less is compressed away."""
    fade_after_ms: float = 60.0
    silent_after_ms: float = 100.0
    """Concealment fades between these two, counted from its beginning."""
    max_packets: int = 512
    max_backlog_ms: float = 2_000.0
    max_payload_bytes: int = 4_000
    transits: TransitSettings = field(default_factory=TransitSettings)
    """How the deadline follows from how packets come."""

    def __post_init__(self) -> None:
        if not 0 <= self.fade_after_ms < self.silent_after_ms:
            raise ValueError("concealment must begin to fade before it is silent")
        if min(self.margin_ms, self.compress_above_ms, self.skip_above_ms) < 0:
            raise ValueError("delays cannot be negative")
        if min(self.max_packets, self.max_backlog_ms, self.max_payload_bytes) < 1:
            raise ValueError("bounds must leave room for a packet")
