from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.presets import NEUTRAL, PLACE, PRESETS
from rooms.strip import BYPASSES, DEFAULT_STRIP, WIRE_NAMES, Preset, StripSettings, changed, to_wire

SCHEMA = msgspec.json.schema_components([StripSettings])[1]["StripSettings"]["properties"]
RANGES = {
    name: (field["minimum"], field["maximum"])
    for name, field in SCHEMA.items()
    if "minimum" in field
}

one_change = st.sampled_from(sorted(RANGES)).flatmap(
    lambda name: st.tuples(st.just(name), st.floats(*RANGES[name]))
)


def test_the_names_that_the_browser_uses_are_there_with_their_ranges() -> None:
    assert RANGES["gateThreshold"] == (-60, -20)
    assert RANGES["compRatio"] == (1, 20)
    assert RANGES["reverbMix"] == (0, 100)
    for genre in ("auto", "speech", "rock", "jazz", "electronic", "classical"):
        assert changed(DEFAULT_STRIP, {"genre": genre}).genre == genre


def test_settings_have_descriptions_numbers_have_units_and_defaults_are_in_range() -> None:
    assert set(SCHEMA) == set(WIRE_NAMES)
    assert all(field["description"] for field in SCHEMA.values())
    assert all(SCHEMA[name]["unit"] for name in RANGES)
    assert {name for name, field in SCHEMA.items() if field.get("type") == "number"} == set(RANGES)
    assert changed(DEFAULT_STRIP, to_wire(DEFAULT_STRIP)) == DEFAULT_STRIP


@given(st.lists(one_change))
def test_values_in_range_are_taken_one_by_one(changes: list[tuple[str, float]]) -> None:
    strip = DEFAULT_STRIP
    for name, value in changes:
        strip = changed(strip, {name: value})
    assert to_wire(strip) == {**to_wire(DEFAULT_STRIP), **dict(changes), "preset": strip.preset}


@given(
    st.sampled_from(sorted(RANGES)).flatmap(
        lambda name: st.tuples(
            st.just(name),
            st.one_of(
                st.floats(max_value=RANGES[name][0], exclude_max=True),
                st.floats(min_value=RANGES[name][1], exclude_min=True),
                st.sampled_from([float("nan"), "1", None, True, [], {}]),
            ),
        )
    )
)
def test_values_out_of_range_and_of_other_types_are_refused(change: tuple[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        changed(DEFAULT_STRIP, dict([change]))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_sets_the_sound_and_leaves_the_place(preset: str) -> None:
    placed = changed(DEFAULT_STRIP, {"pan": -0.5, "fader": -3, "inputTrim": 6, "reverbMix": 77})
    strip = changed(placed, {"preset": preset})
    assert strip.preset == preset
    assert (strip.pan, strip.fader_db, strip.input_trim_db) == (-0.5, -3, 6)
    assert {name: getattr(strip, name) for name in NEUTRAL} == PRESETS[preset]
    assert changed(strip, to_wire(strip)) == strip


def test_the_protocol_and_the_presets_know_the_same_names_and_neutral_values() -> None:
    assert {*PRESETS, "custom"} == set(get_args(Preset))
    neutral = {name: getattr(DEFAULT_STRIP, name) for name in {**NEUTRAL, **PLACE}}
    assert neutral == {**NEUTRAL, **PLACE}
    assert DEFAULT_STRIP.preset == "flat"


def test_what_differs_from_its_preset_is_custom() -> None:
    voice = changed(DEFAULT_STRIP, {"preset": "voice"})
    assert changed(voice, {"pan": 0.5, "fader": -6}).preset == "voice"
    other = changed(voice, {"reverbMix": 50})
    assert other.preset == "custom"
    assert other.comp_ratio == voice.comp_ratio
    assert changed(other, {"preset": "custom"}) == other
    assert changed(DEFAULT_STRIP, {"preset": "voice", "compRatio": 9}).comp_ratio == 9
    with pytest.raises(msgspec.ValidationError):
        changed(voice, {"preset": "karaoke"})


@pytest.mark.parametrize("name", ["gate_threshold_db", "participant_id", "x", ""])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        changed(DEFAULT_STRIP, {name: 0})


def test_one_bad_setting_keeps_the_good_ones_out() -> None:
    with pytest.raises(msgspec.ValidationError):
        changed(DEFAULT_STRIP, {"fader": -3, "pan": 2})


@given(one_change)
def test_a_stored_strip_comes_back(change: tuple[str, float]) -> None:
    strip = changed(DEFAULT_STRIP, dict([change]))
    stored = msgspec.msgpack.encode(strip)
    assert msgspec.msgpack.decode(stored, type=StripSettings) == strip


def test_an_untouched_strip_is_stored_as_next_to_nothing() -> None:
    assert len(msgspec.msgpack.encode(DEFAULT_STRIP)) < 8


def test_a_bypass_keeps_values_and_preset_and_ends_with_the_next_preset() -> None:
    voice = changed(DEFAULT_STRIP, {"preset": "voice"})
    bypassed = changed(voice, dict.fromkeys(BYPASSES, True))
    assert len(BYPASSES) == 7
    assert bypassed.preset == "voice"
    assert bypassed.comp_ratio == voice.comp_ratio
    assert changed(bypassed, {"preset": "voice"}) == voice
    both = changed(bypassed, {"preset": "voice", "eqBypass": True})
    assert [name for name in BYPASSES if to_wire(both)[name]] == ["eqBypass"]
