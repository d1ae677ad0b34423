"""What rooms cost in which nothing happens: 1,000 rooms with one muted member each.

The members negotiated DTX, said that they are muted, and send nothing but their consent checks.
"""

import asyncio

from benchmarks.harness.cost import Cost, measure_cost
from benchmarks.harness.options import parse_options, run
from benchmarks.harness.report import print_result, print_table
from benchmarks.harness.server import Server
from benchmarks.load.doors import Door, SocketIoConnection, SocketIoDoor
from benchmarks.load.rooms import settle
from benchmarks.load.swarm import Participant, Swarm, SwarmSettings

ROOMS = 1000
QUICK_ROOMS = 100
TARGET_SHARE = 0.08
_PARALLEL_JOINS = 16


async def measure_idle(server: Server, door: Door, rooms: int, seconds: float) -> Cost:
    """Return what so many silent rooms of one cost."""
    async with Swarm(door, SwarmSettings(dtx=True)) as swarm:
        limit = asyncio.Semaphore(_PARALLEL_JOINS)

        async def sit_down(room: int) -> None:
            async with limit:
                await _mute(await swarm.join(f"idle-{room}", "sendrecv"))

        async with asyncio.TaskGroup() as group:
            for room in range(rooms):
                group.create_task(sit_down(room))
        await settle()
        return await measure_cost(server, swarm, seconds, listeners=0)


async def _mute(participant: Participant) -> None:
    if isinstance(participant.signaling, SocketIoConnection):
        await participant.signaling.call("set_muted", True)


async def main() -> None:
    """Measure and tell the result."""
    options = parse_options("CPU of silent rooms", 30, 8)
    rooms = QUICK_ROOMS if options.quick else ROOMS
    async with options.server() as server:
        await settle()
        floor = server.usage()
        await asyncio.sleep(options.seconds)
        empty_share = (server.usage().cpu_s - floor.cpu_s) / options.seconds
        cost = await measure_idle(server, SocketIoDoor(server.base_url), rooms, options.seconds)
    print_table(
        "Silent rooms of one muted member",
        ["rooms", "core %", "of it without any room", "target"],
        [
            [
                rooms,
                100 * cost.share_of_a_core,
                100 * empty_share,
                100 * TARGET_SHARE if rooms == ROOMS else None,
            ]
        ],
    )
    print_result(
        "idle",
        {
            "rooms": rooms,
            "core_share": round(cost.share_of_a_core, 4),
            "empty_core_share": round(empty_share, 4),
            "packets_heard": int(cost.punctuality.lateness_ms.size),
        },
    )


if __name__ == "__main__":
    run(main)
