"""A desk with a hundred people: few strips are made, the loudest first, each is found by keys."""

import asyncio

from playwright.async_api import Page, expect

from benchmarks.load.doors import SocketIoConnection
from tests.e2e.conftest import People
from tests.js.test_page_accessibility import check
from tests.support.patience import PATIENCE_MS
from tests.support.people import CLIENT
from tests.support.server import LiveServer

_SEATS = 98
_MOST_MADE = 20


async def take_seats(server: LiveServer, room: str) -> list[SocketIoConnection]:
    """Let people without sound come in: Guest 1 and so on."""
    url = server.api_url.replace("localhost", "127.0.0.1")
    seats = await asyncio.gather(*(SocketIoConnection.connect(url) for _ in range(_SEATS)))
    acks = await asyncio.gather(
        *(
            seat.call("join_room", {"room_id": room, "name": f"Guest {number}", "role": "both"})
            for number, seat in enumerate(seats, 1)
        )
    )
    assert all(ack["ok"] for ack in acks)
    return list(seats)


async def made(page: Page) -> int:
    return await page.get_by_role("list", name="Participants").get_by_role("listitem").count()


async def test_the_loudest_comes_first_and_anybody_is_found(
    people: People, live_server: LiveServer, room: str
) -> None:
    (ada,) = await people("Ada")
    seats = await take_seats(live_server, room)
    (grace,) = await people("Grace")  # the last to come
    page = ada.page
    strips = page.get_by_role("list", name="Participants").get_by_role("listitem")
    await expect(page.locator("ag-room [data-ref=count]")).to_have_text(
        str(_SEATS + 2), timeout=PATIENCE_MS
    )
    await expect(page.get_by_label("Order")).to_have_value("loudest", timeout=PATIENCE_MS)
    loudest = ada.strip_of(grace)
    await expect(loudest).to_have_attribute("aria-posinset", "2", timeout=PATIENCE_MS)
    await expect(loudest).to_contain_text("speaking", timeout=PATIENCE_MS)
    await ada.hears(grace)
    assert await made(page) < _MOST_MADE
    await check(page, "a hundred people, light")

    find = page.get_by_label("Find")
    await find.focus()
    await page.keyboard.type("guest 77")
    await expect(strips).to_have_count(1, timeout=PATIENCE_MS)
    await expect(strips).to_have_attribute("aria-setsize", "1", timeout=PATIENCE_MS)
    mute = page.get_by_role("button", name="Mute Guest 77 for me")
    for _ in range(6):  # past the order and the pan
        await page.keyboard.press("Tab")
        if await mute.evaluate("(it) => it === document.activeElement"):
            break
    await expect(mute).to_be_focused(timeout=PATIENCE_MS)
    await page.keyboard.press("Space")
    await expect(mute).to_have_attribute("aria-pressed", "true", timeout=PATIENCE_MS)
    muted = f"() => {CLIENT}.participants.filter(({{ mix }}) => mix.muted).map((it) => it.name)"
    assert await page.evaluate(muted) == ["Guest 77"]

    await find.fill("")
    await page.set_viewport_size({"width": 360, "height": 760})
    await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    await page.locator("[data-ref=bank]").evaluate("(it) => (it.scrollLeft = it.scrollWidth)")
    await expect(strips.last).to_have_attribute(
        "aria-posinset", str(_SEATS + 2), timeout=PATIENCE_MS
    )
    assert await made(page) < _MOST_MADE
    await check(page, "a hundred people on a phone, dark")
    for seat in seats:
        seat.close()
