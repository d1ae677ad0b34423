"""Who runs recordings: starts their processes, tells the workers, looks after them.

| state     | event                                        | next      |
|-----------|----------------------------------------------|-----------|
| (none)    | `start`                                      | recording |
| recording | `pause`                                      | paused    |
| paused    | `resume`                                     | recording |
| both      | `stop`, the room is closed, the server stops | (none)    |
| both      | the disk is full, the process is gone        | (none)    |

A recording is part of its room, so that it outlives a restart of the front process as the room
does, and everybody in the room knows of it, at other replicas, too. The replica that began it runs
it, whoever of the room is still there, and nobody else does; one that was given up for dead says so
when it is back.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Final, Literal

import msgspec

from rooms import tokens
from rooms.models import Recording, Room
from webrtc.errors import ClientError
from webrtc.recording import child, files
from webrtc.recording.encoders import Format
from webrtc.recording.files import Chapter, Manifest, Order, Person
from webrtc.recording.leftovers import forget_empty, tidy
from webrtc.recording.recorder import MODULE
from webrtc.signaling.desk import FrontDesk

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.5
_END_S: Final = 5.0
_CLAIM_S: Final = 60.0  # by then workers have told a new front process of their rooms
MOST_CHAPTERS: Final = 1000
TrackKind = Literal["dry", "processed"]
_LIVE: Final = ("recording", "paused")


class Recordings:
    """All recordings of this server.

    Args:
        desk: where rooms are.
        root: folder of all recordings; None records nothing.
        most_bytes: what all of them may take.
        least_free_bytes: what is left free of the disk.
        supervisor: process whose end ends recordings.
    """

    def __init__(
        self,
        desk: FrontDesk,
        root: Path | None,
        most_bytes: int,
        least_free_bytes: int,
        supervisor: int,
    ) -> None:
        self._desk = desk
        self._root = root
        self._most_bytes = most_bytes
        self._least_free_bytes = least_free_bytes
        self._supervisor = supervisor
        self._live: dict[str, Recording] = {}  # by room, as this process knows them
        self._keys: dict[str, bytes] = {}  # by recording: its room's, by which it is that room
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._starting: set[str] = set()
        self._waiting: set[asyncio.Task[int]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._unclaimed: list[tuple[Path, Manifest]] = []  # whose recorders a former process began
        self._claimed_by_s = 0.0

    @property
    def is_available(self) -> bool:
        """Whether anything can be recorded."""
        return self._root is not None

    async def begin(self) -> None:
        """Look after recordings from now on; those of a killed server are interrupted."""
        if self._root is not None:
            self._unclaimed = await asyncio.to_thread(tidy, self._root)
            self._claimed_by_s = time.monotonic() + _CLAIM_S
            self._looking = asyncio.create_task(self._look_on(), name="recordings")

    async def close(self) -> None:
        """End every recording: the server stops."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _END_S)
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=_END_S)

    # ---- what is asked for ----

    async def start(self, room: Room, form: Format, tracks: list[TrackKind]) -> None:
        """Begin to record a room, or go on; a recording that runs stays as it is.

        Raises:
            ClientError: `recording_unavailable`, `disk_full`, `room_not_found`.
        """
        if room.recording is not None:
            await self._set_spans(room, running=True)
            return
        root = self._root
        if root is None or room.room_id in self._starting:
            raise ClientError("recording_unavailable", "this server records nothing at the moment")
        former = self._live.get(room.room_id)
        if former is not None and not self._is_of(room, former):
            await self._end(room.room_id)
        self._starting.add(room.room_id)
        try:
            await self._start(root, room, form, tracks)
        finally:
            self._starting.discard(room.room_id)

    async def pause(self, room: Room) -> None:
        """Record nothing until `start`.

        Raises:
            ClientError: `not_recording`.
        """
        await self._set_spans(room, running=False)

    async def stop(self, room: Room) -> None:
        """End a room's recording.

        Raises:
            ClientError: `not_recording`.
        """
        self._require(room)
        await self._end(room.room_id)

    async def mark(self, room: Room, label: str) -> Chapter:
        """Mark the present place.

        Raises:
            ClientError: `not_recording`.
        """
        recording = self._require(room)
        chapter = Chapter(round(_recorded_s(recording), 3), label)
        order = self._order(room.room_id, recording)
        if order is None or len(order.chapters) >= MOST_CHAPTERS:
            raise ClientError("not_recording", "no more marks are taken")
        self._write_order(order, chapters=[*order.chapters, chapter])
        return chapter

    # ---- what there is ----

    def listed(self, room_id: str) -> list[tuple[Path, Order, Manifest]]:
        """Return the recordings of a room, the newest first; it reads files."""
        if self._root is None:
            return []
        found = []
        with contextlib.suppress(OSError):
            for folder in (self._root / room_id).iterdir():
                order = files.read(folder, files.ORDER, Order)
                manifest = files.read(folder, files.MANIFEST, Manifest)
                if order is not None and manifest is not None:
                    found.append((folder, order, manifest))
        return sorted(found, key=lambda one: -one[1].started_at)

    def delete(self, folder: Path, recording_id: str) -> None:
        """Delete a recording that is over.

        Raises:
            ClientError: `forbidden` while it goes on.
        """
        if any(one.recording_id == recording_id for one in self._live.values()):
            raise ClientError("forbidden", "stop the recording first")
        shutil.rmtree(folder, ignore_errors=True)
        forget_empty(folder.parent)

    # ---- starting and ending ----

    async def _start(self, root: Path, room: Room, form: Format, tracks: list[TrackKind]) -> None:
        now = time.time()
        recording_id = time.strftime("%Y%m%d-%H%M%S-", time.gmtime(now)) + tokens.new_id()[:8]
        folder = root / room.room_id / recording_id
        left = self._most_bytes - await asyncio.to_thread(_size_of, root)
        try:
            folder.mkdir(mode=0o700, parents=True)
            free = shutil.disk_usage(folder).free - self._least_free_bytes
        except OSError as error:
            raise ClientError("recording_unavailable", "the folder cannot be written") from error
        if min(left, free) <= 0:
            folder.rmdir()
            forget_empty(folder.parent)
            raise ClientError("disk_full", "the server has no room for another recording")
        order = Order(
            recording_id=recording_id,
            room_id=room.room_id,
            key=room.host_key_hash.hex(),
            tenant=room.tenant,
            started_at=now,
            format=form,
            most_bytes=left,
            least_free_bytes=self._least_free_bytes,
            people=await self._people(room.room_id),
        )
        files.write(folder, files.ORDER, order)
        try:
            process, paths = await child.launch(
                MODULE, folder, len(self._desk.workers), self._supervisor
            )
        except (OSError, ValueError, TimeoutError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            forget_empty(folder.parent)
            raise ClientError("recording_unavailable", "the recorder does not start") from error
        workers = self._desk.workers
        rings = {workers.number_of(index): path for index, path in enumerate(paths)}
        spans: list[tuple[float, float | None]] = [(time.monotonic(), None)]
        home = workers.number_of(workers.workers_of(room)[0])
        recording = Recording(recording_id, rings, spans, tracks, now, home)
        self._keys[recording_id] = room.host_key_hash
        self._processes[recording_id] = process
        self._live[room.room_id] = recording
        try:
            took = await self._desk.conference.change_recording(room.room_id, None, recording)
        except ClientError:
            await self._end(room.room_id)
            raise
        if not took:  # another replica was quicker
            await self._end(room.room_id)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _END_S)
                self.delete(folder, recording_id)

    async def _set_spans(self, room: Room, *, running: bool) -> None:
        recording = self._require(room)
        if recording.is_paused is not running:
            return
        now_s = time.monotonic()
        if running:
            spans = [*recording.spans, (now_s, None)]
        else:
            spans = [*recording.spans[:-1], (recording.spans[-1][0], now_s)]
        changed = msgspec.structs.replace(recording, spans=spans)
        self._live[room.room_id] = changed
        order = self._order(room.room_id, recording)
        if order is not None:
            self._write_order(order, state="recording" if running else "paused")
        before = recording.recording_id
        await self._desk.conference.change_recording(room.room_id, before, changed)

    async def _end(self, room_id: str) -> None:
        recording = self._live.pop(room_id, None)
        if recording is None:
            return
        self._desk.recordings.close(recording.recording_id)
        is_there = self._is_of(await self._desk.conference.store.room(room_id), recording)
        people = await self._people(room_id) if is_there else {}
        self._keys.pop(recording.recording_id, None)
        order = self._order(room_id, recording)
        if order is not None:
            self._write_order(order, state="stopped", people=order.people | people)
        process = self._processes.pop(recording.recording_id, None)
        if process is not None:
            waiting = asyncio.create_task(process.wait(), name="a recorder ends")
            self._waiting.add(waiting)
            waiting.add_done_callback(self._waiting.discard)
        conference = self._desk.conference
        with contextlib.suppress(ClientError):
            await conference.change_recording(room_id, recording.recording_id, None)
            self._desk.entrance.let_go(await conference.known_room(room_id))

    # ---- looking after them ----

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self._look()
            except Exception:
                logger.exception("recordings were not looked after")

    async def _look(self) -> None:
        store = self._desk.conference.store
        rooms = {room.room_id: room for room in await store.rooms()}
        for room_id, room in rooms.items():
            recording = room.recording
            if recording is not None and room_id not in self._live and self._is_own(recording):
                self._live[room_id] = recording  # of a former front process
                self._keys[recording.recording_id] = room.host_key_hash
        if self._unclaimed and time.monotonic() >= self._claimed_by_s:
            self._end_unclaimed()
        for room_id, recording in list(self._live.items()):
            if self._live.get(room_id) is not recording:
                continue  # it was changed while another was looked after
            folder = self._folder(room_id, recording)
            manifest = files.read(folder, files.MANIFEST, Manifest)
            ended = manifest is not None and manifest.state not in _LIVE
            runs = self._runs(recording, manifest)
            goes_on = self._is_of(rooms.get(room_id), recording) and runs and not ended
            if manifest is not None:
                died = not (runs or ended)
                told = msgspec.structs.replace(manifest, state="failed") if died else manifest
                self._desk.recordings.note(told)
            if not (goes_on and await self._is_known(recording, room_id)):
                await self._end(room_id)
                continue
            people = await self._people(room_id)
            # Read and written without a pause between: others write it, too.
            order = self._order(room_id, recording)
            if order is not None and not people.items() <= order.people.items():
                self._write_order(order, people=order.people | people)

    async def _is_known(self, recording: Recording, room_id: str) -> bool:
        """Return whether a room still has our recording; it has if nobody began another.

        Whoever gave this replica up for dead has told the room that nothing is recorded.
        """
        room = await self._desk.conference.store.room(room_id)
        if room is None or room_id in self._starting:
            return True
        if not self._is_of(room, recording):
            return False
        if room.recording is not None:
            return room.recording.recording_id == recording.recording_id
        return await self._desk.conference.change_recording(room_id, None, recording)

    def _end_unclaimed(self) -> None:
        """End recordings of which no room knows: the front process died while it began them."""
        claimed = {one.recording_id for one in self._live.values()}
        for folder, manifest in self._unclaimed:
            order = files.read(folder, files.ORDER, Order)
            if manifest.recording_id not in claimed and order is not None:
                self._write_order(order, state="stopped")
        self._unclaimed = []

    def _is_of(self, room: Room | None, recording: Recording) -> bool:
        """Return whether a room is the recorded one, and no later one of the same id."""
        return room is not None and room.host_key_hash == self._keys.get(recording.recording_id)

    def _is_own(self, recording: Recording) -> bool:
        return any(self._desk.workers.index_of(number) is not None for number in recording.rings)

    def _runs(self, recording: Recording, manifest: Manifest | None) -> bool:
        process = self._processes.get(recording.recording_id)
        if process is not None:
            return process.returncode is None
        return manifest is not None and Path(f"/proc/{manifest.pid}").exists()

    async def _people(self, room_id: str) -> dict[int, Person]:
        here = await self._desk.conference.store.participants(room_id)
        return {one.csrc: Person(one.participant_id, one.name) for one in here}

    def _require(self, room: Room) -> Recording:
        recording = self._live.get(room.room_id)
        if recording is None or not self._is_of(room, recording):
            raise ClientError("not_recording", "nothing is recorded of the room")
        return recording

    def _folder(self, room_id: str, recording: Recording) -> Path:
        assert self._root is not None
        return self._root / room_id / recording.recording_id

    def _order(self, room_id: str, recording: Recording) -> Order | None:
        return files.read(self._folder(room_id, recording), files.ORDER, Order)

    def _write_order(self, order: Order, **changes: object) -> None:
        assert self._root is not None
        changed = msgspec.structs.replace(order, **changes)
        with contextlib.suppress(OSError):  # the disk is full: the recorder sees that, too
            files.write(self._root / order.room_id / order.recording_id, files.ORDER, changed)


def _recorded_s(recording: Recording) -> float:
    now_s = time.monotonic()
    return sum((now_s if end is None else end) - begin for begin, end in recording.spans)


def _size_of(root: Path) -> int:
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(folder) / name).stat().st_size
    return total
