"""People of one room who are connected with different media workers."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from tests.e2e.conftest import all_hear_each_other
from tests.support.chromium import Chromium
from tests.support.people import TONE_DBFS, Person
from tests.support.server import LiveServer


async def test_people_on_two_workers_hear_each_other_but_not_themselves(
    start_server: Callable[..., Awaitable[LiveServer]], chromium: Chromium, tmp_path: Path
) -> None:
    server = await start_server(WEBRTC_MEDIA_WORKERS="2", WEBRTC_ROOM_SHARE="1")
    url = f"{server.page_url}?room=studio"
    ada, grace = [await Person.open(chromium, name, url, tmp_path) for name in ("Ada", "Grace")]
    for person in (ada, grace):
        await person.join()
    await all_hear_each_other(ada, grace)
    await ada.hears_at(grace, TONE_DBFS, TONE_DBFS)
    await grace.hears_at(ada, TONE_DBFS, TONE_DBFS)
    async with aiohttp.ClientSession(server.page_url) as http, http.get("/api/stats") as response:
        stats = await response.json()
    rooms = [[len(room["participants"]) for room in one["rooms"]] for one in stats["workers"]]
    assert rooms == [[1], [1]]
