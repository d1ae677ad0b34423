"""A steady tone through the server: gaps over minutes, what the page costs, changes of path."""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from playwright.async_api import Page, Playwright

from benchmarks.browser_loop_page import fresh_page, page_cost
from benchmarks.browser_loop_sound import (
    RATE_HZ,
    Mono,
    decode,
    gaps_ms,
    longest_gap_ms,
    loudest_click_dbfs,
)
from benchmarks.harness.server import Server

PITCH_HZ = 440.0
SETTLE_MS = 6000
_TAKE_EVERY_S = 5.0
_BEFORE = RATE_HZ // 50
_AFTER = RATE_HZ * 3 // 20


@dataclass(frozen=True, slots=True)
class Steady:
    """A tone that was heard for a while.

    Attributes:
        seconds: of sound that was recorded.
        gaps: stretches of silence in it.
        longest_gap_ms: 0 if there is none.
        clicks: tenths of a second that hold something above −50 dBFS beside the tone.
        underruns: that our own path counted; None on the browser's.
        concealed_ms: that our own path made up; None on the browser's.
        changes: of path.
        page_cpu: share of a core that the page took.
        browser_cpu: the same for the whole browser.
        threads_cpu: share of a core by name of the page's thread.
    """

    seconds: float
    gaps: int
    longest_gap_ms: float
    clicks: int
    underruns: int | None
    concealed_ms: float | None
    changes: int
    page_cpu: float
    browser_cpu: float
    threads_cpu: dict[str, float]


async def listen(
    playwright: Playwright, server: Server, way: Literal["browser", "auto"], seconds: float
) -> Steady:
    """Return what is heard of a steady tone on a quiet network."""
    async with fresh_page(playwright, server.base_url) as page:
        browser = page.context.browser
        assert browser is not None  # the page was opened in one
        await page.evaluate(f"bench.tone('{way}', {PITCH_HZ}, {SETTLE_MS})")
        first = await page.evaluate("bench.taken()")
        before = await page_cost(browser)
        sounds: list[Mono] = []
        taken = first
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while (left := begun + seconds - loop.time()) > 0:
            await asyncio.sleep(min(left, _TAKE_EVERY_S))
            taken = await page.evaluate("bench.taken()")
            sounds.append(decode(taken["sound"]))
        lasted = loop.time() - begun
        after = await page_cost(browser)
    sound = np.concatenate(sounds)
    gaps = gaps_ms(sound)
    return Steady(
        seconds=sound.size / RATE_HZ,
        gaps=gaps.size,
        longest_gap_ms=float(np.max(gaps, initial=0.0)),
        clicks=count_clicks(sound),
        underruns=_since(first, taken, "underruns"),
        concealed_ms=_since(first, taken, "concealedMs"),
        changes=taken["changes"],
        page_cpu=(after.page_s - before.page_s) / lasted,
        browser_cpu=(after.all_s - before.all_s) / lasted,
        threads_cpu={
            name: (spent - before.threads_s.get(name, 0.0)) / lasted
            for name, spent in after.threads_s.items()
        },
    )


def count_clicks(sound: Mono) -> int:
    """Return how many tenths of a second hold more than −50 dBFS beside the tone."""
    tenth = RATE_HZ // 10
    pieces = [sound[at : at + tenth] for at in range(0, sound.size, tenth)]
    return sum(loudest_click_dbfs(piece, PITCH_HZ) > -50 for piece in pieces)


def _since(first: dict[str, Any], last: dict[str, Any], name: str) -> Any:
    before, after = (one["playout"] and one["playout"][name] for one in (first, last))
    return None if before is None or after is None else after - before


@dataclass(frozen=True, slots=True)
class Changes:
    """How changes of path went, each from 20 ms before its fade to 150 ms after.

    Attributes:
        gap_ms: (changes,) longest silence.
        click_dbfs: (changes,) loudest sound beside the tone.
        still_click_dbfs: the same as the latter of stretches as long between the changes.
    """

    gap_ms: npt.NDArray[np.float64]
    click_dbfs: npt.NDArray[np.float64]
    still_click_dbfs: npt.NDArray[np.float64]


async def change(playwright: Playwright, server: Server, times: int) -> Changes:
    """Return how changes between our own path and the browser's sound."""
    async with fresh_page(playwright, server.base_url) as page:
        await page.evaluate(f"bench.tone('own', {PITCH_HZ}, {SETTLE_MS})")
        began = await page.evaluate(f"bench.changes({times})")
        sound = await _rest(page)
    return judge(sound, [round(at) for at in began])


async def _rest(page: Page) -> Mono:
    taken = await page.evaluate("bench.taken()")
    return decode(taken["sound"])


def judge(sound: Mono, began: list[int]) -> Changes:
    """Look at a recording around the samples at which changes began."""
    around = [sound[max(at - _BEFORE, 0) : at + _AFTER] for at in began]
    length = _BEFORE + _AFTER
    between = [sound[at + 2 * _AFTER :][:length] for at in began]
    return Changes(
        np.array([longest_gap_ms(one) for one in around]),
        np.array([loudest_click_dbfs(one, PITCH_HZ) for one in around]),
        np.array([loudest_click_dbfs(one, PITCH_HZ) for one in between]),
    )
