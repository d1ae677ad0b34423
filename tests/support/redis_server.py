"""A real redis-server on a free port, with nothing in it, which can be stopped and come back."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S


class RedisServer:
    """One server; use it as an asynchronous context.

    Attributes:
        host: where it is reached, 127.0.0.1.
        port: where it listens, also after a restart.
        folder: its own.
    """

    def __init__(self, *options: str, port: int = 0) -> None:
        """Prepare one.

        Args:
            options: more of its command line.
            port: where to listen; 0 for a free one.
        """
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def __aenter__(self) -> "RedisServer":
        """Start it."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        await self.kill()
        self._folder.cleanup()

    async def start(self) -> None:
        """Start it, or start it again: whatever was in it is gone."""
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed: apt-get install redis-server")
        for left in self.folder.iterdir():
            left.unlink()
        self._process = await asyncio.create_subprocess_exec(
            *self._prefix(), program, *self._arguments(), stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(PATIENCE_S):
            while not await self._answers():
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it at once."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def ask(self, command: str) -> str:
        """Return what it answers to a command, up to 4 kB of it, as it is on the wire."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(f"{command}\r\n".encode())
            return (await reader.read(4096)).decode()
        finally:
            writer.close()

    def hang(self) -> None:
        """Let it stand still: connections stay open, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def run_first(self, priority: int) -> bool:
        """Let it run before ordinary processes, as on a machine of its own; return whether it may.

        Args:
            priority: Of real-time processes, 1 to 99.
        """
        assert self._process is not None
        try:
            os.sched_setscheduler(self._process.pid, os.SCHED_RR, os.sched_param(priority))
        except PermissionError:
            return False
        return True

    def _prefix(self) -> list[str]:
        """Return the program that becomes it, with arguments; none."""
        return []

    def _arguments(self) -> list[str]:
        listens = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        return [*listens, "--dir", str(self.folder), "--loglevel", "warning", *self._options]

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    async def _answers(self) -> bool:
        try:
            return (await self.ask("PING")).startswith(("+PONG", "-NOAUTH"))
        except OSError:
            return False


class Sentinel(RedisServer):
    """A Sentinel that watches one server under the name `main`."""

    def __init__(self, master_port: int) -> None:
        """Prepare one for a server that runs."""
        super().__init__()
        self._master_port = master_port

    @property
    def url(self) -> str:
        """Its address, and the master's name."""
        return f"redis+sentinel://127.0.0.1:{self.port}/main"

    def _arguments(self) -> list[str]:
        config = self.folder / "sentinel.conf"
        lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"sentinel monitor main 127.0.0.1 {self._master_port} 1",
            "sentinel down-after-milliseconds main 500",
            "sentinel failover-timeout main 3000",
        ]
        config.write_text("\n".join([*lines, ""]), "ascii")
        return [str(config), "--sentinel"]


class Cluster:
    """Three servers that are one; use it as an asynchronous context."""

    def __init__(self) -> None:
        """Prepare it."""
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
        self.nodes = [RedisServer(*options) for _ in range(3)]

    @property
    def url(self) -> str:
        """Its address."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    async def __aenter__(self) -> "Cluster":
        """Start it and wait until its nodes agree."""
        for node in self.nodes:
            await node.start()
        first = self.nodes[0]
        bounds = [0, 5461, 10923, 16384]
        for number, node in enumerate(self.nodes):
            await node.ask(f"CLUSTER ADDSLOTSRANGE {bounds[number]} {bounds[number + 1] - 1}")
            await node.ask(f"CLUSTER SET-CONFIG-EPOCH {number + 1}")
            await node.ask(f"CLUSTER MEET 127.0.0.1 {first.port}")
        async with asyncio.timeout(PATIENCE_S):
            for node in self.nodes:
                while "cluster_state:ok" not in await node.ask("CLUSTER INFO"):
                    await asyncio.sleep(0.05)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        for node in self.nodes:
            await node.__aexit__()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody has at the moment.

    A cluster's node takes the port 10,000 above its own as well.
    """
    while True:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            assert isinstance(port, int)
        if port < 55_000:
            return port
