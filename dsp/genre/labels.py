"""What a sound can be called. Names only: whoever just passes them on stays light."""

from typing import Final, Literal

Genre = Literal["speech", "rock", "jazz", "electronic", "classical"]
Label = Literal["speech", "rock", "jazz", "electronic", "classical", "unknown", "silence"]

CLASSES: Final[tuple[Genre, ...]] = ("speech", "rock", "jazz", "electronic", "classical")
MUSIC: Final[tuple[Genre, ...]] = CLASSES[1:]
