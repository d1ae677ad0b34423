"""Stock Firefox, which hides its addresses and never uses loopback, beside Chromium."""

from playwright.async_api import expect

from tests.e2e.conftest import People
from tests.support.firefox import Firefox
from tests.support.people import CLIENT, EAR, Ear

_FIREFOX_HZ = 1000
_MUSIC_MODE = "localStorage.setItem('ag06.likes', JSON.stringify({ musicMode: true }))"


async def test_firefox_and_chromium_hear_each_other_but_not_themselves(
    room_url: str, firefox: Firefox, people: People
) -> None:
    (ada,) = await people("Ada")
    ear = await join_with(firefox, room_url)
    await ear.hears(ada.pitch_hz)
    await ada.ear.hears(_FIREFOX_HZ)
    await expect(ada.page.get_by_role("listitem")).to_have_count(2)
    sdp = await firefox.evaluate(f"{CLIENT}.peerConnection.localDescription.sdp")
    assert ".local " in sdp, "Firefox should hide its addresses, as by default"

    await firefox.click("ag-dock [data-ref=mic]")
    await ada.ear.hears()
    await ear.hears(ada.pitch_hz)
    await firefox.click("ag-dock [data-ref=mic]")
    await ada.ear.hears(_FIREFOX_HZ)

    await firefox.evaluate("void window.dispatchEvent(new Event('online'))")
    await settled_on_another_way(firefox, sdp)
    await ear.hears(ada.pitch_hz)
    await ada.ear.hears(_FIREFOX_HZ)
    assert await ear.loudest_dbfs(_FIREFOX_HZ) < -45
    assert firefox.log == []


async def join_with(firefox: Firefox, url: str) -> Ear:
    """Join the room of the address and return an ear at what Firefox plays."""
    await firefox.goto(url)
    await firefox.evaluate(_MUSIC_MODE)
    await firefox.goto(url)
    await firefox.evaluate("(() => {" + EAR.read_text("utf-8") + "})()")
    await firefox.click("ag-lobby [data-ref=join]")
    return Ear(firefox.evaluate)


async def settled_on_another_way(firefox: Firefox, sdp: str) -> None:
    """Wait until ICE has been restarted since `sdp` was the local description."""
    await firefox.evaluate(
        f"""(async () => {{
          const ufrag = (sdp) => /ice-ufrag:(.*)/.exec(sdp)[1];
          const before = ufrag({sdp!r});
          while (
            ufrag({CLIENT}.peerConnection.currentLocalDescription.sdp) === before ||
            {CLIENT}.mediaState !== 'connected'
          )
            await new Promise((next) => setTimeout(next, 50));
        }})()"""
    )
