"""Delay of the sound itself, sample by sample: blocks should end where packets end.

Each sample says where in the media it is from: the channels differ by that and nothing else.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import pytest

from mixer.phase import best_shift
from mixer.playout import Playout
from mixer.playout_packet import Block, MediaPacket, Pull
from mixer.stretch import OVERLAP_SAMPLES
from tests.mixer.playout_world import EPOCH_S, RATE, ToneDecoder, World, jittered, stream

SLOT_S = 0.0025
_SPAN = 1 << 20  # samples, 22 s: positions are told apart so far
_STEP = 2.0**-22
_SECOND = np.arange(RATE) / RATE


def _tones(*hertz: float) -> np.ndarray:
    return np.asarray(np.sin(2 * np.pi * np.outer(hertz, _SECOND)).sum(axis=0))


def _voice() -> np.ndarray:
    random = np.random.default_rng(7)
    pitch = _tones(*(140 * k for k in range(1, 12)))
    return pitch + random.standard_normal(RATE)


SOUNDS = {
    "voice": _voice(),
    "noise": np.random.default_rng(8).standard_normal(RATE),
    "high tone": _tones(1_030),  # 20 ms are no whole number of periods
    "chord": _tones(333, 1_300, 4_000),
}


@dataclass
class MarkedDecoder(ToneDecoder):
    """Plays a second of sound over and over, never quiet, and marks each sample's position."""

    sound: str = "voice"

    def _play(self, position: int, out: Block) -> None:
        positions = np.arange(position, position + len(out))
        wave = SOUNDS[self.sound][positions % RATE] * (0.1 / np.std(SOUNDS[self.sound]))
        mark = positions % _SPAN * _STEP
        out[:, 0] = wave + mark
        out[:, 1] = wave - mark
        self._next = position + len(out)


def positions_of(block: Block) -> np.ndarray:
    """Where in the media each sample is from; something between where two were blended."""
    marks = (block[:, 0].astype(np.float64) - block[:, 1]) / 2
    return np.asarray(np.round(marks / _STEP).astype(np.int64))


def waits_ms(block: Block, now_s: float, packets: list[MediaPacket]) -> np.ndarray:
    """How long before the pull each sample's packet came."""
    samples = packets[1].timestamp - packets[0].timestamp
    arrivals = np.array([packet.arrival_s for packet in packets])
    numbers = np.clip(positions_of(block) // samples, 0, len(arrivals) - 1)
    return np.asarray((now_s - arrivals[numbers]) * 1000)


def wave_of(block: Block) -> np.ndarray:
    return np.asarray(block.mean(axis=1))


def after_a_stall(sound: str, samples: int, stall_s: float) -> tuple[World, list[MediaPacket]]:
    """Nobody pulls for a while after 2 s, so that delay must go; play on to 9 s."""
    packets = stream(round(9.5 * RATE / samples), samples, delay_s=jittered(3, 0.0005))
    world = World(0.003, samples, MarkedDecoder(sound=sound))
    world.send(packets)
    world.run_until(2.0)
    world.now_s += stall_s
    world.run_until(9.0)
    return world, packets


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("samples", [480, 960])
@pytest.mark.parametrize("stall_s", [0.0125, 0.020, 0.0375])
def test_when_delay_has_gone_a_packet_leaves_whole(
    sound: str, samples: int, stall_s: float
) -> None:
    """What is left of it would leave a whole packet later."""
    world, packets = after_a_stall(sound, samples, stall_s)
    played = world.played
    last = zip(played.blocks[-25:], played.times[-25:], strict=True)
    waits = np.concatenate([waits_ms(block, now_s, packets) for block, now_s in last])
    assert waits.max() - waits.min() < 0.6
    assert waits.max() < samples * 1000 / RATE + 3
    assert played.playout.stats().compressed_samples > 0
    assert played.playout.stats().concealed_samples == 0


@pytest.mark.parametrize(("sound", "share"), [("high tone", 0.85), ("chord", 0.95)])
def test_no_rest_is_cut_out_where_it_cancels_the_sound(sound: str, share: float) -> None:
    world, _ = after_a_stall(sound, 960, 0.020)
    blocks = world.played.blocks[100:]  # from 2 s on
    heard = wave_of(np.concatenate(blocks))
    said = MarkedDecoder(sound=sound)
    whole = np.empty((RATE, 2), np.float32)
    said._play(0, whole)
    window = 96  # 2 ms
    loudness = np.sqrt(np.convolve(heard**2, np.ones(window) / window, mode="valid"))
    usual = np.sqrt(np.convolve(wave_of(whole) ** 2, np.ones(window) / window, mode="valid"))
    assert loudness.min() > share * usual.min()
    assert np.abs(np.diff(heard)).max() < 1.05 * np.abs(np.diff(wave_of(whole))).max()


def test_delay_goes_out_without_a_jump_in_the_sound() -> None:
    world, _ = after_a_stall("voice", 960, 0.020)
    positions = positions_of(np.concatenate(world.played.blocks[100:])).astype(float)
    steps = np.diff(positions)
    # Blended over 5 ms, a cut of n samples moves on by about n / 240 more at each.
    assert steps.min() >= -1
    assert steps.max() < 1 + 600 * np.pi / 2 / OVERLAP_SAMPLES + 1


# ---- rooms -------------------------------------------------------------------------------------


@dataclass
class Publisher:
    """One who speaks, from packets to the wait of each sample."""

    packets: list[MediaPacket]
    playout: Playout
    waiting: deque[MediaPacket] = field(default_factory=deque)
    waits: list[np.ndarray] = field(default_factory=list)

    def hear(self, now_s: float, block: int, settled_s: float) -> bool:
        """Take what has come and pull; note how long it waited; return whether it sounds."""
        while self.waiting and self.waiting[0].arrival_s <= now_s:
            self.playout.push(self.waiting.popleft())
        out = np.zeros((block, 2), np.float32)
        if self.playout.pull(out, now_s) is Pull.SILENT:
            return False
        if now_s > settled_s:
            self.waits.append(waits_ms(out, now_s, self.packets))
        return True


def _publisher(random: np.random.Generator, samples: int, seconds: float) -> Publisher:
    """Jitter of half a millisecond; the first packets and a few others come later than that."""

    def delay_s(number: int) -> float:
        delay = 0.02 + random.random() * 0.0005
        if number < 5:
            delay += random.random() * 0.004
        if random.random() < 0.002:
            delay += random.random() * 0.005
        return delay

    begin_s = EPOCH_S + random.random() * samples / RATE
    packets = stream(round(seconds * RATE / samples), samples, delay_s=delay_s, begin_s=begin_s)
    packets.sort(key=lambda packet: packet.arrival_s)
    return Publisher(packets, Playout(MarkedDecoder()), deque(packets))


def room_of_two(seed: int, samples: int, seconds: float) -> tuple[np.ndarray, float]:
    """Let two speak in a room that runs as the worker lets it, its phase looked at every second.

    Return the wait of each sample in ms, and how many ms were taken out of the sound meanwhile.
    """
    random = np.random.default_rng(seed)
    publishers = [_publisher(random, samples, seconds) for _ in range(2)]
    stride = round(samples / RATE / SLOT_S)
    slot = round(EPOCH_S / SLOT_S) + int(random.integers(stride))
    looked = 0
    while (now_s := slot * SLOT_S) < EPOCH_S + seconds - 0.1:
        sounding = [p.playout for p in publishers if p.hear(now_s, samples, EPOCH_S + 4)]
        slot += stride
        looked += 1
        ready = [time_s for playout in sounding if (time_s := playout.safe_time_s()) is not None]
        if ready and looked % 50 == 0:
            slot += best_shift(ready, slot * SLOT_S, SLOT_S, stride)
    waits = np.concatenate([wait for p in publishers for wait in p.waits])
    return waits, sum(p.playout.stats().compressed_samples for p in publishers) * 1000 / RATE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("samples", "seconds", "bounds_ms"), [(480, 11.0, (8, 13, 14)), (960, 20.0, (15, 20, 21))]
)
def test_in_rooms_of_two_nothing_is_heard_much_later_than_the_rest(
    samples: int, seconds: float, bounds_ms: tuple[float, float, float]
) -> None:
    """For so long that what was learned from the first packets is forgotten meanwhile."""
    rooms = [room_of_two(seed, samples, seconds) for seed in range(8)]
    waits = np.concatenate([waits for waits, _ in rooms])
    found = np.percentile(waits, [50, 95, 99])
    assert (found <= bounds_ms).all(), found
    squeezed_ms = np.mean([squeezed for _, squeezed in rooms])
    assert squeezed_ms < 20
