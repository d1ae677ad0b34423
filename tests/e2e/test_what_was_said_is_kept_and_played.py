"""The archive as a host uses it: switch it on, find the session, listen to it, download it."""

import asyncio

import numpy as np
from playwright.async_api import expect

from archive.samples import decode
from archive.wav import read_wav
from tests.e2e.conftest import People
from tests.support.chromium import Chromium
from tests.support.patience import PATIENCE_MS

_SECONDS = 3


def pitch_of(sound: np.ndarray, rate_hz: int) -> float:
    """Return the strongest frequency of a sound, Hz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * rate_hz / len(sound))


async def test_what_was_said_is_kept_and_played(
    people: People, room: str, chromium: Chromium
) -> None:
    [ada] = await people("Ada")
    base = ada.page.url.partition("?")[0]
    key = await ada.client("room.hostKey")
    page = await chromium.page(f"{base}sessions.html#token={key}&room={room}")
    page.set_default_timeout(PATIENCE_MS)
    await expect(page.get_by_text("Nothing is kept at the moment.")).to_be_visible()
    assert key not in page.url
    await page.get_by_role("button", name="Switch archive on").click()
    await ada.page.wait_for_function("() => document.querySelector('[data-archive=on]') !== null")
    card = page.locator("[data-session]")
    await expect(card.get_by_role("heading", name="Ada")).to_be_visible(timeout=PATIENCE_MS)
    await expect(card.get_by_text("Live", exact=True)).to_be_visible()
    session_id = await card.get_attribute("data-session")
    url = f"{base}api/session/{session_id}"
    headers = {"Authorization": f"Bearer {key}"}
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while True:
            info = await (await page.request.get(f"{url}/info", headers=headers)).json()
            kept = info["kept"]
            if kept is not None and kept["to_s"] - kept["from_s"] >= _SECONDS:
                break
            await asyncio.sleep(0.3)
    await page.get_by_role("button", name="Switch archive off").click()
    await expect(card.get_by_text("Ended", exact=True)).to_be_visible(timeout=PATIENCE_MS)

    async with page.expect_download() as downloading:
        await card.get_by_role("button", name="WAV: Ada").click()
    path = await (await downloading.value).path()
    blob = path.read_bytes()
    found = read_wav(blob)
    begin, end = found.samples_in(len(blob))
    assert end == len(blob)
    sound = decode(blob[begin:], found.format)
    assert len(sound) >= _SECONDS * found.format.rate_hz
    middle = sound[48_000 : 2 * 48_000, 0]
    assert abs(pitch_of(middle, 48_000) - ada.pitch_hz) < 3
    part = await page.request.get(
        f"{url}/download", headers={**headers, "Range": "bytes=1001-9000"}
    )
    assert part.status == 206
    assert await part.body() == blob[1001:9001]

    await card.get_by_role("button", name="Info: Ada").click()
    await expect(card.get_by_role("img", name="Waveform")).to_be_visible()
    await expect(card.get_by_text("dBFS").first).to_be_visible()
    await card.get_by_role("button", name="Play here: Ada").click()
    audio = card.locator("audio")
    await audio.evaluate("it => { it.currentTime = 1; }")  # seeks, from the middle of the file
    await page.wait_for_function("() => document.querySelector('audio').currentTime > 1.3")
    streamed = await page.request.get(f"{base}{(await audio.get_attribute('src') or '')[1:]}")
    assert await streamed.body() == blob
    await card.get_by_role("button", name="Stop: Ada").click()
    page.once("dialog", lambda dialog: dialog.accept())
    await card.get_by_role("button", name="Delete: Ada").click()
    await expect(page.get_by_text("Nothing is kept at the moment.")).to_be_visible()
