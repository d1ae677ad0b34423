"""A server that makes its networks worse on purpose."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from tests.e2e.conftest import all_hear_each_other
from tests.support.chromium import Chromium
from tests.support.people import Person
from tests.support.server import LiveServer


async def test_people_hear_each_other_over_it_and_the_figures_show_it(
    start_server: Callable[..., Awaitable[LiveServer]], chromium: Chromium, tmp_path: Path
) -> None:
    server = await start_server(WEBRTC_SIMULATED_NETWORK="loss=3,delay=40,jitter=5")
    await server.program.line_with("networks are made worse on purpose")
    url = f"{server.page_url}?room=studio"
    ada, grace = [await Person.open(chromium, name, url, tmp_path) for name in ("Ada", "Grace")]
    for person in (ada, grace):
        await person.join()
    await all_hear_each_other(ada, grace)
    async with aiohttp.ClientSession() as session:
        lost = 0
        while lost < 3:
            async with session.get(f"{server.page_url}/api/stats") as answer:
                workers = (await answer.json())["workers"]
            lost = sum(one["figures"]["counters"]["packets_lost"] for one in workers)
            await asyncio.sleep(0.25)  # who asks without end is told to wait
