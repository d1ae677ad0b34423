"""A real TURN server takes those in whom the media ports cannot be reached by."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import all_hear_each_other
from tests.support.chromium import Chromium
from tests.support.people import CLIENT, Person
from tests.support.server import LiveServer
from tests.support.turn_server import SECRET, Transport, TurnServer, only_through

_RELAYED_BY = f"""async () => {{
  const report = await {CLIENT}.peerConnection.getStats();
  const all = [...report.values()];
  const pair = all.find((one) => one.type === 'candidate-pair' && one.nominated
    && one.state === 'succeeded');
  const local = pair && report.get(pair.localCandidateId);
  return local && [local.candidateType, local.relayProtocol];
}}"""


@pytest.fixture
async def turn() -> AsyncIterator[TurnServer]:
    async with TurnServer() as server:
        yield server


async def test_by_udp_and_by_tcp_and_again_when_the_turn_server_was_gone(
    start_server: Callable[..., Awaitable[LiveServer]],
    chromium: Chromium,
    turn: TurnServer,
    tmp_path: Path,
) -> None:
    server = await start_server(
        WEBRTC_HOST="127.0.0.1",
        WEBRTC_ANNOUNCED_IPS="127.0.0.1",
        WEBRTC_MEDIA_WORKERS="1",
        WEBRTC_TURN_URLS=turn.urls,
        WEBRTC_TURN_SECRET=SECRET,
    )
    ways: dict[str, Transport] = {"Ada": "udp", "Grace": "tcp"}
    people = []
    for name, transport in ways.items():
        person = await Person.open(chromium, name, f"{server.page_url}?room=studio", tmp_path)
        await person.page.add_init_script(only_through(transport))
        await person.page.reload()
        await person.join()
        people.append(person)
    await all_hear_each_other(*people)
    for person in people:
        assert await person.page.evaluate(_RELAYED_BY) == ["relay", ways[person.name]]
    await turn.kill()
    await asyncio.gather(*(person.hears() for person in people))
    await turn.start()
    await all_hear_each_other(*people)
