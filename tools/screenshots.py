"""Take the pictures of the documentation from the real page: `make screenshots`.

Starts a server on free ports, lets three people meet in a room, each in a browser of their own with
a tone for a microphone, and writes `docs/images/`.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np
from playwright.async_api import Page, Playwright, async_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
PEOPLE = (("Ada", 440, 0.25), ("Grace", 660, 0.12), ("Edsger", 880, 0.05))
CONNECTED = "() => document.querySelector('ag-app').client.mediaState === 'connected'"
SETTLE_S = 6  # until the figures stand


def start_server() -> tuple[subprocess.Popen[str], str]:
    """Start a server on free ports; return it and the address of its page."""
    environment = dict(
        os.environ,
        WEBRTC_SIGNALING_PORT="0",
        WEBRTC_STATIC_PORT="0",
        WEBRTC_MEDIA_PORT="0",
    )
    server = subprocess.Popen(
        [sys.executable, "start_webrtc.py"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"ready: (http\S+)", line):
            return server, found.group(1)
    sys.exit("the server did not start")


def tone(folder: Path, hertz: int, amplitude: float) -> Path:
    """Write ten seconds of a tone and return the file."""
    time_s = np.arange(48_000 * 10) / 48_000
    beat = 0.6 + 0.4 * np.sin(2 * np.pi * 1.5 * time_s)
    samples = (amplitude * beat * np.sin(2 * np.pi * hertz * time_s) * 32767).astype("<i2")
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


async def take(url: str, folder: Path) -> None:
    """Let people meet and take their picture."""
    async with async_playwright() as playwright:
        pages = [
            await enter(playwright, url, name, tone(folder, hertz, amplitude))
            for name, hertz, amplitude in PEOPLE
        ]
        first = pages[0]
        await first.wait_for_timeout(1000)
        await first.screenshot(path=IMAGES / "lobby.png")
        for page in pages:
            await page.get_by_role("button", name="Join Room").click()
            await page.wait_for_function(CONNECTED)
        await first.set_viewport_size({"width": 1440, "height": 900})
        await first.wait_for_timeout(SETTLE_S * 1000)
        await first.screenshot(path=IMAGES / "room.png")
        await first.emulate_media(color_scheme="dark")
        await first.screenshot(path=IMAGES / "room-dark.png")
        await pages[1].screenshot(path=IMAGES / "room-guest.png")
        await first.set_viewport_size({"width": 360, "height": 760})
        await first.screenshot(path=IMAGES / "room-phone.png")


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    server, url = start_server()
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(take(url, Path(folder)))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)


if __name__ == "__main__":
    main()
