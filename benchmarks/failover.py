"""A replica is killed: how long its people do not hear, and are not heard.

Two replicas with one Redis behind one address, and two real Chromium pages that hear each other,
each with one. The replica of the first page is killed by SIGKILL, all of its processes; the page
comes back to the other replica by itself. Counted is the longest silence, on each page, from the
kill on; the settings have to be what they were.

With `--drain` the replica is stopped by SIGTERM, as in a rolling restart, and the address leads to
the other one from then on. With `--hang` it is halted by SIGSTOP, all of its processes: connections
stay open and nothing is answered; the address leads to the other one after `--unready-s`.
"""

import argparse
import asyncio
import signal
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Literal

import numpy as np

from benchmarks.harness.options import add_options, options_from, run
from benchmarks.harness.report import print_result, print_table
from tests.support.balancer import Balancer
from tests.support.chromium import Chromium
from tests.support.people import Person
from tests.support.redis_server import RedisServer
from tests.support.server import LiveServer

MEDIAN_S, WORST_S = 3.0, 6.0
WORST_HALTED_S = 5.0
UNREADY_S: Final = 3.0
"""Until a balancer has asked in vain for `/health/ready` twice, each second, for a second."""

End = Literal["killed", "drained", "halted"]
_SETTINGS = {"WEBRTC_HOST": "127.0.0.1", "WEBRTC_MEDIA_WORKERS": "1"}


async def longest_gap_s(person: Person, since_ms: float) -> float:
    """Return the longest time between two frames with sound that came since then, in s.

    Also where no frames came at all, for there was no connection.
    """
    gap_ms: float = await person.page.evaluate(
        """(since) => {
          let [last, longest] = [since, 0];
          for (const { at, dbfs } of ear.frames) {
            if (at < since || dbfs < -50) continue;
            longest = Math.max(longest, at - last);
            last = at;
          }
          return longest;
        }""",
        since_ms,
    )
    return gap_ms / 1000


async def end(server: LiveServer, how: End, balancer: Balancer, unready_s: float) -> None:
    """End a replica, the balancer's first."""
    others = balancer.ports[1:]
    match how:
        case "killed":
            await server.program.end()
        case "drained":
            balancer.ports = others
            server.program.send(signal.SIGTERM)
        case "halted":
            server.program.send_all(signal.SIGSTOP)
            asyncio.get_running_loop().call_later(unready_s, setattr, balancer, "ports", others)


async def measure_one(how: End, unready_s: float) -> tuple[float, float, bool]:
    """Return the silence, in s, for whose replica dies and for the other, and if all was kept."""
    async with AsyncExitStack() as running:
        redis = await running.enter_async_context(RedisServer())
        servers = []
        for _ in range(2):
            settings = {**_SETTINGS, "REDIS_URL": redis.url, "WEBRTC_DRAIN_S": "10"}
            servers.append(await LiveServer.start(**settings))
            running.push_async_callback(servers[-1].program.end)
        ports = [server.page_port for server in servers]
        balancer = await running.enter_async_context(Balancer(ports))
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        browsers = await running.enter_async_context(Chromium())
        moved = await Person.open(browsers, "Ada", f"{balancer.url}?room=studio", folder)
        stays = await Person.open(browsers, "Grace", f"{servers[1].page_url}?room=studio", folder)
        for person in (moved, stays):
            await person.join()
        await asyncio.gather(moved.hears(stays), stays.hears(moved))
        await moved.client("updateAudioSettings({ genre: 'jazz' })")
        seat = await moved.client("room.participantId")
        since = [await person.ear.now_ms() for person in (moved, stays)]
        await end(servers[0], how, balancer, unready_s)
        await moved.page.wait_for_function("() => ear.tracks === 2", timeout=45_000)
        await asyncio.gather(moved.hears(stays), stays.hears(moved))
        silence_s = [
            await longest_gap_s(person, instant)
            for person, instant in zip((moved, stays), since, strict=True)
        ]
        kept = seat == await moved.client("room.participantId")
        kept = kept and (await moved.client("settings"))["genre"] == "jazz"
    return silence_s[0], silence_s[1], kept


async def main() -> None:
    """Measure several times and tell the result."""
    parser = argparse.ArgumentParser(description="silence after a replica is killed")
    add_options(parser)
    ends = parser.add_mutually_exclusive_group()
    for option, end_of_it, text in (
        ("--drain", "drained", "stop it by SIGTERM instead"),
        ("--hang", "halted", "halt it by SIGSTOP instead"),
    ):
        ends.add_argument(option, action="store_const", dest="how", const=end_of_it, help=text)
    parser.set_defaults(how="killed")
    parser.add_argument(
        "--unready-s",
        type=float,
        default=UNREADY_S,
        help="until the address leads past a replica that was halted (default: %(default)s)",
    )
    arguments = parser.parse_args()
    options, how = options_from(arguments, 0, 0), arguments.how
    targets = f"–/{WORST_HALTED_S:.0f}" if how == "halted" else f"{MEDIAN_S:.0f}/{WORST_S:.0f}"
    runs = [await measure_one(how, arguments.unready_s) for _ in range(2 if options.quick else 6)]
    hears = np.array([one[0] for one in runs])
    heard = np.array([one[1] for one in runs])
    print_table(
        f"A replica is {how}, {len(runs)} times, s of silence",
        ["who", "median", "worst", "targets"],
        [
            ["its people hear again", np.median(hears), hears.max(), targets],
            ["and are heard again", np.median(heard), heard.max(), targets],
        ],
    )
    print_result(
        "failover",
        {
            "hears_s": {
                "median": round(float(np.median(hears)), 2),
                "worst": round(hears.max(), 2),
            },
            "heard_s": {
                "median": round(float(np.median(heard)), 2),
                "worst": round(heard.max(), 2),
            },
            "settings_kept": all(one[2] for one in runs),
            "runs": len(runs),
            "how": how,
        },
    )


if __name__ == "__main__":
    run(main)
