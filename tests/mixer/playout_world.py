"""A publisher, a network and a clock in virtual time, for the tests of the playout."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from mixer.netsim import NetworkSimulator
from mixer.netsim_settings import NetworkConditions
from mixer.playout import Playout
from mixer.playout_packet import Block, DecodeError, MediaPacket, Pull

RATE = 48_000
EPOCH_S = 1_000.0
PERIOD = 256  # samples of the tone: 187.5 Hz, no divisor of any packet
AMPLITUDE = 0.5
TONE_STEP = AMPLITUDE * 2 * np.pi / PERIOD  # its largest step from sample to sample
_TABLE = (AMPLITUDE * np.sin(2 * np.pi * np.arange(PERIOD + 5_760) / PERIOD)).astype(np.float32)
_TABLE = np.repeat(_TABLE[:, None], 2, axis=1)
_MAGIC = b"\xa5"


def payload_of(position: int, samples: int, *, fec: bool = False, dtx: bool = False) -> bytes:
    """A payload that the tone decoder plays as the tone at `position`."""
    if dtx:
        return _MAGIC + samples.to_bytes(1, "big") if samples < 256 else _MAGIC
    return _MAGIC + bytes([fec]) + samples.to_bytes(2, "big") + position.to_bytes(8, "big")


_BLEND = 120
_RISE = np.linspace(0, 1, _BLEND, dtype=np.float32)[:, None]


@dataclass
class ToneDecoder:
    """Plays each payload as a stretch of one endless tone; notes what it was asked for.

    Like a real decoder it conceals by going on as before, and blends what it decodes next over
    the first 2.5 ms, so that a click in the output is a click of the playout.
    """

    decoded: list[int] = field(default_factory=list)
    repaired: list[int] = field(default_factory=list)
    concealed: list[int] = field(default_factory=list)
    resets: int = 0
    _next: int | None = None

    def samples(self, payload: bytes) -> int:
        if self.is_dtx(payload):
            return 960
        if len(payload) != 12 or payload[:1] != _MAGIC:
            raise DecodeError("no tone")
        samples = int.from_bytes(payload[2:4], "big")
        if not 120 <= samples <= 5_760:
            raise DecodeError("no length")
        return samples

    def is_dtx(self, payload: bytes) -> bool:
        return payload == _MAGIC

    def carries_fec(self, payload: bytes) -> bool:
        return len(payload) > 1 and payload[1] == 1

    def decode(self, payload: bytes, out: Block) -> int:
        samples = self.samples(payload)
        if self.is_dtx(payload):
            self.conceal(out[:samples])
            self.concealed.pop()
            return samples
        position = int.from_bytes(payload[4:], "big")
        self.decoded.append(position)
        self._play(position, out[:samples])
        return samples

    def decode_fec(self, payload: bytes, out: Block) -> int:
        assert len(out) == self.samples(payload), "less than the packet would only be concealed"
        position = int.from_bytes(payload[4:], "big") - len(out)
        self.repaired.append(position)
        self._play(position, out)
        return len(out)

    def conceal(self, out: Block) -> int:
        assert len(out) % 120 == 0
        self.concealed.append(len(out))
        if self._next is None:
            out[:] = 0
        else:
            self._play(self._next, out)
        return len(out)

    def reset(self) -> None:
        self.resets += 1
        self._next = None

    def _play(self, position: int, out: Block) -> None:
        start = position % PERIOD
        out[:] = _TABLE[start : start + len(out)]
        if self._next is not None and self._next != position:
            before = self._next % PERIOD
            head = out[:_BLEND]
            head *= _RISE
            head += _TABLE[before : before + _BLEND] * (1 - _RISE)
        self._next = position + len(out)


Delay = Callable[[int], float]


def stream(
    count: int,
    samples: int = 480,
    *,
    first: int = 0,
    sequence: int = 0,
    timestamp: int = 0,
    delay_s: Delay | float = 0.020,
    ppm: float = 0.0,
    fec: bool = False,
    begin_s: float = EPOCH_S,
) -> list[MediaPacket]:
    """Packets `first` … of an even stream in the order sent; `arrival_s` is send time and delay.

    `sequence` and `timestamp` are those of packet 0; `ppm` > 0 is a sender whose clock is slow.
    """
    packets = []
    for index in range(first, first + count):
        position = index * samples
        delay = delay_s if isinstance(delay_s, float) else delay_s(index)
        sent_s = begin_s + (position + samples) / RATE * (1 + ppm * 1e-6)
        packets.append(
            MediaPacket(
                (sequence + index) & 0xFFFF,
                (timestamp + position) & 0xFFFFFFFF,
                payload_of(position, samples, fec=fec),
                sent_s + delay,
            )
        )
    return packets


def jittered(seed: int, spread_s: float, base_s: float = 0.020) -> Delay:
    """Delays drawn evenly from `base_s` to `base_s` + `spread_s`."""
    network = NetworkSimulator[None](NetworkConditions(scatter_ms=1000 * spread_s), seed)

    def delay_s(_: int) -> float:
        network.send(None, 0, 0.0)
        return base_s + network.poll(math.inf)[0].time_s

    return delay_s


def through(
    packets: Iterable[MediaPacket], conditions: NetworkConditions, seed: int
) -> list[MediaPacket]:
    """What comes of packets that a network gets when they would have arrived without it."""
    network: NetworkSimulator[MediaPacket] = NetworkSimulator(conditions, seed)
    came = []
    for packet in sorted(packets, key=lambda packet: packet.arrival_s):
        network.send(packet, len(packet.payload), packet.arrival_s)
        came += network.poll(math.inf)
    return [packet._replace(arrival_s=time_s) for time_s, packet in sorted(came)]


def delayed(packet: MediaPacket, by_s: float) -> MediaPacket:
    return packet._replace(arrival_s=packet.arrival_s + by_s)


@dataclass
class Played:
    """What came out of a run."""

    playout: Playout
    decoder: ToneDecoder
    outcomes: list[Pull] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def sound(self) -> np.ndarray:
        return np.concatenate(self.blocks)[:, 0]

    def count(self, outcome: Pull) -> int:
        return self.outcomes.count(outcome)

    def outcomes_from(self, time_s: float) -> list[Pull]:
        return [o for o, t in zip(self.outcomes, self.times, strict=True) if t >= time_s]

    def wait_at(self, time_s: float) -> float:
        return next(w for w, t in zip(self.waits, self.times, strict=True) if t >= time_s)


class World:
    """One playout under a clock."""

    def __init__(
        self, phase_s: float = 0.004, block: int = 480, decoder: ToneDecoder | None = None
    ) -> None:
        self.decoder = decoder or ToneDecoder()
        self.playout = Playout(self.decoder)
        self.played = Played(self.playout, self.decoder)
        self.block = block
        self.now_s = EPOCH_S + phase_s
        self._network: list[MediaPacket] = []

    def send(self, packets: Iterable[MediaPacket]) -> None:
        self._network = sorted([*self._network, *packets], key=lambda packet: packet.arrival_s)

    def tick(self) -> Pull:
        """Deliver what has arrived, pull one block, step the clock."""
        arrived = 0
        for packet in self._network:
            if packet.arrival_s > self.now_s:
                break
            self.playout.push(packet)
            arrived += 1
        del self._network[:arrived]
        out = np.zeros((self.block, 2), np.float32)
        outcome = self.playout.pull(out, self.now_s)
        played = self.played
        played.outcomes.append(outcome)
        played.blocks.append(out)
        played.times.append(self.now_s)
        played.waits.append(self.playout.mean_wait_s)
        self.now_s += self.block / RATE
        return outcome

    def run_until(self, time_s: float) -> Played:
        while self.now_s < EPOCH_S + time_s:
            self.tick()
        return self.played


def play(
    packets: list[MediaPacket], *, phase_s: float = 0.004, block: int = 480, tail_s: float = 0.3
) -> Played:
    """Play `packets` from first to last, and `tail_s` beyond."""
    world = World(phase_s, block)
    world.send(packets)
    return world.run_until(packets[-1].arrival_s - EPOCH_S + tail_s)
