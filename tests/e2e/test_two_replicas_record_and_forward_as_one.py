"""Two servers with one Redis, or three: recording a room of all, looking at strips, tracks of all.

The clients are aiortc's.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from tests.e2e.test_a_room_is_recorded import MANY, ONE, fetched, level, until_recorded
from tests.media.studio import TONES_HZ, Client, hears_on_tracks, loopback_only
from tests.support.front import Client as Socket
from tests.support.http_peers import Peer
from tests.support.patience import PATIENCE_S
from tests.support.redis_server import RedisServer
from tests.support.server import LiveServer

ADA, GRACE = 440, 1000

pytestmark = pytest.mark.server


@pytest.fixture
async def replicas(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[list[LiveServer]]:
    async with AsyncExitStack() as running:
        redis = await running.enter_async_context(RedisServer())
        settings = {
            "WEBRTC_HOST": "127.0.0.1",
            "WEBRTC_MEDIA_WORKERS": "1",
            "REDIS_URL": redis.url,
            "WEBRTC_RECORDINGS_MIN_FREE_MB": "0",
        }
        starting = [
            LiveServer.start(**settings, WEBRTC_RECORDINGS_DIR=str(tmp_path / name))
            for name in ("first", "second", "third")[: getattr(request, "param", 2)]
        ]
        servers = await asyncio.gather(*starting)
        for server in servers:
            running.push_async_callback(server.program.end)
        yield servers
        said = "".join(server.program.text for server in servers)
        assert "Traceback" not in said, said


async def sees_the_strip_of_ada(url: str, host_key: str) -> None:
    """Let the room's host look at what Ada's strip does, from the replica that she is not with."""
    socket = Socket()
    await socket.connect(url)
    try:
        wanted = {"room_id": "studio", "role": "subscriber", "host_key": host_key}
        people = (await socket.ok("join_room", wanted))["participants"]
        (ada,) = (one["participant_id"] for one in people if one["name"] == "Ada")
        squeezed = {"participant_id": ada, "compThreshold": -40, "compRatio": 10}
        await socket.ok("audio_stream_metadata", squeezed)
        await socket.ok("watch_meters", {"participants": [ada], "spectrum": ada})
        async with asyncio.timeout(PATIENCE_S):
            while not any(map(_shows_a_squeezed_voice, socket.heard("meters"))):
                await asyncio.sleep(0.1)
        await socket.ok("audio_stream_metadata", {"participant_id": ada, "compRatio": 1})
    finally:
        await socket.sio.disconnect()


async def test_a_host_elsewhere_steers_a_recording_that_has_everybody(
    replicas: list[LiveServer],
) -> None:
    first, second = (one.api_url for one in replicas)
    async with aiohttp.ClientSession(first) as http, aiohttp.ClientSession(second) as elsewhere:
        async with http.post("/api/rooms", json={"room_id": "studio"}) as response:
            host_key = (await response.json())["host_key"]
        key = {"Authorization": f"Bearer {host_key}"}
        async with (
            Peer(first, "/whip/studio?name=Ada", ADA),
            Peer(second, "/whip/studio?name=Grace", GRACE),
            Peer(second, "/whep/studio") as ear,
        ):
            await ear.hears(ADA, GRACE, of=(ADA, GRACE))
            await sees_the_strip_of_ada(second, host_key)
            wanted = {"state": "recording", "tracks": ["dry", "processed"]}
            async with http.put(ONE, json=wanted, headers=key) as response:
                assert response.status == 200, await response.text()
            await until_recorded(elsewhere, 1.5)
            for state in ("paused", "recording"):
                async with elsewhere.put(ONE, json={"state": state}, headers=key) as response:
                    assert response.status == 200, await response.text()
            marked = elsewhere.post(ONE + "/marks", json={"label": "Two"}, headers=key)
            async with marked as response:
                assert (await response.json())["time_s"] > 1.0
            await until_recorded(elsewhere, 2.5)
            async with elsewhere.put(ONE, json={"state": "stopped"}, headers=key) as response:
                assert (await response.json())["recording"] is None
        tracks = await fetched(elsewhere, key)
        async with http.get(MANY, headers=key) as response:
            assert len((await response.json())["recordings"]) == 1
    assert tracks.keys() == {
        ("mix", ""),
        ("dry", "Ada"),
        ("processed", "Ada"),
        ("processed", "Grace"),
    }
    shortest = min(map(len, tracks.values()))
    mix, ada, grace = (
        tracks[one][:shortest]
        for one in (("mix", ""), ("processed", "Ada"), ("processed", "Grace"))
    )
    difference = np.abs(mix - ada - grace).max() / np.abs(mix).max()
    assert 20 * np.log10(difference) < -80
    end = grace[-24_000:, 0]
    assert level(end, GRACE) > 0.2
    assert level(end, ADA) < 0.001


def _shows_a_squeezed_voice(told: dict[str, Any]) -> bool:
    spectrum = told["spectrum"]
    is_drawn = spectrum is not None and max(spectrum["bands_db"]) > -40
    return is_drawn and any(one["comp_db"] < -10 for one in told["meters"])


class SocketFront:
    """What `tests.media.studio.Client` asks of a front process, by Socket.IO to a real one."""

    def __init__(self, socket: Socket) -> None:
        self.offered: dict[str, Callable[[str], Awaitable[str]]] = {}
        self._socket = socket
        self._answering: set[asyncio.Task[None]] = set()
        socket.sio.on("offer", self._on_offer)

    def send(self, message: object) -> None:
        """Who is in which room the front process tells the worker itself."""

    async def offer(self, _: str, text: str) -> str:
        """Return the server's answer to an offer."""
        ack = await self._socket.ok("offer", {"type": "offer", "sdp": text})
        return str(ack["sdp"])

    async def until_state(self, participant_id: str, state: str) -> None:
        """Whoever is heard is connected."""

    async def _on_offer(self, offer: dict[str, str]) -> None:
        # Not within the handler: the client hands out nothing else meanwhile.
        task = asyncio.create_task(self._answer(offer["sdp"]))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, text: str) -> None:
        (answer,) = self.offered.values()
        await self._socket.ok("answer", {"type": "answer", "sdp": await answer(text)})


async def singer(stack: AsyncExitStack, server: LiveServer, pitch_hz: float) -> Client:
    """Let somebody join a room that forwards, take tracks and sing."""
    socket = Socket()
    await socket.connect(server.api_url)
    stack.push_async_callback(socket.sio.disconnect)
    wanted = {"room_id": "choir", "mode": "forward", "capabilities": ["tracks"]}
    await socket.ok("join_room", wanted)
    front = SocketFront(socket)
    client = Client(front, "choir", "", 0, pitch_hz, takes_tracks=True)  # type: ignore[arg-type]
    stack.push_async_callback(client.leave)
    await client.join()
    return client


@pytest.mark.parametrize("replicas", [3], indirect=True)
async def test_tracks_of_a_room_that_forwards_cross_replicas(replicas: list[LiveServer]) -> None:
    with loopback_only():
        async with AsyncExitStack() as stack:
            singers = [
                await singer(stack, server, pitch_hz)
                for server, pitch_hz in zip(replicas, TONES_HZ, strict=True)
            ]
            for one in singers:
                await hears_on_tracks(one, *(other for other in singers if other is not one))


async def joined(stack: AsyncExitStack, server: LiveServer, name: str) -> tuple[Socket, Any]:
    """Let somebody into the studio by way of a server; return the socket and the answer."""
    socket = Socket()
    await socket.connect(server.api_url)
    stack.push_async_callback(socket.sio.disconnect)
    return socket, await socket.call("join_room", {"room_id": "studio", "name": name})


@pytest.mark.parametrize("replicas", [3], indirect=True)
async def test_who_is_banned_stays_out_of_all_when_the_hosts_server_is_gone(
    replicas: list[LiveServer],
) -> None:
    first, second, third = replicas
    async with AsyncExitStack() as stack:
        host, _ = await joined(stack, first, "Host")
        stays, _ = await joined(stack, third, "Stays")
        eve, hers = await joined(stack, second, "Eve")
        for one in (host, stays):
            await one.event("participant_joined", lambda it: it["name"] == "Eve")
        banned = {"participant_id": hers["participant_id"], "ban": True}
        await host.ok("remove_participant", banned)
        assert await eve.event("room_closed") == {"reason": "banned"}
        left = {"participant_id": hers["participant_id"], "reason": "banned"}
        assert await stays.event("participant_left") == left
        assert await eve.refused("join_room", "studio") == "banned"
        await first.program.end()
        await stays.event("participant_left")
        for server in (second, third):
            _, answer = await joined(stack, server, "Eve")
            assert answer["error"]["reason"] == "banned"
