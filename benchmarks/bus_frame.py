"""What a frame of one voice costs on its way from one replica's worker to another's, step by step.

Two mixers of a room of two in one process, in virtual time, blocks of 10 ms, one voice each; no
network, no Redis, no connections. Medians of wall time with warm caches: inside a worker, which
does other things in between, each step takes two to three times as long.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

from benchmarks.harness.options import Options, parse_options, run
from benchmarks.harness.report import print_result, print_table
from mixer.arena import BLOCK_10MS, SAMPLE_RATE_HZ, Arena, Block, SourceArena
from mixer.exchange import RoomExchange
from mixer.playout_packet import Pull
from mixer.room import RoomMixer
from rooms.bus import BusCodec
from rooms.replicas import number_of, worker_number
from webrtc.media.bus_sound import SoundPacker, SoundUnpacker

_BLOCK_S = BLOCK_10MS / SAMPLE_RATE_HZ
_WAY_S = 0.002
_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Voice:
    """A publisher who sings."""

    packet_samples = BLOCK_10MS
    is_buffering = True

    def __init__(self) -> None:
        self._at = 0

    def pull(self, out: Block, now_s: float) -> Pull:
        """See `PlayoutLike`."""
        phase = 2 * np.pi * 300 * (self._at + np.arange(len(out))) / SAMPLE_RATE_HZ
        self._at += len(out)
        out[:] = (0.2 * np.sin(phase)).astype(np.float32)[:, None]
        return Pull.SOUND

    def safe_time_s(self) -> float | None:
        """See `PlayoutLike`."""
        return None


class _Watch:
    """Notes how long steps take."""

    def __init__(self) -> None:
        self._took: dict[str, list[int]] = defaultdict(list)

    def time(self, step: str, work: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
        """Do a step."""
        began = time.perf_counter_ns()
        result = work(*args, **named)
        self._took[step].append(time.perf_counter_ns() - began)
        return result

    def medians_us(self) -> dict[str, float]:
        """Return the medians, without the first quarter of each."""
        return {
            step: round(float(np.median(took[len(took) // 4 :])) / 1000, 1)
            for step, took in self._took.items()
        }


def _a_room(worker: int, other: int) -> RoomMixer:
    room = RoomMixer("a room of two", SourceArena(), Arena(), 10)
    room.exchange = RoomExchange(room, room.room_id, worker, 100)
    room.exchange.set_neighbours([other], [other])
    room.add_source(f"participant {worker}", worker % 1000, _Voice())
    room.add_listener(f"participant {worker}", 1, 1)
    return room


def measure(frames: int) -> dict[str, float]:
    """Return what each step of a frame takes, in µs."""
    here, there = (worker_number(number_of(name), 0) for name in ("here", "there"))
    sender, receiver = _a_room(here, there), _a_room(there, here)
    codec, packer, unpacker, watch = BusCodec(), SoundPacker(), SoundUnpacker(), _Watch()
    telling, told = sender.exchange, receiver.exchange
    assert telling is not None
    assert told is not None
    for number in range(frames):
        now_s = 100 + number * _BLOCK_S
        sender.advance(now_s)
        watch.time("compose", telling.compose, sender.block_time, sender.block, ())
        frame = telling.take()
        assert frame is not None
        packed = watch.time("Opus in", packer.pack, frame, now_s)
        message = watch.time("encode", codec.encode, packed, now_s)
        came = watch.time("decode", codec.decode, message).frame
        samples = watch.time("Opus out", unpacker.unpack, came, now_s)
        watch.time("take in", told.handle, samples, now_s + _WAY_S)
        [remote] = [one for one in receiver.sources.values() if one.remote]
        into = remote.view[:BLOCK_10MS]
        watch.time("play", remote.playout.pull, into, now_s + _BLOCK_S / 2)
    return watch.medians_us()


async def main() -> None:
    """Measure and tell."""
    options: Options = parse_options("what a frame between replicas costs", 20, 5)
    found = measure(round(options.seconds / _BLOCK_S))
    total = round(sum(found.values()), 1)
    print_table(
        "A frame of one voice between replicas, µs", [*found, "all"], [[*found.values(), total]]
    )
    print_result("bus_frame", {"us": found, "all_us": total})


if __name__ == "__main__":
    run(main)
