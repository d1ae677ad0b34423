"""A browser publishes music and then speech: the room is told, and the strip follows."""

import asyncio
import re
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile
from playwright.async_api import expect

from dsp.genre.profiles import PROFILES
from tests.dsp.genre.sounds import RATE, beats, voice
from tests.support.chromium import Chromium
from tests.support.front import Client
from tests.support.patience import PATIENCE_S
from tests.support.people import CLIENT
from tests.support.server import LiveServer

_LIKES_MUSIC = "localStorage.setItem('ag06.likes', JSON.stringify({ musicMode: true }));"


async def told(client: Client, event: str, wanted: object) -> dict[str, object]:
    """Wait until an event said the wanted genre, or profile of a strip."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for payload in client.heard(event):
                    strip = payload.get("settings") or {}
                    firm = payload.get("genre") if payload.get("firm") else None
                    if wanted in (firm, strip.get("profile")):
                        return dict(payload)
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"no {wanted} in {client.heard('genre_detected')}") from None


async def test_profiles_change_from_music_to_speech_and_a_choice_by_hand_stays(
    live_server: LiveServer, chromium: Chromium, tmp_path: Path
) -> None:
    sound = scipy.signal.resample_poly(np.concatenate([beats(7), voice(14)]), 48_000, RATE)
    soundfile.write(tmp_path / "show.wav", sound, 48_000, subtype="PCM_16")
    page = await (await chromium.launch(tmp_path / "show.wav")).new_page()
    await page.add_init_script(_LIKES_MUSIC)
    await page.goto(f"{live_server.page_url}?room=studio")
    watcher = Client()
    await watcher.connect(live_server.page_url)
    await watcher.ok("join_room", {"room_id": "studio", "role": "subscriber"})
    try:
        await page.get_by_label("Start Broadcasting").set_checked(True)
        await page.get_by_role("button", name="Join Room").click()
        await page.wait_for_function(f"() => {CLIENT}.mediaState === 'connected'")
        await page.evaluate(f"{CLIENT}.updateAudioSettings({{ genre: 'auto', inputTrim: -3 }})")
        music = await told(watcher, "genre_detected", "electronic")
        assert music["confidence"] == music["probabilities"]["electronic"] >= 0.7
        strip = (await told(watcher, "participant_updated", "electronic"))["settings"]
        assert strip["compRatio"] == PROFILES["electronic"]["comp_ratio"]
        speech = await told(watcher, "genre_detected", "speech")
        assert speech["participant_id"] == music["participant_id"]
        strip = (await told(watcher, "participant_updated", "speech"))["settings"]
        assert strip["highPass"] == PROFILES["speech"]["high_pass_hz"]
        assert strip["inputTrim"] == -3
        why = re.compile(r"with the profile Speech\. It changed noise suppression, low cut, gate")
        own = page.locator("[data-ref=genre]").first
        await expect(own).to_have_attribute("title", why, timeout=1000 * PATIENCE_S)
        by_hand = await page.evaluate(f"{CLIENT}.updateAudioSettings({{ genre: 'classical' }})")
        assert (by_hand["profile"], by_hand["denoise"]) == ("classical", "off")
    finally:
        await watcher.sio.disconnect()
