"""Gains that move by themselves, as people in the room hear them."""

import numpy as np
import pytest

from dsp import denoiser
from dsp.leveller import LevellerSettings
from dsp.loudness import integrated_lufs
from dsp.units import SettingsError
from mixer.balance import AS_IT_IS, BalanceSettings
from mixer.treatment import Character
from tests.mixer.stage import Stage, is_gapless, loudest_step

needs_denoiser = pytest.mark.skipif(
    "webrtc" not in denoiser.engines(), reason="pywebrtc-audio is missing"
)


def stage_of(**pitches):
    """Return a stage on which these sing and `ear` listens."""
    stage = Stage(10)
    voices = {name: stage.publish(name, pitch) for name, pitch in pitches.items()}
    stage.subscribe("ear")
    return stage, voices


def set_balance(stage, **settings):
    stage.room.treatment.balance = BalanceSettings(**settings)


def heard_db(stage, blocks=40):
    """Return with which gain the ear hears everybody, in dB, in the latest blocks."""
    found = [stage.shares("ear", block) for block in stage.blocks[-blocks:]]
    shares = [one for one in found if one]
    names = shares[-1]
    return {name: 20 * np.log10(np.mean([one[name] for one in shares])) for name in names}


def test_two_who_sing_equally_loud_are_three_decibels_down_each():
    stage, _ = stage_of(anna=440, ben=700)
    stage.tick(100)
    assert heard_db(stage) == pytest.approx({"anna": 0, "ben": 0}, abs=0.05)
    set_balance(stage, automix=True)
    stage.tick(100)
    assert heard_db(stage) == pytest.approx({"anna": -3, "ben": -3}, abs=0.2)


def test_one_of_two_has_the_whole_gain_while_the_other_is_silent():
    stage, voices = stage_of(anna=440, ben=700)
    set_balance(stage, automix=True)
    stage.tick(100)
    voices["ben"].sings = False
    stage.tick(200)
    assert heard_db(stage) == pytest.approx({"anna": 0}, abs=0.2)


def test_those_who_sing_hear_the_same_balance():
    stage, _ = stage_of(anna=440, ben=700)
    stage.subscribe("anna")
    set_balance(stage, automix=True)
    stage.tick(100)
    share = stage.shares("anna", stage.blocks[-3])
    assert share["anna"] < 1e-3
    assert share["ben"] == pytest.approx(10 ** (-3 / 20), abs=0.02)


def test_switching_automix_never_clicks_nor_leaves_a_gap():
    stage, voices = stage_of(anna=440, ben=700)
    stage.tick(50)
    for automix in (True, False, True):
        set_balance(stage, automix=automix)
        stage.tick(50)
    assert stage.steps("ear") <= 1.2 * loudest_step(voices.values())
    assert is_gapless(stage.tapes["ear"])


def test_switched_off_everything_is_as_it_was_and_costs_nothing():
    stage, _ = stage_of(anna=440, ben=700)
    set_balance(stage, automix=True, target_lufs=-16.0)
    stage.tick(300)
    stage.room.treatment.balance = AS_IT_IS
    stage.tick(600)
    assert heard_db(stage) == pytest.approx({"anna": 0, "ben": 0}, abs=0.01)
    assert not stage.room.treatment._balance.is_on


def test_music_goes_down_under_a_voice_and_comes_back():
    stage, voices = stage_of(band=440, host=700)
    stage.room.set_character("band", Character(is_music=True))
    voices["host"].sings = False
    set_balance(stage, ducking_db=12.0, automix=True)
    stage.tick(200)
    assert heard_db(stage) == pytest.approx({"band": 0}, abs=0.1)
    voices["host"].sings = True
    stage.tick(100)
    assert heard_db(stage) == pytest.approx({"band": -12, "host": 0}, abs=0.3)
    voices["host"].sings = False
    stage.tick(500)
    assert heard_db(stage) == pytest.approx({"band": 0}, abs=0.1)


@pytest.mark.parametrize("target_lufs", [-30.0, -20.0])
def test_a_room_comes_to_its_target(target_lufs):
    stage, _ = stage_of(anna=440, ben=700)
    set_balance(stage, target_lufs=target_lufs)
    stage.tick(800)
    sound = stage.tapes["ear"].sound[-48_000:]
    assert integrated_lufs(sound) == pytest.approx(target_lufs, abs=1.0)
    alike = heard_db(stage)
    assert alike["anna"] == pytest.approx(alike["ben"], abs=0.05)


def test_a_target_moves_the_mix_slowly_and_not_without_bound():
    stage, _ = stage_of(anna=440)
    stage.tick(50)
    set_balance(stage, target_lufs=-10.0)
    stage.tick(100)
    assert heard_db(stage, 5)["anna"] < 6.5
    stage.tick(1000)
    assert heard_db(stage, 5)["anna"] <= 12.01


def test_personal_gains_stay_what_they_were_against_the_balance():
    from mixer.listener import PersonalGain

    stage, _ = stage_of(anna=440, ben=700)
    stage.room.set_gains("ear", {"anna": PersonalGain(-6.0)})
    set_balance(stage, automix=True)
    stage.tick(100)
    assert heard_db(stage) == pytest.approx({"anna": -9, "ben": -3}, abs=0.2)


class Syllables:
    """A playout that sings with the rise and fall of a voice."""

    def __init__(self, voice):
        self._voice = voice
        self._block = 0

    def __getattr__(self, name):
        return getattr(self._voice, name)

    def pull(self, out, now_s):
        pulled = self._voice.pull(out, now_s)
        t = (self._block * len(out) + np.arange(len(out))) / 48_000
        out *= (0.02 + np.clip(np.sin(2 * np.pi * 3 * t), 0, 1))[:, None].astype(np.float32)
        self._block += 1
        return pulled


@pytest.mark.parametrize("amplitude", [0.02, 0.5])
def test_a_levelled_source_is_heard_at_its_target(amplitude):
    stage, voices = stage_of(anna=440)
    voices["anna"].amplitude = amplitude
    stage.room.sources["anna"].playout = Syllables(voices["anna"])
    stage.room.set_character("anna", Character(leveller=LevellerSettings(-23.0)))
    stage.tick(600)
    sound = stage.tapes["ear"].sound[-144_000:]
    assert integrated_lufs(sound) == pytest.approx(-23.0, abs=1.5)
    stage.room.set_character("anna", Character())
    stage.tick(100)
    assert not stage.room.treatment._levelled


def test_a_row_that_changes_hands_is_not_levelled_any_more():
    stage, voices = stage_of(anna=440)
    stage.room.set_character("anna", Character(leveller=LevellerSettings()))
    stage.room.sources["anna"].playout = Syllables(voices["anna"])
    stage.tick(100)
    row = stage.room.sources["anna"].row
    stage.room.remove_source("anna")
    stage.tick(10)
    stage.publish("ben", 700)
    assert stage.room.sources["ben"].row == row
    stage.tick(50)
    assert heard_db(stage, 10)["ben"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("wrong", [{"ducking_db": 41.0}, {"target_lufs": -9.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        BalanceSettings(**wrong)


@needs_denoiser
def test_a_steady_tone_is_taken_for_noise_and_comes_back():
    stage, _ = stage_of(hum=440)
    stage.room.set_character("hum", Character(denoise="webrtc"))
    stage.tick(300)
    assert heard_db(stage)["hum"] < -6
    stage.room.set_character("hum", Character())
    stage.tick(50)
    assert heard_db(stage, 10)["hum"] == pytest.approx(0, abs=0.01)
    assert not stage.room.treatment._denoisers
    assert stage.steps("ear") < 0.02


@needs_denoiser
def test_who_is_gone_leaves_no_denoiser_behind():
    stage, _ = stage_of(hum=440)
    stage.room.set_character("hum", Character(denoise="webrtc"))
    stage.room.remove_source("hum")
    stage.tick(10)
    assert not stage.room.treatment._denoisers


@pytest.mark.skipif(len(denoiser.engines()) < 2, reason="only one engine is installed")
def test_one_engine_leaves_before_another_comes():
    stage, _ = stage_of(hum=440)
    stage.room.set_character("hum", Character(denoise="webrtc"))
    stage.tick(100)
    assert stage.room.strip_delay_samples("hum") == 335
    stage.room.set_character("hum", Character(denoise="rnnoise"))
    stage.tick(100)
    assert stage.room.strip_delay_samples("hum") == 960 + stage.room.block
    stage.room.set_character("hum", Character())
    stage.tick(50)
    assert heard_db(stage, 10)["hum"] == pytest.approx(0, abs=0.01)
    assert stage.room.strip_delay_samples("hum") == 0
    assert stage.steps("ear") < 0.02


def test_without_the_package_a_source_sounds_as_it_is(monkeypatch):
    monkeypatch.setattr("mixer.treatment.engines", lambda: ())
    stage, _ = stage_of(hum=440)
    stage.room.set_character("hum", Character(denoise="webrtc"))
    stage.tick(100)
    assert heard_db(stage)["hum"] == pytest.approx(0, abs=0.01)
    assert stage.room.strip_delay_samples("hum") == 0
