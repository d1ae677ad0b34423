"""Settings of a whole strip by plain names, and the eight presets, as data.

A strip is written down here as one flat set of values, the unit in each name, as people and
programs pass it on; `strip_values.strip_of` makes the settings of the stages from it. The strip on
the wire has the same fields and defaults. Nothing of the signal processing is imported, so that
whoever only hands presets on stays light.

Trim, pan, width and fader belong to the place and the mix, not to the sound: no preset sets them.
"""

from collections.abc import Mapping
from typing import Final

Values = Mapping[str, float | bool]

NEUTRAL: Final[Values] = {
    "high_pass_hz": 20.0,
    "gate_threshold_db": -60.0,
    "gate_hysteresis_db": 6.0,
    "gate_hold_ms": 80.0,
    "gate_attack_ms": 3.0,
    "gate_release_ms": 120.0,
    "gate_range_db": -60.0,
    "comp_threshold_db": -18.0,
    "comp_ratio": 1.0,
    "comp_knee_db": 6.0,
    "comp_attack_ms": 10.0,
    "comp_release_ms": 120.0,
    "makeup_gain_db": 0.0,
    "auto_makeup": False,
    "sidechain_high_pass_hz": 20.0,
    "eq1_freq_hz": 80.0,
    "eq1_gain_db": 0.0,
    "eq1_q": 0.7,
    "eq2_freq_hz": 250.0,
    "eq2_gain_db": 0.0,
    "eq2_q": 1.0,
    "eq3_freq_hz": 1000.0,
    "eq3_gain_db": 0.0,
    "eq3_q": 1.0,
    "eq4_freq_hz": 4000.0,
    "eq4_gain_db": 0.0,
    "eq4_q": 1.0,
    "eq5_freq_hz": 12_000.0,
    "eq5_gain_db": 0.0,
    "eq5_q": 0.7,
    "limiter_ceiling_dbtp": -1.0,
    "limiter_release_ms": 60.0,
    "chorus_mix_percent": 0.0,
    "chorus_rate_hz": 0.8,
    "chorus_depth_percent": 40.0,
    "delay_mix_percent": 0.0,
    "delay_time_ms": 300.0,
    "delay_feedback_percent": 30.0,
    "delay_damping_percent": 30.0,
    "reverb_mix_percent": 0.0,
    "reverb_size_percent": 50.0,
    "reverb_decay_s": 1.8,
    "reverb_damping_percent": 40.0,
    "reverb_pre_delay_ms": 20.0,
}
"""What a preset sets, each at the value at which its stage is off, or at its usual one."""

PLACE: Final[Values] = {
    "input_trim_db": 0.0,
    "stereo_width_percent": 100.0,
    "pan": 0.0,
    "fader_db": 0.0,
}
"""What no preset sets."""

_CHANGES: Final[Mapping[str, Values]] = {
    # Nothing at all: the sound as it comes.
    "flat": {},
    # One who sings or speaks on a stage: clear, held together, with some air around it.
    "voice": {
        "high_pass_hz": 90.0,
        "gate_threshold_db": -52.0,
        "comp_threshold_db": -22.0,
        "comp_ratio": 3.0,
        "comp_attack_ms": 8.0,
        "auto_makeup": True,
        "sidechain_high_pass_hz": 100.0,
        "eq2_gain_db": -2.5,
        "eq4_freq_hz": 3500.0,
        "eq4_gain_db": 2.5,
        "eq5_gain_db": 1.5,
        "reverb_mix_percent": 12.0,
        "reverb_decay_s": 1.2,
    },
    # One who speaks close to a microphone, for long: full, near, even, dry.
    "podcast": {
        "high_pass_hz": 75.0,
        "gate_threshold_db": -50.0,
        "gate_range_db": -25.0,
        "gate_release_ms": 250.0,
        "comp_threshold_db": -26.0,
        "comp_ratio": 4.0,
        "comp_release_ms": 180.0,
        "auto_makeup": True,
        "sidechain_high_pass_hz": 120.0,
        "eq1_freq_hz": 120.0,
        "eq1_gain_db": 2.0,
        "eq2_freq_hz": 350.0,
        "eq2_gain_db": -3.0,
        "eq4_freq_hz": 5000.0,
        "eq4_gain_db": 2.0,
    },
    # Many who want to be understood, in bad rooms: no rumble, no noise, no boom.
    "meeting": {
        "high_pass_hz": 120.0,
        "gate_threshold_db": -48.0,
        "gate_range_db": -30.0,
        "gate_hold_ms": 200.0,
        "gate_release_ms": 300.0,
        "comp_threshold_db": -28.0,
        "comp_ratio": 3.5,
        "comp_attack_ms": 5.0,
        "auto_makeup": True,
        "eq2_freq_hz": 300.0,
        "eq2_gain_db": -4.0,
        "eq4_freq_hz": 3000.0,
        "eq4_gain_db": 3.0,
    },
    # A guitar, a piano, strings: their dynamics stay, in a room of wood.
    "acoustic": {
        "high_pass_hz": 50.0,
        "comp_threshold_db": -20.0,
        "comp_ratio": 2.0,
        "comp_knee_db": 12.0,
        "comp_attack_ms": 25.0,
        "comp_release_ms": 250.0,
        "eq2_freq_hz": 220.0,
        "eq2_gain_db": -1.5,
        "eq5_freq_hz": 10_000.0,
        "eq5_gain_db": 2.0,
        "reverb_mix_percent": 18.0,
        "reverb_size_percent": 45.0,
        "reverb_decay_s": 1.5,
    },
    # Amplifiers and drums: tight below, present above.
    "band": {
        "high_pass_hz": 40.0,
        "gate_threshold_db": -45.0,
        "comp_threshold_db": -18.0,
        "comp_ratio": 4.0,
        "comp_attack_ms": 20.0,
        "comp_release_ms": 100.0,
        "auto_makeup": True,
        "eq1_freq_hz": 100.0,
        "eq1_gain_db": 1.5,
        "eq2_freq_hz": 400.0,
        "eq2_gain_db": -2.5,
        "eq4_gain_db": 2.0,
        "reverb_mix_percent": 10.0,
        "reverb_size_percent": 30.0,
        "reverb_decay_s": 0.9,
        "limiter_release_ms": 40.0,
    },
    # Mastered music that only has to be kept in its place.
    "dj": {
        "high_pass_hz": 25.0,
        "comp_threshold_db": -10.0,
        "comp_ratio": 2.0,
        "comp_knee_db": 10.0,
        "comp_attack_ms": 30.0,
        "comp_release_ms": 150.0,
        "sidechain_high_pass_hz": 150.0,
        "eq1_freq_hz": 70.0,
        "eq1_gain_db": 2.0,
        "eq5_freq_hz": 10_000.0,
        "eq5_gain_db": 1.0,
        "limiter_release_ms": 100.0,
    },
    # An ensemble in a hall, from the softest to the loudest.
    "classical": {
        "high_pass_hz": 30.0,
        "limiter_release_ms": 200.0,
        "reverb_mix_percent": 22.0,
        "reverb_size_percent": 90.0,
        "reverb_decay_s": 2.4,
        "reverb_damping_percent": 35.0,
        "reverb_pre_delay_ms": 35.0,
    },
}

PRESETS: Final[Mapping[str, Values]] = {
    name: {**NEUTRAL, **changes} for name, changes in _CHANGES.items()
}
"""All values of each preset."""
