"""The browser loop through the server, beside the same loop without any server.

One page of headless Chromium plays tone bursts from WebAudio into a peer connection and hears them
from another: WebAudio -> Opus -> network -> Opus -> WebAudio, timed by one audio clock. Once the
two connections are joined to one room of the server, once to each other, in turn, in the same
minutes, each time in a fresh browser. 10 ms packets and 96 kb/s stereo on every way. The difference
is what the server costs; Chromium's own buffers are on both sides and cancel out.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from playwright.async_api import Playwright, Route, async_playwright

from benchmarks.harness.options import Options, parse_options, run
from benchmarks.harness.packages import MissingPackageError, ensure
from benchmarks.harness.report import Figure, print_result, print_table
from benchmarks.harness.server import Server

Way = Literal["server", "direct"]

ROUNDS = 5
QUICK_ROUNDS = 2
TARGET_MS = 12.0
_SETTLE_MS = 5000
_PAGE = Path(__file__).parent / "page"
_PATH = "/benchmark-page/"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_TYPES = {".html": "text/html", ".js": "text/javascript"}
_FLAGS = (
    "--no-sandbox",  # benchmarks may run as root, which Chromium's sandbox refuses
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-background-networking",
    # Chromium takes a page that a tool hands it for a stranger to the loopback network.
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
)


@dataclass(frozen=True, slots=True)
class Loops:
    """What one page found.

    Attributes:
        loop_ms: of every burst that came back.
        missed: how many did not.
        jitter_buffer_ms: mean stay in Chromium's own jitter buffer.
        packets: that Chromium received.
    """

    loop_ms: npt.NDArray[np.float64]
    missed: int
    jitter_buffer_ms: float
    packets: int


async def measure(playwright: Playwright, server: Server, way: Way, seconds: float) -> Loops:
    """Return the loops of one fresh browser."""
    browser = await playwright.chromium.launch(executable_path=_chromium(), args=list(_FLAGS))
    try:
        page = await browser.new_page()
        # The page comes from the server's own origin, so that no rule about origins interferes.
        await page.route(f"**{_PATH}*", _serve)
        await page.goto(f"{server.base_url}{_PATH}loop.html")
        found: dict[str, Any] = await page.evaluate(
            "([way, settleMs, measureMs]) => measure(way, settleMs, measureMs)",
            [way, _SETTLE_MS, seconds * 1000],
        )
    finally:
        await browser.close()
    came_back = [value for value in found["loops"] if value is not None]
    return Loops(
        np.array(came_back, np.float64),
        len(found["loops"]) - len(came_back),
        float(found["jitterBufferMs"] or 0),
        int(found["packets"]),
    )


async def _serve(route: Route) -> None:
    path = _PAGE / Path(route.request.url).name
    await route.fulfill(body=path.read_text("utf-8"), content_type=_TYPES[path.suffix])


def _chromium() -> str | None:
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


async def compare(options: Options, rounds: int) -> dict[Way, list[Loops]]:
    """Return the loops of both ways, in turn; every other round begins with the other one."""
    found: dict[Way, list[Loops]] = {"server": [], "direct": []}
    async with (
        options.server({"WEBRTC_PTIME_MS": "10"}) as server,
        async_playwright() as playwright,
    ):
        for round_number in range(rounds):
            ways: list[Way] = ["direct", "server"]
            for way in ways if round_number % 2 == 0 else reversed(ways):
                found[way].append(await measure(playwright, server, way, options.seconds))
    return found


async def main() -> None:
    """Compare both ways and tell the result."""
    options = parse_options("browser loop with and without the server", 12, 6)
    try:
        ensure("chromium", lambda: _chromium() is not None)
    except MissingPackageError as error:
        raise SystemExit(str(error)) from None
    found = await compare(options, QUICK_ROUNDS if options.quick else ROUNDS)
    rows: list[list[Figure]] = []
    figures: dict[str, object] = {}
    medians = {}
    for way, pages in found.items():
        loops = np.concatenate([page.loop_ms for page in pages])
        if not loops.size:
            raise SystemExit(f"no burst came back on the way '{way}'")
        medians[way] = float(np.median(loops))
        p95 = float(np.percentile(loops, 95))
        buffer_ms = float(np.mean([page.jitter_buffer_ms for page in pages]))
        missed = sum(page.missed for page in pages)
        rows.append([way, medians[way], p95, buffer_ms, loops.size, missed])
        figures[way] = {
            "p50": round(medians[way], 1),
            "p95": round(p95, 1),
            "chromium_buffer_ms": round(buffer_ms, 1),
            "bursts": loops.size,
            "missed": missed,
        }
    pairs = zip(found["server"], found["direct"], strict=True)
    differences = [float(np.median(s.loop_ms) - np.median(d.loop_ms)) for s, d in pairs]
    added_ms = float(np.median(differences))
    columns = ["way", "p50 ms", "p95 ms", "Chromium's buffer ms", "bursts", "missed"]
    print_table("Browser loop", columns, rows)
    print(f"server minus no server, median of pairs: {added_ms:.1f} ms, target {TARGET_MS:.0f}")
    print_result(
        "browser_loop",
        {
            "added_median_ms": round(added_ms, 1),
            "added_each_pair_ms": [round(value, 1) for value in differences],
            **figures,
        },
    )


if __name__ == "__main__":
    run(main)
