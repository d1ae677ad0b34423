"""What a number of replicas carries, calculated from what each step costs on this machine.

Measured: an Opus encode and decode of a block of 20 ms, a message between two workers and a change
of a participant, each with the CPU that Redis takes for it, and following such a change.

Assumed, and printed with the result: people, workers and rooms of each replica, who speaks, how
often something changes. Two ways to spread people: at random, as a load balancer does that knows
nothing of rooms, and by room, as one does that hashes the room's name, so that a room is in more
than one replica only while clients move.
"""

import asyncio
import time
from dataclasses import asdict, dataclass

import msgspec
import numpy as np

from benchmarks.harness.options import parse_options, run
from benchmarks.harness.report import print_result, print_table
from mixer.exchange_frames import BusFrame, RosterEntry, Sound
from rooms.models import Participant, Room
from rooms.redis_connection import RedisAddress, connect
from rooms.replicas import number_of, worker_number
from rooms.shared_store import SharedRoomStore
from rooms.shared_view import SharedPerson, SharedView, raw_person
from tests.support.redis_server import RedisServer
from webrtc.media.bus_sound import SoundPacker, SoundUnpacker
from webrtc.media.redis_bus import RedisBus

BLOCKS_PER_S = 50


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is assumed."""

    people_per_replica: int = 1000
    workers_per_replica: int = 3
    people_per_room: int = 20
    voices_per_room: float = 1.5
    changes_per_person_s: float = 0.02
    flushes_per_s: float = 200.0
    """Turns of a worker's loop in which it has something to say to some neighbour; at most 400."""
    moving_share: float = 0.02
    """Share of rooms that are in two replicas though they are placed by name."""


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU in µs."""

    encode: float
    decode: float
    message_worker: float
    message_redis: float
    change_redis: float
    follow: float


def a_frame(number: int) -> BusFrame:
    """Return a frame of one voice."""
    wave = np.random.default_rng(number).normal(0, 0.1, (960, 2)).astype("<f4")
    names = [RosterEntry("voice", 1)]
    sounds = [Sound(0, wave.tobytes())]
    return BusFrame("room", 0, number, 960 * number, 960, 1, names, bytes(3), sounds)


def measure_sound(count: int) -> tuple[float, float]:
    """Return what encoding and decoding a block costs."""
    frames = [a_frame(number) for number in range(count)]
    packer, unpacker = SoundPacker(), SoundUnpacker()
    began = time.process_time()
    packed = [packer.pack(frame, 0.0) for frame in frames]
    between = time.process_time()
    for frame in packed:
        unpacker.unpack(frame, 0.0)
    ended = time.process_time()
    return 1e6 * (between - began) / count, 1e6 * (ended - between) / count


async def redis_cpu_s(address: RedisAddress) -> float:
    """Return how much CPU Redis has used."""
    client = connect(address)
    try:
        info = await client.info("cpu")
    finally:
        await client.aclose()
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])


async def measure_messages(address: RedisAddress, count: int) -> tuple[float, float]:
    """Return what a message costs both workers together, and Redis."""
    buses = [RedisBus(address, worker) for worker in (0, 1)]
    for bus in buses:
        await bus.wait()
        bus.share("room", [0, 1])
    frame = SoundPacker().pack(a_frame(0), 0.0)
    redis_before, before = await redis_cpu_s(address), time.process_time()
    for _ in range(count):
        buses[0].publish(frame)
        await asyncio.sleep(0)
        buses[1].take()
    while buses[0].counters["bus_sent"] < count:
        await asyncio.sleep(0.001)
        buses[1].take()
    spent = time.process_time() - before
    redis_spent = await redis_cpu_s(address) - redis_before
    for bus in buses:
        bus.close()
    return 1e6 * spent / count, 1e6 * redis_spent / count


async def measure_changes(address: RedisAddress, count: int) -> tuple[float, float]:
    """Return what a change costs Redis, and each replica that follows it."""
    store = SharedRoomStore(address, number_of("anna"))
    await store.start()
    home = worker_number(number_of("anna"), 0)
    room = Room(room_id="r", created_at=0.0, host_key_hash=b"", worker=0)
    person = Participant(
        participant_id="p", room_id="r", csrc=1, joined_at=0.0, resume_hash=b"", home=home
    )
    await store.add_room(room, 10)
    await store.add_participant(person, 10)
    before = await redis_cpu_s(address)
    for number in range(count):

        def change(one: Participant, muted: bool = number % 2 == 0) -> Participant:
            return msgspec.structs.replace(one, muted=muted)

        await store.update_participant("p", change)
    spent = await redis_cpu_s(address) - before
    view: SharedView = store._view
    value = b"1:1:1:" + raw_person(person)
    began = time.process_time()
    for _ in range(count):
        view.put_person(SharedPerson.read(value))
    follow = time.process_time() - began
    await store.close()
    return 1e6 * spent / count, 1e6 * follow / count


def carried(costs: Costs, assumed: Assumed, replicas: int, *, by_room: bool) -> dict[str, float]:
    """Return shares of cores that so many replicas need."""
    people = replicas * assumed.people_per_replica
    rooms = people / assumed.people_per_room
    if by_room:
        span, shared_rooms = 2.0, rooms * assumed.moving_share
    else:
        span = replicas * (1 - (1 - 1 / replicas) ** assumed.people_per_room)
        shared_rooms = rooms if replicas > 1 else 0.0
    workers = replicas * assumed.workers_per_replica
    voices = shared_rooms * assumed.voices_per_room
    blocks_s = voices * BLOCKS_PER_S
    # A message holds all that one worker has for another in a turn: never more than there are
    # frames, nor than there are turns.
    frames_s = shared_rooms * span * (span - 1) * BLOCKS_PER_S
    most_s = workers * (workers - 1) * assumed.flushes_per_s
    messages_s = min(frames_s, most_s)
    changes_s = people * assumed.changes_per_person_s
    worker_us = blocks_s * (costs.encode + (span - 1) * costs.decode)
    worker_us += messages_s * costs.message_worker
    return {
        "people": people,
        "messages_s": round(messages_s),
        "worker_cores_each": round(worker_us / 1e6 / workers, 3),
        "redis_sound_cores": round(messages_s * costs.message_redis / 1e6, 2),
        "redis_state_cores": round(changes_s * costs.change_redis / 1e6, 3),
        "follow_cores_each": round(changes_s * costs.follow / 1e6, 3),
    }


def wall(figures: dict[str, float]) -> str:
    """Return what is full first, "none" if nothing is."""
    full = {
        "Redis, sound: shard it": figures["redis_sound_cores"],
        "Redis, state: one node": figures["redis_state_cores"],
        "front processes following": 2 * figures["follow_cores_each"],
        "media workers": 2 * figures["worker_cores_each"],
    }
    name = max(full, key=lambda one: full[one])
    return name if full[name] >= 1 else "none"


async def main() -> None:
    """Measure, calculate and tell the result."""
    options = parse_options("what a number of replicas carries", 0, 0)
    count = 2000 if options.quick else 10_000
    assumed = Assumed()
    encode, decode = measure_sound(count // 4)
    async with RedisServer() as redis:
        address = RedisAddress.parse(redis.url)
        message_worker, message_redis = await measure_messages(address, count)
        change_redis, follow = await measure_changes(address, count)
    costs = Costs(encode, decode, message_worker, message_redis, change_redis, follow)
    print_table("Costs, µs", list(asdict(costs)), [list(asdict(costs).values())])
    models: dict[str, dict[str, dict[str, float | str]]] = {}
    for by_room in (False, True):
        way = "by room" if by_room else "at random"
        models[way] = {}
        for replicas in (3, 10, 100, 1000):
            figures = carried(costs, assumed, replicas, by_room=by_room)
            models[way][str(replicas)] = {**figures, "wall": wall(figures)}
        print_table(
            f"People placed {way}",
            ["replicas", *next(iter(models[way].values()))],
            [[replicas, *figures.values()] for replicas, figures in models[way].items()],
        )
    print_result(
        "cluster_model",
        {"costs_us": asdict(costs), "assumed": asdict(assumed), "models": models},
    )


if __name__ == "__main__":
    run(main)
