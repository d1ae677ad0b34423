"""A real coturn on a free port, with the secret that the server makes credentials of."""

import asyncio
import contextlib
import socket
import tempfile
from typing import Final, Literal

from tests.support.patience import PATIENCE_S
from tests.support.programs import require

SECRET: Final = "a-secret-of-the-tests-that-is-long-enough"
_HOST: Final = "127.0.0.1"

Transport = Literal["udp", "tcp"]

_THROUGH: Final = """
const Plain = RTCPeerConnection;
globalThis.RTCPeerConnection = class extends Plain {
  constructor(configuration = {}) {
    const iceServers = (configuration.iceServers ?? []).map((server) => ({
      ...server,
      urls: [server.urls].flat().filter((url) => url.endsWith('=%s')),
    }));
    super({ ...configuration, iceServers, iceTransportPolicy: 'relay' });
  }
};
"""


def only_through(transport: Transport) -> str:
    """Return JavaScript that leaves a page no way but a TURN server reached by `transport`.

    Over TCP that is how somebody is there whose network lets no UDP out.
    """
    return _THROUGH % transport


class TurnServer:
    """One server; use it as an asynchronous context.

    Attributes:
        port: where it listens, also after a restart.
    """

    def __init__(self) -> None:
        """Prepare one."""
        self._program = require("coturn")
        with socket.create_server((_HOST, 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: asyncio.subprocess.Process | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="turn-")

    @property
    def urls(self) -> str:
        """Its addresses, as `WEBRTC_TURN_URLS` takes them."""
        address = f"turn:{_HOST}:{self.port}?transport="
        return f"{address}udp,{address}tcp"

    async def __aenter__(self) -> "TurnServer":
        """Start it."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        await self.kill()
        self._folder.cleanup()

    async def start(self) -> None:
        """Start it, or start it again: it remembers nobody."""
        folder = self._folder.name
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            *("--no-cli", "--no-tls", "--no-dtls", "--fingerprint", "--realm=tests"),
            *("--use-auth-secret", f"--static-auth-secret={SECRET}"),
            *(f"--listening-ip={_HOST}", f"--listening-port={self.port}", f"--relay-ip={_HOST}"),
            "--allow-loopback-peers",
            *(f"--pidfile={folder}/pid", f"--db={folder}/db", f"--log-file={folder}/log"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(PATIENCE_S):
            while not await self._answers():
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it at once."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(_HOST, self.port)
        except OSError:
            return False
        writer.close()
        return True
