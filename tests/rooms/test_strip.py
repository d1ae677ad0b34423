from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.strip import DEFAULT_STRIP, WIRE_NAMES, StripSettings, changed, to_wire

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


def test_every_setting_has_a_description_and_every_default_is_in_range() -> None:
    assert set(SCHEMA) == set(WIRE_NAMES)
    assert all(field["description"] for field in SCHEMA.values())
    assert changed(DEFAULT_STRIP, to_wire(DEFAULT_STRIP)) == DEFAULT_STRIP


@given(st.lists(one_change))
def test_values_in_range_are_taken_one_by_one(changes: list[tuple[str, float]]) -> None:
    strip = DEFAULT_STRIP
    for name, value in changes:
        strip = changed(strip, {name: value})
    assert to_wire(strip) == {**to_wire(DEFAULT_STRIP), **dict(changes)}


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
