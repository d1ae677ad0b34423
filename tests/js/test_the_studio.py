"""The studio in a real browser, with a room that is not there: hands, keys, refusals, stillness."""

import json
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.js.golden.studio import GOLDEN
from tests.js.test_the_desk import PEOPLE, serve
from tests.support.chromium import Chromium
from tests.support.patience import PATIENCE_MS

SETTINGS = {
    name: item["initial"]
    for name, item in json.loads(GOLDEN.read_text("utf-8"))["settings"].items()
}
STRIP_OF_ADA = "(name) => fake.participant('p0').settings[name]"
COUNT_DRAWINGS = """() => {
  window.drawings = new Map();
  const { clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    const { localName } = this.canvas.parentElement ?? {};
    if (this.canvas.closest('ag-studio-panel'))
      drawings.set(localName, (drawings.get(localName) ?? 0) + 1);
    clearRect.apply(this, box);
  };
}"""


async def studio_of_ada(chromium: Chromium, **look: Any) -> tuple[Page, Locator]:
    page = await (await chromium.launch()).new_page(**look)
    await page.route("**/*", serve)
    await page.goto("http://localhost:9")
    await page.wait_for_function("() => customElements.get('ag-app') !== undefined")
    await page.evaluate(PEOPLE.read_text("utf-8"))
    await page.evaluate("(settings) => { window.fake = fakeRoom(2, { settings }); }", SETTINGS)
    await page.get_by_role("button", name="Open the strip of Ada").focus()
    await page.keyboard.press("Enter")
    studio = page.get_by_role("dialog", name="Studio")
    await expect(studio.get_by_role("heading", name="Ada")).to_be_focused(timeout=PATIENCE_MS)
    return page, studio


async def test_the_keyboard_alone_shapes_a_strip(chromium: Chromium) -> None:
    page, studio = await studio_of_ada(chromium)
    point = studio.get_by_role("slider", name="Band 4, bell", exact=True)
    await point.focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowRight", "PageUp"):
        await page.keyboard.press(key)
    words = "4.24 kilohertz, 2.0 decibels, Q 1.41"
    await expect(point).to_have_attribute("aria-valuetext", words)
    await page.wait_for_function(f"() => ({STRIP_OF_ADA})('eq4Q') > 1.4")
    ratio = studio.get_by_role("slider", name="Compressor, ratio")
    await ratio.focus()
    await page.keyboard.type("4,5")
    await page.keyboard.press("Enter")
    await expect(ratio).to_have_attribute("aria-valuetext", "4.5 to 1")
    await expect(studio.get_by_role("switch", name="Compressor")).to_be_checked()
    await ratio.focus()
    await page.keyboard.press("Control+z")
    await expect(ratio).to_have_attribute("aria-valuetext", "off")
    await expect(studio.get_by_role("switch", name="Compressor")).not_to_be_checked()
    await page.wait_for_function(f"() => ({STRIP_OF_ADA})('compRatio') === 1")
    await page.keyboard.press("Escape")
    await expect(studio).to_have_count(0)
    await expect(page.get_by_role("button", name="Open the strip of Ada")).to_be_focused()


async def test_what_the_server_refuses_is_said_in_words_and_taken_back(chromium: Chromium) -> None:
    page, studio = await studio_of_ada(chromium)
    await page.evaluate("fake.refusal = { reason: 'forbidden', detail: 'no' }; 0")
    mix = studio.get_by_role("slider", name="Reverb, mix")
    await mix.focus()
    await page.keyboard.press("ArrowUp")
    alert = studio.get_by_role("alert")
    await expect(alert).to_contain_text("The value is back where it was.")
    await expect(mix).to_have_attribute("aria-valuetext", "0 percent")
    await page.evaluate("fake.refusal = null")
    await page.keyboard.press("ArrowUp")
    await expect(mix).to_have_attribute("aria-valuetext", "1 percent")
    await expect(alert).to_have_count(0)
    await page.evaluate(
        "fake.update('p0', { settings: { ...fake.participant('p0').settings, pan: 1 } })"
    )
    await studio.get_by_label("Profile").select_option("Jazz")
    await page.wait_for_function(f"() => ({STRIP_OF_ADA})('genre') === 'jazz'")
    pan = studio.get_by_role("slider", name="Place, pan")
    await expect(pan).to_have_attribute("aria-valuetext", "100 percent right")


async def test_hands_draw_bands_and_copy_a_sound_to_another_strip(
    chromium: Chromium,
) -> None:
    page, studio = await studio_of_ada(chromium)
    await studio.get_by_role("switch", name="Gate").click()  # a bypass is copied, too
    plot = studio.locator("ag-eq-plot")
    point = studio.get_by_role("slider", name="Band 2, bell", exact=True)
    for target in (plot, point):
        await target.scroll_into_view_if_needed()
    box, area = await point.bounding_box(), await plot.bounding_box()
    assert box is not None
    assert area is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + area["width"] / 10, y - area["height"] / 4, steps=5)
    await page.mouse.up()
    await page.mouse.wheel(0, -100)
    frequency, gain, quality = [
        await page.evaluate(STRIP_OF_ADA, name) for name in ("eq2Freq", "eq2Gain", "eq2Q")
    ]
    assert 480 < frequency < 520, "a tenth of three decades"
    assert 9.5 < gain < 10.5
    await page.wait_for_function(f"() => ({STRIP_OF_ADA})('eq2Q') > 1", timeout=PATIENCE_MS)
    assert quality >= 1
    await studio.get_by_role("button", name="Copy the sound").click()
    await studio.get_by_role("button", name="Close the studio").click()
    await page.get_by_role("button", name="Open the strip of Grace").click()
    await expect(studio.get_by_role("heading", name="Grace")).to_be_focused(timeout=PATIENCE_MS)
    await studio.get_by_role("button", name="Paste the sound").click()
    await page.wait_for_function(
        "() => ['eq2Freq', 'eq2Gain', 'eq2Q', 'gateBypass'].every((name) => "
        "fake.participant('p1').settings[name] === fake.participant('p0').settings[name])"
    )


async def test_pictures_stand_still_for_who_wants_it_so(chromium: Chromium) -> None:
    page, _ = await studio_of_ada(chromium, reduced_motion="reduce")
    await page.evaluate(COUNT_DRAWINGS)
    begun = await page.evaluate("[performance.now(), fake.desk.told]")
    await page.wait_for_function("(told) => fake.desk.told > told + 60", arg=begun[1])
    drawings, now = await page.evaluate("[Object.fromEntries(drawings), performance.now()]")
    drawings.pop("ag-meter", None)  # as everywhere: a meter is a lamp
    most = 2 * ((now - begun[0]) / 1000 + 2)  # once a second, and a second time to come to rest
    assert {"ag-spectrogram", "ag-eq-plot", "ag-gate-plot"} <= drawings.keys()
    assert {name: count for name, count in drawings.items() if count > most} == {}


async def test_what_is_heard_and_what_the_strip_makes_of_it_is_said(chromium: Chromium) -> None:
    page, studio = await studio_of_ada(chromium)
    said = studio.locator(".followed")
    await expect(said).to_be_hidden()
    await page.evaluate(
        """() => fake.update('p0', {
          genre: { label: 'speech', confidence: 0.93 },
          profileChange: { from: 'none', to: 'speech', settings: ['denoise', 'eq4Gain'] },
          settings: { ...fake.participant('p0').settings, genre: 'auto', profile: 'speech' },
        })"""
    )
    await expect(said).to_contain_text("Sounds like speech, 93 % sure.")
    await expect(said).to_contain_text("It changed noise suppression, equaliser.")
