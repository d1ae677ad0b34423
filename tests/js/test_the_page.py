"""The page in a real browser, against the real server: what a user does, and what the page says."""

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from tests.support.chromium import Chromium
from tests.support.passes import SECRET
from tests.support.patience import PATIENCE_MS
from tests.support.server import LiveServer
from tests.support.tones import write_tone

CLIENT = "document.querySelector('ag-app').client"
CONNECTED = f"() => {CLIENT}.mediaState === 'connected'"
DENY_MICROPHONE = """
navigator.mediaDevices.getUserMedia = () =>
  Promise.reject(new DOMException('denied', 'NotAllowedError'));
"""

DEVICES_ON_CALL = """
const list = MediaDevices.prototype.enumerateDevices;
const called = new Promise((resolve) => { window.listDevices = resolve; });
MediaDevices.prototype.enumerateDevices = function () {
  return called.then(() => list.call(this));
};
"""
NO_MICROPHONE = """() => {
  navigator.mediaDevices.getUserMedia = () =>
    Promise.reject(new DOMException('none', 'NotFoundError'));
}"""
OPEN_TRACK = f"{CLIENT}.microphone.track?.id"
UNPLUG = f"""() => {{
  const {{ track }} = {CLIENT}.microphone;
  track.stop();
  track.dispatchEvent(new Event('ended'));  // as the browser does when a device goes away
  return track.id;
}}"""
WATCH_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const { value } of list.getEntries()) window.shifted += value;
}).observe({ type: 'layout-shift', buffered: true });
"""
GOOD_SHIFT = 0.1  # web.dev, "Cumulative Layout Shift": good below that

Tone = Callable[[int], Path]


async def join(page: Page, name: str, *, broadcast: bool = True) -> None:
    await page.get_by_label("Your name").fill(name)
    await page.get_by_label("Start Broadcasting").set_checked(broadcast)
    await page.get_by_role("button", name="Join Room").click()
    await page.wait_for_function(CONNECTED)


async def be_on_air(page: Page) -> None:
    await expect(page.get_by_role("button", name="Microphone on")).to_be_visible()


def strip(page: Page, name: str) -> Any:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name))


async def test_two_people_see_each_other_and_who_switches_the_microphone_off(
    live_server: LiveServer,
    room_url: str,
    room: str,
    chromium: Chromium,
    tone: Tone,
    tmp_path: Path,
) -> None:
    voice = write_tone(tmp_path / "voice.wav", 440, syllables=True)
    ada = await chromium.page(room_url, voice)
    bela = await chromium.page(live_server.page_url, tone(660))
    await join(ada, "Ada")
    await bela.get_by_label("Room", exact=True).fill(room)
    await join(bela, "Bela")
    await expect(strip(ada, "Bela")).to_contain_text("speaking")
    await expect(strip(bela, "Ada")).to_contain_text("speaking")
    await expect(strip(ada, "Ada")).to_contain_text("You")
    await ada.keyboard.press("m")
    await expect(strip(bela, "Ada")).to_contain_text("microphone off")
    await expect(ada.get_by_role("button", name="Microphone off")).to_be_visible()
    await expect(ada.get_by_role("alert")).to_contain_text("You are talking")
    await ada.keyboard.down("Space")
    await expect(ada.get_by_role("alert")).to_have_count(0)
    await expect(strip(bela, "Ada")).not_to_contain_text("microphone off")
    await ada.keyboard.up("Space")
    await expect(strip(bela, "Ada")).to_contain_text("microphone off")
    await ada.keyboard.press("m")
    await expect(strip(bela, "Ada")).not_to_contain_text("microphone off")
    await ada.get_by_role("button", name="Leave").click()
    await expect(strip(bela, "Ada")).to_have_count(0)
    await expect(ada.get_by_role("button", name="Join Room")).to_be_visible()


async def test_what_is_typed_becomes_a_room_and_a_link(
    live_server: LiveServer, chromium: Chromium
) -> None:
    page = await chromium.page(live_server.page_url)
    await page.get_by_label("Room", exact=True).fill("Tuesday band!")
    await expect(page.get_by_text("The room will be called Tuesday-band.")).to_be_visible()
    await page.get_by_label("Your name").fill("Grace")
    await page.reload()
    await expect(page.get_by_label("Room", exact=True)).to_have_value("Tuesday band!")
    await expect(page.get_by_label("Your name")).to_have_value("Grace")
    await join(page, "Ada", broadcast=False)
    assert page.url.endswith("?room=Tuesday-band")
    await expect(page.get_by_role("heading", name="Tuesday-band")).to_be_visible()
    await expect(page.get_by_text("You are alone here")).to_be_visible()


async def test_a_reload_takes_the_same_seat_with_its_switches(
    room_url: str, chromium: Chromium, tone: Tone
) -> None:
    page = await chromium.page(room_url, tone(440))
    await join(page, "Ada")
    await be_on_air(page)
    await page.get_by_role("button", name="Microphone on").click()  # and there the focus stays
    off = page.get_by_role("button", name="Microphone off")
    await expect(off).to_be_visible()
    for _ in range(2):
        await page.keyboard.down("Space")
        await expect(off).to_have_count(0)
        await page.keyboard.up("Space")
        await expect(off).to_be_visible()
    await page.keyboard.down("Space")
    await expect(off).to_have_count(0)
    seat = await page.evaluate(f"{CLIENT}.room.participantId")
    await page.reload()
    await page.wait_for_function(CONNECTED)
    assert await page.evaluate(f"{CLIENT}.room.participantId") == seat
    await expect(off).to_be_visible()
    await page.wait_for_function(f"() => {CLIENT}.microphone.track.enabled === false")


async def test_a_reload_keeps_the_layer_of_faders_and_the_order_of_strips(
    room_url: str, chromium: Chromium
) -> None:
    page = await chromium.page(room_url)
    await join(page, "Ada", broadcast=False)
    mine, order = page.get_by_label("what I hear"), page.get_by_label("Order")
    await expect(mine).not_to_be_checked()
    await mine.set_checked(True, force=True)  # its label covers it
    await order.select_option("name")
    await page.reload()
    await page.wait_for_function(CONNECTED)
    await expect(mine).to_be_checked()
    await expect(order).to_have_value("name")


async def test_a_microphone_that_is_plugged_in_again_is_not_listed_as_the_one_in_use(
    room_url: str, chromium: Chromium
) -> None:
    page = await chromium.page(room_url)
    await join(page, "Ada")
    await be_on_air(page)
    picker = page.locator("#input-device")
    await picker.select_option(index=2)
    chosen = await picker.input_value()
    assert chosen
    await page.wait_for_function(
        f"(id) => {CLIENT}.microphone.track.getSettings().deviceId === id", arg=chosen
    )
    before = await page.evaluate(UNPLUG)
    await page.wait_for_function(f"(id) => ![id, undefined].includes({OPEN_TRACK})", arg=before)
    await page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange')); 0")
    await expect(picker).to_have_value("")
    await expect(picker.locator("option")).to_contain_text(["System default"])
    # Whoever chooses it again gets it.
    await picker.select_option(chosen)
    await page.wait_for_function(
        f"(id) => {CLIENT}.microphone.track.getSettings().deviceId === id", arg=chosen
    )


async def test_a_quick_hand_that_joins_before_the_page_is_connected_gets_in(
    room_url: str, chromium: Chromium
) -> None:
    browser = await chromium.launch()
    page = await browser.new_page()

    async def after_a_while(route: Any) -> None:
        await page.wait_for_timeout(1500)
        route.connect_to_server()

    await page.route_web_socket("**/socket.io/**", after_a_while)
    await page.goto(room_url)
    await expect(page.get_by_text("connecting…")).to_be_visible()
    await join(page, "Ada", broadcast=False)


async def test_a_quick_hand_that_is_refused_before_the_page_is_ready_keeps_the_reason(
    start_server: Callable[..., Awaitable[LiveServer]], chromium: Chromium
) -> None:
    server = await start_server(WEBRTC_AUTH_SECRET=SECRET)
    page = await (await chromium.launch()).new_page()
    await page.add_init_script(DEVICES_ON_CALL)
    await page.goto(f"{server.page_url}?room=studio")
    await page.get_by_role("button", name="Join Room").click()
    reason = page.get_by_role("alert").filter(has_text="This server wants an invitation")
    await expect(reason).to_be_visible(timeout=PATIENCE_MS)
    await page.evaluate("listDevices()")
    # The microphone, which the browser allows already, is opened last of all.
    await page.wait_for_function(f"() => {CLIENT}.microphone.track !== null")
    await expect(reason).to_be_visible()


async def test_a_guest_whose_connection_is_lost_knocks_again(
    live_server: LiveServer, room_url: str, chromium: Chromium
) -> None:
    ada = await chromium.page(room_url)
    await join(ada, "Ada", broadcast=False)
    await ada.get_by_role("switch", name="Waiting room").click()
    bela = await (await chromium.launch()).new_page()
    sockets: list[Any] = []

    def through(route: Any) -> None:
        sockets.append(route)
        route.connect_to_server()

    await bela.route_web_socket("**/socket.io/**", through)
    await bela.goto(room_url)
    await bela.get_by_label("Your name").fill("Bela")
    await bela.get_by_label("Start Broadcasting").set_checked(False)
    await bela.get_by_role("button", name="Join Room").click()
    waits = bela.get_by_text("Waiting for a host")
    await expect(waits).to_be_visible(timeout=PATIENCE_MS)
    knock = ada.get_by_role("alert").filter(has_text="Bela waits at the door")
    await expect(knock).to_be_visible(timeout=PATIENCE_MS)
    before = await ada.evaluate(f"{CLIENT}.host.guests[0].guestId")
    await sockets[0].close()
    await ada.wait_for_function(
        f"(before) => (({{ guests }}) => guests.length === 1 && guests[0].guestId !== before)"
        f"({CLIENT}.host)",
        arg=before,
    )
    await knock.get_by_role("button", name="Let in").click()
    await bela.wait_for_function(CONNECTED)
    await expect(waits).to_be_hidden(timeout=PATIENCE_MS)


async def test_a_seat_that_is_taken_elsewhere_is_given_up_with_a_word(
    live_server: LiveServer, room_url: str, room: str, chromium: Chromium
) -> None:
    page = await chromium.page(room_url)
    await join(page, "Ada", broadcast=False)
    token = await page.evaluate(f"{CLIENT}.room.resumeToken")
    other = await chromium.page(live_server.page_url)
    await other.evaluate(
        """async ([roomId, resumeToken]) => {
          const { AudioStreamingClient } = await import('./webrtc_client.js');
          const client = new AudioStreamingClient(location.origin);
          await client.connect();
          await client.joinRoom({ roomId, resumeToken });
        }""",
        [room, token],
    )
    await expect(page.get_by_text("You are in this room elsewhere")).to_be_visible()
    await page.get_by_role("button", name="Join Room").click()
    await page.wait_for_function(CONNECTED)


async def test_whoever_is_denied_the_microphone_listens_and_is_told_the_way_out(
    room_url: str, chromium: Chromium
) -> None:
    browser = await chromium.launch()
    page = await browser.new_page()
    await page.add_init_script(DENY_MICROPHONE)
    await page.goto(room_url)
    await join(page, "Ada")
    notice = page.get_by_role("alert")
    await expect(notice).to_contain_text("The microphone is blocked")
    await expect(notice.get_by_role("button", name="Try again")).to_be_visible()
    await notice.get_by_role("button", name="Just listen").click()
    await expect(notice).to_have_count(0)
    await expect(page.get_by_role("button", name="Sound on")).to_be_visible()


async def test_a_microphone_that_is_unplugged_while_talking_is_replaced_or_missed(
    room_url: str, chromium: Chromium, tone: Tone
) -> None:
    page = await chromium.page(room_url, tone(440))
    await join(page, "Ada")
    await expect(strip(page, "Ada")).to_contain_text("speaking")
    before = await page.evaluate(UNPLUG)
    await page.wait_for_function(f"(id) => ![id, undefined].includes({OPEN_TRACK})", arg=before)
    await expect(strip(page, "Ada")).to_contain_text("speaking")  # the next device took over
    await expect(page.get_by_role("alert")).to_have_count(0)

    await page.evaluate(NO_MICROPHONE)
    await page.evaluate(UNPLUG)
    notice = page.get_by_role("alert")
    await expect(notice).to_contain_text("The microphone is gone")
    await expect(page.get_by_role("button", name="No microphone")).to_be_visible()
    await expect(strip(page, "Ada")).to_contain_text("quiet")
    await page.evaluate("delete navigator.mediaDevices.getUserMedia")  # it is plugged in again
    await page.keyboard.press("m")
    await expect(strip(page, "Ada")).to_contain_text("speaking")
    await expect(page.get_by_role("button", name="Microphone on")).to_be_visible()
    await expect(notice).to_have_count(0)


async def test_a_listener_can_start_to_broadcast(
    room_url: str, chromium: Chromium, tone: Tone
) -> None:
    page = await chromium.page(room_url, tone(440))
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("button", name="Only listen").click()
    await page.wait_for_function(CONNECTED)
    assert await page.evaluate(f"{CLIENT}.room.role") == "subscriber"
    assert await page.evaluate(OPEN_TRACK) is None
    await page.locator("ag-dock").get_by_role("button", name="Start Broadcasting").click()
    await be_on_air(page)
    assert await page.evaluate(f"{CLIENT}.room.role") == "both"
    await expect(strip(page, "Ada")).to_contain_text("speaking")


async def test_a_volume_takes_numbers_keys_and_nothing_else(
    room_url: str, chromium: Chromium
) -> None:
    ada = await chromium.page(room_url)
    bela = await chromium.page(room_url)
    await join(ada, "Ada", broadcast=False)
    await join(bela, "Bela", broadcast=False)
    field = bela.get_by_label("Volume of Ada in decibels")
    slider = bela.get_by_label("Volume of Ada", exact=True)
    gain = f"{CLIENT}.participants.find((person) => person.name === 'Ada').mix.gainDb"
    for typed, shown, gain_db in (
        ("-6,5", "−6.5", -6.5),
        ("loud", "−6.5", -6.5),
        ("99", "+12.0", 12),
        ("-inf", "−∞", -60),
    ):
        await field.fill(typed)
        await field.press("Enter")
        await expect(field).to_have_value(shown)
        assert await bela.evaluate(gain) == gain_db
    await slider.press("Delete")
    await slider.press("ArrowUp")
    await expect(field).to_have_value("+1.0")
    await bela.get_by_role("button", name="Mute Ada for me").click()
    await expect(strip(bela, "Ada")).to_contain_text("muted by you")
    await bela.reload()
    await expect(field).to_have_value("+1.0")
    await expect(strip(bela, "Ada")).to_contain_text("muted by you")


async def test_a_server_that_restarts_is_come_back_to_without_a_new_connection(
    server_of_its_own: LiveServer, chromium: Chromium
) -> None:
    page = await chromium.page(f"{server_of_its_own.page_url}?room=studio")
    await join(page, "Ada", broadcast=False)
    await page.evaluate(
        f"""() => {{
          const client = {CLIENT};
          window.seen = {{ before: client.peerConnection, resumed: null }};
          client.on('reconnected', ({{ resumed }}) => (window.seen.resumed = resumed));
        }}"""
    )
    os.kill(server_of_its_own.front_pid(), signal.SIGKILL)
    await page.wait_for_function("() => window.seen.resumed === true")
    assert await page.evaluate(f"window.seen.before === {CLIENT}.peerConnection")
    await expect(page.get_by_text("Connected", exact=True)).to_be_visible()


async def test_the_page_leaves_one_global_name_breaks_no_policy_and_jumps_about_nowhere(
    room_url: str, chromium: Chromium
) -> None:
    browser = await chromium.launch()
    page = await browser.new_page()
    await page.add_init_script(WATCH_SHIFTS)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(room_url)
    await page.get_by_text("Ready to join a room.").wait_for()
    assert await page.evaluate("window.shifted") < GOOD_SHIFT
    await page.evaluate("delete window.shifted")
    await join(page, "Ada")
    ours = await page.evaluate(
        """() => {
          const frame = document.createElement('iframe');
          document.body.append(frame);
          const native = new Set(Object.getOwnPropertyNames(frame.contentWindow));
          frame.remove();
          return Object.getOwnPropertyNames(window).filter((name) => !native.has(name));
        }"""
    )
    assert [name for name in ours if not name.startswith("__playwright")] == [
        "AudioStreamingClient"
    ]
    assert complaints == []


async def test_the_host_hands_the_desk_to_somebody_and_takes_it_back(
    room_url: str, chromium: Chromium, tone: Tone
) -> None:
    ada = await chromium.page(room_url, tone(440))
    bela = await chromium.page(room_url, tone(660))
    await join(ada, "Ada")
    await join(bela, "Bela")
    give = ada.get_by_role("button", name="Make engineer: Bela")
    await ada.get_by_role("button", name="Role of Bela").click()
    await expect(give).to_be_visible()
    await expect(bela.get_by_role("button", name="Role of Ada")).to_have_count(0)
    await expect(bela.get_by_role("slider", name="Room fader of Ada")).to_have_count(0)
    await give.click()
    await expect(bela.get_by_label("Voices at once")).to_be_visible()
    await expect(bela.get_by_role("slider", name="Room fader of Ada")).to_be_visible()
    await expect(bela.get_by_role("button", name="Pin Ada")).to_be_visible()
    await expect(bela.get_by_role("button", name="Role of Ada")).to_have_count(0)
    await expect(strip(bela, "Bela")).to_contain_text("Engineer")
    await ada.get_by_role("button", name="Take back: Bela").click()
    await expect(bela.get_by_label("Voices at once")).to_be_hidden()
    await expect(bela.get_by_role("button", name="Pin Ada")).to_be_hidden()
    await expect(give).to_be_visible()


async def test_the_host_lets_the_room_forward_and_pins_somebody(
    room_url: str, chromium: Chromium, tone: Tone
) -> None:
    ada = await chromium.page(room_url, tone(440))
    bela = await chromium.page(room_url, tone(660))
    await join(ada, "Ada")
    await join(bela, "Bela")
    await expect(bela.get_by_text("Everybody hears one mix, of at most 6 voices")).to_be_visible()
    await expect(bela.get_by_label("Voices at once")).to_be_hidden()
    await ada.get_by_label("Voices at once").select_option("3")
    await ada.get_by_label("Sound of the room").select_option("forward")
    await expect(bela.get_by_text("Everybody gets each voice as it is sent")).to_be_visible()
    await expect(bela.get_by_text("at most 3 voices at once")).to_be_visible()
    await expect(strip(ada, "Bela")).to_contain_text("Track 1")
    await expect(strip(bela, "Ada")).to_contain_text("Track 1")
    await ada.get_by_role("button", name="Pin Bela").click()
    await expect(ada.get_by_role("button", name="Pin Bela")).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(bela.get_by_role("button", name="Pin Bela")).to_be_hidden()
    await ada.get_by_label("Sound of the room").select_option("mix")
    await expect(strip(bela, "Ada")).not_to_contain_text("Track 1")
