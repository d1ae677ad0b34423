"""A server on which engineers may make networks worse on purpose."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from playwright.async_api import expect

from tests.e2e.conftest import all_hear_each_other
from tests.support.chromium import Chromium
from tests.support.people import Person
from tests.support.server import LiveServer


async def test_the_host_makes_networks_worse_and_everybody_sees_and_hears_it(
    start_server: Callable[..., Awaitable[LiveServer]], chromium: Chromium, tmp_path: Path
) -> None:
    server = await start_server(WEBRTC_SIMULATED_NETWORK="clean")
    await server.program.line_with("networks are made worse on purpose")
    url = f"{server.page_url}?room=studio"
    names = ("Ada", "Grace")
    ada, grace = await asyncio.gather(
        *(Person.open(chromium, name, url, tmp_path) for name in names)
    )
    await ada.join()  # the first to come is the host
    await grace.join()
    await all_hear_each_other(ada, grace)
    await expect(grace.page.locator("ag-network")).to_be_hidden()

    async def simulate(whose: str, kind: str, figures: str = "") -> None:
        panel = ada.page.locator("ag-network")
        await panel.get_by_label("Whose network").select_option(whose)
        await panel.get_by_label("Network", exact=True).select_option(kind)
        if figures:
            await panel.get_by_label("Figures of the network").fill(figures)
        await panel.get_by_role("button", name="Simulate").click()

    await simulate("Grace", "Figures", "loss=100")
    for person in (ada, grace):
        await expect(person.page.locator("ag-network")).to_contain_text("Grace: loss=100")
        await expect(person.strip_of(grace)).to_contain_text("Network loss=100")
    await ada.hears()
    await grace.hears(ada)
    await simulate("Everybody", "Figures", "loss=8,delay=40,jitter=5")
    await simulate("Grace", "As it is")  # as everybody's
    await expect(grace.page.locator("ag-network")).to_contain_text("everybody: loss=8")
    await all_hear_each_other(ada, grace)
    async with aiohttp.ClientSession() as session:
        lost = 0
        while lost < 3:
            async with session.get(f"{server.page_url}/api/stats") as answer:
                workers = (await answer.json())["workers"]
            lost = sum(one["figures"]["counters"]["packets_lost"] for one in workers)
            await asyncio.sleep(0.25)  # who asks without end is told to wait
