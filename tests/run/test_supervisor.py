"""The supervisor over real processes that do little: see tests/support/fake_app.py."""

import asyncio
import json
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.patience import PATIENCE_S
from tests.support.processes import Program

WORKERS = 2


@dataclass
class Server:
    """A running fake server and its ports."""

    program: Program
    api: int
    page: int
    media: int

    async def ask_worker(self, index: int, message: bytes = b"who") -> dict[str, Any]:
        """Ask again and again: datagrams to a worker that has just died are lost."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.setblocking(False)
            udp.connect(("127.0.0.1", self.media + index))
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    udp.send(message)
                    try:
                        async with asyncio.timeout(0.2):
                            return json.loads(await loop.sock_recv(udp, 2048))
                    except TimeoutError:
                        continue

    async def tell_worker(self, index: int, message: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(message, ("127.0.0.1", self.media + index))

    async def ask_front(self, port: int | None = None) -> dict[str, Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port or self.page)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.read()
        writer.close()
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    async def spares(self, count: int) -> None:
        """Wait until this many spares live."""
        async with asyncio.timeout(PATIENCE_S):
            while sum(" spare " in line for line in self.program.members().values()) < count:
                await asyncio.sleep(0.02)


StartServer = Callable[..., Awaitable[Server]]


@pytest.fixture
async def programs() -> AsyncIterator[list[Program]]:
    started: list[Program] = []
    yield started
    for program in started:
        await program.end()


async def launch(programs: list[Program], **environ: str) -> Program:
    free = {
        "WEBRTC_HOST": "127.0.0.1",
        "WEBRTC_SIGNALING_PORT": "0",
        "WEBRTC_STATIC_PORT": "0",
        "WEBRTC_MEDIA_PORT": "0",
        "WEBRTC_MEDIA_WORKERS": str(WORKERS),
    }
    program = await Program.start(["-m", "tests.support.fake_supervisor"], {**free, **environ})
    programs.append(program)
    return program


@pytest.fixture
def start_server(programs: list[Program]) -> StartServer:
    async def start(**environ: str) -> Server:
        program = await launch(programs, **environ)
        await program.line_with("AG06 Mixer is ready: http://localhost:")
        ports = re.search(
            r"TCP (\d+) \(API\), TCP (\d+) \(page\), UDP (\d+) to (\d+)",
            await program.line_with("listening on"),
        )
        assert ports is not None
        api, page, first, last = map(int, ports.groups())
        assert last == first + WORKERS - 1
        return Server(program, api, page, first)

    return start


async def test_ready_means_that_every_part_answers(start_server: StartServer) -> None:
    server = await start_server()
    workers = [await server.ask_worker(index) for index in range(WORKERS)]
    assert [worker["index"] for worker in workers] == [0, 1]
    by_api, by_page = await server.ask_front(server.api), await server.ask_front(server.page)
    assert by_api["pid"] == by_page["pid"]
    assert by_page["folder_mode"] == "0o700"
    assert f"http://localhost:{server.page}" in server.program.text
    assert server.program.text.count("AG06 Mixer is ready") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_everything_cleanly(
    start_server: StartServer, number: signal.Signals
) -> None:
    server = await start_server()
    await server.spares(2)
    server.program.send(number)
    assert await server.program.wait() == 0
    assert server.program.members() == {}
    assert "Traceback" not in server.program.text


async def test_while_clients_are_given_time_to_move_the_media_workers_serve_on(
    start_server: StartServer,
) -> None:
    server = await start_server(WEBRTC_DRAIN_S="60", FAKE_STUBBORN="front")
    await server.spares(2)
    server.program.send(signal.SIGTERM)
    await server.program.line_with("SIGTERM: ending")
    for _ in range(3):  # the front process takes its time
        assert (await server.ask_worker(0))["index"] == 0
    server.program.send(signal.SIGTERM)  # asked again, nobody waits
    assert await server.program.wait() == 0
    assert server.program.members() == {}


async def test_whoever_has_moved_all_clients_ends_at_once(start_server: StartServer) -> None:
    server = await start_server(WEBRTC_DRAIN_S="60")
    await server.spares(2)
    server.program.send(signal.SIGTERM)
    assert await server.program.wait() == 0
    assert server.program.members() == {}


async def test_a_signal_during_the_start_ends_everything_too(programs: list[Program]) -> None:
    program = await launch(programs)
    await program.line_with("listening on")
    program.send(signal.SIGTERM)
    assert await program.wait() == 0
    assert program.members() == {}


async def test_ctrl_c_in_a_terminal_is_the_supervisors_business_alone(
    programs: list[Program],
) -> None:
    program = await launch(programs)
    async with asyncio.timeout(PATIENCE_S):
        while len(program.members()) < 2:  # children that are importing would show a traceback
            await asyncio.sleep(0)
    await program.line_with("listening on")
    program.press_ctrl_c()
    assert await program.wait() == 0
    assert program.members() == {}
    assert "Traceback" not in program.text


async def test_a_dead_worker_comes_back_warm_on_its_port_and_the_others_stay(
    start_server: StartServer,
) -> None:
    server = await start_server()
    await server.spares(2)
    before = [await server.ask_worker(index) for index in range(WORKERS)]
    front = await server.ask_front()
    await server.tell_worker(1, b"crash")
    await server.program.line_with("media worker 1 ended: exit status 3")
    after = await server.ask_worker(1)
    assert (after["index"], after["warm"]) == (1, True)
    assert after["pid"] != before[1]["pid"]
    assert await server.ask_worker(0) == before[0]
    assert await server.ask_front() == front
    assert await server.ask_front(server.api) == front


async def test_a_dead_front_process_comes_back_on_its_ports_without_refusing_anyone(
    start_server: StartServer,
) -> None:
    server = await start_server()
    await server.spares(2)
    before = await server.ask_front()
    workers = [await server.ask_worker(index) for index in range(WORKERS)]
    os.kill(before["pid"], signal.SIGKILL)
    # Connecting never fails, not even now: the listeners are the supervisor's.
    (await asyncio.open_connection("127.0.0.1", server.page))[1].close()
    await server.program.line_with("front process ended: killed by SIGKILL")
    after = await server.ask_front()
    assert after["pid"] != before["pid"]
    assert after["warm"]
    assert [await server.ask_worker(index) for index in range(WORKERS)] == workers


async def test_deaths_in_a_row_are_survived_with_and_without_a_spare(
    start_server: StartServer,
) -> None:
    server = await start_server()
    seen = set()
    for _ in range(3):
        seen.add((await server.ask_worker(0))["pid"])
        await server.tell_worker(0, b"crash")
        async with asyncio.timeout(PATIENCE_S):
            while (await server.ask_worker(0))["pid"] in seen:
                await asyncio.sleep(0.01)
    assert len(seen) == 3


async def test_a_child_that_hangs_is_replaced(start_server: StartServer) -> None:
    server = await start_server()
    await server.spares(2)
    before = await server.ask_worker(0)
    other = await server.ask_worker(1)
    os.kill(before["pid"], signal.SIGSTOP)
    await server.program.line_with("media worker 0 gives no sign of life")
    after = await server.ask_worker(0)
    assert after["pid"] != before["pid"]
    assert (await server.ask_worker(1))["pid"] == other["pid"]


async def test_nothing_outlives_a_supervisor_killed_by_sigkill(start_server: StartServer) -> None:
    server = await start_server()
    await server.spares(2)
    assert len(server.program.members()) == 1 + WORKERS + 1 + 1 + 2
    server.program.send(signal.SIGKILL)
    await server.program.wait()
    await server.program.nothing_left()


async def test_nothing_outlives_a_supervisor_killed_while_it_starts(
    programs: list[Program],
) -> None:
    program = await launch(programs)
    async with asyncio.timeout(PATIENCE_S):
        while len(program.members()) < 2:  # the first child exists, and is still importing
            await asyncio.sleep(0)
    program.send(signal.SIGKILL)
    await program.wait()
    await program.nothing_left()


async def test_a_child_that_ignores_sigterm_is_killed(start_server: StartServer) -> None:
    server = await start_server(FAKE_STUBBORN="worker")
    server.program.send(signal.SIGTERM)
    assert await server.program.wait() == 0
    assert server.program.members() == {}


async def test_a_second_signal_while_everything_ends_does_no_harm(
    start_server: StartServer,
) -> None:
    server = await start_server(FAKE_STUBBORN="front")
    server.program.send(signal.SIGINT)
    await server.program.line_with("SIGINT: ending")
    server.program.send(signal.SIGINT)
    assert await server.program.wait() == 0
    assert server.program.members() == {}


@pytest.mark.parametrize("role", ["front", "worker"])
async def test_what_only_the_operator_can_help_ends_the_start_with_status_2(
    programs: list[Program], role: str
) -> None:
    program = await launch(programs, FAKE_FAILS=f"{role}:operator")
    assert await program.wait() == 2
    assert program.members() == {}
    assert "Only the operator can help." in program.text
    assert "Traceback" not in program.text, program.text
    assert "ready" not in program.text


async def test_a_part_that_dies_again_and_again_ends_the_start_with_status_1(
    programs: list[Program],
) -> None:
    program = await launch(programs, FAKE_FAILS="worker:defect")
    assert await program.wait() == 1
    assert program.members() == {}
    assert "a planted defect" in program.text
    assert "is ready" not in program.text


async def test_the_server_goes_on_without_a_classifier_that_cannot_start(
    programs: list[Program],
) -> None:
    program = await launch(programs, FAKE_FAILS="classifier:defect")
    await program.line_with("is ready")
    await program.line_with("classifier ended: exit status 1")
    program.send(signal.SIGTERM)
    assert await program.wait() == 0
    assert program.members() == {}
