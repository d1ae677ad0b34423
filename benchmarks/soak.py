"""People coming and going for hours: does anything grow?

    python -m benchmarks.soak --hours 2
    python -m benchmarks.soak --quick
    python -m benchmarks.soak --minutes 5 --strict    # in CI: ends with status 1 if anything grows
    python -m benchmarks.soak --hours 2 --rooms 1 --residents 4 --rate 0.3    # beside other work

Residents stay in their rooms the whole time; some of them speak, and how punctually the others
hear them is the latency that is watched. Meanwhile visitors come at random into rooms that are
there, or that they make, and end as people do: they leave, hang up, vanish without a word, reload
and come back to their seat, change their network in mid-sentence; some offer what no browser would.
Every `--every` seconds memory, descriptors, sockets and threads of all the server's processes are
read. Each figure's slope per hour is told with its confidence interval of 95 %, the first fifth of
the time left out, and what comes with more or fewer visitors set off; after the end everybody
leaves, and what is left is compared with what was there before anybody came.

Ctrl-C (or SIGTERM) ends it early: what was found so far is told. With `--verbose` each reading is a
line of JSON, and every ten minutes the slopes so far are told, so that even a soak that is killed
has said something.
"""

import argparse
import asyncio
import contextlib
import json
import random
import signal
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.harness.options import run
from benchmarks.harness.processes import Holdings, holdings
from benchmarks.harness.report import Figure, print_result, print_table
from benchmarks.harness.server import Server, our_server
from benchmarks.harness.trend import LEAST, Trend, trend
from benchmarks.load.arrivals import punctuality
from benchmarks.load.doors import SocketIoDoor
from benchmarks.load.rooms import fill_room, let_speak
from benchmarks.load.swarm import Swarm, SwarmSettings
from benchmarks.load.visitors import Visitors

HOURS = 2.0
QUICK_HOURS = 1 / 60
EVERY_S = 15.0
QUICK_EVERY_S = 3.0
RATE_HZ = 2.0
RESIDENT_ROOMS = 3
RESIDENTS = 6
RESIDENT_SPEAKERS = 2
GUESTS = 30
MOST_VISITORS = 1 << 18
WARM_SHARE = 0.2
REST_S = 100.0  # until the server has given up those who vanished, and rooms with nobody in them
QUICK_REST_S = 5.0
GROWTH_TARGET_MB = 1.0
STRICT_MB_PER_HOUR = 120.0  # 10 MB in five minutes: less cannot be told from warming up
STRICT_MORE = 2
_WINDOW_S = 2.0
_TELL_S = 600.0
_START_S = 10.0  # until the worker that stands by is there, too
_WATCHED = {
    "memory_mb": "MB of memory",
    "own_mb": "of it without files",
    "descriptors": "descriptors",
    "sockets": "sockets",
    "threads": "threads",
    "late_p95_ms": "lateness p95, ms",
    "bad_share": "lost or late share",
    "guests": "visitors inside",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What was read at one time.

    Attributes:
        hours: since the beginning.
        memory_mb: PSS of all processes.
        own_mb: the part of it that no file stands behind (`Holdings.own_kb`).
        descriptors: open files, sockets, pipes and timers of all processes.
        sockets: those of them that are sockets.
        threads: of all processes.
        late_p95_ms: how late the residents' packets came behind their own earliest.
        bad_share: of their packets, lost or more than 20 ms late.
        guests: visitors inside.
    """

    hours: float
    memory_mb: float
    own_mb: float
    descriptors: int
    sockets: int
    threads: int
    late_p95_ms: float
    bad_share: float
    guests: int


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a soak found.

    Attributes:
        samples: in order.
        counts: what visitors did, and how often.
        before: what the server held before anybody came.
        after: and after everybody had gone; None if it was ended early.
    """

    samples: list[Sample]
    counts: dict[str, int]
    before: Holdings
    after: Holdings | None


async def soak(server: Server, arguments: argparse.Namespace, enough: asyncio.Event) -> Soaked:
    """Let people come and go for so long, or until it is `enough`."""
    loop = asyncio.get_running_loop()
    await _pause(enough, _START_S)
    before = holdings(server.pid)
    door = SocketIoDoor(server.base_url)
    samples: list[Sample] = []
    async with (
        Swarm(door) as residents,
        Swarm(door, SwarmSettings(capacity=MOST_VISITORS)) as guests,
    ):
        rooms = [f"home-{number}" for number in range(arguments.rooms)]
        staying = []
        for room in rooms:
            staying += await fill_room(residents, room, arguments.residents, RESIDENT_SPEAKERS)
        let_speak(residents, staying)
        visitors = Visitors(guests, server.base_url, rooms, random.Random(arguments.seed))
        began = told = loop.time()
        ends = began + arguments.hours * 3600
        coming = asyncio.create_task(visitors.come_and_go(arguments.rate, arguments.guests))
        while loop.time() < ends and not coming.done():
            await _pause(enough, arguments.every - _WINDOW_S)
            if enough.is_set():
                break
            await guests.measure(0.0)  # or the log of what they hear would grow for hours
            window = await residents.measure(_WINDOW_S)
            heard = punctuality(window.arrivals, len(staying))
            held = holdings(server.pid)
            samples.append(
                Sample(
                    (loop.time() - began) / 3600,
                    held.pss_kb / 1024,
                    held.own_kb / 1024,
                    held.descriptors,
                    held.sockets,
                    held.threads,
                    float(np.percentile(heard.lateness_ms, 95)) if heard.lateness_ms.size else 0.0,
                    heard.bad_share,
                    visitors.inside,
                )
            )
            if arguments.verbose:
                print(json.dumps(asdict(samples[-1]) | {"events": visitors.counts}), flush=True)
                if loop.time() - told >= _TELL_S and len(samples) >= 2 * LEAST:
                    told = loop.time()
                    tell_slopes(samples)
        coming.cancel()
        [ended] = await asyncio.gather(coming, return_exceptions=True)
        if not isinstance(ended, asyncio.CancelledError):
            raise SystemExit(f"the visitors stopped coming: {ended!r}")
        visitors.all_leave()
    await _pause(enough, arguments.rest)
    after = None if enough.is_set() else holdings(server.pid)
    return Soaked(samples, dict(visitors.counts), before, after)


async def _pause(enough: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until it is enough."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(enough.wait(), seconds)


def slopes(samples: list[Sample]) -> dict[str, Trend]:
    """Return the trend per hour of each figure, after the server has warmed up.

    All but that of `guests` are trends at constant load: as if there were always as many guests.
    """
    late = [one for one in samples if one.hours >= WARM_SHARE * samples[-1].hours]
    times = [one.hours for one in late]
    guests = [float(one.guests) for one in late]
    return {
        name: trend(
            times, [getattr(one, name) for one in late], None if name == "guests" else guests
        )
        for name in _WATCHED
    }


def tell_slopes(samples: list[Sample]) -> dict[str, Trend]:
    """Print how each figure grows, and return it."""
    trends = slopes(samples)
    rows: list[list[Figure]] = [
        [title, trends[name].median, trends[name].slope, trends[name].low, trends[name].high]
        for name, title in _WATCHED.items()
    ]
    print_table(
        f"{samples[-1].hours:.2f} hours of people coming and going",
        ["", "median", "slope per hour", "from", "to (95 %)"],
        rows,
    )
    print(flush=True)
    return trends


def complaints(found: Soaked, trends: dict[str, Trend]) -> list[str]:
    """Return what has grown, for sure: by the trend of memory, or left when all had gone."""
    told = []
    if trends["own_mb"].low > STRICT_MB_PER_HOUR:
        told.append(f"memory grows by at least {trends['own_mb'].low:.0f} MB per hour")
    if found.after is None:
        return told
    for name in ("descriptors", "sockets", "threads"):
        more = getattr(found.after, name) - getattr(found.before, name)
        if more > STRICT_MORE:
            told.append(f"{more} {name} are left when all have gone")
    return told


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="people coming and going for hours")
    parser.add_argument("--hours", type=float, help=f"how long, {HOURS:.0f} without it")
    parser.add_argument("--minutes", type=float, help="the same in minutes")
    parser.add_argument("--strict", action="store_true", help="fail if anything grows")
    parser.add_argument("--every", type=float, help="seconds from reading to reading")
    parser.add_argument("--rate", type=float, default=RATE_HZ, help="events per second")
    parser.add_argument("--rooms", type=int, default=RESIDENT_ROOMS, help="in which people stay")
    parser.add_argument("--residents", type=int, default=RESIDENTS, help="of each of them")
    parser.add_argument("--guests", type=int, default=GUESTS, help="inside at a time, at most")
    parser.add_argument("--rest", type=float, help="seconds to wait after the last has gone")
    parser.add_argument("--seed", type=int, default=1, help="of what happens when")
    parser.add_argument("--quick", action="store_true", help="a minute, for a first impression")
    parser.add_argument("--verbose", action="store_true", help="tell each reading")
    arguments = parser.parse_args()
    quick = arguments.quick
    if arguments.minutes:
        arguments.hours = arguments.minutes / 60
    arguments.hours = arguments.hours or (QUICK_HOURS if quick else HOURS)
    arguments.every = arguments.every or (QUICK_EVERY_S if quick else EVERY_S)
    arguments.rest = arguments.rest or (QUICK_REST_S if quick else REST_S)
    return arguments


async def main() -> None:
    """Soak and tell what was found."""
    arguments = parse_arguments()
    enough = asyncio.Event()
    async with our_server() as server:
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, enough.set)
        found = await soak(server, arguments, enough)
    if len(found.samples) < 2 * LEAST:
        raise SystemExit(f"{len(found.samples)} readings are too few to tell anything")
    trends = tell_slopes(found.samples)
    held: list[list[Figure]] = [
        [name, getattr(found.before, name), getattr(found.after, name, None)]
        for name in ("pss_kb", "own_kb", "descriptors", "sockets", "threads")
    ]
    print_table("With nobody there", ["", "before", "after"], held)
    print_table(
        "What visitors did", ["", "times"], [[*one] for one in sorted(found.counts.items())]
    )
    print(f"\ntarget: memory without files grows by less than {GROWTH_TARGET_MB:.0f} MB per hour")
    print_result(
        "soak",
        {
            "hours": round(found.samples[-1].hours, 3),
            "slopes_per_hour": {name: asdict(one) for name, one in trends.items()},
            "before": asdict(found.before),
            "after": asdict(found.after) if found.after else None,
            "events": found.counts,
        },
    )
    if arguments.strict and (told := complaints(found, trends)):
        raise SystemExit("; ".join(told))


if __name__ == "__main__":
    run(main)
