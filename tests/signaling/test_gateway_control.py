"""The lines of the UDP gateway at a front process whose workers are pretended."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.wire.lines import Bye, Hello, Ping, Users, Welcome, read_server_line, write_line
from tests.support.fake_worker import FakeWorker
from tests.support.front import RunningFront, running_front
from tests.support.patience import PATIENCE_S
from webrtc.control.messages import DropParticipant, PutParticipant
from webrtc.front_limits import FrontLimits

GATEWAY_PORT = 5003  # a pretended worker's


class Line:
    """A client's line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, said: Any) -> Any:
        """Say something and return the next line of the server."""
        self.writer.write(said if isinstance(said, bytes) else write_line(said))
        return await self.hear()

    async def hear(self, kind: type = object) -> Any:
        """Return the next line of a kind; None when the line is closed."""
        async with asyncio.timeout(PATIENCE_S):
            while text := await self.reader.readline():
                said = read_server_line(text)
                if isinstance(said, kind):
                    return said
        return None


class Gateway:
    def __init__(self, front: RunningFront, port: int) -> None:
        self.front, self._port = front, port
        self.lines: list[Line] = []

    async def line(self) -> Line:
        line = Line(*await asyncio.open_connection("127.0.0.1", self._port))
        self.lines.append(line)
        return line


@asynccontextmanager
async def opened(folder: Path, limits: FrontLimits | None = None) -> AsyncIterator[Gateway]:
    worker = FakeWorker(folder / "worker-0.sock")
    worker.gateway_port = GATEWAY_PORT
    await worker.start()
    async with running_front(folder, [worker], limits) as front:
        listener = socket.create_server(("127.0.0.1", 0))
        await front.front.gateway.start(listener)
        gateway = Gateway(front, listener.getsockname()[1])
        yield gateway
        for line in gateway.lines:
            line.writer.close()
    await worker.stop()


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with opened(tmp_path) as made:
        yield made


async def told(gateway: Gateway, kind: type, accept: Any = lambda _: True) -> Any:
    """Wait until the worker was told something of a kind."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for message in reversed(gateway.front.worker.handled):
                if isinstance(message, kind) and accept(message):
                    return message
            await asyncio.sleep(0.01)


async def test_a_hello_becomes_a_participant_of_the_worker(gateway: Gateway) -> None:
    line = await gateway.line()
    welcome = await line.ask(Hello(name="Ada", room_id="r", payload="opus"))
    assert isinstance(welcome, Welcome)
    assert (welcome.udp_port, welcome.room_id) == (GATEWAY_PORT, "r")
    put = await told(gateway, PutParticipant, lambda put: put.udp is not None)
    assert put.participant_id == welcome.participant_id
    assert (put.udp.client_id, put.udp.payload) == (welcome.client_id, "opus")
    assert put.udp.host == 0x7F00_0001
    users = await line.hear(Users)
    assert [user.name for user in users.users] == ["Ada"]


async def test_a_client_id_is_never_shown_to_others(gateway: Gateway) -> None:
    browser, _ = await gateway.front.joined("r")
    welcome = await (await gateway.line()).ask(Hello(name="Ada", room_id="r"))
    joined = await browser.event("participant_updated", lambda one: one["kind"] == "udp")
    assert welcome.client_id not in msgspec.json.encode(joined).decode()


@pytest.mark.parametrize("farewell", ["bye", "close"])
async def test_who_says_goodbye_or_hangs_up_has_left(gateway: Gateway, farewell: str) -> None:
    line = await gateway.line()
    welcome = await line.ask(Hello(room_id="r"))
    if farewell == "bye":
        line.writer.write(write_line(Bye()))
    else:
        line.writer.close()
    dropped = await told(gateway, DropParticipant)
    assert dropped.participant_id == welcome.participant_id


async def test_a_resume_token_brings_the_same_participant_with_another_id(
    gateway: Gateway,
) -> None:
    line = await gateway.line()
    first = await line.ask(Hello(room_id="r"))
    other = await gateway.line()
    second = await other.ask(Hello(resume_token=first.resume_token))
    assert second.participant_id == first.participant_id
    assert second.client_id != first.client_id
    assert (await line.hear(Bye)).reason == "replaced"


async def test_a_closed_room_ends_its_lines(gateway: Gateway) -> None:
    line = await gateway.line()
    await line.ask(Hello(room_id="r"))
    room = await gateway.front.front.desk.conference.store.room("r")
    assert room is not None
    await gateway.front.front.desk.close_room(room)
    assert (await line.hear(Bye)).reason == "room_closed"
    assert await line.hear() is None


async def test_there_is_an_end_to_lines(tmp_path: Path) -> None:
    async with opened(tmp_path, FrontLimits(max_sockets=1)) as gateway:
        first = await gateway.line()
        assert isinstance(await first.ask(Hello(room_id="r")), Welcome)
        refused = await (await gateway.line()).hear()
        assert refused.reason == "server_full"


async def test_a_client_that_is_gone_before_it_is_looked_at_leaves_nothing_behind(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    known = asyncio.StreamWriter.get_extra_info

    def of_a_lost_client(writer: asyncio.StreamWriter, name: str, default: Any = None) -> Any:
        return None if name == "peername" else known(writer, name, default)

    monkeypatch.setattr(asyncio.StreamWriter, "get_extra_info", of_a_lost_client)
    line = await gateway.line()
    assert await line.hear() is None
    assert gateway.front.front.dispatcher.sockets == 0
    assert caplog.records == []


async def test_a_line_that_says_too_much_is_told_so(tmp_path: Path) -> None:
    async with opened(tmp_path, FrontLimits(event_rate_per_s=0.001, event_burst=3)) as gateway:
        line = await gateway.line()
        await line.ask(Hello(room_id="r"))
        for _ in range(10):
            line.writer.write(write_line(Ping()))
        async with asyncio.timeout(PATIENCE_S):
            while getattr(await line.hear(), "reason", "") != "rate_limited":
                pass
