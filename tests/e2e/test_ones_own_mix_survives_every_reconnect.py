"""What somebody has set for their own ears stays, whatever is reconnected underneath."""

import os
import signal

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import People, all_hear_each_other
from tests.support.people import CLIENT, SILENCE_DBFS, TONE_DBFS, Person
from tests.support.server import LiveServer


@pytest.fixture
def live_server(server_of_its_own: LiveServer) -> LiveServer:
    return server_of_its_own


async def test_volume_pan_and_mute_stay_over_reload_and_both_kinds_of_crash(
    live_server: LiveServer, people: People
) -> None:
    ada, grace, edsger = await people("Ada", "Grace", "Edsger")
    await all_hear_each_other(ada, grace, edsger)
    await ada.page.get_by_role("radio", name="what I hear").check()
    volume = ada.page.get_by_label("Volume of Grace in decibels")
    await volume.fill("-12")
    await volume.press("Enter")
    await ada.page.get_by_role("slider", name="Pan of Grace").press("End")
    await ada.press("Mute Edsger for me")
    await hears_own_mix(ada, grace, edsger)

    await ada.page.reload()
    await ada.is_connected()
    await hears_own_mix(ada, grace, edsger)

    await ada.page.evaluate(f"() => {CLIENT}.on('reconnected', () => (window.isBack = true))")
    os.kill(live_server.front_pid(), signal.SIGKILL)
    await ada.page.wait_for_function("() => window.isBack")
    await hears_own_mix(ada, grace, edsger)

    os.kill(live_server.worker_pid(0), signal.SIGKILL)
    await ada.page.wait_for_function("() => ear.tracks === 2")
    await hears_own_mix(ada, grace, edsger)
    await edsger.hears(ada, grace)
    await grace.hears(ada, edsger)


async def hears_own_mix(ada: Person, grace: Person, edsger: Person) -> None:
    """Check by ear and on the page that Grace is softly on the right and Edsger is away."""
    await ada.hears(grace)
    await ada.hears_at(grace, SILENCE_DBFS, TONE_DBFS - 12)
    await ada.page.get_by_role("radio", name="what I hear").check()
    await expect(ada.page.get_by_label("Volume of Grace in decibels")).to_have_value("−12.0")
    await expect(ada.strip_of(edsger)).to_contain_text("muted by you")
