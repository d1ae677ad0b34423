"""The mixing desk in the page: CPU, long tasks and memory while meters move; its first load.

The people are not there: `tests/support/fake_room.js` stands in for the client, with levels 10
times and meters 25 times a second. So the figures are those of the page's own work, without sound.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, Playwright, Route, async_playwright

from benchmarks.browser_loop_page import ensure_chromium, launch, page_cost
from benchmarks.harness.options import parse_options, run
from benchmarks.harness.report import print_result, print_table
from webrtc.api.pages import page_files

PEOPLE = Path(__file__).parents[1] / "tests" / "support" / "fake_room.js"
ORIGIN = "http://localhost:9"
STRIPS = 50
WINDOWS = (("laptop", 1440, 900), ("all in sight", 6600, 900))
TARGETS = {"core_share": 0.25, "long_tasks": 0, "first_load_kb": 250}
_SETTLE_S = 3.0
_WATCH = """() => {
  window.longest = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longest.push(duration);
  }).observe({ type: 'longtask' });
}"""
_COUNT = "document.querySelectorAll('.strip').length"


@dataclass(frozen=True, slots=True)
class DeskCost:
    """What the desk cost in one window.

    Attributes:
        window: its name.
        strips: made of the people there.
        core_share: share of a core that the page's process took.
        long_tasks: tasks of the page over 50 ms.
        longest_ms: the longest of them.
        heap_growth_kb: of JavaScript, between two collections.
    """

    window: str
    strips: int
    core_share: float
    long_tasks: int
    longest_ms: float
    heap_growth_kb: float


class Files:
    """Answers a page's requests as the server does, and counts the bytes."""

    def __init__(self) -> None:
        """Count from nothing."""
        self._files = page_files()
        self.sent_bytes = 0

    async def serve(self, route: Route) -> None:
        """Answer one request."""
        asset = self._files.find(urlsplit(route.request.url).path)
        if asset is None:
            await route.fulfill(status=404)
            return
        self.sent_bytes += len(asset.compressed or asset.body)
        await route.fulfill(body=asset.body, content_type=asset.content_type)


@asynccontextmanager
async def desk(
    playwright: Playwright, width: int, height: int
) -> AsyncIterator[tuple[Browser, Page, Files]]:
    """Give the page in a browser of its own, before anybody is in the room."""
    browser = await launch(playwright)
    try:
        page = await browser.new_page(viewport={"width": width, "height": height})
        files = Files()
        await page.route("**/*", files.serve)
        await page.goto(ORIGIN, wait_until="networkidle")
        yield browser, page, files
    finally:
        await browser.close()


async def measure(
    playwright: Playwright, window: tuple[str, int, int], seconds: float
) -> tuple[DeskCost, int]:
    """Return what the desk costs in a window, and the bytes of its first load."""
    name, width, height = window
    async with desk(playwright, width, height) as (browser, page, files):
        first_load = files.sent_bytes
        await page.evaluate(PEOPLE.read_text("utf-8"))
        await page.evaluate(f"void fakeRoom({STRIPS})")
        await asyncio.sleep(_SETTLE_S)
        await page.evaluate(_WATCH)
        heap, before = await _heap_bytes(page), await page_cost(browser)
        await asyncio.sleep(seconds)
        after = await page_cost(browser)
        tasks: list[float] = await page.evaluate("window.longest")
        cost = DeskCost(
            window=name,
            strips=await page.evaluate(_COUNT),
            core_share=(after.page_s - before.page_s) / seconds,
            long_tasks=len(tasks),
            longest_ms=max(tasks, default=0.0),
            heap_growth_kb=(await _heap_bytes(page) - heap) / 1024,
        )
        return cost, first_load


async def _heap_bytes(page: Page) -> float:
    """Return what JavaScript holds after a collection."""
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    usage = await session.send("Runtime.getHeapUsage")
    await session.detach()
    used: float = usage["usedSize"]
    return used


async def main() -> None:
    """Measure and tell the result."""
    options = parse_options("The mixing desk with 50 people", 30, 8)
    ensure_chromium()
    async with async_playwright() as playwright:
        found = [await measure(playwright, window, options.seconds) for window in WINDOWS]
    costs = [cost for cost, _ in found]
    first_load_kb = found[0][1] / 1024
    print_table(
        f"The desk with {STRIPS} people",
        ["window", "strips made", "core %", "tasks > 50 ms", "longest ms", "heap growth KB"],
        [
            [
                one.window,
                one.strips,
                100 * one.core_share,
                one.long_tasks,
                one.longest_ms,
                one.heap_growth_kb,
            ]
            for one in costs
        ],
    )
    print_table("First load, compressed", ["KB", "target"], [[first_load_kb, 250]])
    print_result(
        "desk",
        {
            "targets": TARGETS,
            "first_load_kb": round(first_load_kb, 1),
            "windows": {
                one.window: {
                    "strips": one.strips,
                    "core_share": round(one.core_share, 4),
                    "long_tasks": one.long_tasks,
                    "longest_ms": round(one.longest_ms, 1),
                    "heap_growth_kb": round(one.heap_growth_kb, 1),
                }
                for one in costs
            },
        },
    )


if __name__ == "__main__":
    run(main)
