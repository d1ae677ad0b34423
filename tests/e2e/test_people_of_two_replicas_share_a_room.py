"""Two servers with one Redis, and browsers with each."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import expect

from tests.e2e.conftest import all_hear_each_other
from tests.support.balancer import Balancer
from tests.support.chromium import Chromium
from tests.support.patience import PATIENCE_MS
from tests.support.people import CLIENT, Person
from tests.support.redis_server import RedisServer
from tests.support.server import LiveServer

pytestmark = pytest.mark.server


@pytest.fixture
async def redis() -> AsyncIterator[RedisServer]:
    async with RedisServer() as server:
        yield server


@pytest.fixture
async def replicas(redis: RedisServer) -> AsyncIterator[list[LiveServer]]:
    settings = {"WEBRTC_HOST": "127.0.0.1", "WEBRTC_MEDIA_WORKERS": "1", "REDIS_URL": redis.url}
    async with AsyncExitStack() as running:
        servers = []
        for _ in range(2):
            servers.append(await LiveServer.start(**settings))
            running.push_async_callback(servers[-1].program.end)
        yield servers


async def test_people_of_two_replicas_hear_each_other_whatever_dies(
    replicas: list[LiveServer], redis: RedisServer, chromium: Chromium, tmp_path: Path
) -> None:
    first, second = replicas
    async with Balancer([first.page_port, second.page_port]) as balancer:
        ada = await Person.open(chromium, "Ada", f"{balancer.url}?room=studio", tmp_path)
        grace = await Person.open(chromium, "Grace", f"{second.page_url}?room=studio", tmp_path)
        for person in (ada, grace):
            await person.join()
        await all_hear_each_other(ada, grace)
        await ada.sees(ada, grace)
        await ada.press("Microphone on")
        await expect(grace.strip_of(ada)).to_contain_text("microphone off")
        await ada.press("Microphone off")
        await ada.client("updateAudioSettings({ genre: 'jazz' })")

        # Redis is gone: the page says so, and all is well when it is back.
        missing = [one.page.get_by_text("Some people may be missing") for one in (ada, grace)]
        await redis.kill()
        for notice in missing:
            await expect(notice).to_be_visible(timeout=PATIENCE_MS)
        await redis.start()
        await all_hear_each_other(ada, grace)
        for notice in missing:
            await expect(notice).not_to_be_visible(timeout=PATIENCE_MS)

        # Ada's replica is gone: she comes back to the other one, as who she was.
        seat = await ada.client("room.participantId")
        await first.program.end()
        await ada.page.wait_for_function("() => ear.tracks === 2", timeout=PATIENCE_MS)
        await all_hear_each_other(ada, grace)
        assert await ada.client("room.participantId") == seat
        assert (await ada.client("settings"))["genre"] == "jazz"
        await grace.sees(ada, grace)
        said = first.program.text + second.program.text
        assert "Traceback" not in said, said


async def test_people_leave_a_replica_that_hangs_and_it_does_no_harm_when_it_goes_on(
    replicas: list[LiveServer], chromium: Chromium, tmp_path: Path
) -> None:
    hung, other = replicas
    async with Balancer([hung.page_port, other.page_port]) as balancer:
        ada = await Person.open(chromium, "Ada", f"{balancer.url}?room=studio", tmp_path)
        grace = await Person.open(chromium, "Grace", f"{other.page_url}?room=studio", tmp_path)
        for person in (ada, grace):
            await person.join()
        await all_hear_each_other(ada, grace)
        await ada.client("updateAudioSettings({ genre: 'jazz' })")
        seat = await ada.client("room.participantId")

        await ada.page.evaluate(
            f"{CLIENT}.on('reconnecting', () => (window.leftWhile ??= {CLIENT}.mediaState)); 0"
        )
        hung.program.send_all(signal.SIGSTOP)
        balancer.ports = [other.page_port]  # as one does that asks for `/health/ready`
        # She may be back before its lease is over: then the others see her all the time.
        await ada.page.wait_for_function("() => ear.tracks === 2", timeout=PATIENCE_MS)
        await all_hear_each_other(ada, grace)
        await grace.sees(ada, grace)
        # She did not wait until the browser had missed the connection and tried to mend it.
        assert await ada.page.evaluate("window.leftWhile") in ("connected", "interrupted")
        await grace.client("updateAudioSettings({ genre: 'rock' })")

        hung.program.send_all(signal.SIGCONT)
        await _agree(hung, other)
        assert await ada.page.evaluate("ear.tracks") == 2  # nobody took her away from there
        # Somebody who comes to it then is with the others.
        edsger = await Person.open(chromium, "Edsger", f"{hung.page_url}?room=studio", tmp_path)
        await edsger.join()
        await all_hear_each_other(ada, grace, edsger)
        for person in (ada, grace, edsger):
            await person.sees(ada, grace, edsger)
        assert await ada.client("room.participantId") == seat
        settings = [(await one.client("settings"))["genre"] for one in (ada, grace)]
        assert settings == ["jazz", "rock"]
        said = hung.program.text + other.program.text
        assert "Traceback" not in said, said


async def _agree(*servers: LiveServer) -> None:
    """Wait until all servers list the same rooms and are ready."""
    async with asyncio.timeout(PATIENCE_MS / 1000), aiohttp.ClientSession() as session:
        while True:
            told = []
            for server in servers:
                async with session.get(f"{server.page_url}/health/ready") as ready:
                    status = ready.status
                async with session.get(f"{server.page_url}/api/rooms") as rooms:
                    told.append((status, await rooms.json()))
            if all(one == (200, told[0][1]) for one in told):
                return
            await asyncio.sleep(0.1)
