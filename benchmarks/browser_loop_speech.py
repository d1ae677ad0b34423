"""Speech over a bad network towards the page: our own path beside the browser's, packet by packet.

Both get the same packets at the same moments, because frames go on to the browser's path while our
own plays; both are recorded by one worklet, and so is what was said.
"""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.async_api import Playwright
from scipy.signal import resample_poly

from benchmarks.browser_loop_page import fresh_page
from benchmarks.browser_loop_relay import Relay
from benchmarks.browser_loop_sound import RATE_HZ, Mono, decode
from benchmarks.harness.server import Server
from benchmarks.harness.speech_quality import pesq_wb
from benchmarks.load.likeness import find, follow
from mixer.netsim_settings import NetworkConditions

SETTLE_MS = 8000
_STRETCH = RATE_HZ // 2
_SEARCH = RATE_HZ // 4
_MOST_DELAY = RATE_HZ // 2


@dataclass(frozen=True, slots=True)
class PathVerdict:
    """What one path made of the speech.

    Attributes:
        pesq_wb: (times,) of each time that it was said.
        delay_ms: of each half second that could be found again, from node to node.
    """

    pesq_wb: npt.NDArray[np.float64]
    delay_ms: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Both paths on the same packets.

    Attributes:
        own: our own path.
        browsers: the browser's.
        lost_share: of the packets.
        playout: figures of our own path at the end.
        concealed: share of the samples that the browser's path made up.
    """

    own: PathVerdict
    browsers: PathVerdict
    lost_share: float
    playout: dict[str, Any]
    concealed: float


@dataclass(frozen=True, slots=True)
class Direct:
    """Between two connections of a page, over the same kind of network.

    Attributes:
        heard: what was played.
        lost_share: of the packets.
        concealed: share of the samples that the browser made up.
    """

    heard: PathVerdict
    lost_share: float
    concealed: float


async def compare(
    playwright: Playwright, server: Server, conditions: NetworkConditions, speech: Mono, times: int
) -> Verdict:
    """Return how speech that is said several times sounds on both paths."""
    found, lost = await _listen(playwright, server, conditions, speech, times, "own")
    said, own, browsers = (decode(found[name]) for name in ("said", "own", "browsers"))
    return Verdict(
        judge(speech, said, own),
        judge(speech, said, browsers),
        lost,
        found["playout"],
        float(found["concealed"]),
    )


async def peer_to_peer(
    playwright: Playwright, server: Server, conditions: NetworkConditions, speech: Mono, times: int
) -> Direct:
    """Return how it sounds from browser to browser; the server has nothing to do with it."""
    found, lost = await _listen(playwright, server, conditions, speech, times, "direct")
    said, heard = (decode(found[name]) for name in ("said", "browsers"))
    return Direct(judge(speech, said, heard), lost, float(found["concealed"]))


async def _listen(
    playwright: Playwright,
    server: Server,
    conditions: NetworkConditions,
    speech: Mono,
    times: int,
    way: str,
) -> tuple[dict[str, Any], float]:
    """Return what the page recorded, and the share of packets that were lost."""
    relays: list[Relay] = []

    async def relay_to(address: str, port: int) -> int:
        relay = Relay((address, port), conditions)
        relays.append(relay)
        return await relay.open()

    try:
        async with fresh_page(playwright, server.base_url) as page:
            await page.expose_function("relayTo", relay_to)
            sound = base64.b64encode(speech.astype("<f4").tobytes()).decode()
            found = await page.evaluate(
                "([sound, times, settleMs, way]) => bench.speech(sound, times, settleMs, way)",
                [sound, times + 1, SETTLE_MS, way],
            )
    finally:
        for relay in relays:
            relay.close()
    passed, lost = (
        sum(getattr(relay.stats, name) for relay in relays) for name in ("passed", "lost")
    )
    return found, lost / max(passed + lost, 1)


def judge(speech: Mono, said: Mono, heard: Mono) -> PathVerdict:
    """Compare what was heard with what was said, as often as it was said from begin to end.

    Args:
        speech: that was said again and again.
        said: recording of it, from anywhere in it.
        heard: recording of what came of it, by the same clock.
    """
    first, _ = find(speech[: 4 * RATE_HZ], said[: speech.size + 4 * RATE_HZ])
    scores = []
    delays_ms: list[float] = []
    for begin in range(first, said.size - speech.size - _MOST_DELAY, speech.size):
        stretch = heard[begin : begin + speech.size + _MOST_DELAY]
        delay, _ = find(speech, stretch)
        matches = follow(speech, heard, begin + delay, _STRETCH, _SEARCH)
        delays_ms += [1000 * (one.heard_at - one.sent_at - begin) / RATE_HZ for one in matches]
        scores.append(pesq_wb(_narrow(speech), _narrow(stretch[delay:][: speech.size])))
    return PathVerdict(np.array(scores), np.array(delays_ms))


def _narrow(sound: Mono) -> npt.NDArray[np.int16]:
    """Return 16 kHz, 16 bit."""
    narrow = np.clip(resample_poly(sound, 1, 3) * 32767, -32768, 32767)
    return np.asarray(narrow, np.int16)
