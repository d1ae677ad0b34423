"""The real front process's parts on an ephemeral port, with fake workers, and a real client."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import socketio

from rooms.store import RoomStore
from tests.support.fake_worker import FakeWorker
from tests.support.patience import PATIENCE_S
from webrtc.front import Front
from webrtc.front_limits import FrontLimits
from webrtc.settings import Settings


class Client:
    """A python-socketio client that keeps every event it gets."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        """Set when the socket is closed, by whomever."""
        self.sio = socketio.AsyncClient(reconnection=False)
        self.sio.on("disconnect", lambda *_: self.gone.set())
        self.events: list[tuple[str, Any]] = []
        self._changed = asyncio.Condition()
        self.sio.on("*", self._on_event)

    async def connect(self, url: str, auth: Mapping[str, str] | None = None) -> None:
        """Open the socket; the library itself would give up after a second."""
        await self.sio.connect(url, auth=auth, transports=["websocket"], wait_timeout=PATIENCE_S)

    async def _on_event(self, event: str, *args: Any) -> None:
        async with self._changed:
            self.events.append((event, args[0] if args else None))
            self._changed.notify_all()

    async def call(self, event: str, *payload: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement."""
        ack = await self.sio.call(event, payload or None, timeout=PATIENCE_S)
        assert isinstance(ack, dict)
        return ack

    async def ok(self, event: str, *payload: Any) -> dict[str, Any]:
        """Send an event that must succeed."""
        ack = await self.call(event, *payload)
        assert ack["ok"] is True, ack
        return ack

    async def refused(self, event: str, *payload: Any) -> str:
        """Send an event that must be refused; return the reason."""
        ack = await self.call(event, *payload)
        assert ack["ok"] is False
        assert ack["error"]["detail"]
        reason = ack["error"]["reason"]
        assert isinstance(reason, str)
        return reason

    async def event(self, name: str, accept: Callable[[Any], bool] = lambda _: True) -> Any:
        """Wait for an event, remove it and all before it, and return its payload."""

        def position() -> int | None:
            for index, (event, payload) in enumerate(self.events):
                if event == name and accept(payload):
                    return index
            return None

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: position() is not None)
            index = position()
            assert index is not None
            payload = self.events[index][1]
            del self.events[: index + 1]
            return payload

    def heard(self, name: str) -> list[Any]:
        """Return the payloads of an event so far."""
        return [payload for event, payload in self.events if event == name]

    async def lose_socket(self) -> None:
        """Break the connection without a word, as a network does."""
        websocket = self.sio.eio.ws
        websocket._response.connection.transport.abort()
        await self.gone.wait()


@dataclass
class RunningFront:
    """A front process under test."""

    front: Front
    url: str
    workers: list[FakeWorker]
    http: aiohttp.ClientSession
    clients: list[Client] = field(default_factory=list)

    @property
    def worker(self) -> FakeWorker:
        """The only worker."""
        (worker,) = self.workers
        return worker

    async def client(self) -> Client:
        """Connect one more client."""
        client = Client()
        await client.connect(self.url)
        self.clients.append(client)
        return client

    async def joined(self, room_id: str = "room", **request: Any) -> tuple[Client, dict[str, Any]]:
        """Connect a client and let it join; return it and the acknowledgement."""
        client = await self.client()
        return client, await client.ok("join_room", {"room_id": room_id, **request})

    async def close_clients(self) -> None:
        """Disconnect every client."""
        for client in self.clients:
            await client.sio.disconnect()


@asynccontextmanager
async def running_front(
    runtime_dir: Path,
    workers: int | list[FakeWorker] = 1,
    limits: FrontLimits | None = None,
    store: RoomStore | None = None,
    **settings: Any,
) -> AsyncIterator[RunningFront]:
    """Run a front process; workers that are given are running already and stay so."""
    own = []
    if isinstance(workers, int):
        own = [FakeWorker(runtime_dir / f"worker-{i}.sock", i) for i in range(workers)]
        workers = own
    for worker in own:
        await worker.start()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    front = Front.build(
        Settings(media_workers=len(workers), signaling_port=port, **{"static_port": 1, **settings}),
        runtime_dir,
        limits,
        store,
    )
    await front.start([listener])
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        running = RunningFront(front, f"http://127.0.0.1:{port}", workers, http)
        try:
            yield running
        finally:
            await running.close_clients()
            await front.stop()
            for worker in own:
                await worker.stop()
