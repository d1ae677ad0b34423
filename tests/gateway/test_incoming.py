"""Chunks of a foreign clock played by ours, in virtual time."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from gateway.wire.datagrams import CHUNK_BYTES, CHUNK_S, CHUNK_SAMPLES, RATE_HZ
from gateway.wire.incoming import ChunkPlayout
from mixer.playout_packet import Pull

BLOCK_S = 0.01
PITCH_HZ = 1000.0
SAMPLES = np.round(10_000 * np.sin(2 * np.pi * PITCH_HZ * np.arange(RATE_HZ) / RATE_HZ)).astype(
    "<i2"
)

TURN = np.exp(-2j * np.pi * PITCH_HZ * np.arange(4800) / 48_000).astype(np.complex64)


class World:
    """A sender with a clock of its own, and our clock."""

    def __init__(self, ppm: float = 0.0, jitter_s: Callable[[int], float] = lambda _: 0.0) -> None:
        self.playout = ChunkPlayout()
        self.now_s = 100.0
        self.sent = 0
        self.silent = False
        self._ppm = ppm
        self._jitter_s = jitter_s
        self._arrivals: list[float] = []

    def arrival_s(self, number: int) -> float:
        sent_s = 100.003 + (number + 1) * CHUNK_S / (1 + self._ppm * 1e-6)
        return sent_s + self._jitter_s(number)

    def run(self, seconds: float) -> np.ndarray:
        """Return what was played; what was not is NaN."""
        blocks = []
        for _ in range(round(seconds / BLOCK_S)):
            while self.arrival_s(self.sent) <= self.now_s:
                if not self.silent:
                    first = self.sent * CHUNK_SAMPLES % RATE_HZ
                    chunk = np.take(SAMPLES, np.arange(first, first + CHUNK_SAMPLES), mode="wrap")
                    self.playout.push(chunk.tobytes(), self.arrival_s(self.sent))
                self.sent += 1
            out = np.full((480, 2), np.nan, np.float32)
            self.playout.pull(out, self.now_s)
            blocks.append(out[:, 0])
            self.now_s += BLOCK_S
        return np.concatenate(blocks)


def pitch_hz(sound: np.ndarray) -> np.ndarray:
    """Pitch in each tenth of a second, from the advance of phase."""
    tenths = sound[: len(sound) // 4800 * 4800].reshape(-1, 4800) * TURN  # whole turns
    phase = np.unwrap(np.angle(tenths.mean(axis=1)))
    return PITCH_HZ + np.diff(phase) / (2 * np.pi * 0.1)


def cents(pitch: np.ndarray) -> float:
    return float(np.abs(1200 * np.log2(pitch / PITCH_HZ)).max())


@pytest.mark.slow
@pytest.mark.parametrize(("ppm", "minutes"), [(-150.0, 60), (0.0, 5), (150.0, 60)])
def test_an_hour_of_a_foreign_clock_is_played_without_a_gap(ppm: float, minutes: int) -> None:
    random_ = random.Random(1)
    delays = [random_.uniform(0, 0.002) for _ in range(1000)]
    world = World(ppm, lambda number: delays[number % 1000])
    begin = world.run(60.0)
    worst = cents(pitch_hz(begin[48_000:]))
    for _ in range(minutes - 1):
        sound = world.run(60.0)
        assert not np.isnan(sound).any()
        worst = max(worst, cents(pitch_hz(sound)))
    assert world.playout.underruns == 0
    assert world.playout.overruns == 0
    assert worst < 1.0
    assert world.playout.drift_ppm == pytest.approx(ppm, abs=30)
    assert world.playout.waiting_s < 0.04


def test_sound_waits_no_longer_than_it_must() -> None:
    """From a chunk's arrival to the pull that plays its first sample: a block and the margin."""
    world = World()
    world.run(60.0)
    waits = []
    for _ in range(200):
        world.run(BLOCK_S)
        waits.append(world.playout.waiting_s)
    # In the buffer right after a pull: between the margin and that with a whole chunk on top.
    assert min(waits) < 0.005
    assert max(waits) < CHUNK_S + 0.005


@pytest.mark.parametrize("tone_hz", [60.0, 1_000.0, 10_000.0, 19_400.0])
def test_tones_keep_their_level_and_bring_nothing_with_them(tone_hz: float) -> None:
    playout = ChunkPlayout()
    tone = 20_000 * np.sin(2 * np.pi * tone_hz * np.arange(100 * CHUNK_SAMPLES) / RATE_HZ)
    out, heard, pulled = np.zeros((480, 2), np.float32), [], 0
    for number, chunk in enumerate(np.round(tone).astype("<i2").reshape(100, CHUNK_SAMPLES)):
        now_s = number * CHUNK_S
        playout.push(chunk.tobytes(), now_s)
        while pulled * BLOCK_S <= now_s:
            playout.pull(out, pulled * BLOCK_S)
            heard.append(out[:, 0].copy())
            pulled += 1
    sound = np.concatenate(heard)[24_000 : 24_000 + 48_000]
    power = np.abs(np.fft.rfft(sound * np.blackman(48_000))) ** 2
    near = np.abs(np.arange(24_001) - tone_hz) < 40
    level = np.sqrt(np.mean(np.square(sound))) * 32768 / 20_000 * 2**0.5
    assert abs(20 * np.log10(level)) < 0.1
    assert 10 * np.log10(power[~near].sum() / power[near].sum()) < -80


def test_it_comes_and_goes_without_a_click() -> None:
    world = World()
    before = world.run(0.5)
    world.silent = True
    after = world.run(0.5)
    world.silent = False
    again = world.run(0.5)
    whole = np.nan_to_num(np.concatenate([before, after, again]))
    tone_step = 0.305 * 2 * np.pi * PITCH_HZ / 48_000
    assert np.abs(np.diff(whole)).max() < 1.6 * tone_step
    assert np.abs(whole[-24_000:]).max() == pytest.approx(0.305, rel=0.02)
    assert not np.nan_to_num(after[-20_000:]).any()
    assert world.playout.underruns == 0, "a pause is no underrun"


def test_late_chunks_make_it_wait_longer() -> None:
    """Every 20th chunk is 30 ms late: after some of them the buffer holds enough."""
    world = World(jitter_s=lambda number: 0.03 if number % 20 == 10 else 0.0)
    world.run(20.0)
    underruns = world.playout.underruns
    assert underruns > 0
    world.run(20.0)
    assert world.playout.underruns - underruns <= 1


def test_a_burst_after_a_stall_is_skipped() -> None:
    """A second's chunks at once: the buffer is bounded, and soon it is as short as before."""
    world = World(
        jitter_s=lambda number: max(0.0, 1.0 - (number - 100) * CHUNK_S) if number >= 100 else 0.0
    )
    world.run(20.0)
    assert world.playout.overruns > 0
    assert world.playout.waiting_s < 0.08


def test_nothing_is_written_while_there_is_nothing() -> None:
    playout = ChunkPlayout()
    out = np.full((480, 2), 7, np.float32)
    assert playout.pull(out, 1.0) is Pull.SILENT
    assert not playout.is_buffering
    playout.push(bytes(CHUNK_BYTES), 1.0)
    assert playout.is_buffering
    assert playout.pull(out, 1.004) is Pull.SILENT, "a margin and the resampler are waited for"
    assert (out == 7).all()
    assert playout.pull(out, 1.014) is Pull.SOUND
    assert not out.any()


def mean_slack_ms(world: World, seconds: float) -> float:
    """From arrival to the pull that plays a chunk's first sample, but for block and resampler."""
    slacks = []
    sent = world.sent
    for _ in range(round(seconds / BLOCK_S)):
        have = world.playout.waiting_s
        world.run(BLOCK_S)
        if world.sent > sent:
            slacks.append(world.now_s - 2 * BLOCK_S + have - world.arrival_s(sent))
            sent = world.sent
    return 1000 * float(np.mean(slacks))


def test_one_late_chunk_delays_nothing_that_follows() -> None:
    world = World(jitter_s=lambda number: 0.02 if number == 1000 else 0.0)
    world.run(23.0)
    before = mean_slack_ms(world, 0.2)
    assert before == pytest.approx(0.25, abs=0.5)
    world.run(1.0)  # it comes, and the buffer ran dry
    assert world.playout.underruns == 1
    assert mean_slack_ms(world, 0.2) == pytest.approx(before, abs=0.3)
    world.run(30.0)
    assert world.playout.underruns == 1
    assert mean_slack_ms(world, 0.2) == pytest.approx(before, abs=0.3)


def test_a_path_that_has_become_longer_is_followed_at_once() -> None:
    world = World(jitter_s=lambda number: 0.015 if number >= 1000 else 0.0)
    world.run(24.0)
    underruns = world.playout.underruns
    assert 1 <= underruns <= 4
    assert mean_slack_ms(world, 0.2) == pytest.approx(0.5, abs=0.5)
    world.run(30.0)
    assert world.playout.underruns == underruns


def test_steady_jitter_is_waited_for_once() -> None:
    """Chunks up to 8 ms late: on the whole they come half of that earlier than needed."""
    random_ = random.Random(3)
    delays = [random_.uniform(0, 0.008) for _ in range(5000)]
    world = World(jitter_s=lambda number: delays[number % 5000])
    world.run(60.0)
    dry = world.playout.underruns
    assert mean_slack_ms(world, 10.0) == pytest.approx(5.0, abs=0.8)
    assert world.playout.underruns == dry


@pytest.mark.parametrize("offset_ms", [0.0, 1.0, 3.0, 6.5, 9.0])
def test_a_word_after_a_pause_begins_at_its_place_within_a_block(offset_ms: float) -> None:
    playout = ChunkPlayout()
    words = np.full(CHUNK_SAMPLES, 10_000, "<i2").tobytes()
    out = np.zeros((480, 2), np.float32)
    heard = []
    playout.push(words, 5.0 + offset_ms / 1000)
    for number in range(4):
        if playout.pull(out, 5.0 + (number + 1) * BLOCK_S) is Pull.SILENT:
            out[:] = 0.0
        heard.append(out[:, 0].copy())
    sound = np.concatenate(heard)
    half = int((sound > 0.5 * 10_000 / 32768).argmax())
    # The margin of 1.5 ms, soxr's 2.7 ms, and half of the fade-in.
    assert half / 48 == pytest.approx(offset_ms + 1.5 + 2.7 + 2.5, abs=0.7)
