"""What one more listener of a shared mix costs: three speak, few listen, then many.

The cost is the slope between the two, so that what a room costs by itself is not in it. Speakers
send packets of 20 ms; so everybody gets such packets.
"""

from dataclasses import dataclass

from benchmarks.harness.options import parse_options, run
from benchmarks.harness.processes import cpu_of_roles
from benchmarks.harness.report import print_result, print_table
from benchmarks.harness.server import Server
from benchmarks.load.doors import SocketIoDoor
from benchmarks.load.rooms import fill_room, let_speak, settle
from benchmarks.load.swarm import Swarm

FEW, MANY = 100, 600
QUICK_MANY = 300
TARGETS_MS = {"worker": 0.45, "front": 0.1}


@dataclass(frozen=True, slots=True)
class Sample:
    """CPU seconds per second by role, with so many participants; the load client's beside it."""

    participants: int
    shares: dict[str, float]
    client_dropped: int


async def measure(server: Server, swarm: Swarm, seconds: float) -> Sample:
    """Return what the server spends in the next `seconds`."""
    before = cpu_of_roles(server.pid)
    window = await swarm.measure(seconds)
    after = cpu_of_roles(server.pid)
    shares = {
        role: (after.get(role, 0.0) - before.get(role, 0.0)) / window.duration_s
        for role in TARGETS_MS
    }
    return Sample(len(swarm.participants), shares, window.dropped)


async def main() -> None:
    """Measure and tell the result."""
    options = parse_options("cost of one more listener", 15, 5)
    many = QUICK_MANY if options.quick else MANY
    async with options.server() as server, Swarm(SocketIoDoor(server.base_url)) as swarm:
        let_speak(swarm, await fill_room(swarm, "hall", FEW, 3), 20)
        await settle()
        few = await measure(server, swarm, options.seconds)
        await swarm.join_all("hall", "recvonly", many - FEW)
        await settle()
        lots = await measure(server, swarm, options.seconds)
    more = lots.participants - few.participants
    slopes = {role: 1000 * (lots.shares[role] - few.shares[role]) / more for role in TARGETS_MS}
    print_table(
        "One more listener of a shared mix, 20 ms packets",
        ["processes", f"core % at {FEW}", f"core % at {many}", "ms/s per listener", "target"],
        [
            [role, 100 * few.shares[role], 100 * lots.shares[role], slopes[role], target]
            for role, target in TARGETS_MS.items()
        ],
    )
    print_result(
        "listeners",
        {
            "ms_per_second": {role: round(slope, 3) for role, slope in slopes.items()},
            "client_dropped": few.client_dropped + lots.client_dropped,
        },
    )


if __name__ == "__main__":
    run(main)
