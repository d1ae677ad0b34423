"""How large one room can grow: three speak, the others listen, until 1 % of the packets are bad.

Bad is a packet that never came, or came more than 20 ms behind its stream's media clock. Datagrams
that this client itself failed to read are among the lost ones and shown beside them, so that its
limit is not taken for the server's.
"""

from benchmarks.harness.cost import Cost, measure_cost
from benchmarks.harness.options import parse_options, run
from benchmarks.harness.report import print_result, print_table
from benchmarks.harness.server import Server
from benchmarks.load.doors import Door, SocketIoDoor
from benchmarks.load.rooms import fill_room, let_speak, settle
from benchmarks.load.swarm import JoinError, Swarm, SwarmSettings

LIMIT = 0.01
TARGET = 1200
SIZES = (100, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000, 2400, 2800)
QUICK_SIZES = (100, 300)


async def grow(
    server: Server,
    door: Door,
    sizes: tuple[int, ...],
    seconds: float,
    settings: SwarmSettings | None = None,
) -> list[Cost]:
    """Return one measurement per size, up to and including the first that is too large."""
    costs: list[Cost] = []
    async with Swarm(door, settings) as swarm:
        let_speak(swarm, await fill_room(swarm, "big", 3, 3))
        for size in sizes:
            missing = await _grow_to(swarm, size)
            if missing:
                print(f"{size}: {missing}")
                break
            await settle()
            cost = await measure_cost(server, swarm, seconds)
            costs.append(cost)
            if cost.punctuality.bad_share >= LIMIT:
                break
    return costs


async def _grow_to(swarm: Swarm, size: int) -> str | None:
    """Bring listeners in until there are `size` participants; return why it did not work."""
    try:
        await swarm.join_all("big", "recvonly", size - len(swarm.participants))
    except JoinError as error:
        return str(error)
    return None


def largest(costs: list[Cost]) -> int:
    """Return the largest size that was carried well, 0 if none."""
    good = [c.participants for c in costs if c.punctuality.bad_share < LIMIT]
    return max(good, default=0)


def rows_of(costs: list[Cost]) -> list[list[float | int | str | bool | None]]:
    """Return the table's rows."""
    return [
        [
            cost.participants,
            cost.ms_per_participant_second,
            100 * cost.share_of_a_core,
            cost.punctuality.lost,
            cost.punctuality.late,
            100 * cost.punctuality.bad_share,
            100 * cost.client_cpu,
            cost.client_dropped,
        ]
        for cost in costs
    ]


COLUMNS = (
    "participants",
    "ms/participant-s",
    "core %",
    "lost",
    "late",
    "bad %",
    "client core %",
    "client drops",
)


async def main() -> None:
    """Grow a room and tell the result."""
    options = parse_options("largest room", 10, 4)
    sizes = QUICK_SIZES if options.quick else SIZES
    async with options.server() as server:
        costs = await grow(server, SocketIoDoor(server.base_url), sizes, options.seconds)
    print_table("One room, 3 speak", COLUMNS, rows_of(costs))
    broke = bool(costs) and costs[-1].punctuality.bad_share >= LIMIT
    print(f"largest good room: {largest(costs)}{'' if broke else ' or more'}, target {TARGET}")
    print_result(
        "breaking_point",
        {
            "largest": largest(costs),
            "broke": broke,
            "bad_share": {c.participants: round(c.punctuality.bad_share, 5) for c in costs},
            "ms_per_participant_second": {
                c.participants: round(c.ms_per_participant_second, 3) for c in costs
            },
            "client_dropped": sum(c.client_dropped for c in costs),
        },
    )


if __name__ == "__main__":
    run(main)
