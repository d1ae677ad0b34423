"""`/api/rooms/{room_id}/recording` and `…/recordings`: recording a room, and what was recorded.

Recordings of a room belong to whoever may record it; after it is closed, to the holder of its host
key. Files can be fetched without a header by a *ticket*, which a list gives and which ends soon.

Of several replicas each has what it has recorded: requests are passed on to the one concerned.
"""

import asyncio
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from rooms import tokens
from rooms.models import Room
from rooms.rights import Right, belongs
from webrtc.api.actors import require_right
from webrtc.api.guard import Need, bearer
from webrtc.api.replica_proxy import found_elsewhere, passed_on, told_elsewhere
from webrtc.api.routes import Reply, Route, json_body, json_reply
from webrtc.api.tickets import Tickets
from webrtc.errors import ClientError
from webrtc.recording.archive import zipped
from webrtc.recording.encoders import CONTENT_TYPE, Format
from webrtc.recording.files import Chapter, Manifest, Order, RecordingState
from webrtc.recording.reaper import PROJECT, project_text
from webrtc.recording.recordings import Recordings
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.messages_desk import RecordingInfo, recording_info
from webrtc.signaling.messages_parts import RoomId, SceneName

_ZIP: Final = "recording.zip"
_PART_BYTES: Final = 256 * 1024
_RIGHT: Final = "This takes the right record."
_MISSING: Final = "There is no such room or recording."
_NOT_THERE: Final = (401, 404)
_AWAY: Final = "The replica that has it is away."


class RecordingChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to become of a room's recording; format and tracks count when it begins."""

    state: Literal["recording", "paused", "stopped"]
    format: Format = "flac"
    tracks: Annotated[list[Literal["dry", "processed"]], Meta(max_length=2)] = []


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chapter mark at the present place."""

    label: SceneName


class RecordingStatus(msgspec.Struct, frozen=True):
    """A room's recording, null while there is none; `is_available`: whether there can be one."""

    is_available: bool
    recording: RecordingInfo | None
    duration_s: float | UnsetType = UNSET
    warning: str | UnsetType = UNSET


class RecordedFile(msgspec.Struct, frozen=True):
    """A file; it begins `offset_samples` (48 kHz) after the recording."""

    file: str
    kind: str
    participant: str
    offset_samples: int
    samples: int
    url: str


class RecordedRoom(msgspec.Struct, frozen=True):
    """A recording; addresses hold for ten minutes. `dropped_ms` is sound that got lost."""

    recording_id: str
    state: RecordingState
    started_at: float
    duration_s: float
    bytes: int
    format: Format
    dropped_ms: int
    warning: str
    chapters: list[Chapter]
    files: list[RecordedFile]
    zip_url: str


class RecordingList(msgspec.Struct, frozen=True):
    """The recordings of a room, the newest first."""

    recordings: list[RecordedRoom]


_change = msgspec.json.Decoder(RecordingChange)
_listed = msgspec.json.Decoder(RecordingList)
_mark = msgspec.json.Decoder(Mark)


class RecordingsResource:
    """Answers for recordings."""

    def __init__(self, desk: FrontDesk, recordings: Recordings) -> None:
        self._desk = desk
        self._recordings = recordings
        self._tickets = Tickets()
        one = "/api/rooms/{room_id}/recording"
        many = "/api/rooms/{room_id}/recordings"
        problems = {401: _RIGHT, 403: _RIGHT, 404: _MISSING, 503: _AWAY}
        self.routes = [
            Route(
                "GET",
                one,
                self.status,
                "Look whether a room is recorded.",
                {200: Reply("How it is.", RecordingStatus)},
                need=Need.LOOK,
                problems={404: _MISSING, 503: _AWAY},
            ),
            Route(
                "PUT",
                one,
                self.change,
                "Start, pause, go on, or stop; everyone in the room is told `room_updated`.",
                {200: Reply("How it is now.", RecordingStatus)},
                body=RecordingChange,
                need=Need.OWN,  # the right record
                problems={
                    **problems,
                    409: "Nothing is recorded.",
                    503: "This server records nothing, or another does that is away.",
                    507: "The disk is full.",
                },
            ),
            Route(
                "POST",
                one + "/marks",
                self.mark,
                "Set a chapter mark.",
                {201: Reply("The mark.", Chapter)},
                body=Mark,
                need=Need.OWN,  # the right record
                problems={**problems, 409: "Nothing is recorded."},
            ),
            Route(
                "GET",
                many,
                self.list_all,
                "List the recordings of a room, also of one that is closed.",
                {200: Reply("The recordings.", RecordingList)},
                need=Need.OWN,  # the right record, or the host key of then
                problems=problems,
            ),
            Route(
                "GET",
                many + "/{recording_id}/{file}",
                self.fetch,
                f"Fetch a file, a project (`{PROJECT}`) or all (`{_ZIP}`); a ticket will do.",
                {200: Reply("The file.", str, "application/octet-stream")},
                need=Need.OWN,  # the same, or a ticket
                problems=problems,
            ),
            Route(
                "DELETE",
                many + "/{recording_id}",
                self.delete,
                "Delete a recording that is over.",
                {204: Reply("It is gone.")},
                need=Need.OWN,  # the right record, or the host key of then
                problems=problems,
            ),
        ]

    async def status(self, request: web.Request) -> web.StreamResponse:
        """`GET /api/rooms/{room_id}/recording`."""
        room = await self._desk.conference.known_room(request.match_info["room_id"])
        answer_elsewhere = await self._elsewhere(request, room)
        return answer_elsewhere or json_reply(await self._status(room.room_id))

    async def change(self, request: web.Request) -> web.StreamResponse:
        """`PUT /api/rooms/{room_id}/recording`."""
        room = await require_right(request, self._desk, Right.RECORD)
        answer_elsewhere = await self._elsewhere(request, room)
        if answer_elsewhere is not None:
            return answer_elsewhere
        wanted: RecordingChange = await json_body(request, _change)
        if wanted.state == "recording":
            await self._recordings.start(room, wanted.format, sorted(set(wanted.tracks)))
        elif wanted.state == "paused":
            await self._recordings.pause(room)
        else:
            await self._recordings.stop(room)
        return json_reply(await self._status(room.room_id))

    async def mark(self, request: web.Request) -> web.StreamResponse:
        """`POST /api/rooms/{room_id}/recording/marks`."""
        room = await require_right(request, self._desk, Right.RECORD)
        answer_elsewhere = await self._elsewhere(request, room)
        if answer_elsewhere is not None:
            return answer_elsewhere
        mark: Mark = await json_body(request, _mark)
        return json_reply(await self._recordings.mark(room, mark.label), 201)

    async def list_all(self, request: web.Request) -> web.Response:
        """`GET /api/rooms/{room_id}/recordings`."""
        elsewhere = map(_listed.decode, await told_elsewhere(request, self._desk.shared))
        theirs = [one for answer in elsewhere for one in answer.recordings]
        try:
            ours = [self._recorded(manifest) for _, manifest in await self._mine(request)]
        except ClientError:
            if not theirs:
                raise
            ours = []
        every = sorted(ours + theirs, key=lambda one: -one.started_at)
        return json_reply(RecordingList(every))

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        """`GET /api/rooms/{room_id}/recordings/{recording_id}/{file}`."""
        try:
            folder, manifest = await self._one(request)
        except ClientError as error:
            return await self._found_elsewhere(request, error)
        name = request.match_info["file"]
        if name == _ZIP:
            return await self._send_zip(request, folder, manifest)
        if name == PROJECT:
            return _project(manifest)
        if name not in {track.file for track in manifest.tracks}:
            raise ClientError("recording_not_found", "the recording has no such file")
        path = folder / name
        headers = {
            "Content-Type": CONTENT_TYPE[path.suffix],
            "Content-Disposition": f'attachment; filename="{manifest.recording_id}-{name}"',
            "Cache-Control": "no-store",
        }
        return web.FileResponse(path, _PART_BYTES, headers=headers)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /api/rooms/{room_id}/recordings/{recording_id}`."""
        try:
            # A ticket is good for reading alone: addresses get into histories and logs.
            folder, manifest = _one_of(await self._mine(request), request)
        except ClientError as error:
            return await self._found_elsewhere(request, error)
        await asyncio.to_thread(self._recordings.delete, folder, manifest.recording_id)
        return web.Response(status=204)

    # ---- other replicas ----

    async def _elsewhere(self, request: web.Request, room: Room) -> web.StreamResponse | None:
        """Return the answer of the replica that records a room; None if no other does."""
        if room.recording is None:
            return None
        return await passed_on(request, self._desk.shared, room.recording.keeper)

    async def _found_elsewhere(
        self, request: web.Request, missing: ClientError
    ) -> web.StreamResponse:
        """Return the answer of whoever has a recording.

        Raises:
            ClientError: `missing` if nobody has; `worker_unavailable`.
        """
        shared = self._desk.shared if bearer(request) or "ticket" in request.query else None
        found = await found_elsewhere(request, shared, unless=_NOT_THERE)
        if found is None:
            raise missing
        return found

    # ---- whose recordings ----

    async def _mine(self, request: web.Request) -> list[tuple[Path, Manifest]]:
        """Return the recordings that whoever asks may have.

        Raises:
            ClientError: as `require_right`, when nothing is theirs.
        """
        room_id, shown = request.match_info["room_id"], tokens.fingerprint(bearer(request)).hex()
        by_name = self._desk.access.wants_tokens  # then a tenant's rooms are known by their names
        found = await asyncio.to_thread(self._listed, room_id)
        theirs = [
            (folder, manifest)
            for folder, order, manifest in found
            if hmac.compare_digest(order.key, shown) and bearer(request)
        ]
        if theirs and not by_name:  # host keys of before tokens were wanted count for nothing
            return theirs
        room = await require_right(request, self._desk, Right.RECORD)
        here = room.host_key_hash.hex()
        return [
            (folder, manifest)
            for folder, order, manifest in found
            if (by_name and belongs(room, order.tenant)) or order.key == here
        ]

    def _listed(self, room_id: str) -> list[tuple[Path, Order, Manifest]]:
        if not _is_room_id(room_id):  # it becomes a part of a path
            return []
        return self._recordings.listed(room_id)

    async def _one(self, request: web.Request) -> tuple[Path, Manifest]:
        match = request.match_info
        room_id, recording_id = match["room_id"], match["recording_id"]
        ticket = request.query.get("ticket")
        if ticket is not None and self._tickets.is_valid(ticket, room_id, recording_id):
            listed = await asyncio.to_thread(self._listed, room_id)
            return _one_of([(folder, manifest) for folder, _, manifest in listed], request)
        return _one_of(await self._mine(request), request)

    # ---- answers ----

    async def _status(self, room_id: str) -> RecordingStatus:
        room = await self._desk.conference.known_room(room_id)
        info = recording_info(room)
        if info is None:
            return RecordingStatus(self._recordings.is_available, None)
        found = await asyncio.to_thread(self._listed, room_id)
        for _, _, manifest in found:
            if manifest.recording_id == info.recording_id:
                return RecordingStatus(True, info, manifest.duration_s, manifest.warning)
        return RecordingStatus(True, info, 0.0, "")

    def _recorded(self, manifest: Manifest) -> RecordedRoom:
        base = f"/api/rooms/{manifest.room_id}/recordings/{manifest.recording_id}/"
        ticket = "?ticket=" + self._tickets.ticket(manifest.room_id, manifest.recording_id)
        people = {csrc: one.name for csrc, one in manifest.people.items()}
        return RecordedRoom(
            recording_id=manifest.recording_id,
            state=manifest.state,
            started_at=manifest.started_at,
            duration_s=manifest.duration_s,
            bytes=manifest.bytes,
            format=manifest.format,
            dropped_ms=manifest.dropped_ms,
            warning=manifest.warning,
            chapters=manifest.chapters,
            files=[
                RecordedFile(
                    track.file,
                    track.kind,
                    people.get(track.track, ""),
                    track.offset_samples,
                    track.samples,
                    base + track.file + ticket,
                )
                for track in manifest.tracks
            ],
            zip_url=base + _ZIP + ticket,
        )

    async def _send_zip(
        self, request: web.Request, folder: Path, manifest: Manifest
    ) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "application/zip"
        name = f'attachment; filename="{manifest.recording_id}.zip"'
        response.headers["Content-Disposition"] = name
        response.headers["Cache-Control"] = "no-store"
        await response.prepare(request)
        parts = zipped(folder, manifest)
        try:
            while (part := await asyncio.to_thread(_next, parts)) is not None:
                if part:  # an empty one would be taken for the end
                    await response.write(part)
            await response.write_eof()
        except BaseException:
            if request.transport is not None:
                request.transport.abort()  # half a file must not look like a whole one
            raise
        return response


def _one_of(found: list[tuple[Path, Manifest]], request: web.Request) -> tuple[Path, Manifest]:
    for folder, manifest in found:
        if manifest.recording_id == request.match_info["recording_id"]:
            return folder, manifest
    raise ClientError("recording_not_found", "there is no such recording")


def _next(parts: Iterator[bytes]) -> bytes | None:
    return next(parts, None)


def _project(manifest: Manifest) -> web.Response:
    name = f'attachment; filename="{manifest.recording_id}-{PROJECT}"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    text = project_text(manifest)
    return web.Response(text=text, content_type="application/x-reaper-project", headers=headers)


def _is_room_id(text: str) -> bool:
    try:
        return bool(msgspec.convert(text, RoomId))
    except msgspec.ValidationError:
        return False
