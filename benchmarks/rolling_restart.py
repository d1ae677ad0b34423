"""Three replicas are restarted one after the other: who does not hear whom, and for how long.

Three real Chromium pages in one room, each with another replica of its own behind one address, and
at each replica a crowd of rooms of ten with two speakers. Each replica is stopped by SIGTERM, as in
a rolling restart, and takes nobody new from then on; its crowd is hung up and comes to the next
one; when it has ended, another one starts in its place. Counted is, on each page and for each of
the others, the longest time without that person's pitch, in blocks of 100 ms.
"""

import asyncio
import signal
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from benchmarks.harness.options import parse_options, run
from benchmarks.harness.report import print_result, print_table
from benchmarks.load.clip import make_clip
from benchmarks.load.doors import SocketIoDoor
from benchmarks.load.sdp import Direction
from benchmarks.load.sources import ClipPlan
from benchmarks.load.swarm import Participant, Swarm
from tests.support.balancer import Balancer
from tests.support.chromium import Chromium
from tests.support.people import Person
from tests.support.redis_server import RedisServer
from tests.support.server import LiveServer

MOST_S: Final = 3.0
ROOM: Final = 10
_SETTINGS: Final = {
    "WEBRTC_HOST": "127.0.0.1",
    "WEBRTC_MEDIA_WORKERS": "1",
    "WEBRTC_DRAIN_S": "8",
    "LOG_LEVEL": "INFO",
}
_LONGEST_GAP: Final = """([since, pitch]) => {
  let [last, longest] = [since, 0];
  for (const { at, left, right } of ear.blocks) {
    if (at < since || Math.max(left[pitch], right[pitch]) < -50) continue;
    longest = Math.max(longest, at - last);
    last = at;
  }
  return Math.max(longest, performance.now() - last);
}"""


class Crowd:
    """Rooms of ten, of which two speak, at one replica at a time."""

    def __init__(self, swarm: Swarm, name: str, size: int) -> None:
        """Prepare one."""
        self._swarm = swarm
        self._name = name
        self._size = size
        self._people: list[Participant] = []
        self._came = 0

    async def move(self, server: LiveServer) -> None:
        """Hang up, and come to a replica."""
        for one in self._people:
            self._swarm.leave(one)
        self._people.clear()
        self._came += 1
        door = SocketIoDoor(server.api_url)
        clip = make_clip(20)
        for number in range(self._size):
            room = f"{self._name}-{self._came}-{number // ROOM}"
            speaks = number % ROOM < 2
            direction: Direction = "sendrecv" if speaks else "recvonly"
            one = await self._swarm.join(room, direction, speaks=speaks, door=door)
            self._people.append(one)
            if speaks:
                self._swarm.speak(one, ClipPlan(clip, 97 * number))


async def measure(crowd_size: int) -> dict[str, float]:
    """Return the longest time without somebody, in s, by who did not hear whom."""
    async with AsyncExitStack() as running:
        redis = await running.enter_async_context(RedisServer())

        async def start() -> LiveServer:
            server = await LiveServer.start(**_SETTINGS, REDIS_URL=redis.url)
            running.push_async_callback(server.program.end)
            return server

        servers = [await start() for _ in range(3)]
        ports = [server.page_port for server in servers]
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        browsers = await running.enter_async_context(Chromium())
        swarm = await running.enter_async_context(Swarm(SocketIoDoor(servers[0].api_url)))
        crowds = [Crowd(swarm, f"crowd-{number}", crowd_size) for number in range(3)]
        for crowd, server in zip(crowds, servers, strict=True):
            await crowd.move(server)
        balancers, people = [], []
        for number, name in enumerate(("Ada", "Grace", "Edsger")):
            balancer = Balancer(ports[number:] + ports[:number])
            balancers.append(await running.enter_async_context(balancer))
            url = f"{balancer.url}?room=studio"
            people.append(await Person.open(browsers, name, url, folder))
            await people[-1].join()
        await everybody_hears(people)
        since = [await person.ear.now_ms() for person in people]
        for number in range(3):
            for balancer in balancers:
                balancer.ports.remove(ports[number])
            servers[number].program.send(signal.SIGTERM)
            await crowds[number].move(servers[(number + 1) % 3])
            await servers[number].program.wait(30.0)
            servers[number] = await start()
            ports[number] = servers[number].page_port
            for balancer in balancers:
                balancer.ports.append(ports[number])
            await crowds[number].move(servers[number])
        await everybody_hears(people)
        for person in people:  # each was with a replica that has ended
            assert await person.page.evaluate("ear.tracks") > 1
        return {
            f"{hearer.name} without {other.name}": round(
                await hearer.page.evaluate(_LONGEST_GAP, [instant, other.pitch_hz]) / 1000, 2
            )
            for hearer, instant in zip(people, since, strict=True)
            for other in people
            if other is not hearer
        }


async def everybody_hears(people: list[Person]) -> None:
    """Wait until everybody hears everybody else."""
    await asyncio.gather(
        *(one.hears(*(other for other in people if other is not one)) for one in people)
    )


async def main() -> None:
    """Measure and tell the result."""
    options = parse_options("a rolling restart of three replicas under load", 0, 0)
    crowd = 10 if options.quick else 40
    gaps = await measure(crowd)
    print_table(
        f"Three replicas with {crowd} people each restarted one after the other, s",
        ["who", "longest time", "target"],
        [[who, gap, f"{MOST_S:.0f}"] for who, gap in gaps.items()],
    )
    print_result(
        "rolling_restart", {"crowd": crowd, "longest_s": max(gaps.values()), "gaps_s": gaps}
    )


if __name__ == "__main__":
    run(main)
