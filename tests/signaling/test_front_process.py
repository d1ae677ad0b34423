"""The front process as the supervisor runs it: its own process, sockets handed down, SIGTERM."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.fake_worker import FakeWorker
from tests.support.front import Client
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.slow  # starts processes

RUN = """
import socket, sys
from webrtc import logs
from webrtc.front import run_front
from webrtc.settings import Settings

runtime_dir, signaling, static = sys.argv[1], *map(int, sys.argv[2:])
sockets = [socket.socket(fileno=one) for one in (signaling, static)]
ports = [one.getsockname()[1] for one in sockets]
settings = Settings(media_workers=1, signaling_port=ports[0], static_port=ports[1])
with logs.writing("front", "DEBUG"):
    run_front(settings, *sockets, runtime_dir)
"""

OFFER = {"type": "offer", "sdp": "v=0 very private sdp"}


class FrontProcess:
    """A front process on sockets that outlive it, with everything that it logs."""

    def __init__(self, runtime_dir: Path) -> None:
        self._runtime_dir = runtime_dir
        self.sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.urls = [f"http://127.0.0.1:{one.getsockname()[1]}" for one in self.sockets]
        self._process: asyncio.subprocess.Process | None = None
        self.log = ""

    async def start(self) -> None:
        """Start it; connections wait in the sockets' backlog until it serves."""
        descriptors = [one.fileno() for one in self.sockets]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            RUN,
            str(self._runtime_dir),
            *map(str, descriptors),
            pass_fds=descriptors,
            stderr=asyncio.subprocess.PIPE,
        )

    async def end(self, number: signal.Signals) -> int:
        """Send a signal, wait for the end, and return the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            _, log = await self._process.communicate()
        self.log += log.decode()
        assert self._process.returncode is not None
        return self._process.returncode

    async def close(self) -> None:
        """Kill it if it runs, and give the ports back."""
        if self._process is not None and self._process.returncode is None:
            await self.end(signal.SIGKILL)
        for one in self.sockets:
            one.close()


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[FakeWorker]:
    worker = FakeWorker(tmp_path / "worker-0.sock")
    await worker.start()
    yield worker
    await worker.stop()


@pytest.fixture
async def process(tmp_path: Path, worker: FakeWorker) -> AsyncIterator[FrontProcess]:
    process = FrontProcess(tmp_path)
    await process.start()
    yield process
    await process.close()


async def connected(url: str) -> Client:
    client = Client()
    async with asyncio.timeout(PATIENCE_S):
        await client.connect(url)
    return client


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_cleanly_and_tells_its_clients(
    process: FrontProcess, number: signal.Signals
) -> None:
    clients = [await connected(url) for url in process.urls]
    for client in clients:
        await client.ok("join_room", "studio")
    assert await process.end(number) == 0
    for client in clients:
        assert await client.event("server_draining") == {"retry_after_s": 2.0}
        await client.gone.wait()
    assert "Traceback" not in process.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_restart_costs_nobody_the_seat(
    process: FrontProcess, worker: FakeWorker, number: signal.Signals
) -> None:
    alice = await connected(process.urls[0])
    ack = await alice.ok("join_room", {"room_id": "studio", "name": "Alice"})
    await alice.ok("offer", OFFER)
    await alice.ok("audio_stream_metadata", {"fader": -3})
    await process.end(number)
    await alice.gone.wait()
    await process.start()
    alice = await connected(process.urls[1])
    back = await alice.ok("join_room", {"resume_token": ack["resume_token"]})
    assert (back["participant_id"], back["settings"]["fader"]) == (ack["participant_id"], -3)
    assert alice.heard("media_reset") == []
    await alice.sio.disconnect()


async def test_nothing_personal_is_logged_even_when_everything_is(process: FrontProcess) -> None:
    alice = await connected(process.urls[0])
    ack = await alice.ok("join_room", {"room_id": "studio", "name": "Very Private Name"})
    await alice.ok("offer", OFFER)
    await alice.refused("join_room", {"room_id": "studio", "name": "Very Private Name"})
    await alice.refused("audio_stream_metadata", {"very private key": 1})
    await alice.lose_socket()
    bob = await connected(process.urls[0])
    await bob.ok("join_room", {"resume_token": ack["resume_token"]})
    await bob.ok("leave_room")
    await bob.sio.disconnect()
    await process.end(signal.SIGTERM)
    assert "the front process serves" in process.log
    secrets = ("ery private", "Private Name", ack["resume_token"], ack["host_key"], "127.0.0.1")
    for secret in secrets:
        assert secret not in process.log
