"""The real server, started as an operator starts it, on ports that nobody else has."""

import contextlib
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import Program

_FREE_PORTS = {
    "WEBRTC_SIGNALING_PORT": "0",
    "WEBRTC_STATIC_PORT": "0",
    "WEBRTC_MEDIA_PORT": "0",
    "LOG_LEVEL": "INFO",
}
_READY = "AG06 Mixer is ready: "


@dataclass
class LiveServer:
    """A running `start_webrtc.py`.

    Attributes:
        program: the process, its output and everything that it started.
        page_url: address of the page; the API answers there too.
        api_url: address of the signaling port.
        media_ports: UDP port of each worker.
    """

    program: Program
    page_url: str
    api_url: str
    media_ports: list[int]

    @classmethod
    async def start(cls, **environ: str) -> "LiveServer":
        """Start it with these settings and wait until it says that it is ready."""
        program = await Program.start(["start_webrtc.py"], {**_FREE_PORTS, **environ})
        try:
            ready = await program.line_with(_READY, timeout_s=60)
            ports = re.search(
                r"TCP (\d+) \(API\), TCP \d+ \(page\), UDP (\d+) to (\d+)",
                await program.line_with("listening on"),
            )
            assert ports is not None
        except BaseException:
            await program.end()
            raise
        page_url = ready.partition(_READY)[2].strip()
        host = page_url.rpartition(":")[0]
        api, first, last = map(int, ports.groups())
        return cls(program, page_url, f"{host}:{api}", list(range(first, last + 1)))

    @property
    def page_port(self) -> int:
        """TCP port of the page."""
        return int(self.page_url.rpartition(":")[2])

    def worker_pid(self, index: int) -> int:
        """Return the process that serves a worker's UDP port now."""
        return self._holder("udp", self.media_ports[index])

    def front_pid(self) -> int:
        """Return the process that answers on the page's port now."""
        return self._holder("tcp", self.page_port)

    async def restart(self) -> None:
        """Stop it and start it again on the same ports, with default settings else.

        Raises:
            AssertionError: as `stop` does.
        """
        await self.stop()
        ports = {
            "WEBRTC_SIGNALING_PORT": self.api_url.rpartition(":")[2],
            "WEBRTC_STATIC_PORT": str(self.page_port),
            "WEBRTC_MEDIA_PORT": str(self.media_ports[0]),
        }
        self.program = (await LiveServer.start(**ports)).program

    async def stop(self) -> None:
        """End it by SIGTERM.

        Raises:
            AssertionError: it ended with an error, left a process behind, or logged a traceback.
        """
        try:
            self.program.send(signal.SIGTERM)
            status = await self.program.wait()
            assert status == 0, f"exit status {status}:\n{self.program.text}"
            assert self.program.members() == {}, "processes were left behind"
            assert "Traceback" not in self.program.text, self.program.text
        finally:
            await self.program.end()

    def _holder(self, protocol: str, port: int) -> int:
        """Return the child that has the socket open; the supervisor has all of them."""
        inodes = _inodes(protocol, port)
        for pid in self.program.members():
            if pid != self.program.pid and inodes & _open_sockets(pid):
                return pid
        raise AssertionError(f"no process serves {protocol} port {port}")


def _inodes(protocol: str, port: int) -> set[str]:
    """Return the inode numbers of the sockets bound to a local port (proc_net_tcp(5))."""
    rows = Path(f"/proc/net/{protocol}").read_text("ascii").splitlines()[1:]
    fields = [row.split() for row in rows]
    unconnected = "00000000:0000"
    return {row[9] for row in fields if row[1].endswith(f":{port:04X}") and row[2] == unconnected}


def _open_sockets(pid: int) -> set[str]:
    inodes = set()
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                inodes.add(os.readlink(entry.path).removeprefix("socket:[").removesuffix("]"))
    return inodes
