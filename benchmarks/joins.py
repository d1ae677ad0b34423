"""Joining while others play: 50 joins per second for 10 s into rooms with sound.

Five rooms, in each of them two who speak and eight who listen. Joiners come at an even rate, all
with an offer to speak and listen, as the page makes it, but silent; they stay. Ticks late by more
than 5 ms are the server's own count; the punctuality of what those hear who were there before
shows whether a join is heard.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.harness.options import parse_options, run
from benchmarks.harness.report import print_result, print_table, quantiles
from benchmarks.harness.server import Server
from benchmarks.load.arrivals import Arrivals, Punctuality, punctuality
from benchmarks.load.doors import Door, SocketIoDoor
from benchmarks.load.rooms import fill_room, let_speak, settle
from benchmarks.load.swarm import JoinError, Participant, Swarm

ROOMS = 5
MEMBERS = 10
SPEAKERS = 2
RATE_PER_S = 50
_LINGER_S = 2.0  # for the last joiners' handshakes and first packets, and the server's next figures


@dataclass(frozen=True, slots=True)
class Rush:
    """What a rush of joins did.

    Attributes:
        joined: those who got in.
        failures: why the others did not.
        before: punctuality of what the earlier members heard meanwhile.
        stats_before: each worker's figures before the rush.
        stats_after: and after it.
    """

    joined: list[Participant]
    failures: list[str]
    before: Punctuality
    stats_before: list[dict[str, Any]]
    stats_after: list[dict[str, Any]]

    def counted(self, name: str) -> int:
        """Return by how much a counter of all workers grew."""
        return sum(int(worker[name]) for worker in self.stats_after) - sum(
            int(worker[name]) for worker in self.stats_before
        )


async def rush(server: Server, door: Door, seconds: float) -> Rush:
    """Fill the rooms, then let the joiners come for `seconds`."""
    async with Swarm(door) as swarm:
        members: list[Participant] = []
        for room in range(ROOMS):
            members += await fill_room(swarm, f"rush-{room}", MEMBERS, SPEAKERS)
        let_speak(swarm, members)
        await settle()
        stats_before = await server.worker_stats()
        measuring = asyncio.create_task(swarm.measure(seconds + _LINGER_S))
        outcomes = await _joiners(swarm, int(RATE_PER_S * seconds))
        window = await measuring
        stats_after = await server.worker_stats()
        early = _of(window.arrivals, {member.number for member in members})
        return Rush(
            [outcome for outcome in outcomes if isinstance(outcome, Participant)],
            [str(outcome) for outcome in outcomes if isinstance(outcome, JoinError)],
            punctuality(early, len(members)),
            stats_before,
            stats_after,
        )


async def _joiners(swarm: Swarm, count: int) -> list[Participant | JoinError]:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    tasks = []
    for index in range(count):
        await asyncio.sleep(begin + index / RATE_PER_S - loop.time())
        tasks.append(asyncio.create_task(_join(swarm, f"rush-{index % ROOMS}")))
    return await asyncio.gather(*tasks)


async def _join(swarm: Swarm, room: str) -> Participant | JoinError:
    try:
        return await swarm.join(room, "sendrecv")
    except JoinError as error:
        return error


def _of(arrivals: Arrivals, participants: set[int]) -> Arrivals:
    mine = np.isin(arrivals.participant, list(participants))
    return Arrivals(
        arrivals.participant[mine],
        arrivals.sequence[mine],
        arrivals.timestamp[mine],
        arrivals.stamp_ns[mine],
        arrivals.size[mine],
        arrivals.ssrc[mine],
    )


async def main() -> None:
    """Measure and tell the result; --seconds is the length of the rush."""
    options = parse_options("joins into rooms that play", 10, 4)
    async with options.server() as server:
        result = await rush(server, SocketIoDoor(server.base_url), options.seconds)
    connected = np.array([person.connected_s * 1000 for person in result.joined])
    sound = np.array([p.sound_s * 1000 for p in result.joined if p.sound_s is not None])
    late_ticks = result.counted("late_ticks")
    print_table(
        f"{RATE_PER_S} joins per second for {options.seconds:.0f} s, ms",
        ["", "count", "p50", "p95", "p99"],
        [
            ["join to media path", connected.size, *quantiles(connected).values()],
            ["join to first sound", sound.size, *quantiles(sound).values()],
        ],
    )
    for failure in sorted(set(result.failures)):
        print(f"failed: {failure}")
    print(f"ticks late by more than 5 ms: {late_ticks} of {result.counted('ticks')}, target 0")
    print_result(
        "joins",
        {
            "seconds": options.seconds,
            "joined": len(result.joined),
            "failed": len(result.failures),
            "connected_ms": quantiles(connected),
            "sound_ms": quantiles(sound),
            "ticks": result.counted("ticks"),
            "late_ticks": late_ticks,
            "heard_bad_share": round(result.before.bad_share, 5),
            "heard_worst_lateness_ms": round(float(result.before.lateness_ms.max(initial=0)), 2),
        },
    )


if __name__ == "__main__":
    run(main)
