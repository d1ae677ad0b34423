"""Scenes: named snapshots of a room's settings and of everybody's strip.

A scene keeps strips by participant and by name. Whoever was there when it was stored gets their
strip back; of those who came later, whoever has the name of somebody who is gone gets theirs, if
there is only one of that name on either side. Mutes are no part of a scene: they belong to those
who muted themselves.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from rooms.models import Participant, Room, Scene, SceneStrip
from rooms.strip import StripSettings

MAX_SCENES: Final = 16
"""Most scenes of a room."""
MAX_SCENE_STRIPS: Final = 128
"""Most strips of a scene: the workers carry scenes for a restarted front process."""


class SceneLimitError(Exception):
    """The scene would be one too many, or too large."""


def snapshot(name: str, saved_at: float, room: Room, participants: Sequence[Participant]) -> Scene:
    """Return the scene that a room is in.

    Args:
        name: What it is called.
        saved_at: Seconds since the epoch.
        room: The room.
        participants: Who is in it.

    Raises:
        SceneLimitError: more than `MAX_SCENE_STRIPS` publish.
    """
    strips = [
        SceneStrip(one.participant_id, one.name, one.strip) for one in participants if one.publishes
    ]
    if len(strips) > MAX_SCENE_STRIPS:
        raise SceneLimitError(f"a scene holds {MAX_SCENE_STRIPS} strips")
    return Scene(name, saved_at, room.settings, strips)


def with_scene(scenes: Mapping[str, Scene], scene: Scene) -> dict[str, Scene]:
    """Return `scenes` and `scene`, which replaces one of its name.

    Raises:
        SceneLimitError: there are `MAX_SCENES` of other names.
    """
    others = {name: one for name, one in scenes.items() if name != scene.name}
    if len(others) >= MAX_SCENES:
        raise SceneLimitError(f"a room holds {MAX_SCENES} scenes")
    return {**others, scene.name: scene}


def strips_of(scene: Scene, participants: Sequence[Participant]) -> dict[str, StripSettings]:
    """Return who gets which strip, by participant id; the others' strips stay as they are."""
    by_id = {one.participant_id: one.strip for one in scene.strips}
    here = [one for one in participants if one.publishes]
    known = (one.participant_id for one in here if one.participant_id in by_id)
    found = {participant_id: by_id[participant_id] for participant_id in known}
    new = [one for one in here if one.participant_id not in found]
    gone = [one for one in scene.strips if one.participant_id not in found]
    new_names, gone_names = (Counter(one.name for one in some) for some in (new, gone))
    by_name = {one.name: one.strip for one in gone if one.name and gone_names[one.name] == 1}
    named = {
        one.participant_id: by_name[one.name]
        for one in new
        if one.name in by_name and new_names[one.name] == 1
    }
    return found | named
