"""axe-core finds nothing, in every state of the page, in light and dark, wide and narrow."""

from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.async_api import BrowserContext, Page, WebSocketRoute

from tests.js.test_the_desk import MIDI, PEOPLE, SAY
from tests.js.test_the_page import DENY_MICROPHONE, NO_MICROPHONE, UNPLUG, be_on_air, join
from tests.js.test_the_session_panel import ANNOUNCE, Server
from tests.support.chromium import Chromium
from tests.support.server import LiveServer

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`));
}"""
RIGHTS = [
    *("subscribe", "publish", "edit_own_strip", "edit_any_strip", "choose_speakers", "run_desk"),
    *("set_roles", "record", "play_files", "hear_sessions", "run_archive"),
]
WIDTHS: Final = (360, 1440)
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
TOO_WIDE = "document.documentElement.scrollWidth > window.innerWidth"


class Line:
    """The page's websocket, which can be cut."""

    def __init__(self) -> None:
        self._sockets: list[WebSocketRoute] = []
        self._cut = False

    async def attach(self, page: Page) -> None:
        await page.route_web_socket("**/socket.io/**", self._through)

    async def cut(self) -> None:
        self._cut = True
        for socket in self._sockets:
            await socket.close()

    async def _through(self, socket: WebSocketRoute) -> None:
        if self._cut:
            await socket.close()
        else:
            socket.connect_to_server()
            self._sockets.append(socket)


@pytest.mark.skipif(not AXE.is_file(), reason="npm ci has not been run")
async def test_every_state_is_accessible(live_server: LiveServer, chromium: Chromium) -> None:
    browser = await chromium.launch()
    for width in WIDTHS:
        context = await browser.new_context(
            viewport={"width": width, "height": 800},
            reduced_motion="reduce",  # no colours between two states
        )
        await walk(context, f"{live_server.page_url}?room=wide-{width}", f"{width} px")
        await context.close()


async def walk(context: BrowserContext, url: str, look: str) -> None:
    """Go through the states of the page and check each."""
    line = Line()
    page = await context.new_page()
    await line.attach(page)
    await page.goto(url)
    await page.get_by_text("Ready to join a room.").wait_for(state="attached")
    await check(page, f"{look}: lobby")
    await join(page, "Ada")
    await be_on_air(page)
    await check(page, f"{look}: alone in the room")

    await page.get_by_role("button", name="Open the strip of Ada").click()
    await page.get_by_role("radio", name="Podcast").check()
    await page.get_by_role("combobox", name="Noise suppression").select_option("webrtc")
    await page.get_by_text("Takes steady noise; 7 ms later").wait_for()
    await (
        page.get_by_text("open", exact=True).or_(page.get_by_text("closed", exact=True)).wait_for()
    )
    await check(page, f"{look}: studio")
    await page.get_by_role("button", name="Close the studio").click()

    other = await context.new_page()
    await other.add_init_script(DENY_MICROPHONE)
    await other.goto(url)
    await join(other, "Bela")
    await other.get_by_role("alert").wait_for()
    await other.get_by_role("button", name="Mute Ada for me").click()
    await other.get_by_role("button", name="Solo Ada for me").click()
    await other.get_by_role("button", name="Clear solo").wait_for()
    await check(other, f"{look}: denied the microphone, somebody muted, and alone")

    await page.bring_to_front()
    await page.get_by_role("radio", name="what I hear").check()
    await page.get_by_label("Name of the scene").fill("Evening")
    await page.get_by_role("button", name="Store").click()
    await page.get_by_role("button", name="Recall Evening").click()
    await page.get_by_text("Scene Evening recalled.").wait_for(state="attached")
    await page.get_by_role("button", name="Role of Bela").click()
    await check(page, f"{look}: my own mix, a scene, whose role")
    await page.get_by_role("button", name="Make listener: Bela").focus()
    await page.keyboard.press("Escape")
    await page.get_by_role("switch", name="Waiting room").check()
    guest = await context.new_page()
    await guest.goto(url)
    await guest.get_by_label("Your name").fill("Nina")
    await guest.get_by_role("button", name="Join Room").click()
    await guest.get_by_role("button", name="Stop waiting").wait_for()
    await check(guest, f"{look}: at the door")
    await guest.close()
    await page.get_by_role("button", name="Let in").wait_for(state="detached")
    await page.keyboard.press("m")
    await page.keyboard.press("d")
    await check(page, f"{look}: microphone and sound off")
    await page.evaluate(NO_MICROPHONE)
    await page.evaluate(UNPLUG)
    await page.get_by_role("button", name="No microphone").wait_for()
    await check(page, f"{look}: no microphone")
    await page.get_by_role("button", name="Stop Broadcasting").click()
    await page.get_by_role("button", name="Stop listening").click()
    await check(page, f"{look}: neither sending nor hearing")
    await line.cut()
    await page.get_by_text("Reconnecting", exact=True).wait_for()
    await check(page, f"{look}: reconnecting")


async def check(page: Page, state: str) -> None:
    await page.evaluate(AXE.read_text("utf-8"))
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert await page.evaluate(VIOLATIONS) == [], f"{state}, {scheme}"
    assert not await page.evaluate(TOO_WIDE), state


@pytest.mark.skipif(not AXE.is_file(), reason="npm ci has not been run")
async def test_a_crowded_desk_is_accessible(chromium: Chromium) -> None:
    """A recording, a file, an archive, a control surface, a search, and a room that forwards."""
    browser = await chromium.launch()
    for width in WIDTHS:
        page = await browser.new_page(
            viewport={"width": width, "height": 800}, reduced_motion="reduce"
        )
        await crowd(page, f"{width} px")
        await page.close()


async def crowd(page: Page, look: str) -> None:
    server = Server()
    await page.add_init_script(MIDI)
    await page.route("**/*", server.answer)
    await page.goto("http://localhost:9")
    await page.wait_for_function("() => customElements.get('ag-app') !== undefined")
    await page.evaluate(PEOPLE.read_text("utf-8"))
    await page.evaluate("(rights) => { window.fake = fakeRoom(40, { rights }); }", RIGHTS)
    await page.locator("[data-ref=roomName]").evaluate("(name) => { name.textContent = 'studio'; }")
    await page.evaluate(ANNOUNCE, "recording")
    await page.locator("ag-session input[type=file]").set_input_files(
        {"name": "song.wav", "mimeType": "audio/wav", "buffer": b"RIFF"}
    )
    await page.get_by_role("slider", name="Place in song.wav").wait_for()
    await page.get_by_role("button", name="Keep what is said").click()
    await page.get_by_text("Advanced: who is heard").click()
    await page.get_by_role("button", name="Connect by MIDI").click()
    await page.get_by_role("button", name="Learn").click()
    await page.evaluate(SAY, [0xB0, 7, 100])
    await page.get_by_role("slider", name="Room fader of Ada", exact=True).press("PageDown")
    await page.get_by_role("button", name="Forget Fader").wait_for()
    await check(page, f"{look}: much at once")
    await page.evaluate("fake.desk.setRoom({ mode: 'forward' }); 0")
    await page.get_by_label("Find").fill("xyz")
    await page.get_by_text("Nobody here has such a name.").wait_for()
    await page.get_by_text("The server cannot be reached").wait_for()
    await check(page, f"{look}: forwarded, nobody of this name, and no server")
