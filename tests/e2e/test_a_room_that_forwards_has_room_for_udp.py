"""A client of the UDP gateway in a room that forwards: heard on a track, and hears a mix."""

import re
from collections.abc import Awaitable, Callable

from tests.e2e.test_a_room_forwards_each_voice_on_a_track_of_its_own import (
    CHOIR,
    PITCHES_HZ,
    Choir,
)
from tests.support.chromium import Chromium
from tests.support.server import LiveServer
from tests.support.udp_person import UdpPerson


async def test_samples_over_udp_are_heard_on_a_track_and_hear_a_mix(
    start_server: Callable[..., Awaitable[LiveServer]], chromium: Chromium
) -> None:
    server = await start_server(WEBRTC_UDP_GATEWAY_PORT="0", WEBRTC_HOST="127.0.0.1")
    found = re.search(r"port (\d+)", await server.program.line_with("UDP gateway at port"))
    assert found is not None
    browser = await chromium.launch(None, "--autoplay-policy=no-user-gesture-required")
    page = await browser.new_page()
    await page.add_init_script(path=CHOIR)
    await page.goto(server.page_url)
    choir = Choir(page, "choir")
    options = "{ roomId: 'choir', mode: 'forward', maxSpeakers: 3 }"
    for name in ("Ada", "Grace"):
        await choir.ask(f"addVoice('{name}', {PITCHES_HZ[name]}, {options})")
    await choir.ask(f"listen({options})")
    edsger = UdpPerson(int(found[1]), PITCHES_HZ["Edsger"], name="Edsger", room_id="choir")
    async with edsger:
        tracks = await choir.hears("Ada", "Grace", "Edsger")
        assert len(set(tracks.values())) == 3
        people = await choir.ask("people()")
        assert {person["name"]: person["mid"] for person in people} == tracks
        of = tuple(PITCHES_HZ.values())
        await edsger.hears(PITCHES_HZ["Ada"], PITCHES_HZ["Grace"], of=of)
    await choir.hears("Ada", "Grace")
