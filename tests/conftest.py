"""Fixtures of the tests that drive the whole server and real browsers."""

import gc
import inspect
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio

from tests.support.chromium import Chromium
from tests.support.firefox import Firefox
from tests.support.server import LiveServer
from tests.support.tones import write_tone

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("ours", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)  # `make check`
hypothesis.settings.load_profile("ours")

_ROOMS = itertools.count(1)
_MARK_OF_FIXTURE = {
    "chromium": "browser",
    "firefox": "browser",
    "live_server": "server",
    "server_of_its_own": "server",
    "start_server": "server",
}
_STARTERS_OF_PROCESSES = {"Program", "RedisServer"}
"""A module that names one of these waits for programs to start."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whoever takes a browser, the whole server or a process, so that nobody can forget to.

    The former share a server and browsers, and so they and all their fixtures run in one event
    loop.
    """
    for item in items:
        module = getattr(item, "module", None)
        if not _STARTERS_OF_PROCESSES.isdisjoint(vars(module) if module else ()):
            item.add_marker(pytest.mark.slow)
        marks = {_MARK_OF_FIXTURE.get(name) for name in getattr(item, "fixturenames", ())} - {None}
        for mark in marks:
            item.add_marker(str(mark))
        if marks and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            for fixtures in item._fixtureinfo.name2fixturedefs.values():  # type: ignore[attr-defined]
                for fixture in fixtures:  # as `pytest_asyncio.fixture(loop_scope="session")` does
                    if inspect.iscoroutinefunction(fixture.func) or inspect.isasyncgenfunction(
                        fixture.func
                    ):
                        fixture.func._loop_scope = "session"


def pytest_collection_finish() -> None:
    """Spare the garbage collector all that was imported: each look at it takes half a second.

    Tests that run a worker's `Collector` need not undo what it freezes, either.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
async def start_server() -> AsyncIterator[Callable[..., Awaitable[LiveServer]]]:
    """Start servers with settings: `server = await start_server(WEBRTC_PTIME_MS="10")`.

    Each is ended after the test, which fails when one leaves a process or a traceback behind.
    """
    async with AsyncExitStack() as running:

        async def start(**environ: str) -> LiveServer:
            server = await LiveServer.start(**environ)
            running.push_async_callback(server.stop)
            return server

        yield start


@pytest.fixture
async def server_of_its_own(start_server: Callable[..., Awaitable[LiveServer]]) -> LiveServer:
    """A server with default settings for a test that harms it."""
    return await start_server()


@pytest.fixture(scope="session")
async def shared_server() -> AsyncIterator[LiveServer]:
    """The server behind `live_server`; ended when all tests are over."""
    server = await LiveServer.start()
    yield server
    await server.stop()


@pytest.fixture
def live_server(shared_server: LiveServer) -> Iterator[LiveServer]:
    """A running server with default settings on free ports, for tests that leave it whole.

    Everybody's tests use it, so each goes into a room of its own: `room_url`. It is an error to
    leave a traceback in its log. Whoever kills or stops a part of it overrides this fixture by
    `server_of_its_own`.
    """
    before = len(shared_server.program.output)
    yield shared_server
    told = "\n".join(shared_server.program.output[before:])
    assert "Traceback" not in told, told


@pytest.fixture
def room() -> str:
    """Name of a room that no other test goes into."""
    return f"studio-{next(_ROOMS)}"


@pytest.fixture
def room_url(live_server: LiveServer, room: str) -> str:
    """Address of the page, in that room."""
    return f"{live_server.page_url}?room={room}"


@pytest.fixture(scope="session")
async def browsers() -> AsyncIterator[Chromium]:
    """What `chromium` opens its pages in; ended when all tests are over."""
    async with Chromium() as browsers:
        yield browsers


@pytest.fixture
async def chromium(browsers: Chromium) -> AsyncIterator[Chromium]:
    """Opens Chromium pages: `page = await chromium.page(url, microphone=tone(440))`."""
    yield browsers
    await browsers.close_pages()


@pytest.fixture
async def firefox() -> AsyncIterator[Firefox]:
    """A running Firefox with one tab."""
    async with Firefox() as browser:
        yield browser


@pytest.fixture
def tone(tmp_path: Path) -> Callable[[int], Path]:
    """Write a WAV file of one pitch: `tone(440)`."""
    return lambda pitch_hz: write_tone(tmp_path / f"{pitch_hz}-hz.wav", pitch_hz)
