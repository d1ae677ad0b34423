"""Which strips a scene holds, and who gets them back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.models import Direction, Room, RoomSettings, Scene
from rooms.scenes import (
    MAX_SCENE_STRIPS,
    MAX_SCENES,
    SceneLimitError,
    snapshot,
    strips_of,
    with_scene,
)
from rooms.strip import StripSettings
from tests.rooms.store_contract import a_participant, a_room

LOUD, QUIET = StripSettings(input_trim_db=6.0), StripSettings(input_trim_db=-6.0)


def scene_of(*people, name="Evening", **room):
    return snapshot(name, 1000.0, a_room(**room), people)


def test_a_scene_holds_the_room_and_the_strips_of_those_who_publish():
    settings = RoomSettings(automix=True)
    listener = a_participant("ear", direction=Direction.SUBSCRIBER)
    scene = scene_of(a_participant("anna", strip=LOUD), listener, settings=settings)
    assert (scene.name, scene.saved_at, scene.settings) == ("Evening", 1000.0, settings)
    assert [(one.participant_id, one.name, one.strip) for one in scene.strips] == [
        ("anna", "anna", LOUD)
    ]


def test_who_was_there_gets_the_strip_back_whatever_the_name():
    scene = scene_of(a_participant("anna", strip=LOUD), a_participant("ben", strip=QUIET))
    now = [msgspec.structs.replace(a_participant("ben"), name="Benjamin"), a_participant("new")]
    assert strips_of(scene, now) == {"ben": QUIET}


def test_who_came_back_as_somebody_new_is_known_by_the_name():
    scene = scene_of(a_participant("anna", strip=LOUD), a_participant("ben", strip=QUIET))
    again = msgspec.structs.replace(a_participant("anna-2"), name="anna")
    assert strips_of(scene, [again, a_participant("ben")]) == {"anna-2": LOUD, "ben": QUIET}


def test_a_name_that_is_not_unique_or_empty_tells_nobody():
    twins = [
        msgspec.structs.replace(a_participant(f"{number}"), name=name, strip=LOUD)
        for number, name in enumerate(("anna", "anna", "", "ben"))
    ]
    scene = scene_of(*twins)
    new = [
        msgspec.structs.replace(a_participant(f"new {number}"), name=name)
        for number, name in enumerate(("anna", "", "ben", "ben"))
    ]
    assert strips_of(scene, new) == {}


def test_who_publishes_nothing_gets_no_strip():
    scene = scene_of(a_participant("anna", strip=LOUD))
    listener = a_participant("anna", direction=Direction.SUBSCRIBER)
    assert strips_of(scene, [listener]) == {}


def test_a_scene_replaces_the_one_of_its_name_and_there_are_not_too_many():
    scenes: dict[str, Scene] = {}
    for number in range(MAX_SCENES):
        scenes = with_scene(scenes, scene_of(name=f"{number}"))
    newer = scene_of(a_participant("anna"), name="3")
    assert with_scene(scenes, newer)["3"] is newer
    assert list(with_scene(scenes, newer))[-1] == "3"
    with pytest.raises(SceneLimitError):
        with_scene(scenes, scene_of(name="one more"))


def test_a_scene_is_not_too_large():
    crowd = [a_participant(f"{number}") for number in range(MAX_SCENE_STRIPS + 1)]
    assert len(scene_of(*crowd[1:]).strips) == MAX_SCENE_STRIPS
    with pytest.raises(SceneLimitError):
        scene_of(*crowd)


@given(st.sampled_from([StripSettings(), LOUD, QUIET]), st.booleans())
def test_scenes_travel_with_their_room(strip, automix):
    scene = scene_of(a_participant("anna", strip=strip), settings=RoomSettings(automix=automix))
    room = a_room(scenes={"Evening": scene})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(room), type=Room) == room


def test_the_largest_room_state_fits_into_a_frame():
    from webrtc.control.messages import MAX_FRAME_BYTES
    from webrtc.front_workers import put_room

    odd = {
        item.name: getattr(StripSettings(), item.name) + 0.001
        for item in msgspec.structs.fields(StripSettings)
        if isinstance(getattr(StripSettings(), item.name), float)
    }
    strip = StripSettings(**odd)
    crowd = [a_participant(f"{n:064d}", strip=strip) for n in range(MAX_SCENE_STRIPS)]
    scenes = {f"{n:064d}": scene_of(*crowd, name=f"{n:064d}") for n in range(MAX_SCENES)}
    room = a_room(scenes=scenes)
    assert len(msgspec.msgpack.encode(put_room(room))) < MAX_FRAME_BYTES
