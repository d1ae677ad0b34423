"""A fresh headless Chromium with the benchmark's page, and what it costs."""

import os
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, Playwright, Route

from benchmarks.harness.packages import MissingPackageError, ensure

_PAGE = Path(__file__).parent / "page"
_PATH = "/benchmark-page/"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_TYPES = {".html": "text/html", ".js": "text/javascript"}
_ISOLATED = {  # as the product's own page is
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
_FLAGS = (
    "--no-sandbox",  # benchmarks may run as root, which Chromium's sandbox refuses
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-background-networking",
    # Chromium takes a page that a tool hands it for a stranger to the loopback network.
    # Names in place of addresses would hide where a connection is that a relay stands for.
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,"
    "WebRtcHideLocalIpsWithMdns",
)


def ensure_chromium() -> None:
    """Install Chromium unless it is there, or end the benchmark."""
    try:
        ensure("chromium", lambda: chromium() is not None)
    except MissingPackageError as error:
        raise SystemExit(str(error)) from None


async def launch(
    playwright: Playwright,
    devices: Mapping[str, str] | None = None,
    program: Path | None = None,
    *flags: str,
) -> Browser:
    """Start a headless Chromium; with the sound devices of an environment, if one is given.

    Args:
        playwright: to start it with.
        devices: the environment.
        program: what runs it, if not itself.
        flags: further ones.
    """
    sound: dict[str, Any] = {}
    if devices is not None:
        sound = {"env": dict(devices), "ignore_default_args": ["--mute-audio"]}
    return await playwright.chromium.launch(
        executable_path=program or chromium(), args=[*_FLAGS, *flags], **sound
    )


@asynccontextmanager
async def fresh_page(
    playwright: Playwright,
    base_url: str,
    devices: Mapping[str, str] | None = None,
    program: Path | None = None,
) -> AsyncIterator[Page]:
    """Give the page in a browser of its own, from the server's own origin.

    Args:
        playwright: To start it with.
        base_url: Of the server.
        devices: Environment whose sound devices the page may use; None: it has none.
        program: What runs the browser, if not itself.
    """
    secure = f"--unsafely-treat-insecure-origin-as-secure={base_url}"  # as https would be
    browser = await launch(playwright, devices, program, secure)
    try:
        context = await browser.new_context(permissions=[] if devices is None else ["microphone"])
        page = await context.new_page()
        # From the server's origin, so that the client's files are its own and need no rules.
        await page.route(f"**{_PATH}*", _serve)
        await page.goto(f"{base_url}{_PATH}loop.html")
        await page.wait_for_function("() => 'bench' in globalThis")
        yield page
    finally:
        await browser.close()


async def _serve(route: Route) -> None:
    path = _PAGE / Path(route.request.url).name
    headers = {"Content-Type": _TYPES[path.suffix], **_ISOLATED}
    await route.fulfill(body=path.read_text("utf-8"), headers=headers)


def chromium() -> str | None:
    """Return the path of an installed Chromium, if there is one."""
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


@dataclass(frozen=True, slots=True)
class PageCost:
    """CPU seconds since the browser began.

    Attributes:
        page_s: of the processes that run pages.
        all_s: of these and everything else of the browser.
        threads_s: of the former, by name of the thread.
    """

    page_s: float
    all_s: float
    threads_s: Mapping[str, float]


async def page_cost(browser: Browser) -> PageCost:
    """Return what a browser cost so far."""
    session = await browser.new_browser_cdp_session()
    try:
        found = await session.send("SystemInfo.getProcessInfo")
    finally:
        await session.detach()
    processes = found["processInfo"]
    renderers = [one for one in processes if one["type"] == "renderer"]
    threads_s: defaultdict[str, float] = defaultdict(float)
    for one in renderers:
        for name, spent_s in thread_seconds(one["id"]).items():
            threads_s[name] += spent_s
    page_s = sum(one["cpuTime"] for one in renderers)
    return PageCost(page_s, sum(one["cpuTime"] for one in processes), threads_s)


def thread_seconds(pid: int) -> dict[str, float]:
    """Return the CPU seconds of a process's living threads, summed by their names."""
    seconds: defaultdict[str, float] = defaultdict(float)
    folder = Path("/proc", str(pid), "task")
    for thread in os.listdir(folder) if folder.is_dir() else ():
        try:
            name = (folder / thread / "comm").read_text("utf-8").strip()
            spent_ns = int((folder / thread / "schedstat").read_text("ascii").split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        seconds[name] += spent_ns / 1e9
    return dict(seconds)
