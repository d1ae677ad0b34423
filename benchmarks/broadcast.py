"""What broadcasting costs: a room of 20 of whom 3 speak, without and with HLS of its mix.

The cost of the broadcast is what all of the server's processes spend more than before; the process
that writes segments (AAC, 128 kbit/s, stereo) is told by itself. Nobody fetches: the playlist and
the segments are files, which a cache in front multiplies.
"""

import aiohttp

from benchmarks.harness.cost import Cost, measure_cost
from benchmarks.harness.options import Options, parse_options, run
from benchmarks.harness.processes import cpu_of_module
from benchmarks.harness.report import Figure, print_result, print_table
from benchmarks.load.doors import SocketIoDoor
from benchmarks.load.rooms import let_speak, settle
from benchmarks.load.swarm import Swarm

PEOPLE = 20
SPEAKING = 3
PTIME_MS = 20
ROOM = "studio"
WRITER = "webrtc.broadcast.broadcaster"


async def measure(options: Options) -> tuple[Cost, Cost, float]:
    """Return what the server spends without and with a broadcast, and its writer's share."""
    async with (
        options.server({"WEBRTC_HLS_BROADCASTS": "1"}) as server,
        aiohttp.ClientSession(server.base_url) as http,
        Swarm(SocketIoDoor(server.base_url)) as swarm,
    ):
        async with http.post("/api/rooms", json={"room_id": ROOM}) as response:
            key = {"Authorization": f"Bearer {(await response.json())['host_key']}"}
        talking = await swarm.join_all(ROOM, "sendrecv", SPEAKING, speaks=True)
        await swarm.join_all(ROOM, "sendrecv", PEOPLE - SPEAKING)
        let_speak(swarm, talking, PTIME_MS)
        await settle()
        without = await measure_cost(server, swarm, options.seconds)
        where, wanted = f"/api/rooms/{ROOM}/broadcast", {"state": "live"}
        async with http.put(where, json=wanted, headers=key) as response:
            response.raise_for_status()
        await settle()
        before_s = cpu_of_module(server.pid, WRITER)
        live = await measure_cost(server, swarm, options.seconds)
        writer = (cpu_of_module(server.pid, WRITER) - before_s) / live.duration_s
    return without, live, writer


async def main() -> None:
    """Measure the room and tell the result."""
    options = parse_options("cost of broadcasting a room as HLS", 20, 5)
    without, live, writer = await measure(options)
    more = live.share_of_a_core - without.share_of_a_core
    columns = ["room", "core %", "with it %", "more %", "writer %", "bad %"]
    name = f"{PEOPLE} people, {SPEAKING} speak"
    shares = (without.share_of_a_core, live.share_of_a_core, more, writer)
    bad = live.punctuality.bad_share
    row: list[Figure] = [name, *(100 * share for share in shares), 100 * bad]
    print_table("Broadcasting a room as HLS", columns, [row])
    figures = {
        "server_core_without": round(without.share_of_a_core, 4),
        "server_core_with": round(live.share_of_a_core, 4),
        "core": round(more, 4),
        "writer_core": round(writer, 4),
        "bad_share": round(bad, 5),
    }
    print_result("broadcast", {"seconds": options.seconds, **figures})


if __name__ == "__main__":
    run(main)
