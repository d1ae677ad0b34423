"""Sources that come as sound into a room that forwards: they are heard on tracks, too."""

import itertools
from collections import Counter

import numpy as np
import pytest

from dsp.strip import StripBank, StripSettings
from mixer.arena import Arena, SourceArena
from mixer.playout_packet import MediaPacket
from mixer.room import RoomMixer
from mixer.selection_candidate import Standing
from mixer.selection_settings import SelectionSettings
from tests.mixer.stage import Voice
from webrtc.media.forward import Forwarding
from webrtc.media.opus import Decoder

OUTPUTS = [4, 5]


class Table:
    """A forward table that notes what is sent.

    Attributes:
        sent: (rows, packet, samples, csrc), in order.
    """

    def __init__(self):
        self.sent = []

    def break_off(self, rows):
        pass

    def send(self, rows, packet, samples, csrc):
        self.sent.append((rows.tolist(), packet, samples, csrc))
        return len(rows)


class House:
    """A forward room with one listener, and voices in its mixer."""

    def __init__(self, ptime="auto"):
        self.table = Table()
        settings = SelectionSettings(max_speakers=2)
        self.forwarding = Forwarding("r", settings, self.table, Counter())
        self.mixer = RoomMixer("r", SourceArena(), Arena(), ptime, StripBank())
        self.now_s = 0.0
        self.forwarding.put_listener("ear", ["track1", "track2"], OUTPUTS)

    def come(self, name, csrc=9, sings=True):
        voice = Voice(440.0, 0.2)
        voice.sings = sings
        self.mixer.add_source(name, csrc, voice)
        return voice

    def run(self, seconds):
        for _ in range(round(seconds * 48_000 / self.mixer.block)):
            self.now_s += self.mixer.block / 48_000
            self.mixer.advance(self.now_s)
            self.forwarding.take_sounds(self.mixer, self.now_s)

    def packets(self):
        """Return what was sent since the last call."""
        sent, self.table.sent = self.table.sent, []
        return sent


@pytest.mark.parametrize("ptime", ["auto", 20])
def test_a_voice_leaves_in_packets_of_20_ms_that_sound_like_it(ptime):
    house = House(ptime)
    house.come("phone")
    house.run(1.0)
    sent = house.packets()
    assert len(sent) == pytest.approx(50, abs=1)
    assert all(len(rows) == 1 and rows[0] in OUTPUTS for rows, *_ in sent)
    assert {(samples, csrc) for _, _, samples, csrc in sent} == {(960, 9)}
    packets = [packet for _, packet, *_ in sent]
    for before, after in itertools.pairwise(packets):
        assert after.sequence == before.sequence + 1
        assert after.timestamp == before.timestamp + 960
    decoder, out = Decoder(), np.zeros((960, 2), np.float32)
    for packet in packets:
        decoder.decode(packet.payload, out)
    level = 10 * np.log10(float((out**2).mean()))
    assert level == pytest.approx(20 * np.log10(0.2 / np.sqrt(2)), abs=0.5)
    assert packets[-1].level_dbov == pytest.approx(-level, abs=1)


def test_its_strip_acts():
    house = House()
    house.come("phone")
    house.mixer.set_strip("phone", StripSettings(trim_db=-20.0))
    house.run(0.5)
    [*_, (_, packet, *_)] = house.packets()
    assert packet.level_dbov == pytest.approx(37, abs=1)


def test_nothing_is_encoded_while_it_rests_and_the_clock_goes_on():
    house = House()
    voice = house.come("phone")
    house.run(0.5)
    before = house.packets()
    voice.sings = False
    house.run(0.5)
    assert len(house.packets()) <= 1
    voice.sings = True
    house.run(0.5)
    [(_, first, *_), *_] = house.packets()
    assert first.sequence <= before[-1][1].sequence + 2
    assert first.timestamp - before[-1][1].timestamp == pytest.approx(24_000, abs=1920)


def test_muting_and_leaving_end_it_at_once():
    house = House()
    house.come("phone")
    house.run(0.5)
    house.packets()
    house.mixer.mute_source("phone", True)
    house.run(0.5)
    assert house.packets() == []
    house.mixer.mute_source("phone", False)
    house.run(0.5)
    assert house.packets() != []
    house.mixer.remove_source("phone")
    house.run(0.1)
    assert house.packets() == []
    assert "phone" not in house.forwarding.core.sources


def test_who_sends_packets_is_not_encoded_again_and_a_voice_may_begin_to():
    house = House()
    house.come("anna")
    house.forwarding.put_source(
        "anna", 1, muted=False, standing=Standing.ORDINARY, now_s=house.now_s
    )
    house.run(0.5)
    assert house.packets() == []
    house.come("phone")
    house.run(0.5)
    assert {csrc for *_, csrc in house.packets()} == {9}
    house.forwarding.put_source(
        "phone", 9, muted=False, standing=Standing.ORDINARY, now_s=house.now_s
    )
    house.run(0.5)
    assert house.packets() == []
    packet = MediaPacket(1, 0, b"\xfc\xff\xfe", house.now_s, level_dbov=20)
    assert house.forwarding.take("phone", packet)
    house.forwarding.remove_source("phone", house.now_s)
    house.run(0.5)
    assert house.packets() != []
