"""What a publisher's strip settings mean to the processing, and what people hear of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dsp.chorus import ChorusSettings
from dsp.compressor import CompressorSettings
from dsp.delay import DelaySettings
from dsp.gate import GateSettings
from dsp.limiter import LimiterSettings
from dsp.presets import PRESETS
from dsp.reverb import ReverbSettings
from dsp.stereo import StereoSettings
from dsp.strip import FLAT, StripBank, StripSettings
from dsp.strip_values import strip_of
from mixer.arena import Arena, SourceArena
from mixer.room import RoomMixer
from rooms.strip import DEFAULT_STRIP, to_wire
from tests.mixer.stage import Voice
from tests.rooms.test_strip import RANGES
from webrtc.media.strips import strip_settings

BLOCKS = 100


def test_what_nobody_changed_is_flat():
    assert strip_settings({}) is FLAT
    assert strip_settings(to_wire(DEFAULT_STRIP)) is FLAT


@pytest.mark.parametrize(
    ("bypass", "stage"),
    [
        ("highPassBypass", "high_pass"),
        ("gateBypass", "gate"),
        ("compBypass", "compressor"),
        ("eqBypass", "equaliser"),
        ("chorusBypass", "chorus"),
        ("delayBypass", "delay"),
        ("reverbBypass", "reverb"),
    ],
)
def test_a_bypass_takes_its_stage_away_and_no_other(bypass, stage):
    busy = {
        **{"highPass": 90.0, "gateThreshold": -40.0, "compRatio": 3.0, "makeupGain": 4.0},
        **{"eq1Gain": 2.0, "eq3Gain": -2.0, "eq5Gain": 2.0},
        **{"chorusMix": 20.0, "delayMix": 20.0, "reverbMix": 20.0, "pan": 0.5},
    }
    everything = strip_settings(busy)
    without = strip_settings({**busy, bypass: True})
    assert getattr(everything, stage) is not None
    assert without == replace(everything, **{stage: None})
    assert strip_settings({bypass: True}) is FLAT


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
        ("chorusMix", 50.0, "chorus"),
        ("delayMix", 25.0, "delay"),
        ("reverbMix", 25.0, "reverb"),
        ("fader", -3.0, "fader_db"),
        ("limiterCeiling", -6.0, "limiter"),
    ],
)
def test_each_setting_brings_its_stage_and_the_limiter(name, value, stage):
    settings = strip_settings({name: value})
    assert getattr(settings, stage)
    assert settings.limiter is not None
    assert settings.limiter.ceiling_dbtp == (-6.0 if stage == "limiter" else -1.0)
    others = {
        "high_pass", "gate", "compressor", "equaliser", "stereo", "chorus", "delay", "reverb"
    } - {stage}  # fmt: skip
    assert [other for other in others if getattr(settings, other) is not None] == []


@given(st.data())
def test_every_setting_in_range_is_understood(data):
    wire = {"limiterCeiling": -6.0}
    for name in data.draw(st.lists(st.sampled_from(sorted(RANGES)), unique=True)):
        wire[name] = data.draw(st.floats(*RANGES[name]))
    assume(wire["limiterCeiling"] != to_wire(DEFAULT_STRIP)["limiterCeiling"])  # alone it is off
    assert strip_settings(wire).limiter.ceiling_dbtp == wire["limiterCeiling"]


def test_values_reach_their_stages():
    wire = {
        "gateThreshold": -40.0, "gateHysteresis": 3.0, "gateHold": 30.0, "gateAttack": 5.0,
        "gateRelease": 70.0, "gateRange": -20.0, "compThreshold": -30.0, "compRatio": 6.0,
        "compKnee": 2.0, "compAttack": 7.0, "compRelease": 80.0, "makeupGain": 4.0,
        "autoMakeup": True, "sidechainHighPass": 90.0, "limiterCeiling": -2.0,
        "limiterRelease": 90.0, "chorusMix": 10.0, "chorusRate": 2.0, "chorusDepth": 30.0,
        "delayMix": 20.0, "delayTime": 111.0, "delayFeedback": 44.0, "delayDamping": 55.0,
        "reverbMix": 33.0, "reverbSize": 66.0, "reverbDecay": 3.0, "reverbDamping": 77.0,
        "reverbPreDelay": 88.0, "stereoWidth": 150.0, "pan": 0.5, "fader": -9.0,
    }  # fmt: skip
    assert strip_settings(wire) == StripSettings(
        gate=GateSettings(-40, 3, 30, 5, 70, -20),
        compressor=CompressorSettings(-30, 6, 2, 7, 80, 4, True, 90),
        chorus=ChorusSettings(2, 30, 10),
        delay=DelaySettings(111, 44, 55, 20),
        reverb=ReverbSettings(66, 3, 77, 88, 33),
        stereo=StereoSettings(150, 0.5),
        limiter=LimiterSettings(-2, 90),
        fader_db=-9,
    )


def test_what_belongs_to_an_effect_that_is_off_leaves_the_strip_flat():
    assert strip_settings({"reverbDecay": 5.0, "delayTime": 100.0, "gateHold": 30.0}) is FLAT


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_means_the_same_by_the_wire_and_in_a_script(preset):
    assert strip_settings({"preset": preset}) == strip_of(PRESETS[preset])
    assert strip_of(PRESETS[preset]).is_flat == (preset == "flat")


class House:
    """A room of one who sings and one who listens, with the worker's strips."""

    def __init__(self):
        self.strips = StripBank()
        self.room = RoomMixer("r", SourceArena(), Arena(), "auto", self.strips)
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


def test_a_room_rings_on_after_its_last_sound_and_then_falls_asleep():
    house = House()
    house.room.set_strip("singer", strip_settings({"reverbMix": 50.0, "reverbDecay": 1.0}))
    house.hear()
    house.voice.sings = False
    tail = house.hear(40)[4800:]
    assert rms_db(tail) > -50
    source = house.room.sources["singer"]
    for _ in range(600):
        if house.room.is_dormant:
            break
        assert source.present or not house.strips.rings(source.row)
        house.hear(2)
    assert house.room.is_dormant
    assert not source.present
    assert not house.strips._tables.memory.arrays


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
