"""Meters of watched strips."""

import numpy as np
import pytest

from dsp.compressor import CompressorSettings
from dsp.spectrum import centres_hz
from dsp.strip import StripBank, StripSettings
from mixer.arena import Arena, SourceArena
from mixer.balance import BalanceSettings
from mixer.meters import SILENCE_DB
from mixer.room import RoomMixer
from mixer.treatment import Character
from tests.mixer.stage import Voice


class House:
    """A room of two who sing, with strips, on virtual time."""

    def __init__(self):
        self.room = RoomMixer("r", SourceArena(), Arena(), "auto", StripBank())
        self.voices = {}
        for csrc, (name, pitch_hz) in enumerate({"anna": 440.0, "ben": 1000.0}.items()):
            voice = self.voices[name] = Voice(pitch_hz, 0.1)
            voice.sings = True
            self.room.add_source(name, csrc, voice)
        self.room.add_listener("ear", 0, 0)
        self.now_s = 1000.0

    def run(self, blocks=4):
        for _ in range(blocks):
            self.room.tick(self.now_s)
            self.now_s += 0.01

    def meters(self, blocks=4):
        self.run(blocks)
        meters, spectra = self.room.treatment.take_meters(self.room.sources)
        return {meter.source_id: meter for meter in meters}, dict(spectra)


def test_only_those_who_are_watched_are_measured():
    house = House()
    assert house.meters() == ({}, {})
    house.room.treatment.watch(["anna", "nobody"], [])
    meters, spectra = house.meters()
    assert list(meters) == ["anna"]
    assert not spectra
    house.room.treatment.watch([], [])
    assert house.meters() == ({}, {})
    assert not house.room.treatment.is_watched


def test_levels_before_and_after_the_strip():
    house = House()
    house.room.set_strip("anna", StripSettings(trim_db=-12.0))
    house.room.treatment.watch(["anna", "ben"], [])
    house.meters(400)
    meters, _ = house.meters()
    anna, ben = meters["anna"], meters["ben"]
    assert anna.in_peak_db == pytest.approx(-20, abs=0.1)
    assert anna.in_rms_db == pytest.approx(-23, abs=0.1)
    assert anna.out_peak_db == pytest.approx(-32, abs=0.1)
    assert anna.out_rms_db == pytest.approx(-35, abs=0.1)
    assert ben.out_peak_db == ben.in_peak_db == pytest.approx(-20, abs=0.1)
    assert ben.short_term_lufs == pytest.approx(-20, abs=0.2)
    assert anna.short_term_lufs == pytest.approx(-32.7, abs=0.3)
    assert not ben.speaking, "a steady tone is no voice"


def test_reductions_and_automatic_gains_are_shown():
    house = House()
    house.room.set_strip("anna", StripSettings(compressor=CompressorSettings(-40, 4, knee_db=0)))
    house.room.treatment.balance = BalanceSettings(automix=True)
    house.room.treatment.watch(["anna", "ben"], [])
    house.meters(100)
    meters, _ = house.meters()
    assert meters["anna"].reductions.compressor_db == pytest.approx(-15, abs=0.5)
    assert meters["ben"].reductions == (0, 0, 0)
    assert meters["anna"].mix_db < meters["ben"].mix_db < 0


def test_a_spectrum_shows_the_pitch_after_the_strip():
    house = House()
    house.room.treatment.watch([], ["ben"])
    meters, spectra = house.meters(20)
    assert list(meters) == list(spectra) == ["ben"]
    assert centres_hz()[np.argmax(spectra["ben"].bands_db)] == pytest.approx(1000, rel=0.06)
    assert spectra["ben"].correlation == pytest.approx(0, abs=0.05), "a quarter of a turn apart"
    assert spectra["ben"].true_peak_db == pytest.approx(-20, abs=0.1)


def test_silence_is_told_at_once_and_then_every_second():
    house = House()
    house.room.treatment.watch(["anna"], ["anna"])
    house.meters(400)
    house.voices["anna"].sings = False
    falling = []
    for _ in range(120):
        meters, spectra = house.meters()
        falling += [meter.short_term_lufs for meter in meters.values()]
    assert falling[-1] == SILENCE_DB
    silent = [len(house.meters()[0]) for _ in range(100)]
    assert sum(silent) == 4
    assert not spectra
    house.voices["anna"].sings = True
    meters, spectra = house.meters()
    assert meters["anna"].in_peak_db > -30
    assert spectra


def test_who_has_said_nothing_yet_is_silent():
    house = House()
    house.voices["anna"].sings = False
    house.room.treatment.watch(["anna"], [])
    meters, _ = house.meters()
    assert meters["anna"].is_silent
    house.voices["anna"].sings = True
    meters, _ = house.meters(100)
    assert meters["anna"].short_term_lufs > SILENCE_DB


def test_nobody_sees_what_a_muted_source_does():
    house = House()
    house.room.treatment.watch(["anna"], ["anna"])
    house.run(20)
    house.room.mute_source("anna", True)
    meters, spectra = house.meters()
    assert meters["anna"].is_silent
    assert not spectra
    assert [len(house.meters()[0]) for _ in range(50)].count(1) == 2


def test_levels_tell_of_voices_where_nothing_better_is_installed(monkeypatch):
    monkeypatch.setattr("mixer.meters.make_detector", lambda beside: None)
    house = House()
    house.room.treatment.watch(["ben"], [])
    house.meters(40)
    assert house.meters()[0]["ben"].speaking


def test_the_highest_peak_since_the_last_time_counts():
    house = House()
    house.room.treatment.watch(["anna"], [])
    house.meters()
    house.voices["anna"].amplitude = 0.5
    house.run(1)
    house.voices["anna"].amplitude = 0.1
    meters, _ = house.meters(3)
    assert meters["anna"].in_peak_db == pytest.approx(-6, abs=0.1)
    assert meters["anna"].in_rms_db < -12


def test_who_leaves_is_not_shown_any_more():
    house = House()
    house.room.treatment.watch(["anna"], [])
    house.meters()
    house.room.remove_source("anna")
    house.run(5)
    assert house.meters() == ({}, {})


def test_only_who_is_watched_or_follows_is_shown_to_be_recognised():
    house = House()
    shown = []
    house.room.on_fetched = lambda sources, count, time: shown.append(
        {source.source_id for source in sources}
    )

    def told():
        shown.clear()
        house.run(10)
        return [set(names) for names in {frozenset(names) for names in shown}]

    house.run(10)
    assert told() == []
    house.room.treatment.watch(["anna"], [])
    assert told() == [{"anna"}]
    house.room.set_character("ben", Character(follows=True))
    assert told() == [{"anna", "ben"}]
    house.room.treatment.watch([], [])
    assert told() == [{"ben"}]
    house.room.set_character("ben", Character())
    assert told() == []
