"""Chromium pages, each in a browser of its own with a WAV file for its microphone."""

from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from playwright.async_api import Browser, Page, Playwright, async_playwright

from tests.support.programs import require

_FLAGS = (
    "--no-sandbox",  # tests may run as root, which Chromium's sandbox refuses
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
_FLAG_OF_MICROPHONE = "--use-file-for-fake-audio-capture="


class Chromium:
    """Opens pages and closes them all at the end; an async context manager.

    A microphone is a property of the whole browser process, so every page gets its own.
    """

    def __init__(self) -> None:
        self._program = require("chromium")
        self._open = AsyncExitStack()
        self._playwright: Playwright

    async def __aenter__(self) -> Self:
        self._playwright = await self._open.enter_async_context(async_playwright())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    async def launch(self, microphone: Path | None = None, *flags: str) -> Browser:
        """Start a browser whose microphone plays a WAV file over and over (silence if None)."""
        chosen = [*_FLAGS, *flags]
        if microphone is not None:
            chosen.append(f"{_FLAG_OF_MICROPHONE}{microphone}")
        browser = await self._playwright.chromium.launch(executable_path=self._program, args=chosen)
        self._open.push_async_callback(browser.close)
        return browser

    async def page(
        self, url: str = "about:blank", microphone: Path | None = None, *flags: str
    ) -> Page:
        """Open an address in a browser of its own.

        Click for real where a user's doing matters: `evaluate` counts as one.
        """
        page = await (await self.launch(microphone, *flags)).new_page()
        await page.goto(url)
        return page
