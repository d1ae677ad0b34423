"""Nothing is done to the sound of those whom nobody may hear."""

import numpy as np
import pytest

from dsp.compressor import CompressorSettings
from dsp.delay import DelaySettings
from dsp.leveller import LevellerSettings
from dsp.strip import StripBank, StripSettings
from mixer.arena import Arena, SourceArena
from mixer.room import RoomMixer
from mixer.treatment import Automatics, Character
from tests.mixer.stage import Voice

STRIP = StripSettings(trim_db=6.0, compressor=CompressorSettings(-40, 4))


class House:
    """A room with strips, in which everybody sings; `rows` are those treated in the last block."""

    def __init__(self, **voices):
        self.strips = StripBank()
        self.automatics = Automatics()
        self.rows = {}
        self._watch("strips", self.strips)
        self._watch("levellers", self.automatics.levellers)
        sources = SourceArena(4)
        self.room = RoomMixer("r", sources, Arena(4), 10, self.strips, self.automatics)
        for number, (name, pitch) in enumerate(voices.items()):
            voice = Voice(pitch)
            voice.sings = True
            self.room.add_source(name, number + 1, voice)
        self.room.add_listener("ear", 1, 0)
        self.now_s = 1.0

    def _watch(self, name, bank):
        process = bank.process

        def noting(arena, rows, first, count):
            self.rows[name] = rows.tolist()
            process(arena, rows, first, count)

        bank.process = noting

    def run(self, blocks):
        """Return what the ear hears."""
        heard = []
        for _ in range(blocks):
            self.rows = {}
            heard += [self.room.sound(output).copy() for output in self.room.tick(self.now_s)]
            self.now_s += 0.01
        return np.concatenate(heard) if heard else np.zeros((0, 2), np.float32)

    def row(self, name):
        return self.room.sources[name].row


def test_the_muted_are_not_treated_and_the_others_are():
    house = House(anna=300, ben=440)
    for name in ("anna", "ben"):
        house.room.set_strip(name, STRIP)
        house.room.set_character(name, Character(leveller=LevellerSettings()))
    house.run(10)
    both = [house.row("anna"), house.row("ben")]
    assert house.rows == {"strips": both, "levellers": both}
    house.room.mute_source("anna", True)
    house.run(3)
    assert house.rows == {"strips": both[1:], "levellers": both[1:]}
    house.room.mute_source("anna", False)
    house.run(1)
    assert house.rows == {"strips": both, "levellers": both}


@pytest.mark.parametrize("strip", [STRIP, StripSettings(delay=DelaySettings(100, 50))])
def test_muting_and_unmuting_does_not_click(strip):
    house = House(anna=300)
    house.room.set_strip("anna", strip)
    steady = house.run(100)
    house.room.mute_source("anna", True)
    muted = house.run(20)
    assert not muted[-960:].any()
    house.room.mute_source("anna", False)
    back = house.run(100)
    sound = np.concatenate([steady, muted, back])[48_00:]
    step = np.abs(np.diff(steady[24_000:], axis=0)).max()
    assert np.abs(np.diff(sound, axis=0)).max() <= 1.3 * step
    assert np.abs(back[-4800:]).max() == pytest.approx(np.abs(steady[-4800:]).max(), rel=0.05)


def test_what_a_muted_strip_held_is_not_heard_later():
    house = House(anna=300)
    house.room.set_strip("anna", StripSettings(delay=DelaySettings(300, 0, 0, 100)))
    house.run(50)
    house.room.mute_source("anna", True)
    house.run(5)
    house.room.sources["anna"].playout.sings = False
    house.run(5)
    house.room.mute_source("anna", False)
    assert not house.run(50).any()


def test_settings_that_come_meanwhile_are_those_of_the_strip_when_it_is_back():
    house = House(anna=300)
    house.room.set_strip("anna", StripSettings(trim_db=6.0))
    loud = np.abs(house.run(50)[-4800:]).max()
    house.room.mute_source("anna", True)
    house.run(5)
    house.room.set_strip("anna", StripSettings(trim_db=-6.0))
    house.room.mute_source("anna", False)
    assert np.abs(house.run(50)[-4800:]).max() == pytest.approx(loud / 4, rel=0.02)
