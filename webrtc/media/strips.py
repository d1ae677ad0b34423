"""From the wire's strip settings to those of the signal processing."""

from collections.abc import Mapping
from dataclasses import replace

from dsp.compressor import CompressorSettings
from dsp.equaliser import BandSettings, EqualiserSettings
from dsp.gate import GateSettings
from dsp.high_pass import HighPassSettings
from dsp.leveller import LevellerSettings
from dsp.limiter import LimiterSettings
from dsp.stereo import StereoSettings
from dsp.strip import FLAT, StripSettings
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
    compresses = strip.comp_ratio > 1.0 or strip.makeup_gain_db > 0.0
    bands = (
        BandSettings("low_shelf", strip.eq1_freq_hz, strip.eq1_gain_db, strip.eq1_q),
        BandSettings("peak", strip.eq2_freq_hz, strip.eq2_gain_db, strip.eq2_q),
        BandSettings("peak", strip.eq3_freq_hz, strip.eq3_gain_db, strip.eq3_q),
        BandSettings("peak", strip.eq4_freq_hz, strip.eq4_gain_db, strip.eq4_q),
        BandSettings("high_shelf", strip.eq5_freq_hz, strip.eq5_gain_db, strip.eq5_q),
    )
    stages = StripSettings(
        trim_db=strip.input_trim_db,
        high_pass=HighPassSettings(strip.high_pass_hz) if strip.high_pass_hz > 20.0 else None,
        gate=GateSettings(strip.gate_threshold_db) if strip.gate_threshold_db > -60.0 else None,
        compressor=CompressorSettings(
            threshold_db=strip.comp_threshold_db,
            ratio=strip.comp_ratio,
            attack_ms=strip.comp_attack_ms,
            release_ms=strip.comp_release_ms,
            makeup_db=strip.makeup_gain_db,
        )
        if compresses
        else None,
        equaliser=EqualiserSettings(bands) if any(band.gain_db for band in bands) else None,
        stereo=StereoSettings(strip.stereo_width_percent, strip.pan)
        if strip.stereo_width_percent != 100.0 or strip.pan
        else None,
    )
    is_default = strip.limiter_ceiling_dbtp == DEFAULT_STRIP.limiter_ceiling_dbtp
    if stages.is_flat and is_default and not strip.auto_level:
        return FLAT
    return replace(stages, limiter=LimiterSettings(strip.limiter_ceiling_dbtp))


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
