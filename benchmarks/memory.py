"""Memory per participant: the slope of the summed PSS of all processes from 100 to 1,000 listeners.

One room in which three speak. PSS divides memory that several processes share among them, so that
nothing is counted twice; the slope leaves out what the server needs for nobody.
"""

from benchmarks.harness.options import parse_options, run
from benchmarks.harness.report import print_result, print_table
from benchmarks.harness.server import Server
from benchmarks.load.doors import Door, SocketIoDoor
from benchmarks.load.rooms import fill_room, let_speak, settle
from benchmarks.load.swarm import Swarm, SwarmSettings

TARGET_KB = 250


async def measure_memory(
    server: Server,
    door: Door,
    sizes: tuple[int, ...],
    settle_s: float,
    settings: SwarmSettings | None = None,
) -> list[tuple[int, int]]:
    """Return (participants, summed PSS in KB) for each size of one growing room."""
    readings = [(0, server.usage(with_memory=True).pss_kb)]
    async with Swarm(door, settings) as swarm:
        let_speak(swarm, await fill_room(swarm, "memory", 3, 3))
        for size in sizes:
            await swarm.join_all("memory", "recvonly", size - len(swarm.participants))
            await settle(settle_s)
            readings.append((size, server.usage(with_memory=True).pss_kb))
    return readings


def slope_kb(readings: list[tuple[int, int]]) -> float:
    """Return KB per participant between the first and the last filled reading."""
    (first, first_kb), (last, last_kb) = readings[1], readings[-1]
    return (last_kb - first_kb) / (last - first)


async def main() -> None:
    """Measure and tell the result; --seconds is the rest before each reading."""
    options = parse_options("memory per participant", 10, 4)
    sizes = (50, 200) if options.quick else (100, 400, 700, 1000)
    async with options.server() as server:
        readings = await measure_memory(
            server, SocketIoDoor(server.base_url), sizes, options.seconds
        )
    print_table(
        "Summed PSS of all processes",
        ["participants", "MB"],
        [[size, kb / 1024] for size, kb in readings],
    )
    print(f"slope: {slope_kb(readings):.0f} KB per participant, target {TARGET_KB}")
    print_result(
        "memory",
        {"slope_kb": round(slope_kb(readings), 1), "pss_kb": dict(readings), "sizes": sizes},
    )


if __name__ == "__main__":
    run(main)
