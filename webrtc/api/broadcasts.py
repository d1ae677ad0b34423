"""`/api/rooms/{room_id}/broadcast` and `/hls/{broadcast_id}/…`: a room's mix for everybody.

Whoever knows the address hears the broadcast; the address is a secret of the room until somebody
passes it on. Files are the same for all and named anew for each broadcast, so that any HTTP cache
may stand between: segments never change, and a playlist is good for a second.
"""

from typing import Final, Literal

import msgspec
from aiohttp import web

from rooms.models import Broadcast
from rooms.rights import Right
from webrtc.api.actors import require_right
from webrtc.api.guard import Need
from webrtc.api.replica_proxy import passed_on
from webrtc.api.routes import Reply, Route, json_body, json_reply
from webrtc.broadcast.broadcasts import Broadcasts
from webrtc.broadcast.segments import PLAYLIST
from webrtc.errors import ClientError
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.messages_desk import BroadcastInfo, broadcast_info

_RIGHT: Final = "This takes the right broadcast."
_MISSING: Final = "There is no such room."
_PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
_SEGMENT_TYPE: Final = "audio/mp4"
_FOR_A_SECOND: Final = "public, max-age=1"
_FOR_EVER: Final = "public, max-age=3600, immutable"


class BroadcastChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a room is to be broadcast."""

    state: Literal["live", "stopped"]


class BroadcastStatus(msgspec.Struct, frozen=True):
    """A room's broadcast, null while there is none; `is_available`: whether there can be one."""

    is_available: bool
    broadcast: BroadcastInfo | None


_change = msgspec.json.Decoder(BroadcastChange)


class BroadcastsResource:
    """Answers for broadcasts."""

    def __init__(self, desk: FrontDesk, broadcasts: Broadcasts) -> None:
        self._desk = desk
        self._broadcasts = broadcasts
        one = "/api/rooms/{room_id}/broadcast"
        self.routes = [
            Route(
                "GET",
                one,
                self.status,
                "Look whether a room is broadcast, and where.",
                {200: Reply("How it is.", BroadcastStatus)},
                need=Need.OWN,
                problems={401: _RIGHT, 403: _RIGHT, 404: _MISSING},
            ),
            Route(
                "PUT",
                one,
                self.change,
                "Start or stop; everyone in the room is told `room_updated`.",
                {200: Reply("How it is now.", BroadcastStatus)},
                body=BroadcastChange,
                need=Need.OWN,  # the right broadcast
                problems={
                    401: _RIGHT,
                    403: _RIGHT,
                    404: _MISSING,
                    503: "This server broadcasts nothing, or no more rooms.",
                },
            ),
            Route(
                "GET",
                "/hls/{broadcast_id}/{file}",
                self.fetch,
                "Read the playlist or a segment; the address is a secret.",
                {200: Reply("The file.", str, _PLAYLIST_TYPE)},
                need=Need.OWN,  # whoever knows the address
                problems={404: "There is no such file, or not any more."},
            ),
        ]

    async def status(self, request: web.Request) -> web.Response:
        """`GET /api/rooms/{room_id}/broadcast`."""
        room = await require_right(request, self._desk, Right.BROADCAST)
        return await self._told(room.room_id)

    async def change(self, request: web.Request) -> web.StreamResponse:
        """`PUT /api/rooms/{room_id}/broadcast`."""
        room = await require_right(request, self._desk, Right.BROADCAST)
        answer_elsewhere = await self._elsewhere(request, room.broadcast)
        if answer_elsewhere is not None:
            return answer_elsewhere
        wanted: BroadcastChange = await json_body(request, _change)
        if wanted.state == "live":
            await self._broadcasts.start(room)
        else:
            await self._broadcasts.stop(room)
        return await self._told(room.room_id)

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        """`GET /hls/{broadcast_id}/{file}`."""
        broadcast_id, name = request.match_info["broadcast_id"], request.match_info["file"]
        path = self._broadcasts.file(broadcast_id, name)
        if path is None and self._desk.shared is not None:
            broadcast = self._desk.shared.broadcast(broadcast_id)
            answer_elsewhere = await self._elsewhere(request, broadcast)
            if answer_elsewhere is not None:
                return answer_elsewhere
        if path is None:
            raise ClientError("not_found", "this broadcast is over, or has no such file")
        is_playlist = name == PLAYLIST
        headers = {
            "Content-Type": _PLAYLIST_TYPE if is_playlist else _SEGMENT_TYPE,
            "Cache-Control": _FOR_A_SECOND if is_playlist else _FOR_EVER,
        }
        return web.FileResponse(path, headers=headers)

    async def _elsewhere(
        self, request: web.Request, broadcast: Broadcast | None
    ) -> web.StreamResponse | None:
        """Return the answer of the replica that runs a broadcast; None if no other does."""
        if broadcast is None:
            return None
        return await passed_on(request, self._desk.shared, broadcast.keeper)

    async def _told(self, room_id: str) -> web.Response:
        room = await self._desk.conference.known_room(room_id)
        status = BroadcastStatus(self._broadcasts.is_available, broadcast_info(room))
        return json_reply(status)
