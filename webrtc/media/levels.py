"""Telling the front process who speaks, and how loudly."""

from collections.abc import Callable
from typing import Final

from webrtc.control.messages import Levels, SourceLevel
from webrtc.media.hall import Room

LEVEL_STEP_DB: Final = 3


def tell_levels(room: Room, tell: Callable[[Levels], None]) -> None:
    """Tell of those in a room whose level or speaking has changed since they were told of."""
    if room.forward is not None:  # which tells of levels itself, as packets say them
        return
    changed = []
    for source in room.mixer.sources.values():
        level, speaking = source.level, source.speaking
        if (not source.remote or source.foreign) and (
            speaking != source.reported_speaking
            or abs(level - source.reported_level) >= LEVEL_STEP_DB
        ):
            source.reported_level, source.reported_speaking = level, speaking
            changed.append(SourceLevel(source.source_id, level, speaking))
    if changed:
        tell(Levels(room.room_id, changed))
