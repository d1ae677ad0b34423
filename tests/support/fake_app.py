"""The real `webrtc.app` with a front process, media worker and classifier of a few lines each.

The fake front process answers every GET with JSON, and `/health/ready` with 200 once every worker
listens. The fake worker answers a datagram with its index and process id, and obeys one of `crash`.

FAKE_FAILS names a role that ends before it works; FAKE_STUBBORN one that does not heed SIGTERM.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import types
from collections.abc import Coroutine
from pathlib import Path

from webrtc import app
from webrtc.runtime_dir import control_path
from webrtc.settings import Settings, StartError
from webrtc.supervisor_pulse import keep_beating


def _obey(role: str) -> None:
    match os.environ.get("FAKE_FAILS", "").split(":"):
        case [failing, "operator"] if failing == role:
            raise StartError("Only the operator can help.")
        case [failing, "defect"] if failing == role:
            raise RuntimeError("a planted defect")


def _run(role: str, work: Coroutine[None, None, None]) -> None:
    """Run until SIGTERM, as the real ones do."""

    async def until_terminated() -> None:
        task = asyncio.ensure_future(work)
        if os.environ.get("FAKE_STUBBORN") != role:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        else:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    asyncio.run(until_terminated())


def run_worker(
    settings: Settings,
    index: int,
    udp: socket.socket,
    control: Path,
    pulse: Path,
    gateway: socket.socket | None = None,
) -> None:
    _obey("worker")
    _run("worker", _work(index, udp, control, pulse))


async def _work(index: int, udp: socket.socket, control: Path, pulse: Path) -> None:
    loop = asyncio.get_running_loop()

    def answer() -> None:
        message, sender = udp.recvfrom(2048)
        if message == b"crash":
            os._exit(3)
        facts = {"index": index, "pid": os.getpid(), "warm": "spare" in sys.argv}
        udp.sendto(json.dumps(facts).encode(), sender)

    loop.add_reader(udp, answer)
    control.unlink(missing_ok=True)
    async with await asyncio.start_unix_server(lambda _, writer: writer.close(), control):
        await keep_beating(pulse)


def run_classifier(folder: Path, pulse: Path) -> None:
    _obey("classifier")
    _run("classifier", keep_beating(pulse))


def run_front(
    settings: Settings,
    signaling: socket.socket,
    static: socket.socket,
    runtime_dir: Path,
    gateway: socket.socket | None = None,
) -> None:
    _obey("front")
    _run("front", _serve(settings, signaling, static, runtime_dir))


async def _serve(
    settings: Settings, signaling: socket.socket, static: socket.socket, runtime_dir: Path
) -> None:
    async def all_workers_listen() -> bool:
        for index in range(settings.media_workers):
            try:
                _, writer = await asyncio.open_unix_connection(control_path(runtime_dir, index))
            except OSError:
                return False
            writer.close()
        return True

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path = (await reader.readline()).split()[1]
        except (OSError, IndexError, asyncio.CancelledError):  # whoever asked has left, or all ends
            writer.close()
            return
        ready = path != b"/health/ready" or await all_workers_listen()
        facts = {
            "pid": os.getpid(),
            "warm": "spare" in sys.argv,
            "folder_mode": oct(runtime_dir.stat().st_mode & 0o777),
            "announced": settings.announced_ips,
        }
        status = b"200 OK" if ready else b"503 Service Unavailable"
        body = json.dumps(facts).encode()
        writer.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n\r\n" + body)
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(answer, sock=signaling),
        await asyncio.start_server(answer, sock=static),
    ):
        await asyncio.Event().wait()


def _install() -> None:
    front = types.ModuleType("webrtc.front")
    front.run_front = run_front  # type: ignore[attr-defined]
    worker = types.ModuleType("webrtc.media.process")
    worker.run_worker = run_worker  # type: ignore[attr-defined]
    classifier = types.ModuleType("webrtc.classifier.process")
    classifier.run_classifier = run_classifier  # type: ignore[attr-defined]
    sys.modules["webrtc.classifier.process"] = classifier
    warm = types.ModuleType("webrtc.media.warm")
    warm.warm_up = lambda: None  # type: ignore[attr-defined]
    sys.modules["webrtc.media.warm"] = warm
    sys.modules["webrtc.front"] = front
    sys.modules["webrtc.media.process"] = worker


if __name__ == "__main__":
    _install()
    sys.exit(app.main())
