"""What a server spends on the participants it has."""

from dataclasses import dataclass

from benchmarks.harness.server import Server, ServerError
from benchmarks.load.arrivals import Punctuality, punctuality
from benchmarks.load.commands import Window
from benchmarks.load.swarm import Swarm


@dataclass(frozen=True, slots=True)
class Cost:
    """One window of measurement.

    Attributes:
        participants: in all rooms.
        duration_s: of the window.
        cpu_s: of all the server's processes in the window.
        punctuality: how the server kept to its media clock.
        client_cpu: share of a core that the load client's media took.
        client_dropped: datagrams that the client did not read in time; any makes the window void.
    """

    participants: int
    duration_s: float
    cpu_s: float
    punctuality: Punctuality
    client_cpu: float
    client_dropped: int

    @property
    def ms_per_participant_second(self) -> float:
        """Return server milliseconds per second and participant."""
        return 1000 * self.cpu_s / self.participants / self.duration_s

    @property
    def share_of_a_core(self) -> float:
        """Return server CPU as a share of one core."""
        return self.cpu_s / self.duration_s


async def measure_cost(
    server: Server, swarm: Swarm, seconds: float, listeners: int | None = None
) -> Cost:
    """Return what `server` spends on the whole `swarm` in the next `seconds`.

    The arguments are those of `measure_window`.
    """
    cost, _ = await measure_window(server, swarm, seconds, listeners)
    return cost


async def measure_window(
    server: Server, swarm: Swarm, seconds: float, streams: int | None = None
) -> tuple[Cost, Window]:
    """Return what `server` spends on the whole `swarm` in the next `seconds`, and what was seen.

    Args:
        server: who spends.
        swarm: on whom.
        seconds: how long.
        streams: how many streams there are to hear, None for one each.

    Raises:
        ServerError: one of its processes was restarted, so that its time is not known.
    """
    before = server.usage()
    window = await swarm.measure(seconds)
    after = server.usage()
    if after.processes != before.processes:
        raise ServerError("a process of the server ended or began while it was measured")
    people = len(swarm.participants)
    cost = Cost(
        participants=people,
        duration_s=window.duration_s,
        cpu_s=after.cpu_s - before.cpu_s,
        punctuality=punctuality(window.arrivals, people if streams is None else streams),
        client_cpu=window.cpu_s / window.duration_s,
        client_dropped=window.dropped,
    )
    return cost, window
