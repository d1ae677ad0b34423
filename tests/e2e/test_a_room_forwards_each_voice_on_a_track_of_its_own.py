"""Rooms that forward, in real Chromium: who is heard on which track, and how a switch sounds."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.async_api import Page

from tests.support.chromium import Chromium
from tests.support.server import LiveServer

CHOIR = Path(__file__).parents[1] / "support" / "choir.js"
PITCHES_HZ = {"Ada": 440, "Grace": 1000, "Edsger": 2500}
WITHIN_S = 20.0
SWITCHES = 6
SWITCH_MS = 20.0
"""So much concealment for each switch is inaudible: less than one packet."""


class Choir:
    """The page's voices and ear."""

    def __init__(self, page: Page, room: str) -> None:
        self.page = page
        self.room = room

    async def ask(self, script: str) -> Any:
        return await self.page.evaluate(f"window.choir.{script}")

    async def sing(self, mode: str, max_speakers: int = 3) -> dict[str, str]:
        """Let all three sing in one room, and listen; return their ids."""
        options = f"{{ roomId: '{self.room}', mode: '{mode}', maxSpeakers: {max_speakers} }}"
        ids = {
            name: await self.ask(f"addVoice('{name}', {pitch}, {options})")
            for name, pitch in PITCHES_HZ.items()
        }
        await self.ask(f"listen({options})")
        return ids

    async def until(self, look: str, fits: Callable[[Any], bool]) -> Any:
        """Ask until the answer fits, and return it."""
        found = None
        deadline = asyncio.get_running_loop().time() + WITHIN_S
        while asyncio.get_running_loop().time() < deadline:
            found = await self.ask(look)
            if fits(found):
                return found
            await asyncio.sleep(0.1)
        raise AssertionError(f"{look} gave {found}")

    async def hears(self, *names: str) -> dict[str, str]:
        """Wait until these are heard, each on a track of its own; return the tracks by name."""
        wanted = sorted(PITCHES_HZ[name] for name in names)
        found = await self.until(
            f"pitches({list(PITCHES_HZ.values())})",
            lambda heard: (
                sorted(pitch for pitches in heard.values() for pitch in pitches) == wanted
                and max((len(pitches) for pitches in heard.values()), default=0) <= 1
            ),
        )
        named = {pitch: name for name, pitch in PITCHES_HZ.items()}
        return {named[pitches[0]]: mid for mid, pitches in found.items() if pitches}


@pytest.fixture
async def choir(live_server: LiveServer, chromium: Chromium, room: str) -> Choir:
    browser = await chromium.launch(None, "--autoplay-policy=no-user-gesture-required")
    page = await browser.new_page()
    await page.add_init_script(path=CHOIR)
    await page.goto(live_server.page_url)
    return Choir(page, room)


async def test_three_voices_are_heard_on_three_tracks_that_say_whose_they_are(
    choir: Choir,
) -> None:
    await choir.sing("forward")
    tracks = await choir.hears(*PITCHES_HZ)
    assert set(tracks.values()) == {"track1", "track2", "track3"}
    people = await choir.ask("people()")
    assert {person["name"]: person["mid"] for person in people} == tracks
    for person in people:
        assert set(person["csrcs"]) == {person["csrc"]}


async def test_a_switch_makes_no_gap_and_no_loss(choir: Choir) -> None:
    """Most switches conceal nothing; a machine that stands still may hit one or another."""
    ids = await choir.sing("forward", max_speakers=1)
    counts: list[dict[str, float]] = []
    names = list(PITCHES_HZ)
    for number in range(SWITCHES + 1):
        name, former = names[number % 3], names[(number - 1) % 3]
        for who, pinned in ((name, "true"), (former, "false")):
            await choir.ask(
                "voices.get('Ada').client.desk"
                f".setSpeaker({{ participantId: '{ids[who]}', pinned: {pinned} }})"
            )
        assert await choir.hears(name) == {name: "track1"}
        if not counts:
            await asyncio.sleep(2.0)  # the browser's jitter buffer has settled
        counts.append(await choir.ask("counted('track1')"))
    change = {key: counts[-1][key] - counts[0][key] for key in counts[0]}
    assert change["packetsReceived"] > 50 * 0.1 * SWITCHES
    assert change["packetsLost"] == 0
    assert change["packetsDiscarded"] == 0
    concealed_ms = [
        after["audibleConcealedMs"] - before["audibleConcealedMs"]
        for before, after in pairwise(counts)
    ]
    assert median(concealed_ms) < SWITCH_MS, concealed_ms


async def test_fifteen_tracks_and_live_changes_of_number_and_mode(choir: Choir) -> None:
    await choir.sing("forward", max_speakers=15)
    await choir.hears(*PITCHES_HZ)
    assert await choir.ask("sections()") == 16
    host = "voices.get('Ada').client.desk"
    await choir.ask(f"{host}.setRoom({{ maxSpeakers: 2 }})")
    await choir.until(
        f"pitches({list(PITCHES_HZ.values())})",
        lambda heard: sum(len(pitches) for pitches in heard.values()) == 2,
    )
    await choir.ask(f"{host}.setRoom({{ mode: 'mix', maxSpeakers: 3 }})")
    await choir.until(
        f"pitches({list(PITCHES_HZ.values())}).mix",
        lambda heard: sorted(heard) == sorted(PITCHES_HZ.values()),
    )
    await choir.ask(f"{host}.setRoom({{ mode: 'forward' }})")
    await choir.hears(*PITCHES_HZ)


async def test_in_a_mix_the_browser_names_those_who_are_heard(choir: Choir) -> None:
    await choir.sing("mix")
    await choir.until("contributors()", lambda names: names == sorted(PITCHES_HZ))
    await choir.ask("voices.get('Grace').client.setMuted(true)")
    await choir.until("contributors()", lambda names: "Grace" not in names)


async def test_tracks_outlive_another_network_and_follow_whether_one_listens(choir: Choir) -> None:
    await choir.sing("forward")
    await choir.hears(*PITCHES_HZ)
    await choir.page.evaluate("window.dispatchEvent(new Event('online'))")  # ICE is restarted
    await asyncio.sleep(1.0)
    await choir.hears(*PITCHES_HZ)
    ada = "voices.get('Ada').client"
    directions = f"{ada}.peerConnection.getTransceivers().map((one) => one.currentDirection)"
    await choir.until(directions, lambda found: found == ["sendonly"])
    await choir.ask(f"{ada}.startSubscribing({{ play: false }})")
    await choir.until(directions, lambda found: found == ["sendrecv", *["recvonly"] * 3])
    await choir.ask(f"{ada}.stopSubscribing()")
    await choir.until(directions, lambda found: found == ["sendonly", *["inactive"] * 3])
    await choir.ask(f"{ada}.startSubscribing({{ play: false }})")
    await choir.until(directions, lambda found: found == ["sendrecv", *["recvonly"] * 3])
    await choir.hears(*PITCHES_HZ)
