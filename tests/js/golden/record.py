"""Record the offers that the browsers of this machine make: `python -m tests.js.golden.record`.

One audio transceiver, as the client makes it, before any of our own lines are put in.
"""

import asyncio
from pathlib import Path

from tests.support.chromium import Chromium
from tests.support.firefox import Firefox

HERE = Path(__file__).parent

OFFER = """(async () => {
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  pc.addTransceiver('audio', { direction: 'sendrecv' });
  const { sdp } = await pc.createOffer();
  pc.close();
  return sdp;
})()"""


async def main() -> None:
    """Write one file for each browser."""
    async with Chromium() as chromium:
        page = await chromium.page()
        _write("chromium_offer.sdp", await page.evaluate(OFFER))
    async with Firefox() as firefox:
        await firefox.goto("about:blank")
        _write("firefox_offer.sdp", await firefox.evaluate(OFFER))


def _write(name: str, sdp: str) -> None:
    (HERE / name).write_bytes(sdp.encode())


if __name__ == "__main__":
    asyncio.run(main())
