"""Chromium pages, each person's in a browser with a WAV file of its own for its microphone."""

import hashlib
import tempfile
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
_KEPT = 5

_Kind = tuple[str | None, tuple[str, ...]]


class Chromium:
    """Opens pages and closes them all at the end; an async context manager.

    A microphone is a property of the whole browser process. A browser takes a second to start, so
    one is kept for whoever wants the same microphone and flags; pages share nothing in it but that.
    """

    def __init__(self) -> None:
        self._program = require("chromium")
        self._open = AsyncExitStack()
        self._playwright: Playwright
        self._microphones: Path
        self._browsers: dict[_Kind, Browser] = {}
        """Those used last come last."""

    async def __aenter__(self) -> Self:
        folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="microphones-"))
        self._microphones = Path(folder)
        self._playwright = await self._open.enter_async_context(async_playwright())
        self._open.push_async_callback(self._close_browsers)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    async def launch(self, microphone: Path | None = None, *flags: str) -> Browser:
        """Return a browser whose microphone plays a WAV file over and over (beeps if None)."""
        sound = None if microphone is None else microphone.read_bytes()
        kind = (None if sound is None else hashlib.sha256(sound).hexdigest(), flags)
        browser = self._browsers.pop(kind, None)
        if browser is None or not browser.is_connected():
            chosen = [*_FLAGS, *flags]
            if sound is not None:
                kept = self._microphones / f"{kind[0]}.wav"
                kept.write_bytes(sound)
                chosen.append(f"{_FLAG_OF_MICROPHONE}{kept}")
            browser = await self._playwright.chromium.launch(
                executable_path=self._program, args=chosen
            )
        self._browsers[kind] = browser
        return browser

    async def page(
        self, url: str = "about:blank", microphone: Path | None = None, *flags: str
    ) -> Page:
        """Open an address in a context of its own.

        Click for real where a user's doing matters: `evaluate` counts as one.
        """
        page = await (await self.launch(microphone, *flags)).new_page()
        await page.goto(url)
        return page

    async def close_pages(self) -> None:
        """Close all pages with what they stored, and browsers that nobody wanted for long."""
        for browser in self._browsers.values():
            for context in browser.contexts:
                await context.close()
        await self._close_browsers(but=_KEPT)

    async def _close_browsers(self, but: int = 0) -> None:
        for kind in list(self._browsers)[: len(self._browsers) - but]:
            await self._browsers.pop(kind).close()
