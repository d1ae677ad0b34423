"""Strips that a page of another server looks at; frames go as bytes, time is virtual."""

import pytest

from dsp.compressor import CompressorSettings
from dsp.strip import StripBank, StripSettings
from mixer.arena import Arena, SourceArena
from mixer.exchange_frames import BusFrame
from mixer.room import RoomMixer
from rooms.bus import BusCodec
from rooms.replicas import number_of, worker_number
from tests.mixer.stage import Voice
from webrtc.control.messages import Meters, WatchMeters
from webrtc.media.far_meters import ASK_EVERY_S, LASTS_S, MOST_SPECTRA, MOST_STRIPS, FarMeters
from webrtc.media.hall import Room
from webrtc.media.metering import METERS_EVERY_S, Metering

ANNA = worker_number(number_of("anna"), 0)
BERT, BEN = (worker_number(number_of("bert"), index) for index in range(2))


class Net:
    """Servers that share one room.

    Attributes:
        ends: By number of the worker.
        sent: All frames, as they were sent.
    """

    def __init__(self) -> None:
        self.ends: dict[int, End] = {}
        self.sent: list[BusFrame] = []
        self.now_s = 1000.0
        self._codec = BusCodec()

    def add(self, number: int) -> "End":
        self.ends[number] = end = End(self, number)
        return end

    def carry(self, frame: BusFrame) -> None:
        self.sent.append(frame)
        message = self._codec.encode(frame, self.now_s)
        for number, end in self.ends.items():
            if number != frame.worker:
                arrived = self._codec.decode(message)
                end.far.handle(end.room, arrived.frame, self.now_s)

    def run(self, seconds: float) -> None:
        """Let all workers measure, and look after what they asked."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            for end in self.ends.values():
                end.room.mixer.tick(self.now_s)
                told = end.metering.take(self.now_s)
                if told is not None:
                    end.own.append(told)
            if round(self.now_s * 100) % 10 == 0:
                for end in self.ends.values():
                    end.far.look(self.now_s)
            self.now_s = round(self.now_s + 0.01, 2)


class End:
    """A worker.

    Attributes:
        own: What it measured for its own front process.
        told: What it passed on to it from others.
    """

    def __init__(self, net: Net, number: int) -> None:
        self.number = number
        self.own: list[Meters] = []
        self.told: list[Meters] = []
        self._net = net
        mixer = RoomMixer("r", SourceArena(), Arena(), "auto", StripBank())
        self.room = Room("studio", mixer, 0)
        self.room.awake = True
        self.metering = Metering()
        self.far = FarMeters(self, self.metering, self.told.append)

    def workers_of(self, room: Room) -> list[int]:
        return sorted(self._net.ends)

    def publish(self, frame: BusFrame) -> None:
        self._net.carry(frame)

    def speaks(self, name: str, csrc: int = 1) -> None:
        """Let somebody who is connected here be known everywhere."""
        voice = Voice(440.0, 0.3)
        voice.sings = True
        self.room.mixer.add_source(name, csrc, voice)
        for number, end in self._net.ends.items():
            if number != self.number:
                source = end.room.mixer.add_source(name, csrc, Voice(440.0), remote=True)
                source.foreign = number // 128 != self.number // 128

    def watch(self, *strips: str, spectra: tuple[str, ...] = ()) -> None:
        message = WatchMeters("studio", list(strips), list(spectra))
        self.metering.watch(self.room, message)
        self.far.watch(self.room, message)


@pytest.fixture
def net() -> Net:
    net = Net()
    for number in (ANNA, BERT, BEN):
        net.add(number)
    return net


def test_a_page_sees_what_a_strip_elsewhere_does(net: Net) -> None:
    anna, bert = net.ends[ANNA], net.ends[BERT]
    anna.speaks("Ada")
    squeezed = CompressorSettings(threshold_db=-40.0, ratio=10.0)
    anna.room.mixer.set_strip("Ada", StripSettings(compressor=squeezed))
    bert.watch("Ada", spectra=("Ada",))
    net.run(1.0)
    last = bert.told[-1]
    (strip,) = last.strips
    assert strip.participant_id == "Ada"
    assert strip.in_peak_db == pytest.approx(-10.5, abs=0.5)
    assert strip.comp_db < -10
    (spectrum,) = last.spectra
    assert max(spectrum.bands_db) == pytest.approx(strip.out_peak_db, abs=2)
    assert last.limiters == {"studio": 0.0}
    assert anna.own == bert.own == [], "nobody at Ada's server looks, and nobody at his is measured"


def test_meters_come_25_times_a_second_once_for_a_server(net: Net) -> None:
    net.ends[ANNA].speaks("Ada")
    for number in (BERT, BEN):  # both workers of a server are told what its pages look at
        net.ends[number].watch("Ada")
    net.run(4.0)
    first, second = min(BERT, BEN), max(BERT, BEN)
    assert len(net.ends[first].told) == pytest.approx(4.0 / METERS_EVERY_S, rel=0.1)
    assert net.ends[second].told == []
    assert not [frame for frame in net.sent if frame.worker == second]
    asked = [frame for frame in net.sent if frame.worker == first]
    assert len(asked) <= 4.0 / ASK_EVERY_S + 1


def test_nothing_travels_while_nobody_looks_elsewhere(net: Net) -> None:
    net.ends[ANNA].speaks("Ada")
    net.ends[BERT].speaks("Bob", 2)
    net.ends[BERT].watch("Bob", "nobody")
    net.ends[ANNA].watch("Ada", spectra=("Ada",))
    net.run(2.0)
    assert net.sent == []
    assert len(net.ends[ANNA].own) == len(net.ends[BERT].own) == 50


def test_each_sees_only_what_their_pages_look_at(net: Net) -> None:
    anna, bert = net.ends[ANNA], net.ends[min(BERT, BEN)]
    for csrc, name in enumerate(("Ada", "Alf"), 1):
        anna.speaks(name, csrc)
    anna.watch("Ada", spectra=("Ada",))
    bert.watch("Alf")
    net.run(1.0)
    assert {one.participant_id for it in anna.own for one in it.strips} == {"Ada"}
    assert {one.participant_id for it in bert.told for one in it.strips} == {"Alf"}
    assert not any(it.spectra for it in bert.told)


@pytest.mark.parametrize("how", ["the page is closed", "the front process is new", "it dies"])
def test_nobody_measures_for_those_who_look_no_more(net: Net, how: str) -> None:
    anna, bert = net.ends[ANNA], net.ends[min(BERT, BEN)]
    anna.speaks("Ada")
    bert.watch("Ada")
    net.run(1.0)
    assert anna.room.mixer.treatment.is_watched
    if how == "the page is closed":
        bert.watch()
    elif how == "the front process is new":
        bert.far.clear()
        bert.metering.clear()
    else:
        del net.ends[bert.number]
    net.run(LASTS_S + 0.5 if how == "it dies" else 0.5)
    assert not anna.room.mixer.treatment.is_watched
    sent = len(net.sent)
    net.run(1.0)
    assert len(net.sent) == sent


def test_who_moves_is_measured_where_they_are(net: Net) -> None:
    anna, bert = net.ends[ANNA], net.ends[min(BERT, BEN)]
    anna.speaks("Ada")
    bert.watch("Ada")
    net.run(1.0)
    for end in net.ends.values():
        end.room.mixer.remove_source("Ada")
    net.run(0.2)
    bert.speaks("Ada")
    net.run(1.0)
    bert.told.clear()
    bert.own.clear()
    net.run(1.0)
    assert bert.told == []
    assert len(bert.own) == 25
    assert not anna.room.mixer.treatment.is_watched


def test_nobody_asks_for_more_than_they_may(net: Net) -> None:
    anna, bert = net.ends[ANNA], net.ends[min(BERT, BEN)]
    names = [f"{number:03}" for number in range(MOST_STRIPS + 40)]
    for csrc, name in enumerate(names, 1):
        anna.speaks(name, csrc)
    bert.watch(*names, spectra=tuple(names))
    net.run(0.2)
    (asked,) = [frame.meters for frame in net.sent if frame.worker == bert.number]
    assert asked is not None
    assert asked.watched is not None
    assert (len(asked.watched), len(asked.drawn)) == (MOST_STRIPS, MOST_SPECTRA)
    size = max(len(BusCodec().encode(frame, 0.0)) for frame in net.sent)
    assert size < 16_000


def test_a_stranger_is_not_listened_to(net: Net) -> None:
    anna, stranger = net.ends[ANNA], net.add(worker_number(number_of("carl"), 0))
    anna.speaks("Ada")
    stranger.watch("Ada")
    stranger.far.look(net.now_s)
    assert anna.room.mixer.treatment.is_watched
    net.run(0.1)
    stranger.watch()
    stranger.far.look(net.now_s)
    del net.ends[stranger.number]  # it serves the room no more
    asked = net.sent[0]
    net.carry(asked)
    net.run(0.2)
    assert not anna.room.mixer.treatment.is_watched
