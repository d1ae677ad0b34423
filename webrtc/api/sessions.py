"""`/api/sessions`, `/api/session/{session_id}`: what the archive keeps."""

import re
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

import msgspec
from aiohttp import web

from archive.analysis import Analysis
from archive.store import SessionStoreError
from archive.waveform import waveform_png, waveform_svg
from rooms.models import Room
from webrtc.api.guard import Need, bearer
from webrtc.api.routes import Reply, Route, json_body, json_reply
from webrtc.errors import ClientError
from webrtc.playback.players import Players
from webrtc.sessions.access import OPERATOR, SessionGrant
from webrtc.sessions.clip_source import ClipSource
from webrtc.sessions.clips import Clip
from webrtc.sessions.desk import SessionDesk
from webrtc.sessions.files import CONTENT_TYPES, FileFormat, WavFile, read_file
from webrtc.sessions.library import Found, FoundSound, store_away_is_told
from webrtc.sessions.playbacks import Playback
from webrtc.sessions.shapes import (
    PlaybackStarted,
    PlayRequest,
    SessionDetails,
    SessionPage,
    kept_sound,
)

_MOST_LISTED: Final = 100
_LISTED: Final = 50
_RANGE: Final = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
_UNKNOWN: Final = "There is no such session, or it is not the bearer's to see."
_WRONG: Final = "The token is missing or opens nothing."
_AWAY: Final = "The store of sessions is away."
_PROBLEMS: Final = {401: _WRONG, 403: "The token's rights do not allow this.", 503: _AWAY}
_ONE: Final = {**_PROBLEMS, 404: _UNKNOWN}

_play_request = msgspec.json.Decoder(PlayRequest)


class SessionsResource:
    """Answers for sessions."""

    def __init__(self, desk: SessionDesk, players: Players) -> None:
        self._desk = desk
        self._players = players
        one = "/api/session/{session_id}"
        self.routes = [
            Route(
                "GET",
                "/api/sessions",
                self.list_all,
                "List the sessions that the bearer may see, the latest first.",
                {200: Reply("The sessions.", SessionPage)},
                need=Need.OWN,
                query={"limit": int, "cursor": str},
                problems={400: "The limit or the cursor is none.", **_PROBLEMS},
            ),
            Route(
                "GET",
                one + "/info",
                self.info,
                "Look at a session: what is kept, its format, and what it sounds like.",
                {200: Reply("The session.", SessionDetails)},
                need=Need.OWN,
                query={"choice": int},
                problems={400: "There is no such candidate.", **_ONE},
            ),
            *(
                Route(
                    "GET",
                    f"{one}/waveform.{ending}",
                    handler,
                    f"Draw a session's waveform as {ending.upper()}.",
                    {200: Reply("The picture.", str, kind)},
                    need=Need.OWN,
                    query={"choice": int},
                    problems={409: "Nothing is kept of it.", **_ONE},
                )
                for ending, kind, handler in (
                    ("svg", "image/svg+xml", self.svg),
                    ("png", "image/png", self.png),
                )
            ),
            Route(
                "POST",
                one + "/play",
                self.play,
                "Get an address for a player of one's own, or play it into a room.",
                {200: Reply("The address, or the participant.", PlaybackStarted)},
                body=PlayRequest,
                need=Need.OWN,
                problems={
                    409: "It is played already, or nothing is kept of it.",
                    429: "Too many sessions are played.",
                    **_ONE,
                },
            ),
            Route(
                "POST",
                one + "/stop",
                self.stop,
                "End the playback of a session, if there is one.",
                {204: Reply("Nobody plays it.")},
                need=Need.OWN,
                problems=_ONE,
            ),
            Route(
                "GET",
                one + "/stream/{token}",
                self.stream,
                "Read a playback as WAV, from any byte on; its address is a secret.",
                {
                    200: Reply("The file.", str, CONTENT_TYPES["wav"]),
                    206: Reply("The bytes that were asked for.", str, CONTENT_TYPES["wav"]),
                },
                need=Need.OWN,
                problems={404: "The playback is over.", 416: "There are no such bytes."},
            ),
            Route(
                "GET",
                one + "/download",
                self.download,
                "Download what is kept: WAV (from any byte on), FLAC or Opus.",
                {
                    200: Reply("The file.", str, CONTENT_TYPES["wav"]),
                    206: Reply("The bytes that were asked for.", str, CONTENT_TYPES["wav"]),
                },
                need=Need.OWN,
                query={"format": str, "choice": int},
                problems={
                    400: "The format or the candidate is none.",
                    409: "Nothing is kept of it.",
                    416: "There are no such bytes.",
                    **_ONE,
                },
            ),
            Route(
                "DELETE",
                one,
                self.delete,
                "Delete a session and its sound for good.",
                {204: Reply("It is gone.")},
                need=Need.OWN,
                problems=_ONE,
            ),
        ]

    # ---- looking ---------------------------------------------------------------------------

    async def list_all(self, request: web.Request) -> web.Response:
        """`GET /api/sessions`."""
        grant = await self._grant(request)
        limit = _number(request, "limit", _LISTED)
        if not 1 <= limit <= _MOST_LISTED:
            raise ClientError("bad_message", f"a limit is from 1 to {_MOST_LISTED}")
        cursor = request.query.get("cursor")
        shown, after = await self._desk.library.page(grant, cursor, limit)
        return json_reply(SessionPage(shown, after, grant.may_delete))

    async def info(self, request: web.Request) -> web.Response:
        """`GET /api/session/{session_id}/info`."""
        found, sound = await self._find(request)
        analysis = await self._desk.library.analysis(found, sound)
        kept = kept_sound(sound.extent)
        return json_reply(SessionDetails(found.info, kept, sound.format, sound.guessed, analysis))

    async def svg(self, request: web.Request) -> web.Response:
        """`GET /api/session/{session_id}/waveform.svg`."""
        analysis = await self._analysed(request)
        text = waveform_svg(analysis.waveform)
        return web.Response(text=text, content_type="image/svg+xml", headers=_private())

    async def png(self, request: web.Request) -> web.Response:
        """`GET /api/session/{session_id}/waveform.png`."""
        analysis = await self._analysed(request)
        body = waveform_png(analysis.waveform)
        return web.Response(body=body, content_type="image/png", headers=_private())

    # ---- hearing ---------------------------------------------------------------------------

    async def play(self, request: web.Request) -> web.Response:
        """`POST /api/session/{session_id}/play`."""
        wanted: PlayRequest = await json_body(request, _play_request)
        grant = await self._grant(request)
        found = await self._desk.library.find(grant, request.match_info["session_id"])
        sound = await self._desk.library.sound(found, wanted.choice)
        clip = _require_sound(sound)
        room = None
        if wanted.room_id is not None:
            room = await self._desk.room_to_play_in(grant, wanted.room_id)
        info, extent = found.info, sound.extent
        vault = "" if found.session is None else found.session.vault
        playback = self._desk.playbacks.start(
            info.session_id, vault, wanted.choice, extent.first_ms, extent.end_ms
        )
        duration_s = extent.length_ms / 1000
        position_s = min(wanted.position_s, duration_s)
        if room is not None:
            await self._play_in(room, playback, clip, position_s, found)
            assert playback.player is not None
            started = PlaybackStarted(None, playback.player.participant_id, position_s, duration_s)
        else:
            url = f"/api/session/{quote(info.session_id)}/stream/{playback.token}"
            started = PlaybackStarted(url, None, position_s, duration_s)
        self._tell(found)
        return json_reply(started)

    async def _play_in(
        self, room: Room, playback: Playback, clip: Clip, position_s: float, found: Found
    ) -> None:
        def ended() -> None:
            self._desk.playbacks.ended(playback)
            self._tell(found)

        try:
            playback.player = await self._players.play(
                room,
                ClipSource(clip),
                name=found.info.name or "Session",
                is_music=False,
                start_s=position_s,
                on_end=ended,
            )
        except BaseException:
            self._desk.playbacks.ended(playback)
            raise

    async def stop(self, request: web.Request) -> web.Response:
        """`POST /api/session/{session_id}/stop`."""
        found = await self._found(request)
        playback = self._desk.playbacks.stop(found.info.session_id)
        if playback is not None:
            if playback.player is not None:
                await self._players.stop(playback.player)
            self._tell(found)
        return web.Response(status=204)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """`GET /api/session/{session_id}/stream/{token}`."""
        session_id = request.match_info["session_id"]
        playback = self._desk.playbacks.find(session_id, request.match_info["token"])
        playback.readers += 1
        try:
            clip = await self._clip_of(playback)
            return await _send_wav(request, clip, f'"{playback.token[:16]}"', _private())
        finally:
            playback.readers -= 1
            self._desk.playbacks.touch(playback)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """`GET /api/session/{session_id}/download`."""
        form = request.query.get("format", "wav")
        if form not in CONTENT_TYPES:
            raise ClientError("bad_message", "a format is wav, flac or opus")
        found, sound = await self._find(request)
        clip = _require_sound(sound)
        name = f"session-{re.sub(r'[^A-Za-z0-9]+', '-', found.info.session_id)}.{form}"
        headers = {**_private(), "Content-Disposition": f'attachment; filename="{name}"'}
        if form == "wav":
            return await _send_wav(request, clip, f'"{sound.version}"', headers)
        return await _send_file(request, clip, "flac" if form == "flac" else "opus", headers)

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /api/session/{session_id}`."""
        grant = await self._grant(request)
        found = await self._desk.library.find(grant, request.match_info["session_id"])
        if found.session is None or not grant.may_delete:
            raise ClientError("forbidden", "this session is not yours to delete")
        with store_away_is_told():
            await self._desk.store.remove(found.session.session_id)
        playback = self._desk.playbacks.stop(found.session.session_id)
        if playback is not None and playback.player is not None:
            await self._players.stop(playback.player)
        self._desk.keeper.forget(found.session)
        return web.Response(status=204)

    # ---- for all of them -------------------------------------------------------------------

    async def _grant(self, request: web.Request) -> SessionGrant:
        with store_away_is_told():
            return await self._desk.access.of_token(bearer(request))

    async def _found(self, request: web.Request) -> Found:
        grant = await self._grant(request)
        return await self._desk.library.find(grant, request.match_info["session_id"])

    async def _find(
        self, request: web.Request, choice: int | None = None
    ) -> tuple[Found, FoundSound]:
        found = await self._found(request)
        wanted = _number(request, "choice", -1) if choice is None else choice
        return found, await self._desk.library.sound(found, wanted)

    async def _analysed(self, request: web.Request) -> Analysis:
        found, sound = await self._find(request)
        analysis = await self._desk.library.analysis(found, sound)
        if analysis is None:
            raise ClientError("no_sound", "nothing of its sound is kept, or it cannot be read")
        return analysis

    async def _clip_of(self, playback: Playback) -> Clip:
        library = self._desk.library
        if playback.vault:
            return library.clip(playback.session_id, playback.first_ms, playback.end_ms)
        found = await library.find(OPERATOR, playback.session_id)
        return _require_sound(await library.sound(found, playback.choice))

    def _tell(self, found: Found) -> None:
        if found.session is not None:
            self._desk.tell_of(found.session)


def _require_sound(sound: FoundSound) -> Clip:
    if sound.clip is None or sound.clip.frames == 0:
        raise ClientError("no_sound", "nothing of its sound is kept, or it cannot be read")
    return sound.clip


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,4}", text):
        raise ClientError("bad_message", f"{name} is a whole number")
    return int(text)


def _private() -> dict[str, str]:
    return {"Cache-Control": "no-store"}


def _byte_range(request: web.Request, size: int, etag: str) -> tuple[int, int] | None:
    """Return the bytes that a request asks for, None for all of them (RFC 9110, section 14).

    Raises:
        HTTPRequestRangeNotSatisfiable: there are none of them.
    """
    condition = request.headers.get("If-Range")
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or match[0] == "bytes=-" or (condition is not None and condition != etag):
        return None
    first, last = match[1], match[2]
    begin, end = (
        (int(first), int(last) + 1 if last else size) if first else (max(0, size - int(last)), size)
    )
    if begin >= min(end, size):
        if first and last and int(first) > int(last):
            return None
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return begin, min(end, size)


async def _send_wav(
    request: web.Request, clip: Clip, etag: str, headers: dict[str, str]
) -> web.StreamResponse:
    file = WavFile(clip)
    wanted = _byte_range(request, file.size, etag)
    begin, end = wanted or (0, file.size)
    response = web.StreamResponse(status=200 if wanted is None else 206, headers=headers)
    response.headers.update(
        {"Content-Type": CONTENT_TYPES["wav"], "Accept-Ranges": "bytes", "ETag": etag}
    )
    if wanted is not None:
        response.headers["Content-Range"] = f"bytes {begin}-{end - 1}/{file.size}"
    response.content_length = end - begin
    return await _write(request, response, file.read(begin, end))


async def _send_file(
    request: web.Request, clip: Clip, form: FileFormat, headers: dict[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    response.headers["Content-Type"] = CONTENT_TYPES[form]
    return await _write(request, response, read_file(clip, form))


async def _write(
    request: web.Request, response: web.StreamResponse, body: AsyncIterator[bytes]
) -> web.StreamResponse:
    """Send what comes; a store that goes away breaks the connection off, as nothing else can."""
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        async for data in body:
            await response.write(data)
        await response.write_eof()
    except SessionStoreError:
        if request.transport is not None:
            request.transport.abort()
    return response
