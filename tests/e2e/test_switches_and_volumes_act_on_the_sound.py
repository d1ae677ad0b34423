"""What the page's switches and faders do, by ear."""

from tests.e2e.conftest import People, all_hear_each_other
from tests.support.people import SILENCE_DBFS, TONE_DBFS


async def test_who_is_muted_is_heard_by_nobody_and_who_is_deafened_hears_nobody(
    people: People,
) -> None:
    ada, grace, edsger = await people("Ada", "Grace", "Edsger")
    await all_hear_each_other(ada, grace, edsger)
    await ada.press("Microphone on")
    await grace.hears(edsger)
    await edsger.hears(grace)
    await ada.hears(grace, edsger)
    await ada.press("Microphone off")
    await all_hear_each_other(ada, grace, edsger)

    await ada.press("Sound on")
    await ada.hears()
    await grace.hears(ada, edsger)
    assert await ada.client("playback.element.muted") is True
    await ada.press("Sound off")
    await all_hear_each_other(ada, grace, edsger)
    assert await ada.client("playback.element.muted") is False


async def test_a_fader_acts_for_everybody_and_volume_and_place_for_one_listener_only(
    people: People,
) -> None:
    ada, grace, edsger = await people("Ada", "Grace", "Edsger")
    await all_hear_each_other(ada, grace, edsger)
    fader = ada.page.get_by_role("slider", name="Room fader of Grace")
    await fader.press("PageDown")
    await edsger.hears_at(grace, TONE_DBFS - 6, TONE_DBFS - 6)
    await ada.hears_at(grace, TONE_DBFS - 6, TONE_DBFS - 6)
    await fader.dblclick()
    await ada.page.get_by_role("radio", name="what I hear").check()
    field = ada.page.get_by_label("Volume of Grace in decibels")
    for gain_db in (-12, 6):
        await field.fill(str(gain_db))
        await field.press("Enter")
        await ada.hears_at(grace, TONE_DBFS + gain_db, TONE_DBFS + gain_db)
    await ada.hears_at(edsger, TONE_DBFS, TONE_DBFS)
    await edsger.hears_at(grace, TONE_DBFS, TONE_DBFS)

    slider = ada.page.get_by_role("slider", name="Pan of Grace")
    await slider.press("End")
    await ada.hears_at(grace, SILENCE_DBFS, TONE_DBFS + gain_db)
    await slider.press("Home")
    await ada.hears_at(grace, TONE_DBFS + gain_db, SILENCE_DBFS)
    await ada.hears_at(edsger, TONE_DBFS, TONE_DBFS)
    await edsger.hears_at(grace, TONE_DBFS, TONE_DBFS)

    await ada.press("Mute Grace for me")
    await ada.hears(edsger)
    await edsger.hears(ada, grace)
