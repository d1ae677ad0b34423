"""Redis is away: whether anybody hears it who is with the same replica, and when all is well again.

Two replicas with one Redis and three real Chromium pages in one room: two with the first replica,
one with the second. Redis is killed and started again, empty, after a while. Counted are the
longest silence of those who are together, in what their connection brought from the kill to the
end, and the time from Redis's return until they hear the third again (half a second of it).

With `--cut` Redis lives on, and the network between it and the first replica goes silent.
"""

import argparse
import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.harness.options import add_options, options_from, run
from benchmarks.harness.report import print_result, print_table
from tests.support.chromium import Chromium
from tests.support.people import Person
from tests.support.redis_server import RedisServer
from tests.support.server import LiveServer
from tests.support.wire import Wire

BACK_S = 2.0
_SETTINGS = {"WEBRTC_HOST": "127.0.0.1", "WEBRTC_MEDIA_WORKERS": "1"}


async def measure(outage_s: float, *, cut: bool) -> dict[str, float | bool]:
    """Return the figures of one outage."""
    async with AsyncExitStack() as running:
        redis = await running.enter_async_context(RedisServer())
        wire = await running.enter_async_context(Wire(redis.port))
        servers = []
        for url in (f"redis://127.0.0.1:{wire.port}", redis.url):
            servers.append(await LiveServer.start(**_SETTINGS, REDIS_URL=url))
            running.push_async_callback(servers[-1].program.end)
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        browsers = await running.enter_async_context(Chromium())
        ada, grace, edsger = [
            await Person.open(browsers, name, f"{server.page_url}?room=studio", folder)
            for name, server in (("Ada", servers[0]), ("Grace", servers[0]), ("Edsger", servers[1]))
        ]
        for person in (ada, grace, edsger):
            await person.join()
        await asyncio.gather(ada.hears(grace, edsger), edsger.hears(ada, grace))
        since = await ada.ear.now_ms()
        if cut:
            wire.cut()
        else:
            await redis.kill()
        await asyncio.sleep(outage_s)
        await ada.hears(grace)
        said = ada.page.get_by_text("Some people may be missing")
        is_said = await said.is_visible()
        if cut:
            wire.mend()
        else:
            await redis.start()
        began = time.monotonic()
        await asyncio.gather(ada.hears(grace, edsger), edsger.hears(ada, grace))
        back_s = time.monotonic() - began
        # One track all along, so all frames are there, however busy the page is.
        assert await ada.page.evaluate("ear.tracks") == 1
        silence_ms = await ada.ear.longest_silence_ms(since)
    return {"silence_ms": silence_ms, "back_s": round(back_s, 2), "page_said_so": is_said}


async def main() -> None:
    """Measure and tell the result."""
    parser = argparse.ArgumentParser(description="an outage of Redis")
    add_options(parser)
    parser.add_argument("--cut", action="store_true", help="cut a replica's way to it instead")
    arguments = parser.parse_args()
    options, cut = options_from(arguments, 30, 5), arguments.cut
    found = await measure(options.seconds, cut=cut)
    print_table(
        f"{'A way to Redis' if cut else 'Redis'} away for {options.seconds:.0f} s",
        ["what", "is", "target"],
        [
            ["longest silence of who are together, ms", found["silence_ms"], "0"],
            ["until others are heard again, s", found["back_s"], f"{BACK_S:.0f}"],
            ["the page said so", found["page_said_so"], True],
        ],
    )
    print_result("redis_outage", {"outage_s": options.seconds, "cut": cut, **found})


if __name__ == "__main__":
    run(main)
