"""The playout on a clean network, under loss, and through silence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.playout import Playout
from mixer.playout_packet import MediaPacket, Pull
from mixer.playout_settings import PlayoutSettings
from tests.mixer.playout_world import (
    EPOCH_S,
    PERIOD,
    TONE_STEP,
    ToneDecoder,
    World,
    delayed,
    jittered,
    payload_of,
    play,
    stream,
)

EDGES = [0, 1, 32_767, 65_534, 65_535]


def steps(sound: np.ndarray) -> float:
    return float(np.abs(np.diff(sound)).max())


def lag(sound: np.ndarray, at: int) -> int:
    """Return by how many samples the tone is late at `at`, of its period."""
    turns = np.exp(-2j * np.pi * np.arange(at, at + 8 * PERIOD) / PERIOD)
    angle = np.angle(sound[at : at + 8 * PERIOD] @ turns * 1j)
    return round(-angle / (2 * np.pi) * PERIOD) % PERIOD


# ---- a clean network ---------------------------------------------------------------------------


@pytest.mark.parametrize("phase_ms", [0.5, 2.0, 3.5, 5.0, 8.0, 9.5])
def test_a_packet_waits_for_the_first_tick_after_it_is_safe(phase_ms: float) -> None:
    packets = stream(500, delay_s=jittered(1, 0.0005, base_s=0.020))
    played = play(packets, phase_s=phase_ms / 1000, tail_s=0.0)
    # 0.25 ms is the mean jitter; half a millisecond of it and the margin must have passed.
    expected_ms = phase_ms - 0.25 if phase_ms >= 1.8 else phase_ms + 10 - 0.25
    assert played.playout.mean_wait_s * 1000 == pytest.approx(expected_ms, abs=0.3)
    assert 1.0 < played.playout.stats().target_ms < 2.0


def test_the_wait_is_true_from_the_first_packet_on_and_unknown_before() -> None:
    played = play(stream(100, delay_s=0.020), phase_s=0.004, tail_s=0.0)
    silent = World().run_until(0.05)
    assert silent.playout.stats().mean_wait_ms is None
    heard = [wait for wait in played.waits if wait]
    assert all(0.004 - 1e-6 <= wait <= 0.014 + 1e-6 for wait in heard)  # a tick, or two at first
    assert heard


@pytest.mark.parametrize("samples", [120, 240, 480, 960, 1920, 2880, 5760])
@pytest.mark.parametrize("block", [480, 960])
def test_every_packet_is_played_once_in_order(samples: int, block: int) -> None:
    packets = stream(120_000 // samples, samples)
    played = play(packets, block=block, tail_s=0.0)
    first = played.outcomes.index(Pull.SOUND)
    assert set(played.outcomes[first:]) == {Pull.SOUND}
    assert played.decoder.decoded == sorted(set(played.decoder.decoded))
    stats = played.playout.stats()
    assert (stats.lost, stats.late, stats.resets, stats.concealed_samples) == (0, 0, 0, 0)
    assert not played.decoder.concealed
    assert steps(played.sound[first * block :]) < 1.2 * TONE_STEP


def test_the_blocks_are_the_sound_that_was_sent() -> None:
    played = play(stream(200), phase_s=0.005, tail_s=0.0)
    start = played.outcomes.index(Pull.SOUND) + 60  # the delay has settled
    sound = played.sound[start * 480 :][: 256 * 200]
    time = np.arange(len(sound))
    probe = np.exp(-2j * np.pi * time / 256)
    power = 2 * np.abs(np.mean(sound * probe)) ** 2
    assert power / np.mean(sound**2) > 0.9999


def test_silent_leaves_the_block_alone() -> None:
    out = np.full((480, 2), 7.0, np.float32)
    assert Playout(ToneDecoder()).pull(out, 1.0) is Pull.SILENT
    assert (out == 7.0).all()


@given(sequence=st.sampled_from(EDGES), timestamp=st.integers(0, 2**32 - 1), seed=st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_numbers_that_wrap_around_change_nothing(sequence: int, timestamp: int, seed: int) -> None:
    delay = jittered(seed, 0.015)
    plain = stream(150, delay_s=delay)
    turned = [
        MediaPacket(
            (p.sequence + sequence) & 0xFFFF,
            (p.timestamp + timestamp) & 0xFFFFFFFF,
            p.payload,
            p.arrival_s,
        )
        for p in plain
    ]
    one, other = play(plain), play(turned)
    assert one.outcomes == other.outcomes
    assert one.decoder.decoded == other.decoder.decoded
    assert np.array_equal(one.sound, other.sound)


@pytest.mark.parametrize("sequence", EDGES)
def test_wrap_around_in_the_middle_is_no_loss(sequence: int) -> None:
    packets = stream(
        200, sequence=sequence - 100 & 0xFFFF, timestamp=2**32 - 100 * 480, delay_s=0.02
    )
    played = play(packets, tail_s=0.0)
    stats = played.playout.stats()
    assert (stats.lost, stats.reordered, stats.duplicates, stats.resets) == (0, 0, 0, 0)
    assert len(played.decoder.decoded) >= 199


def test_blocks_may_change_length_at_every_pull() -> None:
    world = World()
    world.send(stream(400))
    for index in range(260):
        world.block = 960 if index % 3 == 0 else 480
        world.tick()
    played = world.played
    first = played.outcomes.index(Pull.SOUND)
    assert set(played.outcomes[first:]) == {Pull.SOUND}
    assert steps(np.concatenate(played.blocks[first:])[:, 0]) < 1.3 * TONE_STEP


def test_packets_may_change_length_on_the_way() -> None:
    packets: list[MediaPacket] = []
    position, sequence = 0, 0
    for samples, count in ((960, 50), (480, 100), (2880, 20), (120, 200), (960, 50)):
        for _ in range(count):
            arrival_s = EPOCH_S + (position + samples) / 48_000 + 0.02
            packets.append(
                MediaPacket(sequence, position, payload_of(position, samples), arrival_s)
            )
            position += samples
            sequence += 1
    played = play(packets, tail_s=0.0)
    stats = played.playout.stats()
    assert (stats.lost, stats.resets) == (0, 0)
    # A longer packet comes later than the shorter ones let expect: that much may be made up.
    assert stats.concealed_samples <= 2880 + 960
    assert len(played.decoder.decoded) >= len(packets) - 8


def test_it_says_when_the_next_pull_is_safe() -> None:
    world = World(phase_s=0.0)
    assert world.playout.safe_time_s() is None
    world.send(stream(600, delay_s=jittered(3, 0.004)))
    world.run_until(1.0)
    for _ in range(400):  # from now on pulled exactly then
        safe_s = world.playout.safe_time_s()
        assert safe_s is not None
        world.now_s = safe_s
        assert world.tick() is not Pull.CONCEALED
    assert world.playout.mean_wait_s < 0.005


# ---- loss, order, duplicates -------------------------------------------------------------------


@given(lost=st.sets(st.integers(5, 194), max_size=40))
@settings(max_examples=40, deadline=None)
def test_what_is_lost_is_counted_and_all_else_is_played(lost: set[int]) -> None:
    packets = [packet for packet in stream(200) if packet.sequence not in lost]
    played = play(packets)
    stats = played.playout.stats()
    assert stats.lost == len(lost)
    assert stats.late == stats.duplicates == stats.resets == 0
    assert played.decoder.decoded == sorted(set(played.decoder.decoded))
    assert len(played.decoder.decoded) + stats.dropped == len(packets)
    assert stats.dropped <= 1 + len(lost) // 9  # only what waited behind a gap of 100 ms


def test_duplicates_are_dropped() -> None:
    packets = stream(200)
    twice = [copy for packet in packets for copy in (packet, delayed(packet, 0.003))]
    once, doubled = play(packets), play(twice)
    assert doubled.playout.stats().duplicates == 200
    assert doubled.playout.stats().late == 0
    assert np.array_equal(once.sound, doubled.sound)


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_packets_that_overtake_each_other_are_put_in_order(seed: int) -> None:
    packets = stream(400, delay_s=jittered(seed, 0.030))
    world = World()
    world.send(packets)
    world.run_until(1.5)  # learned by then
    concealed = world.played.count(Pull.CONCEALED)
    played = world.run_until(4.0)
    stats = played.playout.stats()
    assert stats.reordered > 20
    assert played.count(Pull.CONCEALED) - concealed <= 4
    assert played.decoder.decoded == sorted(played.decoder.decoded)


def test_recurring_loss_is_repaired_from_the_packet_after_it() -> None:
    lost = set(range(30, 600, 12))
    packets = [p for p in stream(600, 960, fec=True) if p.sequence not in lost]
    played = play(packets)
    stats = played.playout.stats()
    assert stats.lost == len(lost)
    assert len(played.decoder.repaired) >= len(lost) - 3
    assert {position // 960 for position in played.decoder.repaired} <= lost
    assert stats.target_ms > 20
    assert played.playout.mean_wait_s < 0.035


def test_the_delay_for_repairs_goes_when_the_loss_has_gone() -> None:
    lost = set(range(30, 300, 12))
    packets = [p for p in stream(1200, 960, fec=True) if p.sequence not in lost]
    played = play(packets, tail_s=0.0)
    assert played.playout.stats().target_ms < 3
    assert played.playout.mean_wait_s < 0.012


def test_a_lone_loss_costs_no_delay() -> None:
    packets = [p for p in stream(300, fec=True) if p.sequence != 150]
    played = play(packets, tail_s=0.0)
    assert played.playout.mean_wait_s == pytest.approx(0.004, abs=0.001)
    assert played.count(Pull.CONCEALED) == 1


def test_loss_without_repairs_costs_no_delay() -> None:
    packets = [p for p in stream(600) if p.sequence % 10]
    played = play(packets, tail_s=0.0)
    assert played.playout.mean_wait_s == pytest.approx(0.004, abs=0.001)


def with_copies(packets: list[MediaPacket], lost: set[int]) -> list[MediaPacket]:
    """What arrives when each packet brings a copy of the one before it."""
    arriving = []
    for packet in packets:
        if packet.sequence in lost:
            continue
        if packet.sequence:
            before = packets[packet.sequence - 1]
            arriving.append(before._replace(arrival_s=packet.arrival_s, redundant=True))
        arriving.append(packet)
    return arriving


def test_red_copies_fill_holes_and_say_nothing_of_the_network() -> None:
    lost = set(range(30, 600, 12))
    played = play(with_copies(stream(600, 960), lost), tail_s=0.0)
    stats = played.playout.stats()
    assert len(played.decoder.decoded) >= 600 - 8
    assert stats.lost <= 6
    assert stats.recovered >= len(lost) - 8
    assert stats.duplicates == stats.reordered == stats.late == 0
    assert stats.jitter_ms < 0.1


def test_a_copy_of_nothing_near_does_no_harm() -> None:
    packets = stream(300)
    stray = packets[100]._replace(sequence=150, timestamp=10 * 48_000, redundant=True)
    played = play([*packets[:101], stray, *packets[101:]], tail_s=0.0)
    first = played.outcomes.index(Pull.SOUND)
    assert played.outcomes[first:].count(Pull.SOUND) >= len(played.outcomes) - first - 1
    assert played.playout.mean_wait_s < 0.006


def test_red_copies_that_overtake_their_originals_are_no_loss() -> None:
    packets = stream(600, 960, delay_s=jittered(4, 0.040))
    plain, doubled = play(packets, tail_s=0.0), play(with_copies(packets, set()), tail_s=0.0)
    stats = doubled.playout.stats()
    assert stats.recovered <= 3
    assert stats.duplicates == 0
    assert stats.target_ms == pytest.approx(plain.playout.stats().target_ms, abs=1)


# ---- silence -----------------------------------------------------------------------------------


def test_a_sender_that_stops_is_concealed_faded_and_then_silent() -> None:
    played = play(stream(100), tail_s=1.0)
    last = len(played.outcomes) - played.outcomes[::-1].index(Pull.SOUND)
    tail = played.outcomes[last:]
    faded = tail.index(Pull.SILENT)
    assert 9 <= faded <= 11
    assert set(tail[:faded]) == {Pull.CONCEALED}
    assert set(tail[faded:]) == {Pull.SILENT}
    loudness = [float(np.abs(block).max()) for block in played.blocks[last + 1 : last + faded]]
    assert loudness == sorted(loudness, reverse=True)
    assert abs(played.blocks[last + faded - 1][-1, 0]) < 0.02
    assert played.playout.safe_time_s() is None
    assert not played.playout.is_buffering


def test_a_gap_of_dtx_is_silence_not_loss() -> None:
    talk = stream(100, 960)
    gap = 250  # packets that are never sent: 5 s
    again = [
        MediaPacket(100 + i, p.timestamp, p.payload, p.arrival_s, marker=i == 0)
        for i, p in enumerate(stream(100, 960, first=100 + gap))
    ]
    played = play([*talk, *again], tail_s=0.0)
    stats = played.playout.stats()
    assert stats.lost == 0
    assert played.count(Pull.SILENT) > 450
    assert len(played.decoder.decoded) >= 198
    assert played.playout.mean_wait_s < 0.008


def test_dtx_packets_neither_sound_nor_count_as_concealed() -> None:
    talk = stream(50, 960)
    keepalives = [
        MediaPacket(
            50 + i,
            (50 + 20 * i) * 960,
            payload_of(0, 960, dtx=True),
            EPOCH_S + (51 + 20 * i) * 0.02 + 0.02,
        )
        for i in range(10)
    ]
    played = play([*talk, *keepalives], tail_s=0.0)
    stats = played.playout.stats()
    assert stats.lost == stats.concealed_samples == 0
    begin = EPOCH_S + 1.3
    assert set(played.outcomes_from(begin)) == {Pull.SILENT}


def test_dtx_packets_that_never_stop_are_silence_too() -> None:
    talk = stream(50, 960)
    idle = [
        packet._replace(payload=payload_of(0, 960, dtx=True))
        for packet in stream(100, 960, first=50)
    ]
    played = play([*talk, *idle], tail_s=0.0)
    assert set(played.outcomes_from(EPOCH_S + 1.3)) == {Pull.SILENT}
    assert played.count(Pull.CONCEALED) == 0


def test_a_pause_takes_excess_delay_with_it() -> None:
    world = World()
    world.send(stream(100, 960))
    world.run_until(2.01)
    world.now_s += 0.05  # nobody pulled: from now on everything waits that much longer
    again = stream(50, 960, first=104)
    world.send([p._replace(sequence=100 + i) for i, p in enumerate(again)])
    played = world.run_until(3.0)
    assert played.playout.stats().compressed_samples <= 480  # of the start
    assert played.playout.stats().lost == 0
    assert played.waits[-1] < 0.012


def test_a_short_pause_keeps_its_length() -> None:
    talk = stream(50, 960)
    again = [
        MediaPacket(50 + i, p.timestamp, p.payload, p.arrival_s)
        for i, p in enumerate(stream(50, 960, first=52))
    ]
    played = play([*talk, *again], tail_s=0.0)
    stats = played.playout.stats()
    assert stats.lost == 0
    assert len(played.decoder.decoded) >= 99
    assert played.playout.mean_wait_s < 0.012


@pytest.mark.parametrize("pause", [1, 3, 7, 40, 101])
@pytest.mark.parametrize("phase_ms", [0.5, 5.0, 14.0])
def test_after_a_pause_sound_goes_on_in_its_place_in_a_longer_block(
    pause: int, phase_ms: float
) -> None:
    """Two packets to a block, and a pause of an odd number of them that was never sent."""
    talk = stream(200)
    again = [
        packet._replace(sequence=200 + index)
        for index, packet in enumerate(stream(100, first=200 + pause))
    ]
    played = play([*talk, *again], phase_s=phase_ms / 1000, block=960, tail_s=0.0)
    assert set(played.decoder.decoded) >= {(200 + pause + index) * 480 for index in range(97)}

    soon = (200 + pause) * 480 + 8_000
    assert lag(played.sound, soon) == lag(played.sound, 80_000)


@pytest.mark.parametrize("ppm", [-200.0, 200.0])
def test_after_an_hour_of_mute_the_delay_is_decided_afresh(ppm: float) -> None:
    before = stream(200, 960, ppm=ppm)
    after = [
        MediaPacket(200 + i, p.timestamp, p.payload, p.arrival_s)
        for i, p in enumerate(stream(200, 960, first=180_000, ppm=ppm))
    ]
    world = World()
    world.send(before)
    world.run_until(5.0)
    world.now_s = after[0].arrival_s - 0.5
    world.send(after)
    played = world.run_until(after[-1].arrival_s - EPOCH_S)
    assert played.playout.mean_wait_s < 0.015
    assert len(played.decoder.decoded) >= 395


# ---- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        {"fade_after_ms": 100.0},
        {"fade_after_ms": -1.0},
        {"margin_ms": -0.1},
        {"max_packets": 0},
        {"max_payload_bytes": 0},
    ],
)
def test_settings_out_of_range_are_refused(field: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must|cannot"):
        PlayoutSettings(**field)  # type: ignore[arg-type]
