"""Fixtures of the tests that drive the whole server and real browsers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import hypothesis
import pytest

from tests.support.chromium import Chromium
from tests.support.firefox import Firefox
from tests.support.server import LiveServer
from tests.support.tones import write_tone

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("ours", deadline=None)
hypothesis.settings.load_profile("ours")

_MARK_OF_FIXTURE = {
    "chromium": "browser",
    "firefox": "browser",
    "live_server": "server",
    "start_server": "server",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whoever takes a browser or the whole server, so that nobody can forget to."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in _MARK_OF_FIXTURE:
                item.add_marker(_MARK_OF_FIXTURE[fixture])


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
async def live_server(start_server: Callable[..., Awaitable[LiveServer]]) -> LiveServer:
    """A running server with default settings on free ports."""
    return await start_server()


@pytest.fixture
async def chromium() -> AsyncIterator[Chromium]:
    """Opens Chromium pages: `page = await chromium.page(url, microphone=tone(440))`."""
    async with Chromium() as browsers:
        yield browsers


@pytest.fixture
async def firefox() -> AsyncIterator[Firefox]:
    """A running Firefox with one tab."""
    async with Firefox() as browser:
        yield browser


@pytest.fixture
def tone(tmp_path: Path) -> Callable[[int], Path]:
    """Write a WAV file of one pitch: `tone(440)`."""
    return lambda pitch_hz: write_tone(tmp_path / f"{pitch_hz}-hz.wav", pitch_hz)
