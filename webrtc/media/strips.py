"""From the wire's strip settings to those of the signal processing."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from dsp.leveller import LevellerSettings
from dsp.strip import FLAT, StripSettings
from dsp.strip_values import DEFAULTS, strip_of
from mixer.treatment import Character
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


def character_of(wire: Mapping[str, StripValue]) -> Character:
    """Return what a strip says of the sound itself, and of what happens before the strip.

    Raises:
        msgspec.ValidationError: an unknown name or a value out of range.
    """
    if not wire:
        return Character()
    strip = changed(DEFAULT_STRIP, dict(wire))
    music = strip.genre not in ("auto", "speech")
    leveller = LevellerSettings(strip.auto_level_target_lufs)
    if music:  # it need not rise and fall as a voice does
        leveller = replace(leveller, spread_db=0.0)
    return Character(
        is_music=music,
        leveller=leveller if strip.auto_level else None,
        denoises=strip.denoise,
    )
