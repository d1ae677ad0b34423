"""How large one room can grow: three speak, the others listen, until 1 % of the packets are bad.

Bad is a packet that never came, or came more than 20 ms behind its stream's media clock. Datagrams
that this client itself failed to read are among the lost ones and shown beside them, so that its
limit is not taken for the server's.

Measured twice, each time on a server of its own: with one media worker, and with two that serve the
room together (`--workers` picks one of these).
"""

import argparse
from dataclasses import dataclass

from benchmarks.harness.cost import Cost, measure_cost
from benchmarks.harness.options import Options, add_options, options_from, run
from benchmarks.harness.report import print_result, print_table
from benchmarks.harness.server import Server
from benchmarks.load.doors import Door, SocketIoDoor
from benchmarks.load.rooms import fill_room, let_speak, settle
from benchmarks.load.swarm import JoinError, Swarm, SwarmSettings

LIMIT = 0.01
TARGETS = {1: 1200, 2: 1600}  # by media workers
SHARE = 20  # so few of the room in a worker, and the other serves it, too
SIZES: tuple[int, ...] = (100, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000, 2400, 2800)
QUICK_SIZES: tuple[int, ...] = (100, 300)


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


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a server came."""

    workers: int
    costs: list[Cost]

    @property
    def broke(self) -> bool:
        """Whether a size was too large."""
        return bool(self.costs) and self.costs[-1].punctuality.bad_share >= LIMIT

    def figures(self) -> dict[str, object]:
        """Return what the last line says of it."""
        costs = self.costs
        return {
            "largest": largest(costs),
            "broke": self.broke,
            "bad_share": {c.participants: round(c.punctuality.bad_share, 5) for c in costs},
            "ms_per_participant_second": {
                c.participants: round(c.ms_per_participant_second, 3) for c in costs
            },
            "client_dropped": sum(c.client_dropped for c in costs),
        }


async def measure(options: Options, workers: int, sizes: tuple[int, ...]) -> Outcome:
    """Grow a room on a server with so many media workers, and show it."""
    environment = {"WEBRTC_MEDIA_WORKERS": str(workers), "WEBRTC_ROOM_SHARE": str(SHARE)}
    async with options.server(environment) as server:
        costs = await grow(server, SocketIoDoor(server.base_url), sizes, options.seconds)
    outcome = Outcome(workers, costs)
    print_table(f"One room, 3 speak, media workers: {workers}", COLUMNS, rows_of(costs))
    more = "" if outcome.broke else " or more"
    print(f"largest good room: {largest(costs)}{more}, target {TARGETS[workers]}")
    return outcome


async def main() -> None:
    """Grow a room with one worker and with two, and tell the results."""
    parser = argparse.ArgumentParser(description="largest room")
    add_options(parser)
    parser.add_argument("--workers", type=int, choices=sorted(TARGETS), help="only so many workers")
    parser.add_argument("--sizes", help="participants, separated by commas")
    arguments = parser.parse_args()
    options = options_from(arguments, 10, 4)
    sizes = QUICK_SIZES if options.quick else SIZES
    if arguments.sizes:
        sizes = tuple(int(size) for size in arguments.sizes.split(","))
    counts = [arguments.workers] if arguments.workers else sorted(TARGETS)
    if options.url is not None:  # it has as many as it has
        counts = counts[:1]
    outcomes = [await measure(options, workers, sizes) for workers in counts]
    print_result(
        "breaking_point",
        {
            **outcomes[0].figures(),
            "workers": {str(outcome.workers): outcome.figures() for outcome in outcomes},
        },
    )


if __name__ == "__main__":
    run(main)
