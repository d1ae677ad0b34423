"""`/api/rooms/{room_id}/playbacks`: files that are played into a room."""

import tempfile
from typing import IO, Annotated, Final, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from rooms.rights import Right
from webrtc.api.actors import require_right
from webrtc.api.bodies import soon
from webrtc.api.guard import Need
from webrtc.api.routes import Reply, Route, json_body, json_reply
from webrtc.errors import ClientError
from webrtc.playback.players import Player, Players
from webrtc.playback.source import FileSource
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.messages_parts import Name

LONGEST_S: Final = 4 * 3600.0
ANY: Final = "application/octet-stream"
_PART_BYTES: Final = 256 * 1024
_WRONG_KEY: Final = "Neither the host key nor the resume token of somebody in the room was shown."
_NO_RIGHT: Final = "This takes the right play_files."
_MISSING: Final = "There is no such room or playback."

PositionS = Annotated[float, Meta(ge=0, le=LONGEST_S, extra_json_schema={"unit": "s"})]


class PlaybackInfo(msgspec.Struct, frozen=True):
    """A playback; its participant has the same id, and its strip's fader is the volume."""

    playback_id: str
    name: str
    state: Literal["playing", "paused", "ended"]
    position_s: float
    duration_s: float | None
    loop: bool


class PlaybackList(msgspec.Struct, frozen=True):
    """The playbacks of a room, in the order of their beginning."""

    playbacks: list[PlaybackInfo]


class PlaybackChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to become of a playback; what is left out stays."""

    state: Literal["playing", "paused"] | UnsetType = UNSET
    position_s: PositionS | UnsetType = UNSET
    loop: bool | UnsetType = UNSET


class _Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the query of an upload says."""

    name: Name = "Player"
    loop: bool = False
    fader_db: Annotated[float, Meta(ge=-60, le=12)] = 0.0


_change = msgspec.json.Decoder(PlaybackChange)


class PlaybacksResource:
    """Answers for playbacks.

    Args:
        desk: where rooms are.
        players: who plays.
        most_bytes: longest file that is taken.
    """

    def __init__(self, desk: FrontDesk, players: Players, most_bytes: int) -> None:
        self._desk = desk
        self._players = players
        self._most_bytes = most_bytes
        playbacks = "/api/rooms/{room_id}/playbacks"
        one = playbacks + "/{playback_id}"
        problems = {401: _WRONG_KEY, 403: _NO_RIGHT, 404: _MISSING}
        self.routes = [
            Route(
                "POST",
                playbacks,
                self.upload,
                "Play a file into the room, in any format that FFmpeg reads. The query may hold "
                "`name`, `loop` (true or false) and `fader_db` (-60 to 12).",
                {201: Reply("It plays.", PlaybackInfo)},
                takes=ANY,
                need=Need.OWN,  # the right play_files
                problems={
                    **problems,
                    422: "The file cannot be played.",
                    429: "The room or the server plays as much as it may.",
                },
            ),
            Route(
                "GET",
                playbacks,
                self.list_all,
                "List what is played into a room.",
                {200: Reply("The playbacks.", PlaybackList)},
                need=Need.LOOK,
                problems={404: _MISSING},
            ),
            Route(
                "PATCH",
                one,
                self.change,
                "Pause, go on, seek, or loop.",
                {200: Reply("The playback.", PlaybackInfo)},
                body=PlaybackChange,
                need=Need.OWN,  # the right play_files
                problems=problems,
            ),
            Route(
                "DELETE",
                one,
                self.stop,
                "Stop a playback; its participant leaves.",
                {204: Reply("It is over.")},
                need=Need.OWN,  # the right play_files
                problems=problems,
            ),
        ]

    async def upload(self, request: web.Request) -> web.Response:
        """`POST /api/rooms/{room_id}/playbacks`."""
        room = await require_right(request, self._desk, Right.PLAY_FILES)
        try:
            wish = msgspec.convert(dict(request.query), _Wish, strict=False)
        except msgspec.ValidationError as error:
            raise ClientError("bad_message", str(error)[:200]) from None
        with self._players.place_in(room.room_id):  # whoever sends a file counts as playing it
            source = FileSource(await self._received(request), LONGEST_S)
            try:
                await source.open()
                # The file took its time: by now the id may be another room's.
                room = await require_right(request, self._desk, Right.PLAY_FILES)
            except BaseException:
                await source.close()
                raise
        player = await self._players.play(
            room, source, name=wish.name or "Player", loops=wish.loop, fader_db=wish.fader_db
        )
        where = f"/api/rooms/{room.room_id}/playbacks/{player.participant_id}"
        return json_reply(_info(player), 201, {"Location": where})

    async def list_all(self, request: web.Request) -> web.Response:
        """`GET /api/rooms/{room_id}/playbacks`."""
        room = await self._desk.conference.known_room(request.match_info["room_id"])
        players = self._players.players_in(room.room_id)
        return json_reply(PlaybackList([_info(player) for player in players]))

    async def change(self, request: web.Request) -> web.Response:
        """`PATCH /api/rooms/{room_id}/playbacks/{playback_id}`."""
        player = await self._player(request)
        wanted: PlaybackChange = await json_body(request, _change)
        if wanted.loop is not UNSET:
            player.playback.loops = wanted.loop
        if wanted.position_s is not UNSET:
            player.playback.seek(wanted.position_s)
        if wanted.state is not UNSET:
            await self._players.set_playing(player, wanted.state == "playing")
        return json_reply(_info(player))

    async def stop(self, request: web.Request) -> web.Response:
        """`DELETE /api/rooms/{room_id}/playbacks/{playback_id}`."""
        await self._players.stop(await self._player(request))
        return web.Response(status=204)

    async def _player(self, request: web.Request) -> Player:
        room = await require_right(request, self._desk, Right.PLAY_FILES)
        return self._players.player(room.room_id, request.match_info["playback_id"])

    async def _received(self, request: web.Request) -> IO[bytes]:
        """Return the request's body as a file that has no name, and so cannot be left behind.

        Raises:
            ClientError: `too_large`.
        """
        too_large = ClientError("too_large", f"at most {self._most_bytes >> 20} MB are taken")
        if (request.content_length or 0) > self._most_bytes:
            raise too_large
        file = tempfile.TemporaryFile()  # noqa: SIM115 — the source closes it
        try:
            count = 0
            while part := await soon(request.content.read(_PART_BYTES)):
                count += len(part)
                if count > self._most_bytes:
                    raise too_large
                file.write(part)
            file.flush()
        except BaseException:
            file.close()
            raise
        return file


def _info(player: Player) -> PlaybackInfo:
    playback = player.playback
    return PlaybackInfo(
        player.participant_id,
        player.name,
        playback.state,
        round(playback.position_s, 2),
        playback.duration_s,
        playback.loops,
    )
