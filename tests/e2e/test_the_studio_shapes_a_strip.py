"""Whoever opens a strip shapes its sound by hand: others hear it, and others see it."""

from playwright.async_api import Locator, expect

from tests.e2e.conftest import People, all_hear_each_other
from tests.support.patience import PATIENCE_MS
from tests.support.people import CLIENT, SILENCE_DBFS, TONE_DBFS, Person
from tests.support.strip_levels import through_strip


async def studio_of(whose: Person, at: Person) -> Locator:
    """Open somebody's strip at a page."""
    await at.press(f"Open the strip of {whose.name}")
    studio = at.page.get_by_role("dialog", name="Studio")
    await expect(studio.get_by_role("heading", name=whose.name)).to_be_visible(timeout=PATIENCE_MS)
    return studio


async def drag(point: Locator, down_px: float) -> None:
    """Take hold of a point and draw it down."""
    await point.scroll_into_view_if_needed()
    box = await point.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = point.page.mouse
    await mouse.move(x, y)
    await mouse.down()
    await mouse.move(x, y + down_px, steps=8)
    await mouse.up()


async def test_a_band_drawn_down_takes_its_tone_away_and_undo_brings_it_back(
    people: People,
) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    studio = await studio_of(grace, at=grace)
    point = studio.get_by_role("slider", name="Band 3, bell", exact=True)
    words = "1 kilohertz, 0.0 decibels, Q 1.00"
    await expect(point).to_have_attribute("aria-valuetext", words, timeout=PATIENCE_MS)
    await drag(point, 70)
    await grace.page.wait_for_function(f"() => {CLIENT}.settings.eq3Gain < -6", timeout=PATIENCE_MS)
    gain_db = float(await point.get_attribute("aria-valuenow") or "nan")
    assert grace.pitch_hz == 1000, "the band's own frequency"
    await ada.hears_at(grace, TONE_DBFS + gain_db, TONE_DBFS + gain_db)
    await point.press("Delete")
    await ada.hears_at(grace, TONE_DBFS, TONE_DBFS)
    await studio.get_by_role("button", name="Undo").click()
    await ada.hears_at(grace, TONE_DBFS + gain_db, TONE_DBFS + gain_db)


async def turn(studio: Locator, knob: str, value: str) -> None:
    """Type a value into a knob."""
    await studio.get_by_role("slider", name=knob, exact=True).focus()
    await studio.page.keyboard.type(value)
    await studio.page.keyboard.press("Enter")


async def test_ratio_reverb_and_gate_turned_in_the_page_change_what_another_page_hears(
    people: People,
) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    studio = await studio_of(grace, at=grace)
    await turn(studio, "Compressor, ratio", "20")
    compressed = through_strip(grace.pitch_hz, {"compRatio": 20.0})
    assert compressed[0] < TONE_DBFS - 4
    await ada.hears_at(grace, *compressed)
    await turn(studio, "Compressor, ratio", "1")
    await turn(studio, "Reverb, mix", "100")
    await turn(studio, "Reverb, size", "60")
    reverberant = through_strip(grace.pitch_hz, {"reverbMix": 100.0, "reverbSize": 60.0})
    assert max(reverberant) < TONE_DBFS - 4
    await ada.hears_at(grace, *reverberant)
    await turn(studio, "Reverb, mix", "0")
    await turn(studio, "Input, trim", "-24")
    await ada.hears_at(grace, TONE_DBFS - 24, TONE_DBFS - 24)
    await turn(studio, "Gate, threshold", "-20")
    await ada.hears_at(grace, SILENCE_DBFS, SILENCE_DBFS)


async def test_a_preset_and_a_bypass_are_seen_by_all_who_look_at_the_strip(people: People) -> None:
    ada, grace = await people("Ada", "Grace")  # Ada made the room: she may edit any strip
    hers = await studio_of(grace, at=grace)
    the_same = await studio_of(grace, at=ada)
    await hers.get_by_role("radio", name="Podcast").check()
    await expect(the_same.get_by_role("radio", name="Podcast")).to_be_checked(timeout=PATIENCE_MS)
    ratio = the_same.get_by_role("slider", name="Compressor, ratio")
    await expect(ratio).to_have_attribute("aria-valuetext", "4.0 to 1")
    await the_same.get_by_role("switch", name="Equaliser").click()
    switch = hers.get_by_role("switch", name="Equaliser")
    await expect(switch).to_have_attribute("aria-checked", "false", timeout=PATIENCE_MS)
    assert await grace.client("settings.eq2Gain") == -3
    # What moves says that something is measured: the compressor, on the tone of everybody.
    await grace.page.wait_for_function(
        "() => document.querySelector('ag-compressor .readout b').textContent.startsWith('−')",
        timeout=PATIENCE_MS,
    )
    await ada.page.keyboard.press("Escape")
    await expect(the_same).to_have_count(0)
