"""Mixing profiles: what a strip does for each kind of sound, as data.

Speech gets clarity: low cut, gate, compressor, presence, noise suppression, a narrow image. Music
keeps its dynamics and its width; how much it is held together differs by genre, and nothing that
listens for voices (noise suppression, gate) touches it. Names and units are those of
`dsp.presets`; trim, pan and fader belong to the place in the mix, and no profile sets them.
"""

from collections.abc import Mapping
from typing import Final, Literal

from dsp.presets import NEUTRAL

Values = Mapping[str, float | bool | str]

Profile = Literal["none", "neutral", "speech", "rock", "jazz", "electronic", "classical"]

CROSSFADE_MS: Final = 2500
"""How long a strip takes from one profile to another."""

_NEUTRAL: Final[Values] = {**NEUTRAL, "denoise": "off", "stereo_width_percent": 100.0}

_CHANGES: Final[Mapping[Profile, Values]] = {
    # As long as nobody knows what it is: nothing at all.
    "neutral": {},
    "speech": {
        "denoise": "webrtc",
        "high_pass_hz": 90.0,
        "gate_threshold_db": -52.0,
        "gate_range_db": -18.0,
        "gate_hold_ms": 250.0,
        "gate_release_ms": 250.0,
        "comp_threshold_db": -24.0,
        "comp_ratio": 2.5,
        "comp_attack_ms": 8.0,
        "comp_release_ms": 150.0,
        "auto_makeup": True,
        "sidechain_high_pass_hz": 100.0,
        "eq2_freq_hz": 300.0,
        "eq2_gain_db": -2.5,
        "eq4_freq_hz": 3500.0,
        "eq4_gain_db": 2.5,
        "stereo_width_percent": 60.0,
    },
    "rock": {
        "high_pass_hz": 35.0,
        "comp_threshold_db": -14.0,
        "comp_ratio": 2.0,
        "comp_attack_ms": 25.0,
        "eq1_freq_hz": 90.0,
        "eq1_gain_db": 1.0,
        "eq2_freq_hz": 400.0,
        "eq2_gain_db": -1.5,
        "eq4_gain_db": 1.5,
        "limiter_release_ms": 50.0,
    },
    "jazz": {
        "high_pass_hz": 30.0,
        "comp_threshold_db": -16.0,
        "comp_ratio": 1.5,
        "comp_knee_db": 12.0,
        "comp_attack_ms": 30.0,
        "comp_release_ms": 250.0,
        "eq5_gain_db": 1.0,
        "reverb_mix_percent": 8.0,
        "reverb_size_percent": 35.0,
        "reverb_decay_s": 1.1,
    },
    "electronic": {
        "high_pass_hz": 22.0,
        "comp_threshold_db": -12.0,
        "comp_ratio": 1.8,
        "comp_knee_db": 10.0,
        "comp_attack_ms": 30.0,
        "comp_release_ms": 150.0,
        "sidechain_high_pass_hz": 150.0,
        "eq1_freq_hz": 60.0,
        "eq1_gain_db": 1.5,
        "eq5_gain_db": 1.0,
        "stereo_width_percent": 110.0,
        "limiter_release_ms": 100.0,
    },
    "classical": {
        "high_pass_hz": 22.0,
        "limiter_release_ms": 200.0,
        "reverb_mix_percent": 10.0,
        "reverb_size_percent": 85.0,
        "reverb_decay_s": 2.2,
        "reverb_pre_delay_ms": 30.0,
    },
}

PROFILES: Final[Mapping[Profile, Values]] = {
    name: {**_NEUTRAL, **changes} for name, changes in _CHANGES.items()
}
"""All values of each profile."""
