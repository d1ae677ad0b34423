"""Reloading, leaving and closing the tab, as the others see and hear it."""

from playwright.async_api import expect

from tests.e2e.conftest import People, all_hear_each_other
from webrtc.front_limits import FrontLimits


async def test_who_reloads_is_heard_again_in_the_same_seat_and_hears_again(people: People) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    seat = await ada.client("room.participantId")
    await grace.page.evaluate(
        """() => {
          const { client } = document.querySelector('ag-app');
          window.changes = [];
          for (const type of ['participantjoined', 'participantleft'])
            client.on(type, () => window.changes.push(type));
        }"""
    )
    await ada.page.reload()
    await ada.is_connected()
    await all_hear_each_other(ada, grace)
    assert await ada.client("room.participantId") == seat
    for person in (ada, grace):
        await person.sees(ada, grace)
    assert await grace.page.evaluate("changes") == []

    await grace.press("Stop Broadcasting")
    await ada.hears()
    await grace.page.reload()
    await grace.is_connected()
    await grace.hears(ada)
    assert await grace.client("playback.element.paused") is False
    await ada.hears()


async def test_who_leaves_is_gone_at_once_and_who_closes_the_tab_when_the_time_is_over(
    people: People,
) -> None:
    ada, grace, edsger = await people("Ada", "Grace", "Edsger")
    await all_hear_each_other(ada, grace, edsger)
    await grace.press("Leave")
    for person in (ada, edsger):
        await person.sees(ada, edsger)
    await all_hear_each_other(ada, edsger)
    await grace.join()
    for person in (ada, grace, edsger):
        await person.sees(ada, grace, edsger)
    await all_hear_each_other(ada, grace, edsger)

    await grace.page.close()
    await ada.sees(ada, grace, edsger)
    await ada.hears(edsger)
    limits = FrontLimits()
    gone_ms = 1000 * (limits.lost_after_s + 20)  # and her seat is still kept
    assert gone_ms < 1000 * limits.resume_window_s
    await expect(ada.strip_of(grace)).to_have_count(0, timeout=gone_ms)
    await ada.sees(ada, edsger)
