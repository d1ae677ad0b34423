"""The door of Janus's AudioBridge: its JSON API over a websocket."""

import asyncio
import contextlib
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from benchmarks.load.doors import DoorError, Entry
from benchmarks.load.sdp import Direction
from benchmarks.load.websocket import Websocket

_ANSWER_TIMEOUT_S = 30.0
_KEEPALIVE_S = 25.0  # Janus ends a session after 60 s of silence
_ROOM_EXISTS = 486


@dataclass(frozen=True, slots=True)
class AudioBridgeSettings:
    """What a room and its participants ask of AudioBridge.

    Attributes:
        stereo: spatial audio, AudioBridge's only way to a stereo mix.
        bitrate_bps: of each participant's encoder; None leaves it to libopus.
        prebuffer: packets that it waits for before it mixes; None means its default of 6.
    """

    stereo: bool = True
    bitrate_bps: int | None = 96_000
    prebuffer: int | None = None


class JanusConnection:
    """One session with one handle."""

    def __init__(self) -> None:
        self._websocket = Websocket(self._on_text, self._on_closed)
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._session: dict[str, int] = {}
        self._keepalive: asyncio.Task[None] | None = None

    async def open(self, url: str) -> None:
        """Connect and attach to the plugin."""
        await self._websocket.connect(url, "janus-protocol")
        created = await self._call({"janus": "create"})
        self._session["session_id"] = created["data"]["id"]
        attached = await self._call({"janus": "attach", "plugin": "janus.plugin.audiobridge"})
        self._session["handle_id"] = attached["data"]["id"]
        self._keepalive = asyncio.create_task(self._keep_alive(), name="janus keepalive")

    async def request(self, body: dict[str, object], offer: str | None = None) -> dict[str, Any]:
        """Send a request to the plugin and return its answer, not the acknowledgement before it.

        Raises:
            DoorError: the plugin stayed silent or Janus refused.
        """
        message: dict[str, object] = {"janus": "message", "body": body}
        if offer is not None:
            message["jsep"] = {"type": "offer", "sdp": offer}
        return await self._call(message)

    def close(self) -> None:
        """Hang up; Janus ends the session with its connection."""
        if self._keepalive is not None:
            self._keepalive.cancel()
        self._websocket.close()

    async def _call(self, message: dict[str, object]) -> dict[str, Any]:
        transaction = str(next(self._numbers))
        loop = asyncio.get_running_loop()
        answer = self._waiting[transaction] = loop.create_future()
        self._websocket.send_text(
            json.dumps({**message, **self._session, "transaction": transaction})
        )
        try:
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                answered = await answer
        except TimeoutError:
            raise DoorError(f"Janus did not answer {message['janus']}") from None
        finally:
            del self._waiting[transaction]
        if answered["janus"] == "error":
            raise DoorError(f"Janus: {answered['error']}")
        return dict(answered)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(_KEEPALIVE_S)
            with contextlib.suppress(DoorError):
                self._websocket.send_text(
                    json.dumps(
                        {
                            "janus": "keepalive",
                            "session_id": self._session["session_id"],
                            "transaction": "keepalive",
                        }
                    )
                )

    def _on_text(self, text: str) -> None:
        message = json.loads(text)
        waiting = self._waiting.get(message.get("transaction", ""))
        if waiting is not None and not waiting.done() and message["janus"] != "ack":
            waiting.set_result(message)

    def _on_closed(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(DoorError("Janus hung up"))


@dataclass(frozen=True, slots=True)
class JanusDoor:
    """Opens rooms and seats in AudioBridge."""

    url: str
    settings: AudioBridgeSettings = field(default_factory=AudioBridgeSettings)

    async def enter(self, room: str, direction: Direction, offer: str) -> Entry:
        """Create the room if need be, join it, and negotiate."""
        connection = JanusConnection()
        await connection.open(self.url)
        await self._create_room(connection, room)
        joined = await connection.request({"request": "join", "room": room, **self._wishes()})
        _check(joined)
        configured = await connection.request(
            {"request": "configure", "muted": direction == "recvonly"}, offer
        )
        _check(configured)
        return Entry(configured["jsep"]["sdp"], connection)

    async def _create_room(self, connection: JanusConnection, room: str) -> None:
        created = await connection.request(
            {
                "request": "create",
                "room": room,
                "sampling_rate": 48_000,
                "spatial_audio": self.settings.stereo,
                "audiolevel_event": False,
            }
        )
        data = created["plugindata"]["data"]
        if data.get("error_code") not in (None, _ROOM_EXISTS):
            raise DoorError(f"AudioBridge: {data['error']}")

    def _wishes(self) -> dict[str, int]:
        wishes = {
            "bitrate": self.settings.bitrate_bps,
            "prebuffer": self.settings.prebuffer,
        }
        return {name: value for name, value in wishes.items() if value is not None}


def _check(answered: dict[str, Any]) -> None:
    data = answered["plugindata"]["data"]
    if "error" in data:
        raise DoorError(f"AudioBridge: {data['error']}")
