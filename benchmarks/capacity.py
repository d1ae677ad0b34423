"""Server CPU per participant: rooms of 10, 25 and 100 with three who speak, and ten rooms of two.

The two smallest once more with speakers who send packets of 20 ms whatever the answer asks for, as
clients other than browsers do.

CPU is user and system time of all the server's processes, read from /proc. Speakers send what
Chromium sends, stereo at 96 kb/s, in packets as long as the answer asks for; listeners send consent
checks and receiver reports as often as Chromium. A fresh server for every line.
"""

from dataclasses import dataclass

from benchmarks.harness.cost import Cost, measure_cost
from benchmarks.harness.options import Options, parse_options, run
from benchmarks.harness.report import print_result, print_table
from benchmarks.harness.server import Server
from benchmarks.load.doors import Door, SocketIoDoor
from benchmarks.load.rooms import fill_room, let_speak, settle
from benchmarks.load.swarm import Swarm, SwarmSettings


@dataclass(frozen=True, slots=True)
class Scene:
    """Rooms of one kind.

    Attributes:
        name: for tables.
        rooms: how many.
        size: participants in each.
        speakers: of them, how many speak all the time.
        target: most ms per participant-second that we allow ourselves; None where there is none.
        ptime_ms: what speakers send; None for what they are asked for.
    """

    name: str
    rooms: int
    size: int
    speakers: int
    target: float | None = None
    ptime_ms: int | None = None

    @property
    def listeners(self) -> int:
        """Return how many have somebody to hear; who speaks alone has nobody."""
        return self.rooms * (self.size - (1 if self.speakers == 1 else 0))

    @property
    def key(self) -> str:
        """Return the name in the JSON line."""
        ptime = f"_{self.ptime_ms}ms" if self.ptime_ms else ""
        return f"{self.rooms}x{self.size}{ptime}"


SCENES = (
    Scene("10 rooms of 2, 1 speaks", 10, 2, 1, 5.0),
    Scene("room of 10, 3 speak", 1, 10, 3, 4.5),
    Scene("room of 25, 3 speak", 1, 25, 3, 2.3),
    Scene("room of 100, 3 speak", 1, 100, 3, 1.1),
)
LONG_PACKETS = (
    Scene("10 rooms of 2, 1 speaks, 20 ms", 10, 2, 1, 5.0, 20),
    Scene("room of 10, 3 speak, 20 ms", 1, 10, 3, 4.5, 20),
)


async def measure_scene(
    server: Server,
    door: Door,
    scene: Scene,
    seconds: float,
    settings: SwarmSettings | None = None,
) -> Cost:
    """Fill the scene's rooms at a server and return what they cost."""
    async with Swarm(door, settings) as swarm:
        for room in range(scene.rooms):
            members = await fill_room(swarm, f"{scene.key}-{room}", scene.size, scene.speakers)
            let_speak(swarm, members, scene.ptime_ms)
        await settle()
        return await measure_cost(server, swarm, seconds, scene.listeners)


async def _measure_ours(options: Options, scene: Scene) -> Cost:
    async with options.server() as server:
        return await measure_scene(server, SocketIoDoor(server.base_url), scene, options.seconds)


async def main() -> None:
    """Measure every scene and tell the result."""
    options = parse_options("server CPU per participant", 30, 6)
    rows: list[list[float | int | str | bool | None]] = []
    figures: dict[str, object] = {}
    for scene in SCENES + LONG_PACKETS:
        cost = await _measure_ours(options, scene)
        rows.append(
            [
                scene.name,
                cost.ms_per_participant_second,
                scene.target,
                100 * cost.share_of_a_core,
                100 * cost.punctuality.bad_share,
                100 * cost.client_cpu,
            ]
        )
        figures[scene.key] = {
            "ms_per_participant_second": round(cost.ms_per_participant_second, 3),
            "bad_share": round(cost.punctuality.bad_share, 5),
            "client_dropped": cost.client_dropped,
        }
    columns = ["scene", "ms/participant-s", "target", "core %", "bad %", "client core %"]
    print_table("Server CPU", columns, rows)
    print_result("capacity", {"seconds": options.seconds, **figures})


if __name__ == "__main__":
    run(main)
