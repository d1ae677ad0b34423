"""How a strip follows what is heard: mixing profiles laid under what people set by hand.

`genre` chooses: a class by hand, or `auto`. Whoever never chose one has the profile `none`, and
nothing is done to their strip. Otherwise every value is the profile's, until somebody sets it to
something else; what differs from the profile is theirs, and stays through all changes of profile.
A preset ends the following.
"""

from typing import Any, Final

import msgspec

from dsp.genre.profiles import PROFILES, Profile
from dsp.presets import NEUTRAL, PRESETS
from rooms.strip import StripSettings, changed

_FLAT: Final = "flat"
_CUSTOM: Final = "custom"


def chosen(strip: StripSettings, changes: dict[str, Any], heard: Profile) -> StripSettings:
    """Return `strip` with what somebody changed (by wire name), and the profile that follows.

    Args:
        strip: The strip.
        changes: As for `rooms.strip.changed`.
        heard: The profile of what is heard, for `auto`; `neutral` while nobody knows.

    Raises:
        msgspec.ValidationError: as for `rooms.strip.changed`.
    """
    result = changed(strip, changes)
    if "genre" in changes:
        return with_profile(result, heard if result.genre == "auto" else result.genre, changes)
    if changes.get("preset", _CUSTOM) != _CUSTOM:
        return msgspec.structs.replace(result, profile="none")
    return result


def with_profile(
    strip: StripSettings, profile: Profile, by_hand: dict[str, Any] | None = None
) -> StripSettings:
    """Return `strip` with another profile under what was set by hand.

    Args:
        strip: The strip.
        profile: The profile that it shall have; not `none`.
        by_hand: What is set by hand just now (by wire name), though it may look like the profile's.
    """
    before = PROFILES.get(strip.profile)
    if before is None:
        before = {**PROFILES["neutral"], **PRESETS.get(strip.preset, NEUTRAL)}
    kept = {_FIELD_OF[name] for name in by_hand or {}}
    values = {
        name: value
        for name, value in PROFILES[profile].items()
        if name not in kept and getattr(strip, name) == before[name]
    }
    moved = msgspec.structs.replace(strip, profile=profile, **values)
    is_flat = all(getattr(moved, name) == value for name, value in NEUTRAL.items())
    return msgspec.structs.replace(moved, preset=_FLAT if is_flat else _CUSTOM)


def follows(strip: StripSettings) -> bool:
    """Return whether a strip is to follow what is heard."""
    return strip.genre == "auto" and strip.profile != "none"


_FIELD_OF: Final = {item.encode_name: item.name for item in msgspec.structs.fields(StripSettings)}
