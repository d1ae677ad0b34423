"""From one flat set of values, as people and programs pass a strip on, to the stages' settings."""

from dataclasses import replace

from dsp.chorus import ChorusSettings
from dsp.compressor import CompressorSettings
from dsp.delay import DelaySettings
from dsp.equaliser import BandSettings, EqualiserSettings
from dsp.gate import GateSettings
from dsp.high_pass import HighPassSettings
from dsp.limiter import LimiterSettings
from dsp.presets import NEUTRAL, PLACE, Values
from dsp.reverb import ReverbSettings
from dsp.stereo import StereoSettings
from dsp.strip import FLAT, StripSettings

DEFAULTS: Values = {**NEUTRAL, **PLACE}


def strip_of(values: Values, *, limits: bool = False) -> StripSettings:
    """Return a strip's settings; what is left out of `values` is neutral.

    A stage whose value says "off" is None. A strip in which nothing is set stays flat: it costs
    nothing and delays nothing. The limiter comes with the first stage in use, or with a ceiling of
    one's own, or by `limits`.

    Raises:
        SettingsError: a value out of range.
        KeyError: an unknown name.
    """
    unknown = values.keys() - DEFAULTS.keys()
    if unknown:
        raise KeyError(min(unknown))
    v = {**DEFAULTS, **values}
    stages = StripSettings(
        trim_db=v["input_trim_db"],
        high_pass=HighPassSettings(v["high_pass_hz"]) if v["high_pass_hz"] > 20.0 else None,
        gate=_gate(v) if v["gate_threshold_db"] > -60.0 else None,
        compressor=_compressor(v) if v["comp_ratio"] > 1.0 or v["makeup_gain_db"] > 0.0 else None,
        equaliser=_equaliser(v),
        stereo=_stereo(v),
        chorus=_chorus(v) if v["chorus_mix_percent"] > 0.0 else None,
        delay=_delay(v) if v["delay_mix_percent"] > 0.0 else None,
        reverb=_reverb(v) if v["reverb_mix_percent"] > 0.0 else None,
        fader_db=v["fader_db"],
    )
    ceiling_dbtp = v["limiter_ceiling_dbtp"]
    limiter = LimiterSettings(ceiling_dbtp, v["limiter_release_ms"])
    limits = limits or ceiling_dbtp != DEFAULTS["limiter_ceiling_dbtp"]
    if stages.is_flat and not limits:
        return FLAT
    return replace(stages, limiter=limiter)


def _gate(v: Values) -> GateSettings:
    return GateSettings(
        threshold_db=v["gate_threshold_db"],
        hysteresis_db=v["gate_hysteresis_db"],
        hold_ms=v["gate_hold_ms"],
        attack_ms=v["gate_attack_ms"],
        release_ms=v["gate_release_ms"],
        range_db=v["gate_range_db"],
    )


def _compressor(v: Values) -> CompressorSettings:
    return CompressorSettings(
        threshold_db=v["comp_threshold_db"],
        ratio=v["comp_ratio"],
        knee_db=v["comp_knee_db"],
        attack_ms=v["comp_attack_ms"],
        release_ms=v["comp_release_ms"],
        makeup_db=v["makeup_gain_db"],
        auto_makeup=bool(v["auto_makeup"]),
        sidechain_high_pass_hz=v["sidechain_high_pass_hz"],
    )


def _equaliser(v: Values) -> EqualiserSettings | None:
    bands = (
        BandSettings("low_shelf", v["eq1_freq_hz"], v["eq1_gain_db"], v["eq1_q"]),
        BandSettings("peak", v["eq2_freq_hz"], v["eq2_gain_db"], v["eq2_q"]),
        BandSettings("peak", v["eq3_freq_hz"], v["eq3_gain_db"], v["eq3_q"]),
        BandSettings("peak", v["eq4_freq_hz"], v["eq4_gain_db"], v["eq4_q"]),
        BandSettings("high_shelf", v["eq5_freq_hz"], v["eq5_gain_db"], v["eq5_q"]),
    )
    return EqualiserSettings(bands) if any(band.gain_db for band in bands) else None


def _stereo(v: Values) -> StereoSettings | None:
    settings = StereoSettings(v["stereo_width_percent"], v["pan"])
    return None if settings == StereoSettings() else settings


def _chorus(v: Values) -> ChorusSettings:
    return ChorusSettings(
        rate_hz=v["chorus_rate_hz"],
        depth_percent=v["chorus_depth_percent"],
        mix_percent=v["chorus_mix_percent"],
    )


def _delay(v: Values) -> DelaySettings:
    return DelaySettings(
        time_ms=v["delay_time_ms"],
        feedback_percent=v["delay_feedback_percent"],
        damping_percent=v["delay_damping_percent"],
        mix_percent=v["delay_mix_percent"],
    )


def _reverb(v: Values) -> ReverbSettings:
    return ReverbSettings(
        size_percent=v["reverb_size_percent"],
        decay_s=v["reverb_decay_s"],
        damping_percent=v["reverb_damping_percent"],
        pre_delay_ms=v["reverb_pre_delay_ms"],
        mix_percent=v["reverb_mix_percent"],
    )
