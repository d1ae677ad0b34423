"""Speech through the server and real Chromium, every packet of which passes a bad network.

Chromium is in a network namespace of its own; what it sends and gets is harmed packet by packet
between two TUN devices (`benchmarks.harness.tun`), on its way up and on its way down: sound,
reports, connectivity checks, handshakes, and the TCP of signaling. Beside it, in turn, two
connections of such a page without the server, whose packets pass the same network up and down, as
they do between two people at home.

Speech is said again and again from WebAudio and recorded from WebAudio in the same page, by one
clock: delay from node to node, PESQ-WB, and the share of samples that were made up, by our own
playout path and by the browser's on the same packets.

Takes Linux and root, and leaves nothing behind: the namespaces end with it.
"""

import argparse
import base64
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Playwright, async_playwright

from benchmarks.browser_loop_page import chromium, ensure_chromium, fresh_page
from benchmarks.browser_loop_sound import Mono, decode
from benchmarks.browser_loop_speech import SETTLE_MS, PathVerdict, judge
from benchmarks.harness.options import add_options, options_from, run
from benchmarks.harness.report import Figure, print_result, print_table
from benchmarks.harness.server import our_server
from benchmarks.harness.tun import FAR, MIRROR, BadNetwork, NoTunError, bad_network
from benchmarks.loss import speech_of
from mixer.netsim_settings import NetworkConditions

CONDITIONS = NetworkConditions(loss_percent=5, scatter_ms=50)
"""Each way; packets overtake each other, as they do where each is delayed by itself."""
WORSE_MS = 30.0
WORSE_SHARE = 0.01
"""So much later than without a server sound may come at most, and so much more be made up."""
ROUNDS = 3
QUICK_ROUNDS = 1


async def listen(
    playwright: Playwright, base_url: str, program: Path, speech: Mono, times: int, way: str
) -> dict[str, Any]:
    """Return what a fresh browser recorded."""
    async with fresh_page(playwright, base_url, program=program) as page:
        await page.evaluate(f"() => {{ globalThis.mirrorAddress = '{MIRROR}'; }}")
        sound = base64.b64encode(speech.astype("<f4").tobytes()).decode()
        found: dict[str, Any] = await page.evaluate(
            "([sound, times, settleMs, way]) => bench.speech(sound, times, settleMs, way)",
            [sound, times + 1, SETTLE_MS, way],
        )
        return found


def told(verdicts: list[PathVerdict], concealed: list[float]) -> dict[str, Any]:
    """Return the figures of one path."""
    delays = np.concatenate([one.delay_ms for one in verdicts])
    p50, p95 = np.percentile(delays, (50, 95))
    return {
        "delay_ms": {"p50": round(float(p50), 1), "p95": round(float(p95), 1)},
        "pesq_wb": round(float(np.mean([one.pesq_wb.mean() for one in verdicts])), 3),
        "concealed_share": round(float(np.mean(concealed)), 4),
        "each_p50": [round(float(np.median(one.delay_ms)), 1) for one in verdicts],
    }


async def measure(network: BadNetwork, speech: Mono, rounds: int) -> dict[str, Any]:
    """Return the figures of each way, measured in turn."""
    verdicts: dict[str, list[PathVerdict]] = {"own": [], "browser": [], "direct": []}
    concealed: dict[str, list[float]] = {"own": [], "browser": [], "direct": []}
    settings = {"WEBRTC_HOST": FAR, "WEBRTC_ANNOUNCED_IPS": FAR, "WEBRTC_PTIME_MS": "10"}
    installed = chromium()
    assert installed is not None
    with tempfile.TemporaryDirectory() as folder:
        program = network.near_command(Path(folder), installed)
        async with our_server(settings) as server, async_playwright() as playwright:
            where = (playwright, server.base_url, program, speech, 1)
            for _ in range(rounds):
                found = await listen(*where, "own")
                said = decode(found["said"])
                verdicts["own"].append(judge(speech, said, decode(found["own"])))
                verdicts["browser"].append(judge(speech, said, decode(found["browsers"])))
                concealed["own"].append(float(found["ownConcealed"]))
                concealed["browser"].append(float(found["concealed"]))
                found = await listen(*where, "direct")
                heard = decode(found["browsers"])
                verdicts["direct"].append(judge(speech, decode(found["said"]), heard))
                concealed["direct"].append(float(found["concealed"]))
    return {way: told(verdicts[way], concealed[way]) for way in verdicts}


async def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description="real Chromium behind a bad network")
    add_options(parser)
    options = options_from(parser.parse_args(), 12, 6)
    ensure_chromium()
    speech = speech_of(None)
    if options.quick:
        speech = speech[: speech.size // 2]
    try:
        with bad_network(CONDITIONS) as network:
            ways = await measure(network, speech, QUICK_ROUNDS if options.quick else ROUNDS)
            passed, lost = (
                sum(getattr(one.stats, name) for one in (network.up, network.down))
                for name in ("passed", "lost")
            )
    except NoTunError as error:
        raise SystemExit(str(error)) from None
    names = {
        "own": "server, our own path",
        "browser": "server, browser's path",
        "direct": "no server",
    }
    rows: list[list[Figure]] = [
        [names[way], *one["delay_ms"].values(), one["pesq_wb"], 100 * one["concealed_share"]]
        for way, one in ways.items()
    ]
    print_table(
        "Speech behind a bad network, each way: 5 % lost, 0 to 50 ms late by itself",
        ["way", "delay p50 ms", "p95", "PESQ-WB", "made up %"],
        rows,
    )
    later_ms = ways["own"]["delay_ms"]["p50"] - ways["direct"]["delay_ms"]["p50"]
    more = ways["own"]["concealed_share"] - ways["direct"]["concealed_share"]
    print(
        f"our own path comes {later_ms:+.1f} ms after no server, {100 * more:+.1f} % made up; "
        f"targets: at most {WORSE_MS:.0f} ms and {100 * WORSE_SHARE:.0f} %. "
        f"{100 * lost / max(1, passed + lost):.1f} % of {passed + lost} packets lost"
    )
    figures = {"ways": ways, "later_ms": round(later_ms, 1), "more_share": round(more, 4)}
    print_result("network_truth", figures)


if __name__ == "__main__":
    run(main)
