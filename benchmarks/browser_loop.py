"""Sound through the server and a page of headless Chromium, by our own playout path and others.

loop    The page plays tone bursts from WebAudio into one connection and hears them from another:
        WebAudio -> Opus -> network -> Opus -> WebAudio, timed by one audio clock; between two
        connections of the page without any server, through the server by the browser's own path,
        and through the server by ours; in turn, in the same minutes, each in a fresh browser.
ear     From a microphone to a loudspeaker, both of PulseAudio, beside the latency budget that the
        client shows: by our own path, by the browser's in an element, and by the browser's in
        WebAudio, where it is played after a change from ours. Takes `pulseaudio`.
steady  A tone for as long as --steady says: gaps, clicks and underruns, and what the page costs
        with our own path and without it.
speech  Speech that loses packets on its way to the page: PESQ-WB and delay of what the page plays
        on our own path and on the browser's, recorded at once from the same packets; and beside
        it, between two connections of a page without the server, over the same kind of network.
change  From our own path to the browser's and back while a tone plays: gaps and clicks.

10 ms packets and stereo at the server's bitrate on every way. The page uses the client as the
server serves it; nothing of it is copied here.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from playwright.async_api import Playwright, async_playwright

from benchmarks import browser_loop_ear, browser_loop_speech, browser_loop_tone
from benchmarks.browser_loop_page import ensure_chromium, fresh_page
from benchmarks.browser_loop_sound import Mono
from benchmarks.harness.options import Options, add_options, options_from, run
from benchmarks.harness.report import Figure, print_result, print_table
from benchmarks.harness.server import Server
from benchmarks.loss import speech_of
from mixer.netsim_settings import CLEAN, NetworkConditions

Way = Literal["direct", "browser", "own"]
Part = Literal["loop", "ear", "steady", "speech", "change"]

ROUNDS = 5
EAR_ROUNDS = 3
QUICK_ROUNDS = 1
TIMES = 2
ADDED_TARGET_MS = 12.0
OWN_TARGET_MS = (40.0, 48.0)
CPU_TARGET = 0.03
BUDGET_TARGET_MS = 5.0
NETWORKS = {
    "no loss": CLEAN,
    "5 % loss": NetworkConditions(loss_percent=5),
    "5 % loss, ±30 ms": NetworkConditions(loss_percent=5, scatter_ms=60),
    "5 % loss, 0 to 50 ms": NetworkConditions(loss_percent=5, scatter_ms=50),
}
_SETTLE_MS = 5000
_BASE_S = 20.0
_WAYS: dict[Way, str] = {
    "direct": "no server",
    "browser": "server, browser's path",
    "own": "server, our own path",
}
_EAR_WAYS: dict[browser_loop_ear.EarWay, str] = {
    "own": "our own path",
    "browser": "browser's, an element",
    "back": "browser's, WebAudio",
}


@dataclass(frozen=True, slots=True)
class Loops:
    """What one page found.

    Attributes:
        loop_ms: of every burst that came back.
        missed: how many did not.
        browser_buffer_ms: mean stay in Chromium's own jitter buffer.
        own_buffer_ms: mean stay in ours at the end; None without it.
        hops_ms: what the client says of each hop; None without a server. Their sum is not the
            loop: WebAudio renders ahead of its time what a microphone brings after it, and neither
            device is in it. `ear` measures what the budget is about.
    """

    loop_ms: npt.NDArray[np.float64]
    missed: int
    browser_buffer_ms: float
    own_buffer_ms: float | None
    hops_ms: dict[str, float | None] | None


@dataclass(frozen=True, slots=True)
class Told:
    """What a part found: for the table, and for the JSON line."""

    columns: Sequence[str]
    rows: list[list[Figure]]
    figures: dict[str, object]


async def measure(playwright: Playwright, server: Server, way: Way, seconds: float) -> Loops:
    """Return the loops of one fresh browser."""
    async with fresh_page(playwright, server.base_url) as page:
        found: dict[str, Any] = await page.evaluate(
            "([way, settleMs, measureMs]) => bench.loop(way, settleMs, measureMs)",
            [way, _SETTLE_MS, seconds * 1000],
        )
    came_back = [value for value in found["loops"] if value is not None]
    if not came_back:
        raise SystemExit(f"no burst came back: {_WAYS[way]}")
    return Loops(
        np.array(came_back, np.float64),
        len(found["loops"]) - len(came_back),
        float(found["browserBufferMs"] or 0),
        found["playout"] and found["playout"]["delayMs"],
        found["budget"],
    )


async def loops(playwright: Playwright, server: Server, seconds: float, rounds: int) -> Told:
    """Compare the ways, in turn; every other round goes the other way round."""
    found: dict[Way, list[Loops]] = {way: [] for way in _WAYS}
    for round_number in range(rounds):
        ways = list(_WAYS)
        for way in ways if round_number % 2 == 0 else reversed(ways):
            found[way].append(await measure(playwright, server, way, seconds))
    rows: list[list[Figure]] = []
    figures: dict[str, object] = {}
    for way, pages in found.items():
        p50, p95 = np.percentile(np.concatenate([page.loop_ms for page in pages]), (50, 95))
        told = {
            "p50": round(float(p50), 1),
            "p95": round(float(p95), 1),
            "each_p50": [round(float(np.median(page.loop_ms)), 1) for page in pages],
            "browser_buffer_ms": _mean([page.browser_buffer_ms for page in pages]),
            "own_buffer_ms": _mean([page.own_buffer_ms for page in pages]),
            "hops_ms": [_rounded(page.hops_ms) for page in pages if page.hops_ms],
            "bursts": sum(page.loop_ms.size for page in pages),
            "missed": sum(page.missed for page in pages),
        }
        figures[way] = told
        row: list[Figure] = [_WAYS[way], float(p50), float(p95)]
        names = ("browser_buffer_ms", "own_buffer_ms", "bursts", "missed")
        rows.append(row + [told[name] for name in names])  # type: ignore[misc]
    for way in ("browser", "own"):
        pairs = zip(found[way], found["direct"], strict=True)
        added = [float(np.median(one.loop_ms) - np.median(other.loop_ms)) for one, other in pairs]
        figures[f"{way}_minus_direct_ms"] = round(float(np.median(added)), 1)
    columns = ["loop", "p50 ms", "p95 ms", "browser's buffer", "ours", "bursts", "missed"]
    return Told(columns, rows, figures)


async def ear(playwright: Playwright, server: Server, seconds: float, rounds: int) -> Told:
    """Compare the latency budget with what devices see, on every path."""
    rows: list[list[Figure]] = []
    figures: dict[str, object] = {}
    for way, name in _EAR_WAYS.items():
        pages = [
            await browser_loop_ear.measure(playwright, server, way, seconds) for _ in range(rounds)
        ]
        if not all(page.mouth_to_ear_ms.size for page in pages):
            raise SystemExit(f"no burst was heard: {name}")
        p50, p95 = np.percentile(np.concatenate([page.mouth_to_ear_ms for page in pages]), (50, 95))
        errors = [
            page.budget_ms - float(np.mean(page.mouth_to_ear_ms))
            for page in pages
            if page.budget_ms is not None
        ]
        bursts = sum(page.mouth_to_ear_ms.size for page in pages)
        budget_ms = _mean([page.budget_ms for page in pages])
        worst_ms = max(errors, key=abs, default=None)
        rows.append([name, float(p50), float(p95), budget_ms, worst_ms, bursts])
        figures[way] = {
            "p50": round(float(p50), 1),
            "p95": round(float(p95), 1),
            "budget_ms": budget_ms,
            "budget_minus_measured_ms": [round(error, 1) for error in errors],
            "hops_ms": [_rounded(page.hops_ms) for page in pages],
            "bursts": bursts,
        }
    columns = ["mouth to ear", "p50 ms", "p95 ms", "budget", "budget's worst error", "bursts"]
    return Told(columns, rows, figures)


async def steady(playwright: Playwright, server: Server, seconds: float) -> Told:
    """Listen to a tone on the browser's path, for the cost, and as the page does it by itself."""
    base = await browser_loop_tone.listen(playwright, server, "browser", min(seconds, _BASE_S))
    own = await browser_loop_tone.listen(playwright, server, "auto", seconds)
    rows: list[list[Figure]] = [
        [
            name,
            one.seconds,
            one.gaps,
            one.longest_gap_ms,
            one.clicks,
            one.underruns,
            one.concealed_ms,
            one.changes,
            100 * one.page_cpu,
            100 * one.browser_cpu,
        ]
        for name, one in (("browser's path", base), ("our own, auto", own))
    ]
    columns = ["steady tone", "s", "gaps", "longest ms", "clicks", "underruns", "concealed ms"]
    columns += ["changes", "page CPU %", "all CPU %"]
    figures = {
        name: {
            "seconds": round(one.seconds, 1),
            "gaps": one.gaps,
            "longest_gap_ms": round(one.longest_gap_ms, 1),
            "clicks": one.clicks,
            "underruns": one.underruns,
            "concealed_ms": one.concealed_ms,
            "changes": one.changes,
            "page_cpu": round(one.page_cpu, 4),
            "browser_cpu": round(one.browser_cpu, 4),
            "threads_cpu": {
                thread: round(share, 4)
                for thread, share in sorted(one.threads_cpu.items(), key=lambda item: -item[1])
                if share >= 0.001
            },
        }
        for name, one in (("browser", base), ("own", own))
    }
    added = {"added_page_cpu": round(own.page_cpu - base.page_cpu, 4)}
    return Told(columns, rows, {**figures, **added})


async def speech(
    playwright: Playwright, server: Server, sound: Mono, times: int, networks: int
) -> Told:
    """Listen to speech on the worst so many networks."""
    rows: list[list[Figure]] = []
    figures: dict[str, object] = {}
    for name, conditions in list(NETWORKS.items())[-networks:]:
        found = await browser_loop_speech.compare(playwright, server, conditions, sound, times)
        peers = await browser_loop_speech.peer_to_peer(playwright, server, conditions, sound, times)
        told = {
            "lost_share": round(found.lost_share, 4),
            "direct_lost_share": round(peers.lost_share, 4),
            "concealed_share": round(found.concealed, 4),
            "direct_concealed_share": round(peers.concealed, 4),
            "underruns": found.playout["underruns"],
            "target_ms": round(found.playout["targetMs"], 1),
        }
        row: list[Figure] = [name, 100 * found.lost_share]
        heard = {"own": found.own, "browser": found.browsers, "direct": peers.heard}
        for path, verdict in heard.items():
            score = float(verdict.pesq_wb.mean())
            delay_ms = float(np.median(verdict.delay_ms))
            told[path] = {"pesq_wb": round(score, 3), "delay_ms": round(delay_ms, 1)}
            row += [score, delay_ms]
        rows.append(row)
        figures[name] = told
    columns = ["speech", "lost %", "own PESQ-WB", "delay ms", "browser's PESQ-WB", "delay ms"]
    columns += ["no server PESQ-WB", "delay ms"]
    return Told(columns, rows, figures)


async def change(playwright: Playwright, server: Server, times: int) -> Told:
    """Change the path again and again."""
    found = await browser_loop_tone.change(playwright, server, times)
    figures: dict[str, object] = {
        "changes": found.gap_ms.size,
        "longest_gap_ms": round(float(found.gap_ms.max()), 2),
        "click_median_dbfs": round(float(np.median(found.click_dbfs)), 1),
        "click_max_dbfs": round(float(found.click_dbfs.max()), 1),
        "still_max_dbfs": round(float(found.still_click_dbfs.max()), 1),
    }
    columns = ["path", "times", "longest gap ms", "click dBFS", "loudest", "loudest between"]
    return Told(columns, [["own <-> browser's", *figures.values()]], figures)  # type: ignore[list-item]


def _rounded(hops: Mapping[str, float | None]) -> dict[str, float | None]:
    return {hop: None if ms is None else round(ms, 1) for hop, ms in hops.items()}


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.mean(known)), 1) if known else None


async def main() -> None:
    """Measure every part that was asked for and tell the result."""
    parser = argparse.ArgumentParser(description="the loop through the server and a browser")
    add_options(parser)
    parser.add_argument("--steady", type=float, help="seconds of the steady tone")
    parser.add_argument("--rounds", type=int, help="fresh browsers for each way of the loop")
    parser.add_argument("--only", nargs="+", choices=get_args(Part), default=get_args(Part))
    arguments = parser.parse_args()
    options = options_from(arguments, 12, 6)
    ensure_chromium()
    figures: dict[str, object] = {}
    async with (
        options.server({"WEBRTC_PTIME_MS": "10"}) as server,
        async_playwright() as playwright,
    ):
        for part in arguments.only:
            told = await _part(part, playwright, server, options, arguments)
            print_table(f"Browser loop: {part}", told.columns, told.rows)
            figures[part] = told.figures
    print(
        f"\ntargets: loop by our own path {OWN_TARGET_MS[0]:.0f} / {OWN_TARGET_MS[1]:.0f} ms, "
        f"server minus no server {ADDED_TARGET_MS:.0f} ms, CPU of our own path "
        f"{100 * CPU_TARGET:.0f} %, budget within {BUDGET_TARGET_MS:.0f} ms, "
        "at most one gap or underrun in 10 minutes"
    )
    print_result("browser_loop", figures)


async def _part(
    part: Part,
    playwright: Playwright,
    server: Server,
    options: Options,
    arguments: argparse.Namespace,
) -> Told:
    quick = options.quick
    match part:
        case "loop":
            rounds = arguments.rounds or (QUICK_ROUNDS if quick else ROUNDS)
            return await loops(playwright, server, options.seconds, rounds)
        case "ear":
            browser_loop_ear.ensure_pulse()
            rounds = arguments.rounds or (QUICK_ROUNDS if quick else EAR_ROUNDS)
            return await ear(playwright, server, options.seconds, rounds)
        case "steady":
            return await steady(playwright, server, arguments.steady or (6 if quick else 60))
        case "speech":
            sound = speech_of(None)
            if quick:
                return await speech(playwright, server, sound[: sound.size // 2], 1, 1)
            return await speech(playwright, server, sound, TIMES, len(NETWORKS))
        case "change":
            return await change(playwright, server, 4 if quick else 20)


if __name__ == "__main__":
    run(main)
