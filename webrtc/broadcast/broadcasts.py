"""Who runs broadcasts: starts their processes, tells the workers, looks after them.

| state   | event                                        | next   |
|---------|----------------------------------------------|--------|
| (none)  | `start`                                      | live   |
| live    | `stop`, the room is closed, the process died | (none) |

A broadcast is part of its room, so that it outlives a restart of the front process as the room
does, and everybody in the room knows of it, at other replicas, too. The replica that began it runs
it; one that was given up for dead says so when it is back.
"""

import asyncio
import contextlib
import logging
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Final

from rooms import tokens
from rooms.models import Broadcast, Room
from webrtc.broadcast.broadcaster import LIVE, MODULE
from webrtc.broadcast.segments import HEAD, PLAYLIST
from webrtc.errors import ClientError
from webrtc.recording import child
from webrtc.signaling.desk import FrontDesk

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.5
_END_S: Final = 5.0
_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_FILE: Final = re.compile(rf"{re.escape(PLAYLIST)}|{re.escape(HEAD)}|[0-9]{{1,9}}\.m4s")


class Broadcasts:
    """All broadcasts of this server.

    Args:
        desk: where rooms are.
        folder: where segments are written; it goes with the server.
        most: so many at the same time; 0 lets nobody broadcast.
        supervisor: process whose end ends broadcasts.
    """

    def __init__(self, desk: FrontDesk, folder: Path, most: int, supervisor: int) -> None:
        self._desk = desk
        self._folder = folder
        self._most = most
        self._supervisor = supervisor
        self._live: dict[str, Broadcast] = {}  # by room, as this process knows them
        self._keys: dict[str, bytes] = {}  # by broadcast: its room's, by which it is that room
        self._starting: set[str] = set()
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_available(self) -> bool:
        """Whether anything can be broadcast."""
        return self._most > 0

    def begin(self) -> None:
        """Look after broadcasts from now on."""
        if self.is_available:
            self._looking = asyncio.create_task(self._look_on(), name="broadcasts")

    async def close(self) -> None:
        """End every broadcast: the server stops."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _END_S)

    async def start(self, room: Room) -> None:
        """Begin to broadcast a room; one that is broadcast stays as it is.

        Raises:
            ClientError: `broadcast_unavailable`, `server_full`, `room_not_found`.
        """
        if room.broadcast is not None:
            return
        if not self.is_available or room.room_id in self._starting:
            raise ClientError("broadcast_unavailable", "this server broadcasts nothing just now")
        former = self._live.get(room.room_id)
        if former is not None and not self._is_of(room, former):
            await self._end(room.room_id)
        if len(self._live) + len(self._starting) >= self._most:
            raise ClientError("server_full", f"at most {self._most} rooms are broadcast", 30.0)
        self._starting.add(room.room_id)
        try:
            await self._start(room)
        finally:
            self._starting.discard(room.room_id)

    async def stop(self, room: Room) -> None:
        """End a room's broadcast, if there is one."""
        await self._end(room.room_id)

    def file(self, broadcast_id: str, name: str) -> Path | None:
        """Return a file of a broadcast, None if there is none; neither names a path."""
        if not (_ID.fullmatch(broadcast_id) and _FILE.fullmatch(name)):
            return None
        path = self._folder / broadcast_id / name
        return path if path.is_file() else None

    # ---- starting and ending ----

    async def _start(self, room: Room) -> None:
        broadcast_id = tokens.new_secret()
        folder = self._folder / broadcast_id
        try:
            folder.mkdir(mode=0o700, parents=True)
            process, told = await child.launch(
                MODULE, folder, len(self._desk.workers), self._supervisor
            )
        except (OSError, ValueError, TimeoutError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise ClientError("broadcast_unavailable", "the encoder does not start") from error
        workers = self._desk.workers
        rings = {workers.number_of(index): path for index, path in enumerate(told["rings"])}
        home = workers.number_of(workers.workers_of(room)[0])
        broadcast = Broadcast(broadcast_id, rings, told["begin_s"], time.time(), home)
        self._processes[broadcast_id] = process
        self._live[room.room_id] = broadcast
        self._keys[broadcast_id] = room.host_key_hash
        try:
            took = await self._desk.conference.change_broadcast(room.room_id, None, broadcast)
        except ClientError:
            await self._end(room.room_id)
            raise
        if not took:  # another replica was quicker
            await self._end(room.room_id)

    async def _end(self, room_id: str) -> None:
        broadcast = self._live.pop(room_id, None)
        if broadcast is None:
            return
        self._keys.pop(broadcast.broadcast_id, None)
        folder = self._folder / broadcast.broadcast_id
        with contextlib.suppress(OSError):
            (folder / LIVE).unlink()
        if not child.lives(_pid_of(broadcast), MODULE):
            shutil.rmtree(folder, ignore_errors=True)
        conference = self._desk.conference
        with contextlib.suppress(ClientError):
            await conference.change_broadcast(room_id, broadcast.broadcast_id, None)
            self._desk.entrance.let_go(await conference.known_room(room_id))

    # ---- looking after them ----

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self._look()
            except Exception:
                logger.exception("broadcasts were not looked after")

    async def _look(self) -> None:
        rooms = {room.room_id: room for room in await self._desk.conference.store.rooms()}
        for room_id, room in rooms.items():
            broadcast = room.broadcast
            if broadcast is not None and room_id not in self._live and self._is_own(broadcast):
                self._live[room_id] = broadcast  # of a former front process
                self._keys[broadcast.broadcast_id] = room.host_key_hash
        for room_id, broadcast in list(self._live.items()):
            lives = self._is_of(rooms.get(room_id), broadcast)
            lives = lives and child.lives(_pid_of(broadcast), MODULE)
            if not (lives and await self._is_known(broadcast, room_id)):
                await self._end(room_id)
        for broadcast_id, process in list(self._processes.items()):
            if process.returncode is not None:
                del self._processes[broadcast_id]

    async def _is_known(self, broadcast: Broadcast, room_id: str) -> bool:
        """Return whether a room still has our broadcast; it has if nobody began another."""
        room = await self._desk.conference.store.room(room_id)
        if room is None or room_id in self._starting:
            return True
        if not self._is_of(room, broadcast):
            return False
        if room.broadcast is not None:
            return room.broadcast.broadcast_id == broadcast.broadcast_id
        return await self._desk.conference.change_broadcast(room_id, None, broadcast)

    def _is_of(self, room: Room | None, broadcast: Broadcast) -> bool:
        """Return whether a room is the one that is broadcast, and no later one of the same id."""
        return room is not None and room.host_key_hash == self._keys.get(broadcast.broadcast_id)

    def _is_own(self, broadcast: Broadcast) -> bool:
        return any(self._desk.workers.index_of(number) is not None for number in broadcast.rings)


def _pid_of(broadcast: Broadcast) -> int:
    """Return the process that its memory belongs to: `/proc/PID/fd/N`."""
    return int(next(iter(broadcast.rings.values())).split("/")[2])
