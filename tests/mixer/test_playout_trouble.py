"""The playout when something goes wrong: drift, stalls, bursts, jumps, floods, rubbish."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.netsim_settings import NetworkConditions
from mixer.playout import Playout
from mixer.playout_packet import MediaPacket, Pull
from mixer.playout_settings import PlayoutSettings
from tests.mixer.playout_world import (
    EPOCH_S,
    RATE,
    TONE_STEP,
    Played,
    ToneDecoder,
    World,
    delayed,
    jittered,
    payload_of,
    play,
    stream,
    through,
)


def steps(sound: np.ndarray) -> float:
    return float(np.abs(np.diff(sound)).max())


# ---- clock drift -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("ppm", [-200.0, 200.0])
def test_an_hour_of_clock_drift_neither_starves_nor_grows(ppm: float) -> None:
    decoder = ToneDecoder()
    playout = Playout(decoder)
    rng = random.Random(1)
    out = np.zeros((960, 2), np.float32)
    packets = iter(
        packet
        for index in range(180_000)
        for packet in stream(1, 960, first=index, delay_s=0.02 + rng.random() * 0.001, ppm=ppm)
    )
    packet = next(packets, None)
    now_s, longest_s, worst_buffer_ms = EPOCH_S + 0.004, 0.0, 0.0
    concealed = silent = ticks = 0
    while packet is not None:
        while packet is not None and packet.arrival_s <= now_s:
            playout.push(packet)
            packet = next(packets, None)
        outcome = playout.pull(out, now_s)
        ticks += 1
        now_s += 0.02
        if ticks > 100:
            concealed += outcome is Pull.CONCEALED
            silent += outcome is Pull.SILENT
            longest_s = max(longest_s, playout.mean_wait_s)
            if ticks % 50 == 0:
                worst_buffer_ms = max(worst_buffer_ms, playout.stats().buffer_ms)
    stats = playout.stats()
    assert silent == 0
    assert stats.lost == stats.late == stats.resets == 0
    assert concealed == 0
    assert longest_s < 0.027
    assert worst_buffer_ms < 45
    drifted = abs(ppm) * 1e-6 * 3600 * RATE
    changed = stats.expanded_samples - stats.compressed_samples
    assert abs(changed) == pytest.approx(drifted, rel=0.1)


# ---- stalls and bursts -------------------------------------------------------------------------


def test_a_stall_of_the_network_is_made_up_for_at_once() -> None:
    packets = [
        packet._replace(arrival_s=EPOCH_S + 4.0 + packet.sequence * 1e-6)
        if EPOCH_S + 3.0 < packet.arrival_s < EPOCH_S + 4.0
        else packet
        for packet in stream(1000)
    ]
    world = World()
    world.send(packets)
    played = world.run_until(9.9)
    assert played.wait_at(EPOCH_S + 6.0) == pytest.approx(played.wait_at(EPOCH_S + 2.9), abs=0.001)
    assert set(played.outcomes_from(EPOCH_S + 4.02)) == {Pull.SOUND}
    assert played.playout.stats().target_ms < 3
    assert played.playout.stats().buffer_ms < 20


def test_a_stall_of_our_own_is_made_up_for_and_does_not_count_as_jitter() -> None:
    world = World()
    world.send(stream(1000))
    world.run_until(3.0)
    world.now_s += 1.0  # nobody pulled; the kernel stamped what came
    played = world.run_until(6.0)
    stats = played.playout.stats()
    assert stats.target_ms < 3
    assert stats.jitter_ms < 0.5
    assert stats.skipped_samples > 0.9 * RATE
    assert stats.compressed_samples <= 480
    assert played.waits[-1] == pytest.approx(0.004, abs=0.001)
    assert set(played.outcomes_from(EPOCH_S + 4.0)) == {Pull.SOUND}


def test_a_short_stall_of_our_own_is_compressed_away() -> None:
    world = World()
    world.send(stream(1000))
    world.run_until(3.0)
    world.now_s += 0.06
    behind = len(world.played.blocks)
    played = world.run_until(6.0)
    stats = played.playout.stats()
    assert stats.skipped_samples == stats.dropped == 0
    assert stats.compressed_samples == pytest.approx(0.06 * RATE, abs=480)
    # At a tenth of real time that is 0.6 s, after half a second of looking; the mean lags behind.
    assert played.wait_at(EPOCH_S + 4.6) < 0.006
    assert set(played.outcomes_from(EPOCH_S + 3.1)) == {Pull.SOUND}
    assert steps(np.concatenate(played.blocks[behind:])[:, 0]) < 1.3 * TONE_STEP


def test_compression_takes_no_more_than_a_tenth() -> None:
    world = World()
    world.send(stream(1000))
    world.run_until(3.0)
    world.now_s += 0.07
    before = world.playout.stats().compressed_samples
    taken = []
    while world.now_s < EPOCH_S + 5.0:
        world.tick()
        now = world.playout.stats().compressed_samples
        taken.append(now - before)
        before = now
    per_second = np.convolve(taken, np.ones(50), "valid")
    assert per_second.max() <= 0.1 * 24_000 + 600  # half a second, and one period more


def test_a_skip_is_blended_over() -> None:
    world = World()
    world.send(stream(1000))
    world.run_until(3.0)
    before = world.played.blocks[-1]
    world.now_s += 0.4037
    behind = len(world.played.blocks)
    played = world.run_until(5.0)
    assert played.playout.stats().skipped_samples > 0
    assert steps(np.concatenate([before, *played.blocks[behind:]])[:, 0]) < 1.5 * TONE_STEP


def test_late_bursts_that_repeat_are_waited_for_and_then_forgotten() -> None:
    """Every half second the network holds packets back for 50 ms, for ten seconds."""

    def delay_s(index: int) -> float:
        time_s = index * 0.01
        if time_s < 3 or time_s > 13:
            return 0.02
        return 0.02 + max(0.0, 0.05 - time_s % 0.5)

    world = World()
    world.send(stream(2500, delay_s=delay_s))
    played = world.run_until(24.9)
    stats = played.playout.stats()
    during = [o for o, t in zip(played.outcomes, played.times, strict=True) if 1008 < t < 1013]
    assert during.count(Pull.CONCEALED) <= 0.05 * len(during)
    assert max(played.waits) < 0.080
    assert stats.target_ms < 3
    assert played.waits[-1] < 0.008


def test_a_path_that_becomes_longer_is_followed_within_a_moment() -> None:
    world = World()
    packets = [delayed(p, 0.08 if p.sequence >= 300 else 0.0) for p in stream(1000)]
    world.send(packets)
    played = world.run_until(9.9)
    assert set(played.outcomes_from(EPOCH_S + 3.4)) == {Pull.SOUND}
    assert played.playout.stats().target_ms < 3


def test_a_path_that_becomes_shorter_gives_its_delay_back() -> None:
    world = World()
    packets = [delayed(p, 0.0 if p.sequence >= 300 else 0.08) for p in stream(1500)]
    world.send(packets)
    played = world.run_until(14.5)
    assert set(played.outcomes_from(EPOCH_S + 1.0)) == {Pull.SOUND}
    assert played.waits[-1] < 0.008


def amid(pulls: Played, first_s: float, last_s: float) -> list[Pull]:
    """What came out between two instants."""
    return [
        outcome
        for outcome, time_s in zip(pulls.outcomes, pulls.times, strict=True)
        if first_s <= time_s - EPOCH_S < last_s
    ]


def test_a_fifth_of_the_packets_lost_is_concealed_and_forgotten_at_once() -> None:
    packets = stream(3000)
    bad = through(packets[500:2000], NetworkConditions(loss_percent=20), 5)
    played = play([*packets[:500], *bad, *packets[2000:]])
    bad = amid(played, 5.1, 20.0)
    assert Pull.SILENT not in bad
    assert bad.count(Pull.CONCEALED) == pytest.approx(0.2 * len(bad), rel=0.25)
    assert played.wait_at(EPOCH_S + 19.0) < 0.03, "loss is no reason to wait"
    assert set(amid(played, 20.1, 29.9)) == {Pull.SOUND}
    assert steps(played.sound) < 1.2 * TONE_STEP, "a click"


def test_half_a_second_of_jitter_leaves_gaps_a_bounded_delay_and_nothing_behind() -> None:
    packets = stream(3500)
    bad = through(packets[500:2000], NetworkConditions(scatter_ms=500), 3)
    played = play([*packets[:500], *bad, *packets[2000:]])
    assert Pull.SOUND in amid(played, 7.0, 19.0)
    assert max(played.waits) < 0.3, "more delay is worse than gaps"
    after = amid(played, 21.0, 34.9)
    assert set(after) == {Pull.SOUND}, "a second later all is heard again"
    assert played.wait_at(EPOCH_S + 30.0) < 0.02, "within ten seconds the delay is what it was"
    assert steps(played.sound) < 1.5 * TONE_STEP, "a click"


def test_the_backlog_of_the_start_is_dropped() -> None:
    packets = [
        p._replace(arrival_s=max(p.arrival_s, EPOCH_S + 0.5 + p.sequence * 1e-5))
        for p in stream(300)
    ]
    world = World()
    world.send(packets)
    played = world.run_until(2.5)
    assert played.playout.stats().dropped > 30
    assert played.playout.stats().skipped_samples == 0  # it was never begun
    assert played.wait_at(EPOCH_S + 1.5) < 0.008


@given(seed=st.integers(0, 10_000), spread_ms=st.integers(0, 60), loss=st.sampled_from([0, 10]))
@settings(max_examples=30, deadline=None)
def test_positions_never_go_back_and_the_delay_stays_bounded(
    seed: int, spread_ms: int, loss: float
) -> None:
    network = NetworkConditions(loss_percent=loss, scatter_ms=spread_ms, duplicate_percent=5)
    phase_s = random.Random(seed).random() * 0.01
    packets = through(stream(500, fec=True), network, seed)
    played = play(packets, phase_s=phase_s, tail_s=0.0)
    assert played.decoder.decoded == sorted(set(played.decoder.decoded))
    assert max(played.waits) < spread_ms / 1000 + 0.030
    stats = played.playout.stats()
    assert stats.resets == 0
    assert stats.buffer_ms <= spread_ms + 60


@given(
    seed=st.integers(0, 10_000),
    spread_ms=st.integers(0, 60),
    loss=st.sampled_from([0, 5, 30]),
    samples=st.sampled_from([480, 960, 2880]),
    fec=st.booleans(),
    stalls=st.lists(st.tuples(st.integers(0, 150), st.floats(0, 0.4)), max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_nothing_the_network_does_is_heard_as_a_click(
    seed: int,
    spread_ms: int,
    loss: float,
    samples: int,
    fec: bool,
    stalls: list[tuple[int, float]],
) -> None:
    network = NetworkConditions(loss_percent=loss, scatter_ms=spread_ms)
    world = World(phase_s=random.Random(seed).random() * 0.01)
    world.send(through(stream(120_000 // samples, samples, fec=fec), network, seed))
    waiting = dict(stalls)
    for turn in range(250):
        world.now_s += waiting.get(turn, 0.0)  # nobody pulled for a while
        world.tick()
    assert steps(world.played.sound) < 3 * TONE_STEP
    assert all(count % 480 == 0 for count in world.decoder.concealed)


# ---- jumps -------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [10 * RATE, -10 * RATE, 5, 2**31, -(2**31)])
def test_a_jump_of_the_media_clock_starts_afresh(jump: int) -> None:
    before = stream(200, timestamp=20 * RATE)
    after = stream(300, first=200, timestamp=20 * RATE + jump)
    played = play([*before, *after], tail_s=0.0)
    assert played.playout.stats().resets == (0 if jump == 5 else 1)
    assert set(played.outcomes_from(EPOCH_S + 2.3)) == {Pull.SOUND}
    assert played.playout.mean_wait_s < 0.015


@pytest.mark.parametrize("jump_s", [-1.0, -0.3, 0.3, 1.0])
def test_a_small_jump_is_over_within_a_moment(jump_s: float) -> None:
    before = stream(200, timestamp=20 * RATE)
    after = stream(1000, first=200, timestamp=20 * RATE + round(jump_s * RATE))
    played = play([*before, *after], tail_s=0.0)
    assert set(played.outcomes_from(EPOCH_S + 3.5)) == {Pull.SOUND}
    assert played.playout.mean_wait_s < 0.015


def test_reset_forgets_the_stream_and_takes_the_next() -> None:
    world = World()
    world.send(stream(100))
    world.run_until(1.1)
    world.playout.reset()
    assert world.tick() is Pull.SILENT
    world.send(stream(200, first=150, sequence=30_000, timestamp=123_456_789))
    played = world.run_until(3.4)
    stats = played.playout.stats()
    assert (stats.resets, played.decoder.resets, stats.lost) == (1, 1, 0)
    assert played.outcomes[-1] is Pull.SOUND


# ---- floods and rubbish ------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [120, 960, 5760])
def test_a_flood_is_bounded_and_survived(samples: int) -> None:
    settings_ = PlayoutSettings()
    playout = Playout(ToneDecoder(), settings_)
    for packet in stream(10_000, samples):
        playout.push(packet)
    stats = playout.stats()
    assert stats.buffer_ms <= settings_.max_backlog_ms
    assert stats.dropped >= 10_000 - settings_.max_packets
    out = np.zeros((480, 2), np.float32)
    assert playout.pull(out, EPOCH_S + 10_000 * samples / RATE + 0.02) is Pull.SOUND


def test_a_flood_at_one_instant_is_survived() -> None:
    world = World()
    world.send([p._replace(arrival_s=EPOCH_S + 1.0) for p in stream(5_000)])
    world.send(stream(300, first=5_000, begin_s=EPOCH_S - 49.0))
    played = world.run_until(3.9)
    assert played.outcomes[-1] is Pull.SOUND
    assert played.playout.stats().buffer_ms < 40


def test_an_oversized_payload_is_refused() -> None:
    playout = Playout(ToneDecoder(), PlayoutSettings(max_payload_bytes=11))
    playout.push(stream(1)[0])
    assert playout.stats().malformed == 1
    assert not playout.is_buffering


def test_rubbish_counts_as_loss() -> None:
    packets = [p._replace(payload=b"rubbish") if p.sequence % 20 == 10 else p for p in stream(200)]
    played = play(packets)
    stats = played.playout.stats()
    assert stats.malformed == 10
    assert stats.lost == 10
    assert played.count(Pull.CONCEALED) <= 10 + 11


class Refusing(ToneDecoder):
    """A decoder whose payloads look right and are not."""

    def decode(self, payload: bytes, out: np.ndarray) -> int:
        if int.from_bytes(payload[4:], "big") // 480 % 10 == 5:
            self.samples(b"")
        return super().decode(payload, out)


def test_what_only_the_decoder_finds_broken_is_concealed() -> None:
    playout = Playout(Refusing())
    world = World()
    world.playout = playout
    world.send(stream(200))
    world.run_until(2.01)
    stats = playout.stats()
    assert stats.malformed >= 19
    assert stats.lost == stats.late == 0
    assert stats.concealed_samples >= 19 * 480


numbers16 = st.integers(0, 0xFFFF)
numbers32 = st.integers(0, 0xFFFFFFFF)
payloads = st.one_of(
    st.binary(max_size=20),
    st.builds(
        payload_of,
        st.integers(0, 2**40),
        st.sampled_from([120, 480, 960, 2880, 5760]),
        fec=st.booleans(),
        dtx=st.booleans(),
    ),
)
strange = st.builds(
    MediaPacket,
    sequence=numbers16,
    timestamp=numbers32,
    payload=payloads,
    arrival_s=st.floats(EPOCH_S, EPOCH_S + 2),
    marker=st.booleans(),
    redundant=st.booleans(),
)


@pytest.mark.slow
@given(
    guests=st.lists(st.tuples(st.integers(0, 199), strange), max_size=40),
    blocks=st.lists(st.sampled_from([120, 441, 480, 960, 5760]), min_size=1, max_size=8),
    seed=st.integers(0, 100),
)
@settings(max_examples=80, deadline=None)
def test_nothing_a_client_sends_breaks_the_playout(
    guests: list[tuple[int, MediaPacket]], blocks: list[int], seed: int
) -> None:
    rng = random.Random(seed)
    playout = Playout(ToneDecoder())
    own = stream(200, fec=True, delay_s=jittered(seed, 0.02))
    now_s = EPOCH_S
    for index, packet in enumerate(own):
        playout.push(packet)
        for at, guest in guests:
            if at == index:
                playout.push(guest)
        out = np.full((blocks[index % len(blocks)], 2), 0.125, np.float32)
        now_s += rng.random() * 0.02
        outcome = playout.pull(out, now_s)
        assert np.isfinite(out).all()
        assert np.abs(out).max() <= 1.0
        if outcome is Pull.SILENT:
            assert (out == 0.125).all()
        assert playout.stats().buffer_ms <= 2_120
