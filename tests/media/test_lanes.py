"""Streams that go by a lane sound as if their playout had played every packet itself."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from mixer.playout import CALM_BLOCKS, Playout
from mixer.playout_packet import MediaPacket, Pull
from mixer.playout_watch import LOW_WINDOW
from webrtc.media import intake_kernel as kernel
from webrtc.media.lanes import LaneTable
from webrtc.media.opus import Application, Decoder, Encoder, EncoderSettings

RATE = 48_000
ROW, SOURCE = 3, 1
SSRC, TYPE = 77, 111
EPOCH_S = 1_000.0
CALM_S = 4.0  # a transit window settles, and excess delay from the start is gone
BASE_DELAY_S = 0.012


@njit
def put_aside(lanes, row, packet, record, arrival_s):
    return kernel._put_aside(lanes[row], packet, record, arrival_s)


def encoded(samples, count):
    rng = np.random.default_rng(samples)
    encoder = Encoder(
        EncoderSettings(application=Application.RESTRICTED_LOWDELAY, complexity=0), channels=2
    )
    times = np.arange(count * samples) / RATE
    sound = 0.2 * np.sin(2 * np.pi * 300 * times) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * times))
    pcm = np.stack([sound, 0.5 * sound], 1) + 0.001 * rng.standard_normal((len(sound), 2))
    blocks = pcm.astype(np.float32).reshape(count, samples, 2)
    return [encoder.encode(np.ascontiguousarray(block)) for block in blocks]


PAYLOADS = {samples: encoded(samples, 700 * 480 // samples) for samples in (480, 960)}


class Owner:
    """Counts what came along a lane."""

    def __init__(self):
        self.packets = self.octets = 0
        self.jitter = 0.0

    def on_lane(self, packets, octets, jitter, arrival_s):
        self.packets += packets
        self.octets += octets
        self.jitter = jitter


@dataclass
class World:
    """One publisher's stream in virtual time, with or without a lane."""

    samples: int
    uses_lane: bool
    folds: bool = True
    block: int = 0  # as long as a packet
    blocks: list[np.ndarray] = field(default_factory=list)
    by_lane: int = 0
    taken: list[int] = field(default_factory=list)

    def __post_init__(self):
        self.block = self.block or self.samples
        self.playout = Playout(Decoder())
        self.table = LaneTable(kernel, 8)
        self.arena = np.zeros((4, 960, 2), np.float32)
        self.owner = Owner()
        self.rows = np.array([ROW], np.int32)
        self.arrived = 0

    def arrive(self, packet, ssrc=SSRC):
        self.arrived += 1
        lane = self.table.get(ROW)
        if lane is not None:
            record = np.zeros(kernel.COLUMNS, np.int64)
            record[kernel.SEQUENCE], record[kernel.TIMESTAMP] = packet.sequence, packet.timestamp
            record[kernel.SSRC], record[kernel.TYPE] = ssrc, TYPE
            record[kernel.LENGTH] = len(packet.payload)
            if packet.level_dbov is not None:
                record[kernel.FLAGS] = kernel.HAS_LEVEL | packet.level_dbov
            data = np.frombuffer(packet.payload, np.uint8).copy()
            if put_aside(self.table.records, ROW, data, record, packet.arrival_s):
                self.taken.append(len(packet.payload))
                return
            lane.leave()
        self.playout.push(packet)
        if self.uses_lane and self.playout.is_calm:
            self.lend(packet)

    def lend(self, packet):
        return self.table.lend(
            ROW,
            self.playout,
            self.owner,
            source=SOURCE,
            ssrc=SSRC,
            payload_type=TYPE,
            sequence=packet.sequence,
            timestamp=packet.timestamp,
            jitter=0.0,
        )

    def pull(self, now_s):
        lane = self.table.get(ROW)
        out = self.arena[SOURCE][: self.block]
        if lane is not None:
            if self.folds:
                lane.fold()
            self.by_lane += self.table.play(self.rows, self.arena, self.block, now_s)
        if self.playout.pull(out, now_s) is Pull.SILENT:
            out[:] = 0
        self.blocks.append(out.copy())

    def run(self, packets, count, phase_s, drift_ppm=0.0):
        """Deliver `packets` and pull `count` blocks."""
        waiting = sorted(packets, key=lambda packet: packet.arrival_s)
        for index in range(count):
            span_s = index * self.block / RATE * (1 + drift_ppm * 1e-6)
            now_s = EPOCH_S + phase_s + span_s
            while waiting and waiting[0].arrival_s <= now_s:
                self.arrive(waiting.pop(0))
            self.pull(now_s)


def stream(samples, troubles):
    """Return packets; `troubles` says by index what happens to one of them."""
    packets = []
    for index, payload in enumerate(PAYLOADS[samples]):
        arrival_s = EPOCH_S + (index + 1) * samples / RATE + BASE_DELAY_S
        packet = MediaPacket(
            65_500 + index & 0xFFFF,
            2**32 - 5_000 + index * samples & 0xFFFFFFFF,
            payload,
            arrival_s,
        )
        kind, amount = troubles.get(index, ("", 0.0))
        if kind == "late":
            packet = packet._replace(arrival_s=arrival_s + 0.08 * amount)
        elif kind == "dtx":
            packet = packet._replace(payload=payload[:1])
        elif kind == "rubbish":
            packet = packet._replace(payload=payload[:1] + bytes([255]) * 3)
        elif kind == "twice":
            packets.append(packet._replace(arrival_s=arrival_s + 0.03 * amount))
        elif kind == "jump":
            packet = packet._replace(timestamp=packet.timestamp + 24_000 & 0xFFFFFFFF)
        if kind != "lost":
            packets.append(packet)
    return packets


TROUBLES = st.dictionaries(
    st.integers(150, 690),
    st.tuples(
        st.sampled_from(["late", "late", "lost", "dtx", "rubbish", "twice", "jump"]),
        st.floats(0, 1),
    ),
    max_size=6,
)


@pytest.mark.slow
@pytest.mark.parametrize(("samples", "block"), [(480, 480), (960, 960), (480, 960)])
@settings(max_examples=25, deadline=None)
@given(
    troubles=TROUBLES,
    phase=st.floats(0, 1),
    drift_ppm=st.sampled_from([0.0, 200.0, -200.0]),
)
def test_a_lane_plays_what_the_playout_would_have_played(
    samples, block, troubles, phase, drift_ppm
):
    worlds = []
    for uses_lane in (False, True):
        world = World(samples, uses_lane, block=block)
        world.run(stream(samples, troubles), 720 * 480 // block, phase * block / RATE, drift_ppm)
        lane = world.table.get(ROW)
        if lane is not None:
            lane.leave()
        worlds.append(world)
    alone, lent = worlds
    for index, (expected, found) in enumerate(zip(alone.blocks, lent.blocks, strict=True)):
        np.testing.assert_array_equal(found, expected, f"block {index}")
    assert lent.playout.stats() == alone.playout.stats()


def with_a_pause(said_dbov, pause=60):
    """Return packets of sound, of silence and of sound again, and where the silence begins."""
    encoder = Encoder(EncoderSettings(application=Application.RESTRICTED_LOWDELAY, complexity=0))
    times = np.arange(600 * 480) / RATE
    sound = np.repeat(0.2 * np.sin(2 * np.pi * 300 * times)[:, None], 2, 1).astype(np.float32)
    begin = 450
    sound[begin * 480 : (begin + pause) * 480] = 0.0
    payloads = [encoder.encode(block) for block in sound.reshape(600, 480, 2)]
    packets = [
        packet._replace(payload=payload)
        for packet, payload in zip(stream(480, {}), payloads, strict=False)
    ]
    for index in range(begin, begin + pause):
        packets[index] = packets[index]._replace(level_dbov=said_dbov)
    return packets, begin


def test_who_says_to_be_silent_is_not_decoded():
    packets, begin = with_a_pause(127)
    secret = begin + kernel.BELIEVED_AFTER + 5
    packets[secret] = packets[secret]._replace(payload=packets[100].payload)
    world = World(480, True)
    world.run(packets, 600, 0.0045)
    believed = world.blocks[begin + kernel.BELIEVED_AFTER + 5 : begin + kernel.CHECKED_EVERY - 2]
    assert not np.any(believed)
    assert world.by_lane >= 600 - CALM_S * 100


def test_sound_behind_silence_that_was_not_decoded_is_as_it_was_sent():
    packets, begin = with_a_pause(127)
    worlds = [World(480, uses_lane) for uses_lane in (False, True)]
    for world in worlds:
        world.run(packets, 600, 0.0045)
    alone, lent = (np.concatenate(world.blocks[begin + 50 :]) for world in worlds)
    assert np.abs(alone).max() > 0.15
    np.testing.assert_allclose(lent, alone, atol=0.002)


@pytest.mark.parametrize("dbov", [127, 100])
def test_who_says_to_be_silent_and_is_not_is_heard_again(dbov):
    packets, begin = with_a_pause(dbov, pause=100)
    for index in range(begin, begin + 100):
        packets[index] = packets[index]._replace(payload=packets[index - 200].payload)
    world = World(480, True)
    world.run(packets, 560, 0.0045)
    heard = [np.abs(block).max() for block in world.blocks[begin - 1 : begin + 100]]
    assert min(heard) > 0.1


def test_who_lies_later_is_found_out_at_the_next_check():
    packets, begin = with_a_pause(127, pause=140)
    first = begin + kernel.BELIEVED_AFTER + 10
    for index in range(first, begin + 140):
        packets[index] = packets[index]._replace(payload=packets[index - 250].payload)
    world = World(480, True)
    world.run(packets, 600, 0.0045)
    checked = begin + kernel.CHECKED_EVERY + 25  # a decoder out of step needs some packets
    assert min(np.abs(block).max() for block in world.blocks[checked : begin + 138]) > 0.1


def test_who_is_only_quiet_is_decoded():
    packets, begin = with_a_pause(kernel.SILENT_LEVEL - 1)
    for index in range(begin, begin + 60):
        packets[index] = packets[index]._replace(payload=packets[index - 200].payload)
    world = World(480, True)
    world.run(packets, 550, 0.0045)
    assert min(np.abs(block).max() for block in world.blocks[begin : begin + 60]) > 0.1


@pytest.fixture
def world():
    made = World(480, True, folds=False)
    made.run(stream(480, {}), 600, 0.0045)
    return made


def test_an_even_stream_goes_by_the_lane_nearly_all_the_time(world):
    assert world.table.get(ROW) is not None
    assert world.by_lane >= 600 - CALM_S * 100


def test_packets_of_10_ms_go_by_the_lane_into_blocks_of_20():
    world = World(480, True, folds=False, block=960)
    world.run(stream(480, {}), 300, 0.0145)
    assert world.by_lane >= 300 - CALM_S * 50


def test_a_lane_plays_longer_and_shorter_blocks_in_turn(world):
    alone = World(480, False)
    alone.run(stream(480, {}), 600, 0.0045)
    went_on = world.by_lane
    now_s = EPOCH_S + 0.0045 + 600 * 480 / RATE
    coming = stream(480, {})[world.arrived :]
    for block in (960, 480, 480, 960):
        for each in (world, alone):
            each.block = block
        now_s += (block - 480) / RATE
        while coming[0].arrival_s <= now_s:
            packet = coming.pop(0)
            world.arrive(packet)
            alone.arrive(packet)
        world.pull(now_s)
        alone.pull(now_s)
        np.testing.assert_array_equal(world.blocks[-1], alone.blocks[-1])
        now_s += 480 / RATE
    assert world.by_lane == went_on + 4


def test_what_came_by_the_lane_is_counted(world):
    world.table.get(ROW).leave()
    assert (world.owner.packets, world.owner.octets) == (len(world.taken), sum(world.taken))
    assert world.owner.jitter < 1.0
    assert world.playout.stats().received == world.arrived


def test_a_left_lane_stays_left(world):
    lane = world.table.get(ROW)
    lane.leave()
    received = world.playout.stats().received
    lane.leave()
    assert not lane.fold()
    assert world.playout.stats().received == received
    assert world.table.get(ROW) is None


def test_a_lane_whose_path_jumped_is_left_and_what_was_learned_is_forgotten(world):
    resets = world.playout.stats().resets
    record = world.table.records[ROW]
    record["noted"] = 2
    record["transits"][:4] = [record["last_transit_s"], 0.0, record["last_transit_s"] - 5.0, 0.0]
    assert not world.table.get(ROW).fold()
    assert world.table.get(ROW) is None
    assert world.playout.stats().resets == resets + 1


def test_a_lane_is_left_for_a_packet_of_another_stream(world):
    packet = stream(480, {})[world.arrived]
    world.arrive(packet, ssrc=SSRC + 1)
    assert world.table.get(ROW) is None


def test_a_lane_whose_packets_stop_leaves_the_gap_to_the_playout():
    world = World(480, True)
    world.run(stream(480, {})[:500], 540, 0.0045)
    assert world.table.get(ROW) is None
    assert world.playout.stats().concealed_samples > 0
    assert not np.any(world.blocks[-1])


def test_a_full_lane_is_left_and_nothing_is_lost(world):
    packets = stream(480, {})[world.arrived :]
    for packet in packets[: kernel.PLACES + 2]:
        world.arrive(packet)
    assert world.table.get(ROW) is None
    assert world.playout.stats().received == world.arrived
    assert world.playout.stats().buffer_ms >= 10 * (kernel.PLACES + 2)


def test_a_stream_is_lent_only_after_some_calm():
    world = World(480, True)
    world.run(stream(480, {}), CALM_BLOCKS - 1, 0.0045)
    assert world.by_lane == 0


def test_lanes_go_on_while_the_table_grows(world):
    packet = stream(480, {})[world.arrived]
    world.table.grow(64)
    world.arrive(packet)
    world.pull(EPOCH_S + 0.0045 + 6.0)
    assert world.table.get(ROW) is not None
    assert np.any(world.blocks[-1])


def test_compiled_and_plain_way_watch_the_delay_for_as_long():
    assert kernel.LOW_WINDOW == LOW_WINDOW
