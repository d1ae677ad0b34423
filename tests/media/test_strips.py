"""What a publisher's strip settings mean to the processing, and what people hear of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.strip import FLAT, StripBank
from mixer.arena import Arena
from mixer.room import RoomMixer
from rooms.strip import DEFAULT_STRIP, changed, to_wire
from tests.mixer.stage import Voice
from webrtc.media.strips import strip_settings

BLOCKS = 100


def test_what_nobody_changed_is_flat():
    assert strip_settings({}) is FLAT
    assert strip_settings(to_wire(DEFAULT_STRIP)) is FLAT


@pytest.mark.parametrize(
    ("name", "value", "stage"),
    [
        ("inputTrim", 3.0, "trim_db"),
        ("highPass", 80.0, "high_pass"),
        ("gateThreshold", -40.0, "gate"),
        ("compRatio", 4.0, "compressor"),
        ("makeupGain", 6.0, "compressor"),
        ("eq1Gain", 3.0, "equaliser"),
        ("eq5Gain", -3.0, "equaliser"),
        ("stereoWidth", 150.0, "stereo"),
        ("pan", -0.5, "stereo"),
        ("limiterCeiling", -6.0, "limiter"),
    ],
)
def test_each_setting_brings_its_stage_and_the_limiter(name, value, stage):
    settings = strip_settings({name: value})
    assert getattr(settings, stage)
    assert settings.limiter is not None
    assert settings.limiter.ceiling_dbtp == (-6.0 if stage == "limiter" else -1.0)
    others = {"high_pass", "gate", "compressor", "equaliser", "stereo"} - {stage}
    assert [other for other in others if getattr(settings, other) is not None] == []


@given(st.data())
def test_every_setting_in_range_is_understood(data):
    wire = dict(to_wire(DEFAULT_STRIP))
    for name, low, high in (
        ("inputTrim", -24, 24),
        ("highPass", 20, 400),
        ("gateThreshold", -60, -20),
        ("compThreshold", -60, 0),
        ("compRatio", 1, 20),
        ("compAttack", 0.1, 200),
        ("compRelease", 5, 2000),
        ("makeupGain", 0, 24),
        ("eq3Freq", 20, 20_000),
        ("eq3Gain", -18, 18),
        ("eq3Q", 0.1, 10),
        ("limiterCeiling", -20, 0),
        ("stereoWidth", 0, 200),
        ("pan", -1, 1),
    ):
        wire[name] = data.draw(st.floats(low, high))
    changed(DEFAULT_STRIP, wire)
    assert strip_settings(wire).limiter is not None


class House:
    """A room of one who sings and one who listens, with the worker's strips."""

    def __init__(self):
        self.strips = StripBank()
        self.room = RoomMixer("r", Arena(), Arena(), "auto", self.strips)
        self.voice = Voice(300.0, 0.25)
        self.voice.sings = True
        self.room.add_source("singer", 1, self.voice)
        self.room.add_listener("ear", 0, 0)
        self.now_s = 1000.0

    def hear(self, blocks=BLOCKS):
        heard = []
        for _ in range(blocks):
            due = self.room.tick(self.now_s)
            heard += [self.room.sound(output).copy() for output in due]
            self.now_s += 0.01
        return np.concatenate(heard)


def rms_db(sound):
    return 10 * np.log10(np.mean(sound[len(sound) // 2 :] ** 2))


@pytest.mark.parametrize(
    ("settings", "gain_db"),
    [
        ({"inputTrim": -12.0}, -12.0),
        ({"eq3Freq": 300.0, "eq3Gain": 6.0}, 6.0),
        ({"gateThreshold": -20.0, "inputTrim": -24.0}, -84.0),
    ],
)
def test_a_listener_hears_the_strip(settings, gain_db):
    house = House()
    before = rms_db(house.hear())
    house.room.set_strip("singer", strip_settings(settings))
    house.hear()
    assert rms_db(house.hear()) - before == pytest.approx(gain_db, abs=0.3)


def test_a_strip_comes_and_goes_without_a_click():
    house = House()
    sound = [house.hear()]
    for settings in ({"inputTrim": -24.0}, {}, {"eq3Gain": 18.0, "compRatio": 20.0}, {}):
        house.room.set_strip("singer", strip_settings(settings))
        sound.append(house.hear(20))
    steps = np.abs(np.diff(np.concatenate(sound)[4800:], axis=0))
    assert steps.max() < 3 * house.voice.steepest()


def test_a_strip_that_became_flat_costs_nothing_any_more():
    house = House()
    house.hear(10)
    house.room.set_strip("singer", strip_settings({"inputTrim": -6.0}))
    house.hear(10)
    row = house.room.sources["singer"].row
    assert not house.strips.is_flat(row)
    house.room.set_strip("singer", strip_settings({}))
    house.hear(10)
    assert house.strips.is_flat(row)
    assert not house.room._treats


def test_who_comes_next_does_not_inherit_a_strip():
    house = House()
    house.room.set_strip("singer", strip_settings({"inputTrim": -24.0}))
    house.hear()
    house.room.remove_source("singer")
    house.hear()
    plain = House().hear()
    house.room.add_source("another", 2, Voice(300.0, 0.25)).playout.sings = True
    assert rms_db(house.hear()) == pytest.approx(rms_db(plain), abs=0.1)
