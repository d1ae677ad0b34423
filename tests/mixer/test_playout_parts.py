"""The parts of a playout on their own: pool, queue, loss watch, RED."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.playout_loss import LossWatch
from mixer.playout_packet import MediaPacket
from mixer.playout_pool import History, SamplePool
from mixer.playout_queue import PacketQueue, Queued
from mixer.playout_sound import SoundMaker
from mixer.playout_stats import PlayoutStats
from mixer.red import unpack_red
from tests.mixer.playout_world import ToneDecoder, payload_of

# ---- pool --------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 900)), max_size=60))
def test_a_pool_gives_back_what_it_got_in_order(turns: list[tuple[int, int]]) -> None:
    pool = SamplePool()
    written = read = 0
    for wanted_in, wanted_out in turns:
        room = pool.room(wanted_in + 7)  # more room than is used
        room[:wanted_in] = np.arange(written, written + wanted_in)[:, None]
        pool.keep(wanted_in)
        written += wanted_in
        out = np.empty((min(wanted_out, len(pool)), 2), np.float32)
        pool.take(out)
        assert np.array_equal(out[:, 1], np.arange(read, read + len(out)))
        read += len(out)
        assert len(pool) == written - read
        assert np.array_equal(pool.view[:, 0], np.arange(read, written))


def test_a_pool_does_not_grow_while_it_is_emptied() -> None:
    pool = SamplePool()
    out = np.empty((480, 2), np.float32)
    for _ in range(1_000):
        pool.room(960)[:] = 0
        pool.keep(960)
        pool.take(out)
        pool.take(out)
    assert len(pool.room(960)) == 960
    assert len(pool._pcm) == 960


@given(st.lists(st.integers(1, 700), max_size=30))
def test_history_is_the_end_of_what_was_played(blocks: list[int]) -> None:
    history = History(600)
    assert len(history.view) == 0
    played = 0
    for count in blocks:
        block = np.repeat(np.arange(played, played + count, dtype=np.float32)[:, None], 2, axis=1)
        history.add(block)
        played += count
        assert np.array_equal(history.view[:, 0], np.arange(max(0, played - 600), played))
    history.clear()
    assert len(history.view) == 0


# ---- sound -------------------------------------------------------------------------------------


def maker() -> SoundMaker:
    return SoundMaker(ToneDecoder(), PlayoutStats(), fade_after=2_880, silent_after=4_800)


@pytest.mark.parametrize("skipped", [1, 240, 700, 900])
@pytest.mark.parametrize("fec", [False, True])
def test_part_of_a_packet_goes_on_unbroken(skipped: int, fec: bool) -> None:
    sound = maker()
    for index in range(3):
        sound.decode(payload_of(index * 960, 960), 960)
    if fec:
        sound.repair(payload_of(4 * 960, 960, fec=True), 960, skipped)
    else:
        sound.decode(payload_of(3 * 960, 960), 960, skipped)
    played = sound.pool.view[:, 0]
    assert len(played) == 4 * 960 - skipped
    blended = min(240, 960 - skipped)
    assert np.abs(np.diff(played)).max() < 0.012_272 + 1.1 / blended
    whole = maker()
    for index in range(4):
        whole.decode(payload_of(index * 960, 960), 960)
    kept = 960 - skipped - blended
    assert np.array_equal(played[len(played) - kept :], whole.pool.view[4 * 960 - kept :, 0])


def test_concealment_keeps_its_loudness_and_then_fades_to_nothing() -> None:
    sound = maker()
    for index in range(3):
        sound.decode(payload_of(index * 960, 960), 960)
    sound.pool.clear()
    for _ in range(4):
        sound.conceal(1_440)
    peaks = [float(np.abs(sound.pool.view[i * 480 : (i + 1) * 480]).max()) for i in range(12)]
    assert peaks[:6] == pytest.approx([0.5] * 6, abs=0.01)
    assert peaks[5:10] == sorted(peaks[5:10], reverse=True)
    assert peaks[10:] == [0.0, 0.0]


# ---- queue -------------------------------------------------------------------------------------


def queue_of(max_packets: int = 50, max_samples: int = 48_000) -> tuple[PacketQueue, PlayoutStats]:
    stats = PlayoutStats()
    return PacketQueue(stats, LossWatch(), max_packets, max_samples), stats


def put(queue: PacketQueue, sequence: int, timestamp: int, played_to: int = 0) -> None:
    packet = MediaPacket(sequence & 0xFFFF, timestamp & 0xFFFFFFFF, b"p", 0.0)
    numbers = queue.admit(packet)
    if numbers is not None:
        queue.add(Queued(*numbers, 480, 0.0, b"p", redundant=False), played_to)


@given(
    start=st.sampled_from([0, 1, 32_767, 65_534, 65_535]),
    timestamp=st.integers(0, 2**32 - 1),
    order=st.permutations(range(40)),
)
def test_any_order_comes_out_sorted(start: int, timestamp: int, order: list[int]) -> None:
    queue, stats = queue_of()
    for index in order:
        put(queue, start + index, timestamp + index * 480)
    positions = [queued.position for queued in queue.packets]
    assert positions == [positions[0] + index * 480 for index in range(40)]
    while queue.packets:
        queue.take_first()
    assert stats.lost == stats.duplicates == 0


@given(st.lists(st.integers(0, 60), max_size=120))
def test_each_number_is_taken_once(indices: list[int]) -> None:
    queue, stats = queue_of(100, 480_000)
    for index in indices:
        put(queue, index, index * 480)
    assert len(queue.packets) == len(set(indices))
    assert stats.duplicates == len(indices) - len(set(indices))


def test_holes_are_counted_when_their_turn_has_come() -> None:
    queue, stats = queue_of()
    for sequence in (10, 11, 15, 16):
        put(queue, sequence, sequence * 480)
    queue.take_first()
    queue.take_first()
    assert stats.lost == 0
    assert queue.lost_before_first() == 3
    queue.take_first()
    assert stats.lost == 3


def test_what_is_late_is_refused() -> None:
    queue, stats = queue_of()
    put(queue, 5, 5 * 480)
    turn = queue.take_first().end
    put(queue, 4, 4 * 480, turn)
    assert stats.late == 1
    assert not queue.packets


def test_a_queue_is_bounded_in_packets_and_in_time() -> None:
    queue, stats = queue_of(max_packets=10)
    for index in range(30):
        put(queue, index, index * 480)
    assert len(queue.packets) == 10
    assert stats.dropped == 20
    queue, stats = queue_of(max_samples=4_800)
    for index in range(30):
        put(queue, index, index * 480)
    assert queue.packets[-1].end - queue.packets[0].position == 4_800


def test_numbers_far_apart_say_nothing_of_loss() -> None:
    queue, stats = queue_of()
    put(queue, 0, 0)
    queue.take_first()
    put(queue, 20_000, 480)
    queue.take_first()
    assert stats.lost == 0


# ---- loss watch --------------------------------------------------------------------------------


def test_only_loss_that_repeats_and_can_be_repaired_is_waited_for() -> None:
    watch = LossWatch()
    watch.repairs_come(960)
    watch.played(1)
    assert watch.extension_s == 0.0
    for _ in range(5):
        watch.played(1)
    assert watch.extension_s == pytest.approx(0.020)
    for _ in range(400):
        watch.played(0)
    assert watch.extension_s == 0.0


def test_without_repairs_nothing_is_waited_for() -> None:
    watch = LossWatch()
    for _ in range(100):
        watch.played(1)
    assert watch.watching
    assert watch.extension_s == 0.0


def test_a_long_outage_is_one_event() -> None:
    watch = LossWatch()
    watch.repairs_come(960)
    for _ in range(300):
        watch.played(0)
    watch.played(500)
    for _ in range(400):
        watch.played(0)
    assert watch.extension_s == 0.0


# ---- RED ---------------------------------------------------------------------------------------


def red(primary: bytes, *copies: tuple[int, bytes]) -> bytes:
    headers = b"".join(
        bytes([0x80 | 111]) + (offset << 10 | len(data)).to_bytes(3, "big")
        for offset, data in copies
    )
    return headers + bytes([111]) + b"".join(data for _, data in copies) + primary


def test_red_gives_the_copies_and_the_primary_packet() -> None:
    packet = MediaPacket(0, 500, red(b"now", (1_920, b"before"), (960, b"last")), 7.0, marker=True)
    unpacked = unpack_red(packet)
    assert [p.payload for p in unpacked] == [b"before", b"last", b"now"]
    assert [p.sequence for p in unpacked] == [65_534, 65_535, 0]
    assert [p.timestamp for p in unpacked] == [2**32 + 500 - 1_920, 2**32 + 500 - 960, 500]
    assert [p.redundant for p in unpacked] == [True, True, False]
    assert all(p.arrival_s == 7.0 for p in unpacked)


def test_red_without_copies_is_the_packet() -> None:
    packet = MediaPacket(3, 960, red(b"now"), 7.0)
    assert unpack_red(packet) == [MediaPacket(3, 960, b"now", 7.0)]


@given(st.binary(max_size=80))
def test_no_red_payload_is_trouble(payload: bytes) -> None:
    unpacked = unpack_red(MediaPacket(0, 0, payload, 0.0))
    assert sum(len(packet.payload) for packet in unpacked) < max(len(payload), 1)
    assert all(packet.payload for packet in unpacked)
