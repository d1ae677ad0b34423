"""The desk in a real browser, with people who are not there: many, and the keyboard alone."""

from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Locator, Page, Route, expect

from tests.support.chromium import Chromium
from webrtc.api.pages import page_files

PEOPLE = Path(__file__).parents[1] / "support" / "fake_room.js"
FILES = page_files()
FADER_OF = "(name) => fake.participants.find((one) => one.name === name).settings.fader"
MIX_OF = "(name) => fake.participants.find((one) => one.name === name).mix"

MIDI = """
window.midi = { asked: 0, told: [] };
navigator.requestMIDIAccess = async () => {
  midi.asked += 1;
  midi.input = { name: 'Desk 8', state: 'connected', onmidimessage: null };
  const output = { name: 'Desk 8', state: 'connected', send: (one) => midi.told.push(one) };
  return { inputs: new Map([['in', midi.input]]), outputs: new Map([['out', output]]) };
};
"""
UNCOVERED = """() => {
  const box = document.activeElement.getBoundingClientRect();
  const dock = document.querySelector('ag-dock').getBoundingClientRect();
  return box.bottom <= dock.top + 1 && box.top >= document.querySelector('.bar').offsetHeight - 1;
}"""
SAY = "(data) => midi.input.onmidimessage({ data })"


async def serve(route: Route) -> None:
    asset = FILES.find(urlsplit(route.request.url).path)
    if asset is None:
        await route.fulfill(status=404)
    else:
        await route.fulfill(body=asset.body, content_type=asset.content_type)


async def room_of(chromium: Chromium, people: int, *, before: str = "") -> Page:
    page = await (await chromium.launch()).new_page()
    await page.add_init_script(before)
    await page.route("**/*", serve)
    await page.goto("http://localhost:9")
    await page.wait_for_function("() => customElements.get('ag-app') !== undefined")
    await page.evaluate(PEOPLE.read_text("utf-8"))
    await page.evaluate(f"window.fake = fakeRoom({people}); 0")
    await expect(page.locator("ag-room [data-ref=count]")).to_have_text(str(people))
    return page


def strips(page: Page) -> Locator:
    return page.get_by_role("list", name="Participants").get_by_role("listitem")


async def test_of_hundreds_of_people_those_in_sight_are_made(chromium: Chromium) -> None:
    page = await room_of(chromium, 300)
    await expect(page.get_by_label("Order")).to_have_value("loudest")
    await expect(strips(page).first).to_contain_text("Ada")
    await expect(strips(page).first).to_have_attribute("aria-setsize", "300")
    assert await strips(page).count() < 20
    bank = page.locator("[data-ref=bank]")
    await bank.evaluate("(it) => (it.scrollLeft = it.scrollWidth)")
    await expect(strips(page).last).to_have_attribute("aria-posinset", "300")
    assert await strips(page).count() < 20
    watched = "() => fake.desk.watched.length > 0 && fake.desk.watched.length < 32"
    await page.wait_for_function(watched)
    await page.get_by_label("Find").fill("hedy 2")
    await expect(strips(page).first).to_have_attribute("aria-setsize", "11")  # 2, and 20 to 29
    await page.get_by_label("Find").fill("nobody")
    await expect(page.get_by_text("Nobody here has such a name.")).to_be_visible()


async def test_nobody_moves_under_the_hand_and_who_leaves_is_gone(chromium: Chromium) -> None:
    page = await room_of(chromium, 30)
    fader = page.get_by_role("slider", name="Room fader of Grace", exact=True)
    await fader.focus()
    before = await strips(page).evaluate_all("(all) => all.map((one) => one.ariaPosInSet)")
    await page.locator("[data-ref=bank]").evaluate("(it) => (it.scrollLeft = it.scrollWidth)")
    await expect(strips(page).last).to_have_attribute("aria-posinset", "30")
    await expect(fader).to_be_focused()
    await page.keyboard.press("PageDown")
    await page.wait_for_function(f"() => ({FADER_OF})('Grace') === -6")
    await page.locator("[data-ref=bank]").evaluate("(it) => (it.scrollLeft = 0)")
    await expect(strips(page)).to_have_count(len(before))
    after = await strips(page).evaluate_all("(all) => all.map((one) => one.ariaPosInSet)")
    assert sorted(after) == sorted(before)
    await page.evaluate("fake.leave('p1')")
    await expect(fader).to_have_count(0)
    await expect(page.locator("ag-room [data-ref=count]")).to_have_text("29")


async def test_the_keyboard_alone_runs_the_desk(chromium: Chromium) -> None:
    page = await room_of(chromium, 3)
    await page.get_by_role("slider", name="Room fader of Ada").focus()
    await page.keyboard.press("Tab")  # its field
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Pin Ada")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Open the strip of Ada")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("slider", name="Room pan of Grace")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    for _ in range(2):
        await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Mute Grace for me")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    assert (await page.evaluate(MIX_OF, "Grace"))["solo"] is True
    await page.keyboard.press("Tab")
    fader = page.get_by_role("slider", name="Room fader of Grace")
    await expect(fader).to_be_focused()
    await page.keyboard.press("Shift+ArrowDown")
    await expect(fader).to_have_attribute("aria-valuetext", "−0.1 decibels")
    await page.keyboard.type("-7,5")
    await page.keyboard.press("Enter")
    await expect(fader).to_have_attribute("aria-valuetext", "−7.5 decibels")
    assert await page.evaluate(FADER_OF, "Grace") == -7.5
    await page.get_by_role("radio", name="the room’s mix").focus()
    await page.keyboard.press("ArrowRight")
    own = page.get_by_role("slider", name="Volume of Grace")
    await own.press("End")
    assert (await page.evaluate(MIX_OF, "Grace"))["gainDb"] == 12
    assert await page.evaluate(FADER_OF, "Grace") == -7.5


async def test_what_has_the_focus_is_not_behind_the_dock(chromium: Chromium) -> None:
    page = await room_of(chromium, 3)
    await page.set_viewport_size({"width": 1280, "height": 700})
    await page.get_by_role("slider", name="Room fader of Ada").focus()
    last = page.get_by_role("button", name="Play a test tone")
    for _ in range(60):
        await page.keyboard.press("Tab")
        assert await page.evaluate(UNCOVERED), await page.evaluate(
            "document.activeElement.outerHTML"
        )
        if await last.evaluate("(it) => it === document.activeElement"):
            return
    raise AssertionError("the last control was not reached")


async def test_a_fader_follows_the_hand(chromium: Chromium) -> None:
    page = await room_of(chromium, 2)
    fader = page.get_by_role("slider", name="Room fader of Grace")
    box = await fader.bounding_box()
    assert box is not None
    x, middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, middle)
    await page.mouse.down()
    await page.mouse.move(x, middle + 1)
    assert await page.evaluate(FADER_OF, "Grace") == 0  # it rests at unity, and never jumps
    lower = middle + box["height"] / 5
    await page.mouse.move(x, lower)
    lowered = await page.evaluate(FADER_OF, "Grace")
    assert -16 < lowered < -8
    await page.keyboard.down("Shift")
    await page.mouse.move(x, lower + 10)
    await page.keyboard.up("Shift")
    await page.mouse.up()
    assert -2 < await page.evaluate(FADER_OF, "Grace") - lowered < 0
    await fader.dblclick()
    assert await page.evaluate(FADER_OF, "Grace") == 0
    await page.mouse.wheel(0, 100)
    await page.wait_for_function(f"() => ({FADER_OF})('Grace') === -1")


async def test_a_host_sets_who_is_heard_and_is_told_what_cannot_be(chromium: Chromium) -> None:
    page = await room_of(chromium, 2)
    await page.get_by_text("Advanced: who is heard when many speak").click()
    hold = page.get_by_label("Hold", exact=True)
    await expect(hold).to_have_value("600")
    await hold.fill("9000")
    await hold.press("Enter")
    await expect(page.get_by_text("It can be 0 to 5000 ms.")).to_be_visible()
    await expect(hold).to_have_attribute("aria-invalid", "true")
    assert await page.evaluate("fake.desk.settings.speakerHoldMs") == 600
    await hold.fill("900 ms")
    await hold.press("Tab")
    await expect(page.get_by_text("It can be 0 to 5000 ms.")).to_have_count(0)
    await expect(hold).to_have_value("900")
    assert await page.evaluate("fake.desk.settings.speakerHoldMs") == 900
    await page.evaluate("fake.desk.setRoom({ speakerHysteresisDb: 3 })")  # somebody else does
    await expect(page.get_by_label("Louder by")).to_have_value("3")
    await page.get_by_role("button", name="Back to the defaults").click()
    await expect(hold).to_have_value("600")
    await expect(page.get_by_role("button", name="Back to the defaults")).to_be_disabled()


async def test_a_real_fader_learns_what_it_moves(chromium: Chromium) -> None:
    page = await room_of(chromium, 2, before=MIDI)
    surface = page.locator("ag-surface")
    assert await page.evaluate("midi.asked") == 0
    await surface.get_by_role("button", name="Connect by MIDI").click()
    await expect(surface).to_contain_text("Connected: Desk 8.")
    await surface.get_by_role("button", name="Learn").click()
    await expect(surface).to_contain_text("Move a fader on your control surface.")
    await page.evaluate(SAY, [0xB0, 7, 100])
    await expect(surface).to_contain_text("Controller 7, channel 1 of Desk 8: now move one")
    fader = page.get_by_role("slider", name="Room fader of Grace", exact=True)
    await fader.press("PageDown")
    await expect(surface.get_by_role("listitem")).to_contain_text("Fader of strip 2")
    await surface.get_by_role("button", name="Learn").click()
    await page.wait_for_function("() => midi.told.length > 0")  # it comes to where the screen is
    for value in (100, 0):
        await page.evaluate(SAY, [0xB0, 7, value])
    await page.wait_for_function(f"() => ({FADER_OF})('Grace') === -60")
    await expect(fader).to_have_attribute("aria-valuetext", "silent")
    assert "fader/2" in await page.evaluate("localStorage.getItem('ag06.surface')")
    await surface.get_by_role("button", name="Forget Fader of strip 2").click()
    await expect(surface.get_by_role("listitem")).to_have_count(0)


async def test_who_speaks_out_of_sight_is_named_and_one_click_away(chromium: Chromium) -> None:
    page = await room_of(chromium, 30)
    await page.get_by_label("Order").select_option("joined")
    await page.evaluate(
        """() => {
          const emit = fake.emit.bind(fake);
          const speakers = { participantIds: ['p25', 'p1'] };
          fake.emit = (type, detail) => emit(type, type === 'activespeakers' ? speakers : detail);
        }"""
    )
    name = await page.evaluate("fake.participant('p25').name")
    heading = page.get_by_role("heading", name=name, exact=True)
    await expect(heading).to_have_count(0)
    named = page.get_by_role("button", name="who is speaking")
    await expect(named).to_have_text([name])  # the only one out of sight
    await named.click()
    await expect(heading).to_be_in_viewport()
    await expect(strips(page).filter(has=heading).get_by_role("slider").first).to_be_focused()
    await expect(named).to_have_text(["Grace"])


async def test_whoever_is_heard_alone_is_named_until_solo_is_cleared(chromium: Chromium) -> None:
    page = await room_of(chromium, 30)
    lamp = page.get_by_role("button", name="Clear solo")
    await expect(lamp).to_be_hidden()
    await page.evaluate("fake.setListenerMix({ participantId: 'p25', solo: true })")
    name = await page.evaluate("fake.participant('p25').name")
    await expect(lamp).to_contain_text(f"Solo: {name}")
    await lamp.click()
    await expect(lamp).to_be_hidden()
    await expect(page.locator("main")).to_be_focused()
    assert (await page.evaluate(MIX_OF, name))["solo"] is False
