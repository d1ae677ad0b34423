"""Take the pictures of the documentation from the real page: `make screenshots`.

Starts a server on free ports, lets three people meet in a room, each in a browser of their own with
a made-up voice for a microphone, and writes `docs/images/`.
"""

import asyncio
import tempfile
import wave
from pathlib import Path
from typing import Literal

import numpy as np
from local_server import CHROMIUM, ROOT, local_server
from playwright.async_api import Page, Playwright, ViewportSize, async_playwright

IMAGES = ROOT / "docs" / "images"
PEOPLE = (("Ada", 150, 0.5), ("Grace", 220, 0.3), ("Edsger", 110, 0.15))
CONNECTED = "() => document.querySelector('ag-app').client.mediaState === 'connected'"
SETTLE_S = 6  # until the figures stand
FADE_MS = 400  # until no colour is between two states
PHONE: ViewportSize = {"width": 360, "height": 760}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def voice(folder: Path, hertz: int, amplitude: float) -> Path:
    """Write ten seconds of something like a voice, in syllables, and return the file."""
    time_s = np.arange(48_000 * 10) / 48_000
    glide = 2 * np.pi * hertz * (time_s - 0.02 * np.cos(2 * np.pi * 0.7 * time_s))
    buzz = sum(np.sin(k * glide) / k**1.2 for k in range(1, 25))
    breath = np.random.default_rng(hertz).standard_normal(len(time_s))
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * time_s) + 0.3, 0, None) / 1.3 + 0.003
    sound = syllables * (0.4 * buzz + 0.05 * breath)
    samples = (np.clip(amplitude * sound, -1, 1) * 32767).astype("<i2")
    path = folder / f"{hertz}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(samples.tobytes())
    return path


async def enter(playwright: Playwright, url: str, name: str, sound: Path) -> Page:
    """Open a browser and join the room."""
    browser = await playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={sound}",
            "--disable-background-networking",
        ],
    )
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    await page.goto(f"{url}/?room=studio")
    await page.get_by_label("Your name").fill(name)
    return page


async def shoot(page: Page, name: str, *, height: int = 900) -> None:
    """Take a screen's pictures: light and dark, wide and on a phone."""
    await page.set_viewport_size({"width": 1440, "height": height})
    await page.evaluate("scrollTo(0, 0)")
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme, reduced_motion="no-preference")
        await page.wait_for_timeout(FADE_MS)
        await page.screenshot(path=IMAGES / f"{name}{'-dark' if scheme == 'dark' else ''}.png")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(PHONE)
    await page.evaluate("scrollTo(0, 0)")
    await page.wait_for_timeout(FADE_MS)
    await page.screenshot(path=IMAGES / f"{name}-phone.png")


async def take(url: str, folder: Path) -> None:
    """Let people meet and take their picture."""
    async with async_playwright() as playwright:
        pages = [
            await enter(playwright, url, name, voice(folder, hertz, amplitude))
            for name, hertz, amplitude in PEOPLE
        ]
        host, guest = pages[:2]
        await host.wait_for_timeout(1000)
        await shoot(host, "lobby")
        await host.set_viewport_size({"width": 1440, "height": 900})
        for page in pages:
            await page.get_by_role("button", name="Join Room").click()
            await page.wait_for_function(CONNECTED)
        await host.get_by_role("button", name="Keep what is said").click()
        await host.wait_for_timeout(SETTLE_S * 1000)
        await shoot(host, "room")
        await guest.screenshot(path=IMAGES / "room-guest.png")
        await take_sessions(host)
        await host.set_viewport_size({"width": 1440, "height": 900})
        await host.get_by_role("button", name="Open the strip of Ada").click()
        await host.get_by_role("radio", name="Voice").check()
        await host.wait_for_timeout(3 * SETTLE_S * 1000)
        await shoot(host, "studio", height=1560)


async def take_sessions(host: Page) -> None:
    """Look at what the room has kept."""
    async with host.expect_popup() as opening:
        await host.get_by_role("link", name="Sessions").click()
    page = await opening.value
    await page.get_by_role("button", name="Info: Ada").click()
    await page.get_by_role("img", name="Waveform").wait_for()
    await shoot(page, "sessions")
    await page.close()


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with local_server() as url, tempfile.TemporaryDirectory() as folder:
        asyncio.run(take(url, Path(folder)))


if __name__ == "__main__":
    main()
