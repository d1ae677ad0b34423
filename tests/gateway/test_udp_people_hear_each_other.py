"""Two, three and more at the UDP gateway of the real server: what an old client's user checks."""

import asyncio
import itertools
import re
import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import numpy as np
import pytest

from gateway.wire.datagrams import CHUNK_BYTES, CHUNK_S, SILENT_CHUNK
from gateway.wire.lines import Bye, Deafen, Mute, Volume
from tests.support.patience import PATIENCE_S
from tests.support.server import LiveServer
from tests.support.udp_person import AMPLITUDE, UdpPerson

ADA, GRACE, EDSGER = PITCHES = 440, 1000, 2500

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
async def shared_server() -> AsyncIterator[LiveServer]:
    server = await LiveServer.start(
        WEBRTC_UDP_GATEWAY_PORT="0",
        WEBRTC_HOST="127.0.0.1",
        WEBRTC_SIMULATED_NETWORK="clean",  # which lets hosts make it worse
        WEBRTC_UDP_PLAIN_ROOM="hall",
    )
    yield server
    await server.stop()


@pytest.fixture
async def port(live_server: LiveServer) -> int:
    line = await live_server.program.line_with("UDP gateway at port")
    found = re.search(r"port (\d+)", line)
    assert found is not None
    return int(found[1])


async def test_two_clients_hear_each_other_but_not_themselves(port: int, room: str) -> None:
    async with (
        UdpPerson(port, ADA, name="Ada", room_id=room) as ada,
        UdpPerson(port, GRACE, name="Grace", room_id=room) as grace,
    ):
        await ada.hears(GRACE, of=PITCHES)
        await grace.hears(ADA, of=PITCHES)
        await ada.hears_at(GRACE, AMPLITUDE)
        assert set(ada.sizes) == {CHUNK_BYTES}
        assert [user.name for user in ada.users.users] == ["Ada", "Grace"]


async def test_three_clients_hear_both_others_as_loud_as_they_are(port: int, room: str) -> None:
    async with (
        UdpPerson(port, ADA, room_id=room) as ada,
        UdpPerson(port, GRACE, room_id=room) as grace,
        UdpPerson(port, EDSGER, room_id=room) as edsger,
    ):
        await ada.hears(GRACE, EDSGER, of=PITCHES)
        await grace.hears(ADA, EDSGER, of=PITCHES)
        await edsger.hears(ADA, GRACE, of=PITCHES)
        for pitch in (GRACE, EDSGER):
            await ada.hears_at(pitch, AMPLITUDE)


async def test_a_muted_client_is_not_heard_and_hears(port: int, room: str) -> None:
    async with (
        UdpPerson(port, ADA, room_id=room) as ada,
        UdpPerson(port, GRACE, room_id=room) as grace,
    ):
        ada.say(Mute(on=True))
        await grace.hears(of=PITCHES)
        await ada.hears(GRACE, of=PITCHES)
        assert [user.muted for user in grace.users.users] == [True, False]
        ada.say(Mute(on=False))
        await grace.hears(ADA, of=PITCHES)


async def test_a_deafened_client_hears_nothing_and_is_heard(port: int, room: str) -> None:
    async with (
        UdpPerson(port, ADA, room_id=room) as ada,
        UdpPerson(port, GRACE, room_id=room) as grace,
    ):
        ada.say(Deafen(on=True))
        await ada.hears(of=PITCHES)
        await grace.hears(ADA, of=PITCHES)
        ada.say(Deafen(on=False))
        await ada.hears(GRACE, of=PITCHES)


async def test_volume_acts_on_what_one_alone_hears(port: int, room: str) -> None:
    async with (
        UdpPerson(port, ADA, room_id=room) as ada,
        UdpPerson(port, GRACE, room_id=room) as grace,
        UdpPerson(port, EDSGER, room_id=room) as edsger,
    ):
        await edsger.hears(ADA, GRACE, of=PITCHES)
        edsger.say(Volume(participant_id=ada.welcome.participant_id, gain_db=-12.0))
        await edsger.hears_at(ADA, AMPLITUDE * 10 ** (-12 / 20))
        await grace.hears(ADA, EDSGER, of=PITCHES)
        await grace.hears_at(ADA, AMPLITUDE)


async def test_who_leaves_is_heard_no_more(port: int, room: str) -> None:
    async with UdpPerson(port, ADA, name="Ada", room_id=room) as ada:
        async with UdpPerson(port, GRACE, name="Grace", room_id=room) as grace:
            await ada.hears(GRACE, of=PITCHES)
            grace.say(Bye())
            await grace.until(grace.gone.is_set)
        await ada.hears(of=PITCHES)
        await ada.until(lambda: [user.name for user in ada.users.users] == ["Ada"])


async def test_a_client_that_dies_is_noticed_by_its_line(port: int, room: str) -> None:
    async with UdpPerson(port, ADA, name="Ada", room_id=room) as ada:
        async with UdpPerson(port, GRACE, name="Grace", room_id=room):
            await ada.hears(GRACE, of=PITCHES)
        await ada.until(lambda: [user.name for user in ada.users.users] == ["Ada"])
        await ada.hears(of=PITCHES)


async def test_all_muted_gives_silence_chunk_after_chunk(port: int, room: str) -> None:
    async with (
        UdpPerson(port, ADA, room_id=room) as ada,
        UdpPerson(port, GRACE, room_id=room) as grace,
    ):
        for person in (ada, grace):
            person.say(Mute(on=True))
        for person in (ada, grace):
            await person.hears(of=PITCHES)
        ada.heard.clear()
        await ada.until(lambda: len(ada.heard) == 100)
        assert all(chunk == SILENT_CHUNK for _, chunk in ada.heard)
        times = [time for time, _ in ada.heard]
        assert times[-1] - times[0] == pytest.approx(99 * CHUNK_S, abs=0.2)


async def test_a_network_made_worse_by_the_host_is_heard(
    port: int, room: str, live_server: LiveServer
) -> None:
    async with (
        UdpPerson(port, ADA, room_id=room) as ada,
        UdpPerson(port, GRACE, room_id=room) as grace,
        aiohttp.ClientSession(live_server.page_url) as http,
    ):
        await ada.hears(GRACE, of=PITCHES)
        headers = {"Authorization": f"Bearer {ada.welcome.resume_token}"}

        async def simulate(network: str) -> None:
            wanted = {"participant_id": grace.welcome.participant_id, "network": network}
            path = f"/api/rooms/{room}/network"
            async with http.put(path, json=wanted, headers=headers) as answer:
                assert answer.status == 200, await answer.text()

        await simulate("loss=100")
        await ada.hears(of=PITCHES)
        await grace.hears(ADA, of=PITCHES)
        await simulate("off")
        await ada.hears(GRACE, of=PITCHES)
        await ada.hears_at(GRACE, AMPLITUDE)


async def test_datagrams_of_strangers_and_floods_change_nothing(port: int, room: str) -> None:
    async with (
        UdpPerson(port, ADA, room_id=room) as ada,
        UdpPerson(port, GRACE, room_id=room) as grace,
    ):
        await ada.hears(GRACE, of=PITCHES)
        await grace.hears(ADA, of=PITCHES)
        noise = bytes(range(256)) * 8
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(300):
                for data in (
                    b"x" * 32 + noise,
                    grace.welcome.client_id.encode() + noise,  # the id, from another address
                    grace.welcome.client_id.encode() + noise[:100],
                    noise * 3,
                    b"",
                ):
                    stranger.sendto(data, ("127.0.0.1", grace.welcome.udp_port))
                await asyncio.sleep(0.002)
        await ada.hears(GRACE, of=PITCHES)
        await ada.hears_at(GRACE, AMPLITUDE)


async def test_clients_without_a_line_meet_in_the_one_room_they_may_enter(port: int) -> None:
    """The old client's way: its id and samples, from the first datagram on, and nothing else."""

    async def speak(sock: socket.socket, pitch_hz: int) -> None:
        samples = 8_000 * np.sin(2 * np.pi * pitch_hz * np.arange(441 * 1024) / 44_100)
        chunks = samples.astype("<i2").reshape(441, 1024)
        for number in itertools.count():
            sock.send(f"Client_{pitch_hz}".encode() + chunks[number % 441].tobytes())
            await asyncio.sleep(CHUNK_S)

    async def hears(sock: socket.socket, *pitches: int) -> None:
        loop = asyncio.get_running_loop()
        heard: deque[bytes] = deque(maxlen=20)
        async with asyncio.timeout(PATIENCE_S):
            while len(heard) < 20 or _pitches_in(b"".join(heard)) != set(pitches):
                chunk = await loop.sock_recv(sock, 65_535)
                assert len(chunk) == CHUNK_BYTES
                heard.append(chunk)

    async with UdpPerson(port, EDSGER, room_id="hall") as edsger, AsyncExitStack() as stack:
        socks = {}
        for pitch in (ADA, GRACE):
            socks[pitch] = sock = stack.enter_context(
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            )
            sock.setblocking(False)
            sock.connect(("127.0.0.1", edsger.welcome.udp_port))
            task = asyncio.create_task(speak(sock, pitch))
            stack.callback(task.cancel)
        await hears(socks[ADA], GRACE, EDSGER)
        await hears(socks[GRACE], ADA, EDSGER)
        await edsger.hears(ADA, GRACE, of=PITCHES)
        names = {user.name for user in edsger.users.users}
        assert {f"Client_{ADA}", f"Client_{GRACE}"} < names


def _pitches_in(chunks: bytes) -> set[int]:
    sound = np.frombuffer(chunks, "<i2").astype(float) / 32768
    turns = np.arange(len(sound)) / 44_100
    levels = {pitch: abs(np.mean(sound * np.exp(-2j * np.pi * pitch * turns))) for pitch in PITCHES}
    return {pitch for pitch, level in levels.items() if level > 0.03}


async def test_a_line_that_is_no_hello_is_told_so_and_closed(port: int) -> None:
    for text in (b"hello?\n", b'{"type":"mute","on":true}\n', b"x" * 5000):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(text)
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.read()
        assert b'"type":"error","reason":"bad_message"' in answer
        writer.close()


async def test_wrong_lines_are_told_and_the_conversation_goes_on(port: int, room: str) -> None:
    async with (
        UdpPerson(port, ADA, room_id=room) as ada,
        UdpPerson(port, GRACE, room_id=room) as grace,
    ):
        ada.say(Volume(participant_id="nobody", gain_db=1.0))
        await ada.until(lambda: ada.errors == ["participant_not_found"])
        await ada.hears(GRACE, of=PITCHES)
        await grace.hears(ADA, of=PITCHES)
