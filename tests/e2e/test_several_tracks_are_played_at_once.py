"""Three people's tracks on one connection, each on our own playout path, in a real page."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.support.chromium import Chromium
from tests.support.server import LiveServer

TRACKS = Path(__file__).parents[1] / "support" / "tracks.js"
KEEP_WORKERS = """
window.workers = [];
window.Worker = class extends Worker {
  constructor(...args) { super(...args); window.workers.push(this); }
};
"""
PITCHES_HZ = [440, 1000, 2500]
TONE_DBFS = -18.1
_SILENT_DBFS = -55.0
_TOLERANCE_DB = 2.0
_WITHIN_S = 45.0

Open = Callable[[], Awaitable[Page]]


@pytest.fixture
def opened(live_server: LiveServer, chromium: Chromium) -> Open:
    """Open a page that hears three tracks: `page = await opened()`."""

    async def open_page() -> Page:
        flags = (
            "--autoplay-policy=no-user-gesture-required",
            "--allow-loopback-in-peer-connection",
        )
        page = await (await chromium.launch(None, *flags)).new_page()
        await page.add_init_script(KEEP_WORKERS)
        await page.add_init_script(path=TRACKS)
        await page.goto(live_server.page_url)
        await page.evaluate(f"openTracks({PITCHES_HZ})")
        return page

    return open_page


async def plays(page: Page, *expected_dbfs: float, paths: str) -> None:
    """Wait until each pitch is played at a level, on these paths."""
    levels: list[float] = []
    found: list[str] = []
    try:
        async with asyncio.timeout(_WITHIN_S):
            while True:
                levels = await page.evaluate("tracks.levels()")
                found = await page.evaluate("tracks.paths")
                if found == [paths] * len(PITCHES_HZ) and all(
                    abs(level - expected) < _TOLERANCE_DB
                    if expected > _SILENT_DBFS
                    else level < _SILENT_DBFS
                    for level, expected in zip(levels, expected_dbfs, strict=True)
                ):
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"played at {levels} dBFS on {found}") from None


def mix(gain_db: float, *, muted: bool = False) -> str:
    """Return what a listener chose for somebody, as the page writes it."""
    return json.dumps({"gainDb": gain_db, "pan": 0, "muted": muted, "solo": False})


async def test_three_tracks_are_played_the_short_way_through_one_worker(opened: Open) -> None:
    page = await opened()
    await plays(page, TONE_DBFS, TONE_DBFS, TONE_DBFS, paths="low-latency")
    assert await page.evaluate("window.workers.length") == 1


async def test_each_track_has_its_own_volume_on_either_way(opened: Open) -> None:
    page = await opened()
    await plays(page, TONE_DBFS, TONE_DBFS, TONE_DBFS, paths="low-latency")
    await page.evaluate(f"tracks.setMix(0, {mix(0, muted=True)})")
    await page.evaluate(f"tracks.setMix(1, {mix(-6)})")
    await plays(page, TONE_DBFS, -140, TONE_DBFS - 6, paths="low-latency")
    await page.evaluate("tracks.playback.setMode('browser')")
    await plays(page, TONE_DBFS, -140, TONE_DBFS - 6, paths="browser")
    await page.evaluate("tracks.playback.setMode('low-latency')")
    await page.evaluate(f"tracks.setMix(0, {mix(0)})")
    await plays(page, TONE_DBFS, TONE_DBFS, TONE_DBFS - 6, paths="low-latency")


async def test_a_worker_that_dies_takes_none_of_them_along(opened: Open) -> None:
    page = await opened()
    await plays(page, TONE_DBFS, TONE_DBFS, TONE_DBFS, paths="low-latency")
    await page.evaluate("window.workers.at(-1).terminate()")
    await plays(page, TONE_DBFS, TONE_DBFS, TONE_DBFS, paths="browser")
    await plays(page, TONE_DBFS, TONE_DBFS, TONE_DBFS, paths="low-latency")
