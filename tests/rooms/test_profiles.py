"""Profiles under what people set by hand."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.genre.labels import CLASSES
from dsp.genre.profiles import PROFILES
from rooms.profiles import chosen, follows, with_profile
from rooms.strip import DEFAULT_STRIP, StripSettings, changed, to_wire

classes = st.sampled_from(CLASSES)


def values(strip: StripSettings, profile: str) -> bool:
    return all(getattr(strip, name) == value for name, value in PROFILES[profile].items())


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_within_the_ranges_of_the_wire(profile: str) -> None:
    strip = with_profile(DEFAULT_STRIP, profile)
    assert values(strip, profile)
    assert msgspec.convert(to_wire(strip), StripSettings) == strip


def test_nothing_happens_to_who_never_chose() -> None:
    assert not follows(DEFAULT_STRIP)
    assert chosen(DEFAULT_STRIP, {"inputTrim": 3}, "rock").profile == "none"


@pytest.mark.parametrize("genre", CLASSES)
def test_a_class_chosen_by_hand_has_its_profile_and_follows_nothing(genre: str) -> None:
    strip = chosen(DEFAULT_STRIP, {"genre": genre}, "rock")
    assert values(strip, genre)
    assert not follows(strip)
    assert strip.is_music is (genre != "speech")


def test_auto_takes_what_is_heard_and_follows() -> None:
    strip = chosen(DEFAULT_STRIP, {"genre": "auto"}, "jazz")
    assert values(strip, "jazz")
    assert follows(strip)
    assert strip.is_music
    quiet = chosen(DEFAULT_STRIP, {"genre": "auto"}, "neutral")
    assert values(quiet, "neutral")
    assert (quiet.preset, follows(quiet)) == ("flat", True)


def test_what_is_set_by_hand_stays_through_all_profiles() -> None:
    by_hand = {"genre": "jazz", "gateThreshold": -35, "compRatio": 6, "reverbMix": 25}
    strip = chosen(DEFAULT_STRIP, by_hand, "neutral")
    for profile in ("rock", "speech", "neutral", "classical"):
        strip = with_profile(strip, profile)
        kept = (strip.gate_threshold_db, strip.comp_ratio, strip.reverb_mix_percent)
        assert kept == (-35, 6, 25)
        assert strip.limiter_release_ms == PROFILES[profile]["limiter_release_ms"]


def test_a_value_set_in_the_same_breath_stays_though_it_is_the_default() -> None:
    strip = chosen(DEFAULT_STRIP, {"genre": "speech", "compRatio": 1, "denoise": "off"}, "neutral")
    assert (strip.comp_ratio, strip.denoise) == (1, "off")
    assert strip.high_pass_hz == PROFILES["speech"]["high_pass_hz"]


def test_a_preset_ends_the_following_and_a_class_ends_the_preset() -> None:
    strip = chosen(chosen(DEFAULT_STRIP, {"genre": "auto"}, "rock"), {"preset": "voice"}, "rock")
    assert (strip.profile, strip.preset, follows(strip)) == ("none", "voice", False)
    again = chosen(strip, {"genre": "classical"}, "rock")
    assert values(again, "classical")


def test_place_and_level_are_nobodys_but_the_users() -> None:
    strip = changed(DEFAULT_STRIP, {"inputTrim": 3, "pan": -1, "fader": -6, "autoLevel": True})
    moved = with_profile(strip, "electronic")
    for name in ("input_trim_db", "pan", "fader_db", "auto_level"):
        assert getattr(moved, name) == getattr(strip, name)


@given(st.lists(classes, min_size=1, max_size=6))
def test_any_way_through_profiles_ends_at_the_last_one(way: list[str]) -> None:
    strip = chosen(DEFAULT_STRIP, {"genre": "auto"}, "neutral")
    for profile in way:
        strip = with_profile(strip, profile)
    assert values(strip, way[-1])
    assert values(with_profile(strip, "neutral"), "neutral")
