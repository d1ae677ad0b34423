"""Samples to one's own machine, packets to others."""

import msgspec
import numpy as np
import pytest

from mixer.exchange_frames import BusFrame, RosterEntry, Sound
from rooms.bus import Arrived
from rooms.replicas import number_of, worker_number
from tests.rooms.bus_contract import a_forward_frame, a_frame, a_meter_frame
from webrtc.media.bus_sound import KEPT_S, SoundPacker, SoundUnpacker
from webrtc.media.wide_bus import WideBus

HERE, THERE = number_of("here"), number_of("there")


class Bus:
    """Notes what is shared and published, and hands out what a test puts into it."""

    def __init__(self):
        self.counters = {"bus_sent": 1}
        self.shared = {}
        self.published = []
        self.waiting = []
        self.closed = False

    def share(self, room_id, workers):
        self.shared[room_id] = list(workers)

    def publish(self, frame):
        self.published.append(frame)

    def flush(self):
        self.flushed = len(self.published)

    def take(self):
        taken, self.waiting = self.waiting, []
        return taken

    def on_arrival(self, tell):
        self.tell = tell

    def close(self):
        self.closed = True


def tone(pitch_hz, number, samples=960):
    seconds = (np.arange(samples) + number * samples) / 48_000
    wave = 0.3 * np.sin(2 * np.pi * pitch_hz * seconds)
    return np.stack([wave, wave], 1).astype("<f4")


def said(number, pitches, worker=0, samples=960, roster=True):
    names = [RosterEntry(f"voice {pitch}", pitch) for pitch in pitches]
    sounds = [
        Sound(place, tone(pitch, number, samples).tobytes()) for place, pitch in enumerate(pitches)
    ]
    levels = bytes(3 * len(pitches))
    return BusFrame(
        "studio",
        worker,
        number,
        number * samples,
        samples,
        7 + len(pitches),
        names if roster else None,
        levels,
        sounds,
    )


def pitch_of(pcm):
    spectrum = np.abs(np.fft.rfft(pcm[:, 0] * np.hanning(len(pcm))))
    return np.argmax(spectrum) * 48_000 / len(pcm)


@pytest.fixture
def wide():
    near, far = Bus(), Bus()
    return WideBus(near, far, worker_number(HERE, 0), lambda: 0.0), near, far


def test_workers_are_reached_by_the_bus_that_reaches_them(wide):
    bus, near, far = wide
    sibling, stranger = worker_number(HERE, 1), worker_number(THERE, 0)
    bus.share("studio", [sibling, stranger])
    assert (near.shared, far.shared) == ({"studio": [sibling]}, {"studio": [stranger]})
    bus.publish(a_frame())
    assert near.published == [a_frame()]
    assert len(far.published) == 1


def test_a_bus_with_nobody_on_it_is_not_looked_at_until_it_says_so(wide):
    bus, near, _far = wide
    told = []
    bus.on_arrival(lambda: told.append(True))
    bus.share("studio", [worker_number(HERE, 0), worker_number(THERE, 0)])
    near.waiting = [Arrived(a_frame(), 5.0)]
    assert bus.take() == []
    near.tell()  # of somebody who thinks that we share a room: it must not stay there
    assert told == [True]
    assert [one.frame for one in bus.take()] == [a_frame()]
    near.waiting = [Arrived(a_frame(), 5.0)]
    assert bus.take() == []
    bus.share("studio", [worker_number(HERE, 1), worker_number(THERE, 0)])
    assert [one.frame for one in bus.take()] == [a_frame()]
    bus.share("studio", [])
    near.waiting = [Arrived(a_frame(), 5.0)]
    assert bus.take() == []


def test_what_was_put_aside_leaves_both(wide):
    bus, near, far = wide
    bus.share("studio", [worker_number(HERE, 1), worker_number(THERE, 0)])
    bus.publish(a_frame())
    bus.flush()
    assert (near.flushed, far.flushed) == (1, 1)


def test_meters_go_to_others_as_they_are(wide):
    bus, near, far = wide
    bus.share("studio", [worker_number(THERE, 0)])
    bus.publish(a_meter_frame())
    assert near.published == far.published == [a_meter_frame()]
    far.waiting = [Arrived(a_meter_frame(), 5.0)]
    assert [one.frame for one in bus.take()] == [a_meter_frame()]


def test_a_room_that_is_on_one_machine_is_not_encoded(wide):
    bus, near, far = wide
    bus.share("studio", [worker_number(HERE, 1)])
    bus.publish(a_frame())
    bus.share("studio", [worker_number(THERE, 1)])
    bus.share("studio", [])
    bus.publish(a_frame())
    assert len(near.published) == 2
    assert far.published == []


def test_what_comes_by_both_is_taken_and_told_of(wide):
    bus, near, far = wide
    told = []
    bus.on_arrival(lambda: told.append(True))
    near.tell()
    far.tell()
    assert len(told) == 2
    packed = SoundPacker().pack(said(1, [440]), 0.0)
    near.waiting, far.waiting = [Arrived(a_frame(), 1.0)], [Arrived(packed, 2.0)]
    first, second = bus.take()
    assert first == Arrived(a_frame(), 1.0)
    assert second.arrival_s == 2.0
    assert len(second.frame.sounds[0].pcm) == 960 * 8
    assert bus.counters == {"bus_sent": 2, "far_bus_sent": 1, "bus_malformed": 0}
    bus.close()
    assert near.closed
    assert far.closed


@pytest.mark.parametrize("samples", [480, 960])
def test_each_voice_is_heard_as_it_was_said(samples):
    packer, unpacker = SoundPacker(), SoundUnpacker()
    heard = {400: [], 1000: []}
    for number in range(20):
        frame = said(number, [400, 1000], samples=samples, roster=number == 0)
        packed = packer.pack(frame, number * 0.02)
        assert max(len(sound.pcm) for sound in packed.sounds) < samples * 8 / 10
        for pitch, sound in zip(heard, unpacker.unpack(packed, 0.0).sounds, strict=True):
            heard[pitch].append(np.frombuffer(sound.pcm, "<f4").reshape(-1, 2))
    for pitch, blocks in heard.items():
        whole = np.concatenate(blocks)[4800 * samples // 960 :]
        assert abs(pitch_of(whole) - pitch) < 10
        assert 0.18 < np.sqrt(np.mean(whole**2)) < 0.24  # 0.3 / √2


def test_a_voice_keeps_its_coders_when_others_come_and_go():
    packer, unpacker = SoundPacker(), SoundUnpacker()
    heard = []
    for number in range(30):
        others = [1000] if 10 <= number < 20 else []
        frame = said(number, [*others, 400])
        sounds = unpacker.unpack(packer.pack(frame, 0.0), 0.0).sounds
        heard.append(np.frombuffer(sounds[-1].pcm, "<f4").reshape(-1, 2))
    steps = np.abs(np.diff(np.concatenate(heard[2:])[:, 0]))
    assert steps.max() < 1.5 * 0.3 * 2 * np.pi * 400 / 48_000  # no click anywhere


def test_sound_of_nobody_who_is_known_is_left_out():
    frame = said(1, [400], roster=False)
    assert SoundPacker().pack(frame, 0.0).sounds == []
    packed = SoundPacker().pack(said(1, [400]), 0.0)
    assert SoundUnpacker().unpack(msgspec.structs.replace(packed, roster=None), 0.0).sounds == []


def test_what_is_no_packet_is_counted_and_left_out():
    unpacker = SoundUnpacker()
    frame = msgspec.structs.replace(said(1, [400]), sounds=[Sound(0, b""), Sound(5, b"x")])
    assert unpacker.unpack(frame, 0.0).sounds == []
    assert unpacker.malformed == 1
    short = msgspec.structs.replace(SoundPacker().pack(said(1, [400]), 0.0), samples=480)
    assert unpacker.unpack(short, 0.0).sounds == []
    assert unpacker.unpack(msgspec.structs.replace(short, samples=10**9), 0.0).sounds == []


def test_coders_of_who_is_silent_are_let_go():
    packer = SoundPacker()
    packer.pack(said(1, [400, 1000]), 10.0)
    packer.pack(said(2, [400]), 10.0 + KEPT_S / 2)
    packer.pack(said(3, [400]), 10.1 + KEPT_S)
    assert [key[2] for key in packer._voices._voices] == ["voice 400"]


def test_packets_that_are_forwarded_go_both_ways_as_they_are():
    near, far = Bus(), Bus()
    bus = WideBus(near, far, worker_number(HERE, 0))
    bus.share("studio", [worker_number(HERE, 1), worker_number(THERE, 0)])
    bus.publish(a_forward_frame())
    assert near.published == far.published == [a_forward_frame()]
    near.waiting, far.waiting = ([Arrived(a_forward_frame(), at_s)] for at_s in (1.0, 2.0))
    assert bus.take() == [Arrived(a_forward_frame(), 1.0), Arrived(a_forward_frame(), 2.0)]
