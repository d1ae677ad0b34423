"""The page of sessions in a real browser, with a server that is not there."""

import json
from itertools import product
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Page, Route, expect

from tests.js.test_page_accessibility import check
from tests.js.test_the_desk import serve
from tests.support.chromium import Chromium

SESSION = {
    "session_id": "s1",
    "kind": "own",
    "state": "ended",
    "name": "Ada",
    "room_id": "studio",
    "participant_id": "p0",
    "started_at": 1_700_000_000,
    "ended_at": 1_700_000_065,
    "duration_s": 65,
    "playing": False,
}
DETAILS = {
    "session": SESSION,
    "kept": {"from_s": 0, "to_s": 65},
    "format": {"encoding": "int16", "sample_rate_hz": 48_000, "channels": 1},
    "analysis": {
        "duration_s": 65,
        "peak_dbfs": -3.0,
        "rms_dbfs": -20.0,
        "loudness_lufs": -21.5,
        "silence_share": 0.25,
        "clipped_samples": 0,
        "spectrum_db": [],
        "waveform": [0.1, 0.9, 0.4],
    },
    "guess": None,
}


class Server:
    """Answers as the server's REST does, to one bearer."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.guess: dict[str, Any] | None = None
        self.queries: list[str] = []

    async def answer(self, route: Route) -> None:
        request = route.request
        path = urlsplit(request.url).path
        if not path.startswith("/api/"):
            await serve(route)
        elif request.headers.get("authorization") != "Bearer key":
            problem = {"reason": "forbidden", "detail": "that key opens nothing"}
            await route.fulfill(status=403, body=json.dumps(problem))
        else:
            self.asked.append((request.method, path, request.post_data_json))
            self.queries.append(urlsplit(request.url).query)
            await route.fulfill(body=json.dumps(self._found(path)))

    def _found(self, path: str) -> dict[str, Any]:
        if path.endswith("/info"):
            return DETAILS if self.guess is None else {**DETAILS, "guess": self.guess}
        if path.endswith("/sessions"):
            return {"sessions": [SESSION], "cursor": None, "may_delete": True}
        if path == "/api/rooms/studio":
            return {"settings": {"archive": False}}
        return {}


async def sessions(page: Page, fragment: str = "") -> Server:
    server = Server()
    await page.route("**/*", server.answer)
    await page.goto(f"http://localhost:9/sessions.html{fragment}")
    return server


async def test_a_link_with_the_key_opens_at_once_and_switches_the_archive(
    chromium: Chromium,
) -> None:
    page = await (await chromium.launch()).new_page()
    server = await sessions(page, "#token=key&room=studio")
    await expect(page.get_by_role("heading", name="Ada")).to_be_visible()
    assert "key" not in page.url
    await expect(page.get_by_role("button", name="Open")).to_be_hidden()
    await page.get_by_role("button", name="Switch archive on").click()
    await expect(page.get_by_role("status")).to_have_text("The archive of studio is on.")
    assert server.asked[-1] == ("PATCH", "/api/rooms/studio", {"archive": True})
    await expect(page.get_by_role("button", name="Switch archive off")).to_be_visible()
    await expect(page.get_by_role("button", name="Switch archive on")).to_have_count(0)
    await page.reload()
    await expect(page.get_by_role("heading", name="Ada")).to_be_visible()


async def test_a_wrong_key_is_said_and_another_may_be_tried(chromium: Chromium) -> None:
    page = await (await chromium.launch()).new_page()
    await sessions(page, "#token=old&room=")
    await expect(page.get_by_role("alert")).to_have_text("That key opens nothing.")
    await page.get_by_label("Host key").fill("key")
    await page.get_by_label("Host key").press("Enter")
    await expect(page.get_by_role("heading", name="Ada")).to_be_visible()
    await expect(page.get_by_role("alert")).to_be_hidden()
    await expect(page.get_by_role("button", name="archive")).to_be_hidden()  # of which?


async def test_what_raw_samples_are_can_be_chosen_by_hand(chromium: Chromium) -> None:
    page = await (await chromium.launch()).new_page()
    server = await sessions(page, "#token=key&room=")
    formats = [("s16le", 44_100, 1, 0.7), ("s16be", 8_000, 2, 0.2)]
    candidates = [
        {
            "choice": number,
            "format": {"encoding": encoding, "sample_rate_hz": rate_hz, "channels": channels},
            "confidence": confidence,
            "encoding_confidence": confidence,
        }
        for number, (encoding, rate_hz, channels, confidence) in enumerate(formats)
    ]
    server.guess = {"container": None, "garbage": False, "candidates": candidates}
    await page.get_by_role("button", name="Info: Ada").click()
    choice = page.get_by_label("Format")
    shown = ["s16le, 44.1 kHz, mono (70 %)", "s16be, 8 kHz, stereo (20 %)"]
    await expect(choice.get_by_role("option")).to_have_text(shown)
    async with page.expect_response("**/info?choice=1"):
        await choice.select_option(shown[1])
    await expect(choice).to_have_value("1")
    async with page.expect_response("**/download?*"):
        await page.get_by_role("button", name="WAV: Ada").click()
    assert server.queries[-1] == "format=wav&choice=1"
    await page.get_by_role("button", name="Play here: Ada").click()
    await expect(page.get_by_role("button", name="Stop: Ada")).to_be_enabled()
    assert server.asked[-1] == ("POST", "/api/session/s1/play", {"choice": 1})


async def test_every_state_of_the_page_is_accessible(chromium: Chromium) -> None:
    browser = await chromium.launch()
    for scheme, width in product(("light", "dark"), (360, 1440)):
        page = await browser.new_page(
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": width, "height": 800},
            reduced_motion="reduce",
        )
        look = f"{scheme}, {width} px"
        await sessions(page, "#token=old&room=studio")
        await page.get_by_role("alert").wait_for()
        await check(page, f"{look}: refused")
        await page.get_by_label("Host key").fill("key")
        await page.get_by_role("button", name="Open").click()
        await page.get_by_role("button", name="Info: Ada").click()
        await page.get_by_role("img", name="Waveform").wait_for()
        await check(page, f"{look}: a session with its details")
        await page.close()
