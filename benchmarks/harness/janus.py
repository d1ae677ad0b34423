"""Debian's Janus as a child process with a configuration of its own."""

import asyncio
import shutil
import socket
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.harness.packages import ensure
from benchmarks.harness.server import Server, ServerError, stop
from benchmarks.load.websocket import Websocket, WebsocketError

_START_TIMEOUT_S = 15.0
# What differs from the package's own files: nothing is written or loaded that is not used, rooms
# have names, and the API listens on a free port of the loopback interface.
_FILES = {
    "janus.jcfg": """
general: {{
    configs_folder = "{folder}"
    debug_level = 3
    log_to_stdout = true
    admin_secret = "unused"
}}
certificates: {{}}
media: {{ ipv6 = false }}
nat: {{}}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
events: {{}}
""",
    "janus.plugin.audiobridge.jcfg": "general: {{ string_ids = true }}\n",
    "janus.transport.websockets.jcfg": """
general: {{ ws = true, ws_port = {port}, ws_ip = "127.0.0.1", wss = false }}
admin: {{ admin_ws = false, admin_wss = false }}
cors: {{}}
certificates: {{}}
""",
}
_LIBRARIES = "/usr/lib"
_WANTED = ("libjanus_audiobridge.so", "libjanus_websockets.so")


def ensure_janus() -> None:
    """Install Debian's Janus unless it is there.

    Raises:
        MissingPackageError: it is not there and may not be installed.
    """
    ensure("janus", lambda: shutil.which("janus") is not None)


@asynccontextmanager
async def janus_server() -> AsyncIterator[Server]:
    """Run Janus; its base_url is the websocket of its API.

    Raises:
        ServerError: it does not start.
    """
    port = _free_port()
    url = f"ws://127.0.0.1:{port}/janus"
    with tempfile.TemporaryDirectory(prefix="janus-") as folder:
        _write_configuration(Path(folder), port)
        process = await asyncio.create_subprocess_exec(
            "janus",
            f"--configs-folder={folder}",
            f"--config={folder}/janus.jcfg",
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,
        )
        try:
            await _wait_for(url)
            yield Server("Janus AudioBridge", url, process.pid)
            if process.returncode is not None:
                raise ServerError(f"Janus ended by itself with status {process.returncode}")
        finally:
            await stop(process)


def _write_configuration(folder: Path, port: int) -> None:
    names = sorted(path.name for path in Path(_LIBRARIES).glob("*/janus/*/libjanus_*.so"))
    kinds = {
        kind: ",".join(
            path.name
            for path in sorted(Path(_LIBRARIES).glob(f"*/janus/{kind}/libjanus_*.so"))
            if path.name not in _WANTED
        )
        for kind in ("plugins", "transports")
    }
    if not set(_WANTED) <= set(names):
        raise ServerError(f"Janus's libraries {_WANTED} are not under {_LIBRARIES}")
    for name, text in _FILES.items():
        (folder / name).write_text(text.format(folder=folder, port=port, **kinds), "utf-8")


async def _wait_for(url: str) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + _START_TIMEOUT_S
    while loop.time() < end:
        probe = Websocket(lambda _text: None, lambda: None)
        try:
            await probe.connect(url, "janus-protocol")
        except (OSError, WebsocketError):
            await asyncio.sleep(0.1)
        else:
            probe.close()
            return
    raise ServerError("Janus did not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
