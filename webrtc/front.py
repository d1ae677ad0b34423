"""The front process: rooms, signaling, REST and the page, on two listening sockets.

It may stall, die or be replaced without a sound being lost: the media workers keep playing, and the
next front process learns from them who is in which room.
"""

import asyncio
import itertools
import logging
import os
import resource
import signal
import socket
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from aiohttp import web

from rooms.memory_store import MemoryRoomStore
from rooms.shared_store import SharedRoomStore
from rooms.store import RoomStore
from webrtc import tracing
from webrtc.access import Access
from webrtc.api.app import build_app
from webrtc.api.broadcasts import BroadcastsResource
from webrtc.api.http_media import http_media_routes
from webrtc.api.pages import page_files
from webrtc.api.playbacks import PlaybacksResource
from webrtc.api.recordings import RecordingsResource
from webrtc.api.sessions import SessionsResource
from webrtc.broadcast.broadcasts import Broadcasts
from webrtc.front_addresses import Addresses
from webrtc.front_archive import session_parts
from webrtc.front_http_log import http_logger
from webrtc.front_limits import FrontLimits
from webrtc.front_origins import OriginPolicy
from webrtc.front_tls import Certificate
from webrtc.garbage import collect_every_minute, set_aside_what_is_there
from webrtc.gateway_control import GatewayControl
from webrtc.gateway_plain import PlainClients
from webrtc.playback.players import Players
from webrtc.recording.recordings import Recordings
from webrtc.runtime_dir import archive_path, control_path, pulse_path
from webrtc.settings import Settings
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.dispatch import Dispatcher
from webrtc.signaling.http_sessions import HttpSessions
from webrtc.signaling.socketio_adapter import SignalingServer
from webrtc.supervisor_pulse import keep_beating
from webrtc.turn import IceServers

logger = logging.getLogger(__name__)

_BACKLOG: Final = 1024
_SHUTDOWN_S: Final = 2.0
_SHARE_OF_DRAIN: Final = 0.5
"""Of the time to move, that in which the last one is told to; clients add half of it at random."""
_MAX_FILES: Final = 65_536
_FILES_BESIDE_SOCKETS: Final = 128


def run_front(
    settings: Settings,
    signaling_socket: socket.socket,
    static_socket: socket.socket,
    runtime_dir: str | Path,
    gateway_socket: socket.socket | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: what the operator decided.
        signaling_socket: bound and listening; Socket.IO and REST.
        static_socket: bound and listening; the page, and all of the above.
        runtime_dir: folder of the workers' control sockets.
        gateway_socket: bound and listening; the lines of the UDP gateway, None for no gateway.
    """
    sockets = [signaling_socket, static_socket]
    with tracing.traced(settings.replica):
        asyncio.run(_serve(settings, sockets, Path(runtime_dir), gateway_socket))


async def _serve(
    settings: Settings,
    sockets: list[socket.socket],
    runtime_dir: Path,
    gateway_socket: socket.socket | None,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    limits = FrontLimits()
    room_for_sockets = max(1, _open_files() - _FILES_BESIDE_SOCKETS)
    limits = replace(
        limits,
        max_sockets=min(limits.max_sockets, room_for_sockets),
        room_share=settings.room_share,
        max_rooms=settings.max_rooms,
        max_participants=settings.max_participants,
        max_rooms_per_tenant=settings.max_rooms_per_tenant,
        max_participants_per_tenant=settings.max_participants_per_tenant,
        max_participants_per_room=settings.max_room_participants,
        max_publishers_per_room=settings.max_room_publishers,
    )
    beating = asyncio.create_task(keep_beating(pulse_path(runtime_dir)), name="pulse")
    front = Front.build(settings, runtime_dir, limits)
    await front.start(sockets, gateway_socket)
    set_aside_what_is_there()
    collecting = asyncio.create_task(collect_every_minute(), name="garbage")
    logger.info("the front process serves with %d media workers", settings.media_workers)
    try:
        await stop.wait()
        await front.drain(settings.drain_s)
    finally:
        await front.stop()
        beating.cancel()
        collecting.cancel()


def _open_files() -> int:
    """Raise the limit of open files, often 1,024, as far as makes sense, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return _MAX_FILES if soft == resource.RLIM_INFINITY else soft


def _store(settings: Settings) -> RoomStore:
    """Return where rooms are kept."""
    if settings.redis is None:
        return MemoryRoomStore()
    turns = itertools.cycle(range(settings.media_workers))
    store = SharedRoomStore(settings.redis, settings.replica_number, partial(next, turns))
    store.around_writes = partial(tracing.span, "redis write")
    return store


@dataclass
class Front:
    """The assembled front process; `build` is the only place that knows every part."""

    desk: FrontDesk
    dispatcher: Dispatcher
    signaling: SignalingServer
    app: web.Application
    runner: web.AppRunner
    gateway: GatewayControl
    plain: PlainClients
    sessions: HttpSessions
    players: Players
    recordings: Recordings
    broadcasts: Broadcasts
    announced_ip: str
    certificate: Certificate | None
    archive_socket: Path
    watching: asyncio.Task[None] | None = None

    @classmethod
    def build(
        cls,
        settings: Settings,
        runtime_dir: Path,
        limits: FrontLimits | None = None,
        store: RoomStore | None = None,
    ) -> "Front":
        """Put the parts together; nothing runs yet."""
        limits = limits or FrontLimits()
        workers = [control_path(runtime_dir, index) for index in range(settings.media_workers)]
        ice_servers = IceServers(settings.ice_servers, settings.turn_urls, settings.turn_secret)
        addresses = Addresses(settings.trusted_proxies)
        rooms = store or _store(settings)
        shared = rooms.revocations if isinstance(rooms, SharedRoomStore) else None
        access = Access.of(settings, shared)
        replica = settings.replica_number
        desk = FrontDesk(
            rooms,
            workers,
            limits,
            ice_servers,
            access=access,
            replica=replica,
            archive=session_parts(settings),
            simulated_network=settings.simulated_network,
        )
        dispatcher = Dispatcher(desk)
        signaling = SignalingServer(dispatcher, limits.max_sockets, addresses)
        origins = OriginPolicy.of(settings)
        sessions = HttpSessions(desk, dispatcher)
        players = Players(desk, dispatcher, runtime_dir)
        root = settings.recordings_dir
        recordings = Recordings(
            desk,
            None if root is None else Path(root),
            settings.recordings_max_mb << 20,
            settings.recordings_min_free_mb << 20,
            os.getppid(),
        )
        broadcasts = Broadcasts(desk, runtime_dir / "hls", settings.hls_broadcasts, os.getppid())
        further = [
            *BroadcastsResource(desk, broadcasts).routes,
            *RecordingsResource(desk, recordings).routes,
            *http_media_routes(sessions, ice_servers, addresses),
            *PlaybacksResource(desk, players, settings.upload_max_mb << 20).routes,
            *SessionsResource(desk.sessions, players).routes,
        ]
        app = build_app(desk, dispatcher, signaling, page_files(), origins, further, addresses)
        runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            logger=http_logger(),
            shutdown_timeout=_SHUTDOWN_S,
            keepalive_timeout=limits.idle_connection_s,
        )
        gateway = GatewayControl(desk, dispatcher)
        plain = PlainClients(desk, dispatcher, settings.udp_plain_room)
        announced = settings.announced_ips[0]
        parts = (desk, dispatcher, signaling, app, runner, gateway, plain, sessions, players)
        archive = archive_path(runtime_dir)
        return cls(*parts, recordings, broadcasts, announced, Certificate.of(settings), archive)

    async def start(
        self, sockets: list[socket.socket], gateway_socket: socket.socket | None = None
    ) -> None:
        """Take over what the workers remember, then serve on `sockets`."""
        if self.desk.shared is not None:
            scheme = "http" if self.certificate is None else "https"
            port = sockets[0].getsockname()[1]
            self.desk.shared.url = f"{scheme}://{self.announced_ip}:{port}"
        await self.desk.start()
        self.sessions.start()
        self.players.start()
        self.desk.sessions.start(self.archive_socket)
        await self.recordings.begin()
        self.broadcasts.begin()
        await self.runner.setup()
        context = None
        if self.certificate is not None:
            context = self.certificate.context
            self.watching = asyncio.create_task(self.certificate.watch(), name="certificate")
        for listener in sockets:
            site = web.SockSite(self.runner, listener, ssl_context=context, backlog=_BACKLOG)
            await site.start()
        if gateway_socket is not None:
            await self.gateway.start(gateway_socket)
        self.plain.start()

    async def drain(self, within_s: float) -> None:
        """Let everyone move to other replicas, one after the other; 0 gives nobody time."""
        if within_s > 0:
            self.desk.drain(_SHARE_OF_DRAIN * within_s)
            await self.desk.drained(within_s)

    async def stop(self) -> None:
        """Tell everyone to come back, close every socket, leave the workers playing."""
        self.desk.drain()
        if self.watching is not None:
            self.watching.cancel()
        await self.gateway.close()
        await self.plain.close()
        await self.sessions.close()
        await self.players.close()
        await self.recordings.close()
        await self.broadcasts.close()
        await self.signaling.close()
        await self.runner.cleanup()
        await self.desk.sessions.close()
        await self.desk.leave_replicas()
        await self.desk.close()
