"""The channel strip's settings: the one place where their names, ranges, units and defaults stand.

The wire names are flat and camelCase, as the browser's API uses them; the fields here carry the
unit. Ranges are checked where values come in: by decoding, and by `changed`.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, field

from dsp.denoise_engines import DenoiseEngine
from dsp.genre.labels import MUSIC
from dsp.genre.profiles import Profile
from dsp.presets import PRESETS

Genre = Literal["auto", "speech", "rock", "jazz", "electronic", "classical"]

Preset = Literal[
    "flat", "voice", "podcast", "meeting", "acoustic", "band", "dj", "classical", "custom"
]

StripValue = float | int | str | bool


def _level(low: float, high: float, unit: str, what: str) -> Meta:
    return Meta(ge=low, le=high, description=what, extra_json_schema={"unit": unit})


def _flag(what: str) -> Meta:
    return Meta(description=what)


InputTrim = Annotated[float, _level(-24, 24, "dB", "Gain before everything else.")]
HighPass = Annotated[float, _level(20, 400, "Hz", "Corner of the low cut; 20 is off.")]
GateThreshold = Annotated[
    float, _level(-60, -20, "dB", "Below this level the gate closes; −60 is off.")
]
GateHysteresis = Annotated[
    float, _level(0, 20, "dB", "How far below its threshold the gate begins to close.")
]
GateHold = Annotated[float, _level(10, 1000, "ms", "How long the gate stays open after that.")]
GateAttack = Annotated[float, _level(2.5, 50, "ms", "Time to 63 % of the way open.")]
GateRelease = Annotated[float, _level(5, 2000, "ms", "Time to 63 % of the way closed.")]
GateRange = Annotated[float, _level(-80, 0, "dB", "Gain while the gate is closed.")]
CompThreshold = Annotated[float, _level(-60, 0, "dB", "Above this level the compressor works.")]
CompRatio = Annotated[float, _level(1, 20, ":1", "Compression ratio; 1 is off.")]
CompKnee = Annotated[float, _level(0, 24, "dB", "Width of the bend around the threshold.")]
CompAttack = Annotated[float, _level(0.1, 200, "ms", "Time to 63 % of a gain reduction.")]
CompRelease = Annotated[float, _level(5, 2000, "ms", "Time to 63 % of the recovery.")]
MakeupGain = Annotated[float, _level(0, 24, "dB", "Gain after the compressor.")]
AutoMakeup = Annotated[
    bool, _flag("Whether half of what full scale would lose is given back, too.")
]
SidechainHighPass = Annotated[
    float, _level(20, 500, "Hz", "Low cut of what the compressor listens to; 20 is off.")
]
EqFreq = Annotated[float, _level(20, 20_000, "Hz", "Centre or corner frequency of the band.")]
EqGain = Annotated[float, _level(-18, 18, "dB", "Gain of the band; 0 is off.")]
EqQ = Annotated[float, _level(0.1, 10, "Q", "Quality of the band: the higher, the narrower.")]
LimiterCeiling = Annotated[float, _level(-20, 0, "dBTP", "True peak that is never exceeded.")]
LimiterRelease = Annotated[float, _level(5, 1000, "ms", "Time to 63 % of the recovery.")]
Percent = Annotated[float, _level(0, 100, "%", "Share of the effect; 0 is off.")]
DelayTime = Annotated[float, _level(1, 2000, "ms", "Time between two repeats.")]
DelayFeedback = Annotated[float, _level(0, 95, "%", "Level of each repeat against the last.")]
DelayDamping = Annotated[
    float, _level(0, 100, "%", "How much duller each repeat is than the last.")
]
ChorusRate = Annotated[float, _level(0.05, 5, "Hz", "Swings per second.")]
ChorusDepth = Annotated[float, _level(0, 100, "%", "How far the copy's delay swings; 100 is 4 ms.")]
ReverbSize = Annotated[float, _level(0, 100, "%", "How far apart the walls are.")]
ReverbDecay = Annotated[float, _level(0.2, 10, "s", "Time in which the lows fall by 60 dB.")]
ReverbDamping = Annotated[float, _level(0, 100, "%", "How much sooner the highs are gone.")]
ReverbPreDelay = Annotated[float, _level(0, 200, "ms", "Time before the first reflection.")]
StereoWidth = Annotated[float, _level(0, 200, "%", "0 is mono, 100 as it came, 200 wide.")]
Pan = Annotated[float, _level(-1, 1, "of a side", "−1 left, 0 centre, 1 right.")]
Fader = Annotated[float, _level(-60, 12, "dB", "Level in everyone's mix; −60 is silence.")]
AutoLevel = Annotated[bool, _flag("Whether loudness is evened out automatically.")]
AutoLevelTarget = Annotated[
    float, _level(-36, -10, "LUFS", "Loudness that automatic level aims at.")
]
Denoise = Annotated[
    Literal["off", DenoiseEngine],
    Meta(
        description="Who removes noise: `webrtc`, steady noise by up to 18 dB, for a delay of 7 "
        "ms; `rnnoise`, all that is no voice, for 30 ms, or 40 in rooms with packets of 20 ms."
    ),
]
HighPassBypass = Annotated[bool, _flag("Whether the low cut is passed by; it keeps its values.")]
GateBypass = Annotated[bool, _flag("Whether the gate is passed by; it keeps its values.")]
CompBypass = Annotated[bool, _flag("Whether the compressor is passed by; it keeps its values.")]
EqBypass = Annotated[bool, _flag("Whether the equaliser is passed by; it keeps its values.")]
ChorusBypass = Annotated[bool, _flag("Whether the chorus is passed by; it keeps its values.")]
DelayBypass = Annotated[bool, _flag("Whether the delay is passed by; it keeps its values.")]
ReverbBypass = Annotated[bool, _flag("Whether the reverb is passed by; it keeps its values.")]
PresetChoice = Annotated[
    Preset,
    Meta(
        description="Sets all but trim, width, pan, fader and what works by itself, and ends "
        "every bypass; `custom`, which sets nothing, once any of that has changed since."
    ),
]
GenreChoice = Annotated[
    Genre,
    Meta(
        description="What sounds here, chosen by hand, or `auto`: what is heard. Setting it lays "
        "the mixing profile of that under all values that nobody has set otherwise."
    ),
]
ProfileInUse = Annotated[
    Profile,
    Meta(
        description="The mixing profile under the values, kept by the server: `none` as long as "
        "nobody has set `genre`, and after a preset; `neutral` while nothing is recognised."
    ),
]


class StripSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One publisher's strip, from the input to the fader.

    Encoding leaves defaults out, so that a stored strip is small and follows better defaults
    of a later version; `to_wire` spells everything out.
    """

    genre: GenreChoice = "auto"
    preset: PresetChoice = "flat"
    input_trim_db: InputTrim = field(default=0.0, name="inputTrim")
    high_pass_hz: HighPass = field(default=20.0, name="highPass")
    denoise: Denoise = "off"
    auto_level: AutoLevel = field(default=False, name="autoLevel")
    auto_level_target_lufs: AutoLevelTarget = field(default=-20.0, name="autoLevelTarget")
    gate_threshold_db: GateThreshold = field(default=-60.0, name="gateThreshold")
    gate_hysteresis_db: GateHysteresis = field(default=6.0, name="gateHysteresis")
    gate_hold_ms: GateHold = field(default=80.0, name="gateHold")
    gate_attack_ms: GateAttack = field(default=3.0, name="gateAttack")
    gate_release_ms: GateRelease = field(default=120.0, name="gateRelease")
    gate_range_db: GateRange = field(default=-60.0, name="gateRange")
    comp_threshold_db: CompThreshold = field(default=-18.0, name="compThreshold")
    comp_ratio: CompRatio = field(default=1.0, name="compRatio")
    comp_knee_db: CompKnee = field(default=6.0, name="compKnee")
    comp_attack_ms: CompAttack = field(default=10.0, name="compAttack")
    comp_release_ms: CompRelease = field(default=120.0, name="compRelease")
    makeup_gain_db: MakeupGain = field(default=0.0, name="makeupGain")
    auto_makeup: AutoMakeup = field(default=False, name="autoMakeup")
    sidechain_high_pass_hz: SidechainHighPass = field(default=20.0, name="sidechainHighPass")
    eq1_freq_hz: EqFreq = field(default=80.0, name="eq1Freq")
    eq1_gain_db: EqGain = field(default=0.0, name="eq1Gain")
    eq1_q: EqQ = field(default=0.7, name="eq1Q")
    eq2_freq_hz: EqFreq = field(default=250.0, name="eq2Freq")
    eq2_gain_db: EqGain = field(default=0.0, name="eq2Gain")
    eq2_q: EqQ = field(default=1.0, name="eq2Q")
    eq3_freq_hz: EqFreq = field(default=1000.0, name="eq3Freq")
    eq3_gain_db: EqGain = field(default=0.0, name="eq3Gain")
    eq3_q: EqQ = field(default=1.0, name="eq3Q")
    eq4_freq_hz: EqFreq = field(default=4000.0, name="eq4Freq")
    eq4_gain_db: EqGain = field(default=0.0, name="eq4Gain")
    eq4_q: EqQ = field(default=1.0, name="eq4Q")
    eq5_freq_hz: EqFreq = field(default=12_000.0, name="eq5Freq")
    eq5_gain_db: EqGain = field(default=0.0, name="eq5Gain")
    eq5_q: EqQ = field(default=0.7, name="eq5Q")
    limiter_ceiling_dbtp: LimiterCeiling = field(default=-1.0, name="limiterCeiling")
    limiter_release_ms: LimiterRelease = field(default=60.0, name="limiterRelease")
    chorus_mix_percent: Percent = field(default=0.0, name="chorusMix")
    chorus_rate_hz: ChorusRate = field(default=0.8, name="chorusRate")
    chorus_depth_percent: ChorusDepth = field(default=40.0, name="chorusDepth")
    delay_mix_percent: Percent = field(default=0.0, name="delayMix")
    delay_time_ms: DelayTime = field(default=300.0, name="delayTime")
    delay_feedback_percent: DelayFeedback = field(default=30.0, name="delayFeedback")
    delay_damping_percent: DelayDamping = field(default=30.0, name="delayDamping")
    reverb_mix_percent: Percent = field(default=0.0, name="reverbMix")
    reverb_size_percent: ReverbSize = field(default=50.0, name="reverbSize")
    reverb_decay_s: ReverbDecay = field(default=1.8, name="reverbDecay")
    reverb_damping_percent: ReverbDamping = field(default=40.0, name="reverbDamping")
    reverb_pre_delay_ms: ReverbPreDelay = field(default=20.0, name="reverbPreDelay")
    stereo_width_percent: StereoWidth = field(default=100.0, name="stereoWidth")
    pan: Pan = 0.0
    fader_db: Fader = field(default=0.0, name="fader")
    high_pass_bypass: HighPassBypass = field(default=False, name="highPassBypass")
    gate_bypass: GateBypass = field(default=False, name="gateBypass")
    comp_bypass: CompBypass = field(default=False, name="compBypass")
    eq_bypass: EqBypass = field(default=False, name="eqBypass")
    chorus_bypass: ChorusBypass = field(default=False, name="chorusBypass")
    delay_bypass: DelayBypass = field(default=False, name="delayBypass")
    reverb_bypass: ReverbBypass = field(default=False, name="reverbBypass")
    profile: ProfileInUse = "none"

    @property
    def is_music(self) -> bool:
        """Whether it is no voice, by hand or by what is heard."""
        return (self.profile if self.genre == "auto" else self.genre) in MUSIC


DEFAULT_STRIP: Final = StripSettings()
"""A strip that passes the sound through; shared by everyone who changed nothing."""

_FIELDS: Final = msgspec.structs.fields(StripSettings)
WIRE_NAMES: Final = tuple(item.encode_name for item in _FIELDS)
BYPASSES: Final = tuple(name for name in WIRE_NAMES if name.endswith("Bypass"))
"""The switches that take a stage out of the way and leave its values alone, by wire name."""
_WIRE_NAME_OF: Final = {item.name: item.encode_name for item in _FIELDS}
_PRESETS: Final = {
    preset: {
        **{_WIRE_NAME_OF[name]: value for name, value in values.items()},
        **dict.fromkeys(BYPASSES, False),
    }
    for preset, values in PRESETS.items()
}


def to_wire(strip: StripSettings) -> dict[str, StripValue]:
    """Return every setting by its wire name."""
    return {item.encode_name: getattr(strip, item.name) for item in _FIELDS}


def changed(strip: StripSettings, changes: dict[str, Any]) -> StripSettings:
    """Return `strip` with `changes` (by wire name) applied, a preset before all others.

    Raises:
        msgspec.ValidationError: an unknown name, a wrong type, or a value out of range.
    """
    unknown = changes.keys() - set(WIRE_NAMES)
    if unknown:
        raise msgspec.ValidationError("Object contains an unknown setting")
    wanted = changes.get("preset")
    preset = _PRESETS.get(wanted, {}) if isinstance(wanted, str) else {}
    result = msgspec.convert({**to_wire(strip), **preset, **changes}, StripSettings)
    values = PRESETS.get(result.preset, {})
    if all(getattr(result, name) == value for name, value in values.items()):
        return result
    return msgspec.structs.replace(result, preset="custom")


def partial_fields() -> list[tuple[str, Any, Any]]:
    """Return the fields of a partial update, for `msgspec.defstruct`: all of them may be unset."""
    return [
        (
            item.name,
            item.type | msgspec.UnsetType,
            field(default=msgspec.UNSET, name=item.encode_name),
        )
        for item in _FIELDS
        if item.name != "profile"  # the server's own
    ]
