"""The options that every benchmark takes."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.harness.server import Server, our_server


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        seconds: length of each measurement.
        quick: fewer and smaller steps, for a first impression.
        url: a running server to measure instead of starting one.
        pid: its process, for CPU and memory.
    """

    seconds: float
    quick: bool
    url: str | None = None
    pid: int | None = None

    @asynccontextmanager
    async def server(self, environment: Mapping[str, str] | None = None) -> AsyncIterator[Server]:
        """Give the server that is to be measured; `environment` sets up only one we start."""
        if self.url is None:
            async with our_server(environment) as server:
                yield server
        else:
            assert self.pid is not None  # `options_from` has seen to it
            yield Server(urlsplit(self.url).netloc, self.url.rstrip("/"), self.pid)


def parse_options(description: str, seconds: float, quick_seconds: float) -> Options:
    """Read the command line of a benchmark.

    Args:
        description: first line of --help.
        seconds: default length of each measurement.
        quick_seconds: the same with --quick.
    """
    parser = argparse.ArgumentParser(description=description)
    add_options(parser)
    return options_from(parser.parse_args(), seconds, quick_seconds)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the common options to a parser."""
    parser.add_argument("--seconds", type=float, help="length of each measurement")
    parser.add_argument("--quick", action="store_true", help="fewer, smaller and shorter steps")
    parser.add_argument("--url", help="measure this running server instead of starting one")
    parser.add_argument("--pid", type=int, help="with --url: its first process, for CPU and memory")


def options_from(arguments: argparse.Namespace, seconds: float, quick_seconds: float) -> Options:
    """Return the common options of a parsed command line."""
    if (arguments.url is None) != (arguments.pid is None):
        raise SystemExit("--url and --pid belong together")
    default = quick_seconds if arguments.quick else seconds
    return Options(arguments.seconds or default, arguments.quick, arguments.url, arguments.pid)


def run(benchmark: Callable[[], Awaitable[None]]) -> None:
    """Run a benchmark's coroutine to its end; Ctrl-C ends it and what it started."""

    async def main() -> None:
        await benchmark()

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
