"""The desk and the studio under fingers, on a phone."""

from playwright.async_api import CDPSession, Locator, Page, expect

from tests.js.test_the_desk import FADER_OF, PEOPLE, serve
from tests.js.test_the_studio import SETTINGS, STRIP_OF_ADA
from tests.support.chromium import Chromium
from tests.support.patience import PATIENCE_MS

Point = tuple[float, float]


class Fingers:
    """What fingers do on a page, by events as the browser gets them from a screen."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    async def put(self, *points: Point) -> None:
        await self._send("touchStart", *points)

    async def move(self, *points: Point) -> None:
        await self._send("touchMove", *points)

    async def lift(self) -> None:
        await self._send("touchEnd")

    async def drag(self, start: Point, dx: float, dy: float, steps: int = 10) -> None:
        await self.put(start)
        for step in range(1, steps + 1):
            await self.move((start[0] + dx * step / steps, start[1] + dy * step / steps))
        await self.lift()

    async def _send(self, kind: str, *points: Point) -> None:
        touches = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        await self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


async def phone(chromium: Chromium) -> tuple[Page, Fingers]:
    browser = await chromium.launch()
    context = await browser.new_context(
        viewport={"width": 360, "height": 760}, has_touch=True, is_mobile=True
    )
    page = await context.new_page()
    await page.route("**/*", serve)
    await page.goto("http://localhost:9")
    await page.wait_for_function("() => customElements.get('ag-app') !== undefined")
    await page.evaluate(PEOPLE.read_text("utf-8"))
    await page.evaluate("(settings) => { window.fake = fakeRoom(6, { settings }); }", SETTINGS)
    return page, Fingers(await context.new_cdp_session(page))


async def middle_of(what: Locator) -> Point:
    await what.scroll_into_view_if_needed()
    box = await what.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def test_a_finger_draws_a_fader_swipes_the_row_and_scrolls_the_page(
    chromium: Chromium,
) -> None:
    page, fingers = await phone(chromium)
    cap = page.get_by_role("slider", name="Room fader of Grace", exact=True).locator(".fader-cap")
    await fingers.drag(await middle_of(cap), 0, 60)
    await page.wait_for_function(f"() => ({FADER_OF})('Grace') < -10")
    lowered = await page.evaluate(FADER_OF, "Grace")
    assert await page.evaluate("scrollY") == 0  # the page stays where it is

    await fingers.drag(await middle_of(cap), -100, 4)  # sideways, from the same place
    await page.wait_for_function("() => document.querySelector('.bank').scrollLeft > 20")
    assert await page.evaluate(FADER_OF, "Grace") == lowered
    state = page.get_by_role("listitem").nth(2).locator("[data-ref=state]")
    await fingers.drag(await middle_of(state), 0, -150)
    await page.wait_for_function("() => scrollY > 50")


async def test_two_fingers_widen_a_band(chromium: Chromium) -> None:
    page, fingers = await phone(chromium)
    await page.get_by_role("button", name="Open the strip of Ada").tap()
    studio = page.get_by_role("dialog", name="Studio")
    point = studio.get_by_role("slider", name="Band 3, bell", exact=True)
    await expect(point).to_be_visible(timeout=PATIENCE_MS)
    await fingers.drag(await middle_of(point), 20, -30)
    await page.wait_for_function(f"() => ({STRIP_OF_ADA})('eq3Gain') > 2")
    gain = await point.get_attribute("aria-valuenow")
    x, y = await middle_of(point)
    await fingers.put((x, y))
    await fingers.put((x, y), (x + 40, y + 10))  # beside the point, where there is room
    for wider in range(0, 60, 5):
        await fingers.move((x, y), (x + 40 + wider, y + 10))
    await fingers.lift()
    await page.wait_for_function(f"() => ({STRIP_OF_ADA})('eq3Q') < 0.8")
    assert await point.get_attribute("aria-valuenow") == gain
