"""From the wire's strip settings to those of the signal processing."""

from collections.abc import Mapping

import msgspec

from dsp.leveller import LevellerSettings
from dsp.strip import FLAT, StripSettings
from dsp.strip_values import DEFAULTS, strip_of
from rooms.strip import DEFAULT_STRIP, StripValue, changed


def strip_settings(wire: Mapping[str, StripValue]) -> StripSettings:
    """Return what a strip is to do, by the settings' wire names; all that is off is None.

    A strip in which nothing is set stays flat: it costs nothing and delays nothing. The limiter
    comes with the first stage in use, with automatic level, or with a ceiling of one's own.

    Raises:
        msgspec.ValidationError: an unknown name or a value out of range.
    """
    if not wire:
        return FLAT
    strip = changed(DEFAULT_STRIP, dict(wire))
    values = msgspec.structs.asdict(strip)
    return strip_of({name: values[name] for name in DEFAULTS}, limits=strip.auto_level)


def leveller_settings(wire: Mapping[str, StripValue]) -> LevellerSettings | None:
    """Return how a strip is levelled automatically, None if it is not.

    Raises:
        msgspec.ValidationError: an unknown name or a value out of range.
    """
    if not wire:
        return None
    strip = changed(DEFAULT_STRIP, dict(wire))
    return LevellerSettings(strip.auto_level_target_lufs) if strip.auto_level else None


def is_music(wire: Mapping[str, StripValue]) -> bool:
    """Return whether a strip's own genre says that it is no voice."""
    return wire.get("genre", "auto") not in ("auto", "speech")
