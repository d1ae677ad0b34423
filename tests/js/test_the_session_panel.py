"""Recording, files and the archive on the page of a room, with a server that is not there."""

import json
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Page, Route, expect

from tests.js.test_the_desk import PEOPLE, serve
from tests.support.chromium import Chromium

PLAYBACK = {
    "playback_id": "b1",
    "name": "song.wav",
    "state": "playing",
    "position_s": 3.0,
    "duration_s": 60.0,
    "loop": False,
}
ANNOUNCE = """(state) => {
  fake.desk.recording = state && { recordingId: 'r1', state, tracks: [], startedAt: 0 };
  fake.desk.emit('recordingchange', { recording: fake.desk.recording });
}"""


BROADCAST = """(url) => {
  fake.desk.broadcast = url && { url, startedAt: 0 };
  fake.desk.emit('broadcastchange', { broadcast: fake.desk.broadcast });
}"""


class Server:
    """Answers as the server's REST of a room does."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.playbacks: list[dict[str, Any]] = []

    async def answer(self, route: Route) -> None:
        request = route.request
        path = urlsplit(request.url).path
        if not path.startswith("/api/rooms/studio/"):
            await serve(route)
            return
        assert request.headers["authorization"] == "Bearer ticket"
        if request.method != "GET":
            is_sound = path.endswith("/playbacks")
            body = request.post_data if is_sound else request.post_data_json
            self.asked.append((request.method, path.removeprefix("/api/rooms/studio/"), body))
            if is_sound:
                self.playbacks = [PLAYBACK]
            elif request.method == "DELETE":
                self.playbacks = []
        await route.fulfill(body=json.dumps(self._found(path)))

    def _found(self, path: str) -> dict[str, Any]:
        if path.endswith("/recordings"):
            one = {
                "recording_id": "r0",
                "state": "done",
                "started_at": 1_700_000_000,
                "duration_s": 65.2,
                "bytes": 12_300_000,
                "zip_url": "/recordings/r0.zip?key=1",
                "files": [
                    {"file": "mix.flac", "kind": "mix", "participant": "", "url": "/mix?key=1"},
                    {"file": "track.flac", "kind": "dry", "participant": "Ada", "url": "/a?key=1"},
                ],
            }
            return {"recordings": [one]}
        return {"is_available": True, "playbacks": self.playbacks}


async def room_with(chromium: Chromium, *rights: str) -> tuple[Page, Server]:
    page = await (await chromium.launch()).new_page()
    server = Server()
    await page.route("**/*", server.answer)
    await page.goto("http://localhost:9")
    await page.wait_for_function("() => customElements.get('ag-app') !== undefined")
    await page.evaluate(PEOPLE.read_text("utf-8"))
    await page.evaluate(
        "(rights) => { window.fake = fakeRoom(2, { rights }); }", ["publish", *rights]
    )
    await page.evaluate(ANNOUNCE, None)
    return page, server


async def test_a_host_records_and_everybody_sees_the_red_light(chromium: Chromium) -> None:
    page, server = await room_with(chromium, "record")
    session = page.get_by_role("group", name="Session")
    light = session.get_by_role("status")
    await expect(light).to_be_hidden()
    await session.get_by_label("a track for each person").check()
    await session.get_by_label("Format of recordings").select_option("Opus")
    await session.get_by_role("button", name="Record", exact=True).click()
    await page.evaluate(ANNOUNCE, "recording")
    await expect(light).to_have_text("This room is being recorded")
    tracks = ["dry", "processed"]
    wanted = {"state": "recording", "tracks": tracks, "format": "opus"}
    assert server.asked.pop() == ("PUT", "recording", wanted)
    await session.get_by_role("button", name="Mark").click()
    await session.get_by_role("button", name="Pause").click()
    await page.evaluate(ANNOUNCE, "paused")
    await expect(light).to_have_text("The recording is paused")
    await session.get_by_role("button", name="Stop recording").click()
    await page.evaluate(ANNOUNCE, None)
    await expect(light).to_be_hidden()
    assert [path for _, path, _ in server.asked] == ["recording/marks", "recording", "recording"]
    assert server.asked[-1][2]["state"] == "stopped"
    await session.get_by_text("Recordings").click()
    row = session.get_by_role("listitem").filter(has_text="65 s, 12.3 MB, done")
    await expect(row.get_by_role("link").first).to_have_attribute(
        "href", "/recordings/r0.zip?key=1"
    )
    await row.get_by_text("Files of").click()
    await expect(row.get_by_role("link", name="Mix")).to_have_attribute("href", "/mix?key=1")
    await expect(row.get_by_role("link", name="Ada, dry")).to_have_attribute("href", "/a?key=1")


async def test_a_host_broadcasts_and_everybody_finds_it(chromium: Chromium) -> None:
    page, server = await room_with(chromium, "record", "broadcast")
    session = page.get_by_role("group", name="Session")
    listen = session.get_by_role("link", name="Listen")
    await expect(listen).to_be_hidden()
    await session.get_by_role("button", name="Broadcast", exact=True).click()
    await page.evaluate(BROADCAST, "/hls/secret/index.m3u8")
    await expect(session.get_by_text("This room is broadcast.")).to_be_visible()
    await expect(listen).to_have_attribute("href", "/hls/secret/index.m3u8")
    await session.get_by_role("button", name="Stop broadcast").click()
    await page.evaluate(BROADCAST, None)
    await expect(listen).to_be_hidden()
    states = [body["state"] for _, path, body in server.asked if path == "broadcast"]
    assert states == ["live", "stopped"]


async def test_a_guest_sees_the_light_and_nothing_to_press(chromium: Chromium) -> None:
    page, _ = await room_with(chromium)
    session = page.get_by_role("group", name="Session")
    await expect(session).to_be_hidden()
    await page.evaluate(ANNOUNCE, "recording")
    await expect(session.get_by_role("status")).to_be_visible()
    await expect(session.get_by_role("button")).to_have_count(0)
    await page.evaluate(ANNOUNCE, None)
    await page.evaluate(BROADCAST, "/hls/secret/index.m3u8")
    await expect(session.get_by_role("link", name="Listen")).to_be_visible()
    await expect(session.get_by_role("button")).to_have_count(0)
    await expect(page.get_by_role("button", name="Keep what is said")).to_be_hidden()
    await expect(page.get_by_role("link", name="Sessions")).to_be_hidden()


async def test_a_file_is_played_moved_repeated_and_stopped(chromium: Chromium) -> None:
    page, server = await room_with(chromium, "play_files")
    session = page.get_by_role("group", name="Session")
    await session.locator("input[type=file]").set_input_files(
        {"name": "song.wav", "mimeType": "audio/wav", "buffer": b"RIFF"}
    )
    row = session.get_by_role("listitem")
    await expect(row).to_contain_text("song.wav")
    assert server.asked.pop() == ("POST", "playbacks", "RIFF")
    place = row.get_by_role("slider", name="Place in song.wav")
    await expect(place).to_have_value("3")
    await place.fill("30")
    await row.get_by_role("button", name="Loop").click()
    await row.get_by_role("button", name="Pause").click()
    await row.get_by_role("button", name="Stop").click()
    await expect(row).to_have_count(0)
    one = "playbacks/b1"
    assert server.asked == [
        ("PATCH", one, {"position_s": 30}),
        ("PATCH", one, {"loop": True}),
        ("PATCH", one, {"state": "paused"}),
        ("DELETE", one, None),
    ]


async def test_a_host_lets_what_is_said_be_kept_and_is_led_to_it(chromium: Chromium) -> None:
    page, _ = await room_with(chromium, "hear_sessions", "run_archive")
    switch = page.get_by_role("button", name="Keep what is said")
    await expect(switch).to_have_attribute("aria-pressed", "false")
    for kept in (True, False):
        await switch.click()
        await expect(switch).to_have_attribute("aria-pressed", str(kept).lower())
        assert await page.evaluate("fake.desk.settings.archive") is kept
    link = page.get_by_role("link", name="Sessions")
    assert "ticket" not in (await link.get_attribute("href") or "")  # nowhere to be read by chance
    await link.focus()
    href = await link.get_attribute("href")
    assert href == "sessions.html#token=ticket&room=studio"
