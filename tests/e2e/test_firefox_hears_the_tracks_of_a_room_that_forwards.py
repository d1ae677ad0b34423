"""Stock Firefox in a room that forwards: it takes the tracks that the server offers."""

import asyncio

from tests.e2e.test_a_room_forwards_each_voice_on_a_track_of_its_own import CHOIR, Choir
from tests.support.firefox import Firefox
from tests.support.server import LiveServer


class FirefoxChoir(Choir):
    """A choir in a tab of Firefox."""

    def __init__(self, firefox: Firefox, room: str) -> None:
        self.firefox = firefox
        self.room = room

    async def ask(self, script: str) -> object:
        return await self.firefox.evaluate(f"window.choir.{script}")


async def test_firefox_hears_three_voices_on_three_tracks(
    live_server: LiveServer, firefox: Firefox, room: str
) -> None:
    await firefox.goto(live_server.page_url)
    await firefox.evaluate("(() => {" + CHOIR.read_text("utf-8") + "})()")
    await firefox.click("body")  # a user who lets the page play
    choir = FirefoxChoir(firefox, room)
    await choir.sing("forward")
    tracks = await choir.hears("Ada", "Grace", "Edsger")
    assert set(tracks.values()) == {"track1", "track2", "track3"}
    host = "voices.get('Ada').client.desk"
    await choir.ask(f"{host}.setRoom({{ maxSpeakers: 1 }})")
    await choir.until(
        "pitches([440, 1000, 2500])",
        lambda heard: sum(len(pitches) for pitches in heard.values()) == 1,
    )
    await choir.ask(f"{host}.setRoom({{ maxSpeakers: 3 }})")
    await asyncio.wait_for(choir.hears("Ada", "Grace", "Edsger"), 30)
