"""One Chromium and two clients of the UDP gateway in a room."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.support.chromium import Chromium
from tests.support.people import PITCHES_HZ, Person
from tests.support.server import LiveServer
from tests.support.udp_person import UdpPerson

PITCHES = tuple(PITCHES_HZ.values())
ADA, GRACE, EDSGER = PITCHES


async def test_all_three_hear_the_other_two_and_not_themselves(
    start_server: Callable[..., Awaitable[LiveServer]], chromium: Chromium, tmp_path: Path
) -> None:
    server = await start_server(WEBRTC_UDP_GATEWAY_PORT="0")
    found = re.search(r"port (\d+)", await server.program.line_with("UDP gateway at port"))
    assert found is not None
    port = int(found[1])
    ada = await Person.open(chromium, "Ada", f"{server.page_url}?room=studio", tmp_path)
    await ada.join()
    async with (
        UdpPerson(port, GRACE, name="Grace", room_id="studio") as grace,
        UdpPerson(port, EDSGER, name="Edsger", room_id="studio") as edsger,
    ):
        await ada.ear.hears(GRACE, EDSGER)
        await grace.hears(ADA, EDSGER, of=PITCHES)
        await edsger.hears(ADA, GRACE, of=PITCHES)
        assert sorted(user.name for user in grace.users.users) == ["Ada", "Edsger", "Grace"]
    await ada.ear.hears()
