"""Solo: who solos somebody hears them alone, and nobody else notices."""

import pytest

from mixer.listener import PersonalGain
from tests.mixer.stage import Stage, is_gapless, loudest_step

SOLO = PersonalGain(solo=True)


def stage_of(*names, max_speakers=6):
    stage = Stage()
    stage.room.max_speakers = max_speakers
    for number, name in enumerate(names):
        stage.publish(name, 300 + 170 * number, 0.08 - 0.02 * number)
    for ear in ("desk", "ear"):
        stage.subscribe(ear)
    stage.tick(60)
    return stage


def hears(stage, ear):
    return {
        name: round(share, 2)
        for name, share in stage.shares(ear, stage.blocks[-3]).items()
        if share > 0.005
    }


def test_only_who_solos_hears_the_one_alone():
    stage = stage_of("anna", "ben", "carl")
    stage.room.set_gains("desk", {"ben": SOLO})
    stage.tick(20)
    assert hears(stage, "desk") == {"ben": 1.0}
    assert hears(stage, "ear") == {"anna": 1.0, "ben": 1.0, "carl": 1.0}


def test_several_can_be_soloed_with_their_personal_gains():
    stage = stage_of("anna", "ben", "carl")
    half = PersonalGain(gain_db=-6.0206, solo=True)
    muted_before = PersonalGain(muted=True, solo=True)
    stage.room.set_gains("desk", {"ben": half, "carl": muted_before})
    stage.tick(20)
    assert hears(stage, "desk") == {"ben": 0.5, "carl": 1.0}


def test_one_who_speaks_solos_too():
    stage = stage_of("anna", "ben", "carl")
    stage.subscribe("anna")
    stage.room.set_gains("anna", {"carl": SOLO})
    stage.tick(20)
    assert hears(stage, "anna") == {"carl": 1.0}
    assert hears(stage, "ear") == {"anna": 1.0, "ben": 1.0, "carl": 1.0}


def test_solo_reaches_those_who_are_not_among_the_loudest():
    stage = stage_of("anna", "ben", "carl", max_speakers=1)
    assert "carl" not in hears(stage, "ear")
    stage.room.set_gains("desk", {"carl": SOLO})
    stage.tick(20)
    assert hears(stage, "desk") == {"carl": 1.0}
    assert "carl" not in hears(stage, "ear")
    stage.room.set_gains("desk", {})
    stage.tick(20)
    assert hears(stage, "desk") == hears(stage, "ear")


@pytest.mark.parametrize("max_speakers", [1, 6])
def test_a_muted_one_is_not_heard_by_solo_either(max_speakers):
    stage = stage_of("anna", "ben", "carl", max_speakers=max_speakers)
    stage.room.set_gains("desk", {"carl": SOLO})
    stage.tick(20)
    stage.room.mute_source("carl", True)
    stage.tick(20)
    assert hears(stage, "desk") == {}
    stage.room.mute_source("carl", False)
    stage.tick(20)
    assert hears(stage, "desk") == {"carl": 1.0}


def test_a_solo_ends_with_the_one_who_is_gone_and_begins_again_with_their_return():
    stage = stage_of("anna", "ben")
    stage.room.set_gains("desk", {"ben": SOLO})
    stage.tick(20)
    stage.room.remove_source("ben")
    stage.tick(20)
    assert hears(stage, "desk") == {"anna": 1.0}
    stage.publish("ben", 470)
    stage.tick(60)
    assert hears(stage, "desk") == {"ben": 1.0}


@pytest.mark.parametrize("max_speakers", [1, 6])
def test_solo_and_back_neither_clicks_nor_leaves_a_gap(max_speakers):
    stage = stage_of("anna", "ben", "carl", max_speakers=max_speakers)
    voices = [source.playout for source in stage.room.sources.values()]
    for gains in ({"carl": SOLO}, {}, {"ben": SOLO, "carl": SOLO}, {"ben": SOLO}, {}):
        stage.room.set_gains("desk", gains)
        stage.tick(15)
    assert stage.steps("desk") <= 1.5 * loudest_step(voices)
    assert is_gapless(stage.tapes["desk"])
