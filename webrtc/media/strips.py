"""From the wire's strip settings to those of the signal processing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import msgspec

from dsp.leveller import LevellerSettings
from dsp.presets import NEUTRAL
from dsp.strip import FLAT, StripSettings
from dsp.strip_values import DEFAULTS, strip_of
from mixer.shedding import Step
from mixer.treatment import Character
from rooms.profiles import follows
from rooms.strip import DEFAULT_STRIP, StripValue, changed

_BYPASSED: Final = {
    "high_pass_bypass": ("high_pass_hz",),
    "gate_bypass": ("gate_threshold_db",),
    "comp_bypass": ("comp_ratio", "makeup_gain_db"),
    "eq_bypass": tuple(f"eq{number}_gain_db" for number in range(1, 6)),
    "chorus_bypass": ("chorus_mix_percent",),
    "delay_bypass": ("delay_mix_percent",),
    "reverb_bypass": ("reverb_mix_percent",),
}
"""What a bypass sets to neutral, so that its stage is off."""
_DEAR: Final = ("chorusMix", "delayMix", "reverbMix")
_DRY: Final = {"chorusBypass": True, "delayBypass": True, "reverbBypass": True}


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
    off = {name for bypass, names in _BYPASSED.items() if values[bypass] for name in names}
    used = {name: NEUTRAL[name] if name in off else values[name] for name in DEFAULTS}
    return strip_of(used, limits=strip.auto_level)


def character_of(wire: Mapping[str, StripValue]) -> Character:
    """Return what a strip says of the sound itself, and of what happens before the strip.

    Raises:
        msgspec.ValidationError: an unknown name or a value out of range.
    """
    if not wire:
        return Character()
    strip = changed(DEFAULT_STRIP, dict(wire))
    leveller = LevellerSettings(strip.auto_level_target_lufs)
    if strip.is_music:  # it need not rise and fall as a voice does
        leveller = replace(leveller, spread_db=0.0)
    return Character(
        is_music=strip.is_music,
        leveller=leveller if strip.auto_level else None,
        denoise=None if strip.denoise == "off" else strip.denoise,
        follows=follows(strip),
    )


def is_dear(wire: Mapping[str, StripValue]) -> bool:
    """Whether a strip uses anything that is left out when time is short."""
    return any(wire.get(name) for name in _DEAR) or wire.get("denoise", "off") != "off"


def shed(wire: Mapping[str, StripValue], step: Step) -> Mapping[str, StripValue]:
    """Return a strip, by wire names, without what is left out at a step."""
    if step < Step.DRY or not is_dear(wire):
        return wire
    less: dict[str, StripValue] = {**wire, **_DRY}
    if step >= Step.PLAIN:
        less["denoise"] = "off"
    return less
