"""A part of the server dies or hangs, or all of it restarts, while people hear each other."""

import asyncio
import os
import signal

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import People, all_hear_each_other, is_inaudible
from tests.support.people import Person
from tests.support.server import LiveServer

_WORKER_BACK_MS = 8000.0  # 0.1 s on an idle machine, 4 s on one with ten times its work
_FRONT_BACK_MS = 90_000.0  # killed once more before the next spare is there, on a busy machine
_STOPPED_S = 5.0
_GOES_ON_MS = 20_000.0  # 5.8 s on an idle machine; 17 s on one with ten times its work


@pytest.fixture
def live_server(server_of_its_own: LiveServer) -> LiveServer:
    return server_of_its_own


async def test_a_killed_media_worker_gives_the_sound_back_in_the_same_room(
    live_server: LiveServer, people: People
) -> None:
    told = "media worker 0 ended: killed by SIGKILL"
    await _worker_is_lost(live_server, people, signal.SIGKILL, told, _WORKER_BACK_MS)


async def test_a_media_worker_that_stands_still_gives_the_sound_back_in_the_same_room(
    live_server: LiveServer, people: People
) -> None:
    told = "media worker 0 gives no sign of life"
    await _worker_is_lost(live_server, people, signal.SIGSTOP, told, _GOES_ON_MS)


async def _worker_is_lost(
    live_server: LiveServer, people: People, how: signal.Signals, told: str, within_ms: float
) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    seats = [await person.client("room.participantId") for person in (ada, grace)]
    since = [await person.ear.now_ms() for person in (ada, grace)]
    os.kill(live_server.worker_pid(0), how)
    await live_server.program.line_with(told)
    for person in (ada, grace):
        await person.page.wait_for_function("() => ear.tracks === 2")
    await all_hear_each_other(ada, grace)
    for person, instant in zip((ada, grace), since, strict=True):
        assert await person.ear.longest_silence_ms(instant) < within_ms
    assert seats == [await person.client("room.participantId") for person in (ada, grace)]
    await ada.sees(ada, grace)
    await grace.sees(ada, grace)


async def test_a_server_that_stands_still_for_five_seconds_goes_on_in_the_same_room(
    live_server: LiveServer, people: People
) -> None:
    """All of it, as on a machine that is paused: nothing is replaced."""
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    seats = [await person.client("room.participantId") for person in (ada, grace)]
    processes = live_server.worker_pid(0), live_server.front_pid()
    since = [await person.ear.now_ms() for person in (ada, grace)]
    live_server.program.send_all(signal.SIGSTOP)
    try:
        await asyncio.sleep(_STOPPED_S)
    finally:
        live_server.program.send_all(signal.SIGCONT)
    await all_hear_each_other(ada, grace)
    for person, instant in zip((ada, grace), since, strict=True):
        assert await person.ear.longest_silence_ms(instant) < _GOES_ON_MS
    assert seats == [await person.client("room.participantId") for person in (ada, grace)]
    assert processes == (live_server.worker_pid(0), live_server.front_pid())
    await ada.sees(ada, grace)
    await grace.sees(ada, grace)


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (signal.SIGKILL, "front process ended: killed by SIGKILL"),
        (signal.SIGSTOP, "front process gives no sign of life"),
    ],
    ids=["killed", "stands still"],
)
async def test_a_killed_front_process_is_not_heard(
    live_server: LiveServer, people: People, number: signal.Signals, line: str
) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)

    async def kill_front_process() -> None:
        for person in (ada, grace):
            await watch(person)
        os.kill(live_server.front_pid(), number)
        await live_server.program.line_with(line)
        for person in (ada, grace):
            resumed = "() => seen.resumed === true"
            await person.page.wait_for_function(resumed, timeout=_FRONT_BACK_MS)

    await is_inaudible([ada, grace], kill_front_process)
    for person in (ada, grace):
        assert await person.page.evaluate("ear.tracks") == 1
    await ada.press("Microphone on")
    await expect(grace.strip_of(ada)).to_contain_text("microphone off")
    await grace.hears()
    await ada.press("Microphone off")
    await all_hear_each_other(ada, grace)
    await grace.page.wait_for_function("() => seen.levels > 0")
    await expect(grace.strip_of(ada)).to_contain_text("speaking")


async def test_after_a_restart_of_the_whole_server_everybody_is_back_as_they_were(
    live_server: LiveServer, people: People, room: str
) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    await ada.client("updateAudioSettings({ genre: 'jazz', reverbMix: 25 })")
    await grace.press("Microphone on")
    await expect(ada.strip_of(grace)).to_contain_text("microphone off")
    for person in (ada, grace):
        await watch(person)
    await live_server.restart()
    for person in (ada, grace):
        await person.page.wait_for_function("() => seen.resumed === false")
        assert await person.client("room.roomId") == room
        await person.sees(ada, grace)
    await grace.hears(ada)
    settings = await ada.client("settings")
    assert (settings["genre"], settings["reverbMix"]) == ("jazz", 25)
    await expect(ada.strip_of(grace)).to_contain_text("microphone off")
    await ada.hears()
    await grace.press("Microphone off")
    await all_hear_each_other(ada, grace)


async def watch(person: Person) -> None:
    """Take note, in `seen`, of how the client comes back and of the levels after that."""
    await person.page.evaluate(
        """() => {
          const { client } = document.querySelector('ag-app');
          const seen = (window.seen = { resumed: null, levels: 0 });
          client.on('reconnected', ({ resumed }) => Object.assign(seen, { resumed, levels: 0 }));
          client.on('levels', () => (seen.levels += 1));
        }"""
    )
