"""What it costs that a room is in several replicas: delay, traffic, joining, state.

All replicas, Redis and the load run on this one machine.

- Delay: rooms of two, both with one replica and each with another: one and three of them, which
  tells of the way, and ten as in `benchmarks.latency`, which two workers, their load and Redis on
  these same cores may have no time for: what the cores were busy with is told beside. The
  look-ahead of the bus's encoder is added as what it is, 2.5 ms for all sound. Packet by packet
  it would be nothing for three pulses of four and 10 ms for the fourth, whose onset it moves into
  the next packet. From one replica to the other it is measured twice: first with Redis as an
  ordinary process, which on these same cores runs when no media worker wants to, as those have
  real-time priority; then with Redis at their priority, in place of a machine of its own, where it
  would not wait for them at all. What is called "added" is the first of these, at three rooms.
- Traffic: what Redis is sent and sends per second for one speaker, with few and with many listeners
  at another replica.
- Bus: what it costs that two workers share 10, 100 and 1,000 rooms with a voice each, one way,
  without Opus: CPU of both ends in one process, CPU of Redis, and messages.
- Joining: clients that come to three replicas within seconds, without sound.
- State: rooms of four in Redis, changed one after the other by one of two replicas.

`--only` measures one of them.
"""

import argparse
import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.cluster_model import a_frame, redis_cpu_s
from benchmarks.harness.options import Options, add_options, options_from, run
from benchmarks.harness.report import print_result, print_table, quantiles
from benchmarks.harness.server import Server, our_server
from benchmarks.latency import SERVER_LOOKAHEAD_SAMPLES, Delays, measure
from benchmarks.load.clip import make_clip
from benchmarks.load.doors import Entry, SocketIoConnection, SocketIoDoor, check
from benchmarks.load.sdp import Direction
from benchmarks.load.sources import ClipPlan
from benchmarks.load.swarm import Swarm
from rooms.models import Participant, Room
from rooms.redis_connection import RedisAddress, connect
from rooms.replicas import number_of, worker_number
from rooms.shared_store import SharedRoomStore
from tests.support.redis_server import RedisServer
from webrtc.media.bus_sound import SoundPacker
from webrtc.media.realtime import PRIORITY
from webrtc.media.redis_bus import RedisBus
from webrtc.media.ticker import SLOT_S, SLOTS_PER_TURN

ADDED_P95_MS = 15.0
TOLD_ROOMS = 3
JOIN_P95_S = 1.0
STATE_P99_MS = 5.0
BUS_LOOKAHEAD_SAMPLES = 120
_REPLICA = {"WEBRTC_MEDIA_WORKERS": "1"}


class TurnsDoor:
    """Lets people in at one server after the other."""

    def __init__(self, servers: list[Server]) -> None:
        """Begin with the first."""
        self._doors = itertools.cycle([SocketIoDoor(server.base_url) for server in servers])

    async def enter(self, room: str, direction: Direction, offer: str) -> Entry:
        """See `benchmarks.load.doors.Door`."""
        return await next(self._doors).enter(room, direction, offer)


@asynccontextmanager
async def replicas(
    count: int, redis: RedisServer, **environment: str
) -> AsyncIterator[list[Server]]:
    """Run so many servers that share rooms."""
    async with AsyncExitStack() as running:
        shared = {"REDIS_URL": redis.url, **_REPLICA, **environment}
        yield [await running.enter_async_context(our_server(shared)) for _ in range(count)]


async def measure_delays(options: Options, rooms: int) -> tuple[dict[str, Delays], float]:
    """Return the delays within one replica, and from one to the other as far as it can be had.

    And which share of this machine's cores was busy while two replicas were first measured.
    """
    async with RedisServer() as redis, replicas(2, redis, WEBRTC_PTIME_MS="10") as servers:
        delays = {"one": await measure(TurnsDoor(servers[:1]), 10, options.seconds, rooms=rooms)}
        began, idle_s = time.monotonic(), _idle_s()
        delays["two"] = await _measure_far(servers, options.seconds, rooms)
        cores_s = (os.cpu_count() or 1) * (time.monotonic() - began)
        busy = 1 - (_idle_s() - idle_s) / cores_s
        if redis.run_first(PRIORITY):
            delays["two, Redis first"] = await _measure_far(servers, options.seconds, rooms)
    return delays, busy


def _idle_s() -> float:
    """Return for how long all cores together have had nothing to do (proc(5), `/proc/stat`)."""
    cpu = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return (int(cpu[4]) + int(cpu[5])) / os.sysconf("SC_CLK_TCK")


async def _measure_far(servers: list[Server], seconds: float, rooms: int) -> Delays:
    lookahead = SERVER_LOOKAHEAD_SAMPLES + BUS_LOOKAHEAD_SAMPLES
    far = await measure(TurnsDoor(servers), 10, seconds, rooms=rooms, lookahead_samples=lookahead)
    return replace(far, delays_ms=far.delays_ms + BUS_LOOKAHEAD_SAMPLES / 48)


async def measure_traffic(listeners: int, seconds: float) -> dict[str, float]:
    """Return what Redis takes in and gives out per second for one speaker."""
    async with (
        RedisServer() as redis,
        replicas(2, redis) as (here, there),
        Swarm(SocketIoDoor(here.base_url)) as swarm,
        Swarm(SocketIoDoor(there.base_url)) as crowd,
    ):
        speaker = await swarm.join("traffic", "sendonly", speaks=True)
        await crowd.join_all("traffic", "recvonly", listeners)
        swarm.speak(speaker, ClipPlan(make_clip(20), 0))
        await asyncio.sleep(3.0)
        before = await _redis_figures(redis)
        await asyncio.sleep(seconds)
        after = await _redis_figures(redis)
    return {name: (after[name] - before[name]) / seconds for name in before}


async def _redis_figures(redis: RedisServer) -> dict[str, float]:
    client = connect(RedisAddress.parse(redis.url))
    try:
        info = await client.info()
    finally:
        await client.aclose()
    return {
        "bytes_in": info["total_net_input_bytes"],
        "bytes_out": info["total_net_output_bytes"],
        "commands": info["total_commands_processed"],
    }


async def measure_bus(rooms: int, seconds: float) -> dict[str, float]:
    """Return frames and messages per second, and what they cost as shares of a core."""
    async with RedisServer() as redis:
        address = RedisAddress.parse(redis.url)
        here, there = (RedisBus(address, worker) for worker in (0, 1))
        packer, names = SoundPacker(), [f"room {number}" for number in range(rooms)]
        for bus in (here, there):
            await bus.wait()
            for name in names:
                bus.share(name, [0, 1])
        frame = packer.pack(a_frame(0), 0.0)
        frames = [msgspec.structs.replace(frame, room_id=name) for name in names]

        def take() -> None:
            there.take()

        there.on_arrival(take)
        before, redis_before = await _redis_figures(redis), await redis_cpu_s(address)
        spent, began = time.process_time(), time.monotonic()
        slots = round(seconds / SLOT_S)
        for slot in range(slots):  # each room's block of 20 ms in a slot of its own
            for one in frames[slot % SLOTS_PER_TURN :: SLOTS_PER_TURN]:
                here.publish(one)
            await asyncio.sleep(max(0.0, began + slot * SLOT_S - time.monotonic()))
        took_s = time.monotonic() - began
        spent = time.process_time() - spent
        after, redis_after = await _redis_figures(redis), await redis_cpu_s(address)
        got = there.counters["bus_received"]
        for bus in (here, there):
            bus.close()
    return {
        "frames": got / took_s,
        "messages": (after["commands"] - before["commands"]) / took_s,
        "kB": (after["bytes_in"] - before["bytes_in"]) / 1000 / took_s,
        "workers": spent / took_s,
        "redis": (redis_after - redis_before) / took_s,
    }


async def measure_joins(clients: int, within_s: float) -> tuple[np.ndarray, int]:
    """Return how long joins took, in s, and how many people the rooms hold at the end."""
    async with RedisServer() as redis, replicas(3, redis) as servers:
        took: list[float] = []

        async def join(number: int) -> SocketIoConnection:
            await asyncio.sleep(number * within_s / clients)
            began = time.perf_counter()
            connection = await SocketIoConnection.connect(servers[number % 3].base_url)
            check(await connection.call("join_room", f"storm-{number % 25}"))
            took.append(time.perf_counter() - began)
            return connection

        connections = await asyncio.gather(*(join(number) for number in range(clients)))
        listed = [await server.get("/api/rooms") for server in servers]
        for connection in connections:
            connection.close()
    counts = {sum(room["participants"] for room in one["rooms"]) for one in listed}
    return np.array(took), counts.pop() if len(counts) == 1 else -1


async def measure_state(rooms: int, changes: int) -> np.ndarray:
    """Return how long changes of participants took, in ms."""
    async with RedisServer() as redis:
        address = RedisAddress.parse(redis.url)
        stores = [SharedRoomStore(address, number_of(name)) for name in ("anna", "bert")]
        for store in stores:
            await store.start()
        home = worker_number(number_of("anna"), 0)
        for number in range(rooms):
            room = Room(room_id=f"r{number}", created_at=0.0, host_key_hash=b"", worker=0)
            await stores[0].add_room(room, rooms)
            for seat in range(4):
                name = f"{number}-{seat}"
                person = Participant(
                    participant_id=name,
                    room_id=f"r{number}",
                    csrc=seat,
                    joined_at=0.0,
                    resume_hash=b"",
                    home=home,
                )
                await stores[0].add_participant(person, 10)
        took = []
        for number in range(changes):

            def change(one: Participant, muted: bool = number // rooms % 2 == 0) -> Participant:
                return msgspec.structs.replace(one, muted=muted)

            began = time.perf_counter()
            await stores[0].update_participant(f"{number % rooms}-0", change)
            took.append(1000 * (time.perf_counter() - began))
        for store in stores:
            await store.close()
    return np.array(took)


async def delay(options: Options) -> dict[str, object]:
    """Measure delays and tell them."""
    figures = {}
    all_added = {}
    for rooms in (TOLD_ROOMS,) if options.quick else (1, TOLD_ROOMS, 10):
        delays, busy = await measure_delays(options, rooms)
        found = figures[rooms] = {name: quantiles(one.delays_ms) for name, one in delays.items()}
        within = found["one"]["p95"] or 0.0
        added = {name: round((one["p95"] or 0.0) - within, 1) for name, one in found.items()}
        all_added[rooms] = {name: one for name, one in added.items() if name != "one"}
        print_table(
            f"Delay, rooms of two: {rooms}, 10 ms packets, ms; cores busy {100 * busy:.0f} %; "
            f"target added {ADDED_P95_MS}",
            ["replicas", "p50", "p95", "p99", "added p95", "heard", "sent", "bad %"],
            [
                [name, *found[name].values(), added[name], one.heard, one.sent, 100 * one.bad_share]
                for name, one in delays.items()
            ],
        )
    told = all_added[TOLD_ROOMS]["two"]
    return {"delay_ms": figures, "added_p95_ms": told, "all_added_p95_ms": all_added}


async def traffic(options: Options) -> dict[str, object]:
    """Measure traffic and tell it."""
    crowds = (10, 60) if options.quick else (10, 300)
    found = {count: await measure_traffic(count, options.seconds / 2) for count in crowds}
    print_table(
        "Redis, one speaker here and listeners there, per second",
        ["listeners", "kB in", "kB out", "commands"],
        [
            [count, one["bytes_in"] / 1000, one["bytes_out"] / 1000, one["commands"]]
            for count, one in found.items()
        ],
    )
    return {"traffic_per_s": found}


async def bus(options: Options) -> dict[str, object]:
    """Measure what sharing rooms costs and tell it."""
    found = {rooms: await measure_bus(rooms, options.seconds / 2) for rooms in (10, 100, 1000)}
    print_table(
        "The bus from one worker to another, per second and as shares of a core",
        ["rooms", *next(iter(found.values()))],
        [[rooms, *one.values()] for rooms, one in found.items()],
    )
    return {"bus": found}


async def joins(options: Options) -> dict[str, object]:
    """Measure joins and tell them."""
    clients = 150 if options.quick else 500
    took, counted = await measure_joins(clients, 10.0)
    found = quantiles(1000 * took)
    print_table(
        "Joining three replicas",
        ["what", "p50 ms", "p95 ms", "p99 ms", "target", "in the rooms"],
        [[f"{clients} in 10 s", *found.values(), f"p95 {1000 * JOIN_P95_S:.0f}", counted]],
    )
    return {"joins": {"clients": clients, "in": counted, "ms": found}}


async def state(options: Options) -> dict[str, object]:
    """Measure changes of state and tell them."""
    rooms = 200 if options.quick else 1000
    found = quantiles(await measure_state(rooms, 2 * rooms), 2)
    print_table(
        "State",
        ["what", "p50 ms", "p95 ms", "p99 ms", "target"],
        [[f"changes, {rooms} rooms", *found.values(), f"p99 {STATE_P99_MS:.0f}"]],
    )
    return {"state_ms": found}


_PARTS = {one.__name__: one for one in (delay, traffic, bus, joins, state)}


async def main() -> None:
    """Measure all, or what is asked for, and tell the result."""
    parser = argparse.ArgumentParser(description="what several replicas cost")
    add_options(parser)
    parser.add_argument("--only", choices=_PARTS, help="measure nothing else")
    arguments = parser.parse_args()
    options = options_from(arguments, 20, 5)
    wanted = [arguments.only] if arguments.only else list(_PARTS)
    figures: dict[str, object] = {}
    for name in wanted:
        figures |= await _PARTS[name](options)
    print_result("replicas", figures)


if __name__ == "__main__":
    run(main)
