"""Fixtures of the tests through the real thing: browsers, front process, media workers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from tests.support.chromium import Chromium
from tests.support.people import Person
from tests.support.relay import ADDRESS, Relay
from tests.support.server import LiveServer

People = Callable[..., Awaitable[list[Person]]]
BehindARelay = tuple[Relay, Person, Person]

_OWN_VOICE_DBFS = -45.0
_INAUDIBLE_MS = 100.0
_ATTEMPTS = 3


@pytest.fixture
async def people(room_url: str, chromium: Chromium, tmp_path: Path) -> AsyncIterator[People]:
    """Bring people into one room: `ada, grace = await people("Ada", "Grace")`.

    At the end nobody may ever have heard their own voice, whatever happened in the test.
    """
    present: list[Person] = []

    async def bring(*names: str, music_mode: bool = True) -> list[Person]:
        people = [
            await Person.open(chromium, name, room_url, tmp_path, music_mode=music_mode)
            for name in names
        ]
        for person in people:  # one after the other: the order in the list is known
            await person.join()
        present.extend(people)
        return people

    yield bring
    for person in present:
        if not person.page.is_closed():
            own = await person.ear.loudest_dbfs(person.pitch_hz)
            assert own < _OWN_VOICE_DBFS, f"{person.name} heard the own voice at {own:.0f} dBFS"


@pytest.fixture
async def behind_a_relay(
    start_server: Callable[..., Awaitable[LiveServer]], chromium: Chromium, tmp_path: Path
) -> AsyncIterator[BehindARelay]:
    """Ada and Grace, who hear each other through a network of ours."""
    server = await start_server(
        WEBRTC_HOST="127.0.0.1", WEBRTC_ANNOUNCED_IPS=ADDRESS, WEBRTC_MEDIA_WORKERS="1"
    )
    async with Relay(server.media_ports[0]) as relay:
        url = f"{server.page_url}?room=studio"
        ada, grace = [await Person.open(chromium, name, url, tmp_path) for name in ("Ada", "Grace")]
        for person in (ada, grace):
            await person.join()
        await all_hear_each_other(ada, grace)
        yield relay, ada, grace


async def all_hear_each_other(*people: Person, within_s: float = 30.0) -> None:
    """Wait until everybody hears everybody else and nobody else's voice."""
    await asyncio.gather(
        *(
            person.hears(*(other for other in people if other is not person), within_s=within_s)
            for person in people
        )
    )


async def is_inaudible(people: Sequence[Person], act: Callable[[], Awaitable[None]]) -> None:
    """Check that people who hear each other do so while something is done, without a gap.

    Other programs of a busy machine make gaps too; what makes one each time is ours.
    """
    for _ in range(_ATTEMPTS):
        since = [await person.ear.now_ms() for person in people]
        await act()
        await all_hear_each_other(*people)
        gaps = [
            await person.ear.longest_silence_ms(instant)
            for person, instant in zip(people, since, strict=True)
        ]
        if max(gaps) < _INAUDIBLE_MS:
            return
    raise AssertionError(f"{_ATTEMPTS} times there was a gap, at last of {gaps} ms")
