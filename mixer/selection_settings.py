"""How a room chooses who is heard."""

from dataclasses import dataclass, fields
from typing import Final

MAX_SPEAKERS: Final = 15
"""As many sources as an RTP header can name (RFC 3550, section 5.1)."""
DEFAULT_SPEAKERS: Final = 6

RANGES: Final[dict[str, tuple[float, float]]] = {
    "max_speakers": (1, MAX_SPEAKERS),
    "open_db": (3, 30),
    "hysteresis_db": (1, 20),
    "hold_ms": (0, 5000),
    "attack_ms": (100, 1000),
    "yield_ms": (100, 3000),
    "timeout_ms": (500, 10_000),
    "voice_weight_db": (0, 20),
}


@dataclass(frozen=True, slots=True)
class SelectionSettings:
    """Rules of `mixer.selection.LoudestSelector`.

    Attributes:
        max_speakers: Most sources that anybody hears, 1 to 15.
        open_db: A source speaks while it is this much above its noise floor, 3 to 30.
        hysteresis_db: Only who is louder by more than this displaces one who speaks, 1 to 20.
        hold_ms: So long nobody who speaks is displaced after having been chosen, 0 to 5000.
        attack_ms: So long one must have spoken without a pause to displace one who speaks, 100 to
            1000; shorter sounds are coughs.
        yield_ms: Who has paused for longer makes way for anybody who speaks, 100 to 3000.
        timeout_ms: Who has not been audible for longer gives its place up, 500 to 10,000.
        voice_weight_db: What sound counts less that is known to be no voice, 0 to 20.
    """

    max_speakers: int = DEFAULT_SPEAKERS
    open_db: float = 8.0
    hysteresis_db: float = 10.0
    hold_ms: float = 600.0
    attack_ms: float = 160.0
    yield_ms: float = 400.0
    timeout_ms: float = 2000.0
    voice_weight_db: float = 6.0

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: naming the setting.
        """
        for field in fields(self):
            low, high = RANGES[field.name]
            value = getattr(self, field.name)
            if not low <= value <= high:
                raise ValueError(f"{field.name} {value} is not in {low:g}…{high:g}")
