"""`/api/rooms`: make, list, look at and close rooms."""

from typing import Final

import msgspec
from aiohttp import web

from rooms.models import Room, RoomSettings
from rooms.passes import tenant_of
from rooms.rights import belongs
from webrtc.api.guard import PASS, TENANT, Need
from webrtc.api.routes import Reply, Route, json_body, json_reply
from webrtc.errors import ClientError
from webrtc.signaling.conference import participant_info
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.messages_desk import RoomChange
from webrtc.signaling.messages_joining import ParticipantInfo
from webrtc.signaling.messages_parts import RoomId

WRONG_KEY: Final = "The host key, or the token, is missing or wrong."


class NewRoom(RoomSettings, frozen=True, forbid_unknown_fields=True):
    """What room to make: its id, by default a new one, and its settings."""

    room_id: RoomId = ""

    @property
    def settings(self) -> RoomSettings:
        """What shall apply to the whole room."""
        names = RoomSettings.__struct_fields__
        return RoomSettings(**{name: getattr(self, name) for name in names})


class CreatedRoom(msgspec.Struct, frozen=True):
    """A new room.

    `host_key` makes its holder the host; it is told only here, and not where tokens decide that.
    """

    room_id: str
    created_at: float
    settings: RoomSettings
    host_key: str | msgspec.UnsetType = msgspec.UNSET


class RoomSummary(msgspec.Struct, frozen=True):
    """A room in the list; `participants` is how many."""

    room_id: str
    created_at: float
    participants: int


class RoomList(msgspec.Struct, frozen=True):
    """The rooms that the caller may see, oldest first."""

    rooms: list[RoomSummary]


class RoomDetails(msgspec.Struct, frozen=True):
    """A room and who is in it, in the order of joining."""

    room_id: str
    created_at: float
    settings: RoomSettings
    participants: list[ParticipantInfo]


_new_room = msgspec.json.Decoder(NewRoom)
_room_change = msgspec.json.Decoder(RoomChange)


class RoomsResource:
    """Answers for rooms."""

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        self.routes = [
            Route(
                "POST",
                "/api/rooms",
                self.create,
                "Make a room; it waits ten minutes for its first participant.",
                {201: Reply("The room is there.", CreatedRoom)},
                body=NewRoom,
                problems={409: "There is a room of this id.", 503: "Too many rooms, or draining."},
                need=Need.MAKE,
            ),
            Route(
                "GET",
                "/api/rooms",
                self.list_all,
                "List the rooms: all of them, or a tenant's.",
                {200: Reply("The rooms.", RoomList)},
                need=Need.LIST,
            ),
            Route(
                "GET",
                "/api/rooms/{room_id}",
                self.show,
                "Look at a room.",
                {200: Reply("The room.", RoomDetails)},
                problems={404: "There is no such room."},
                need=Need.LOOK,
            ),
            Route(
                "PATCH",
                "/api/rooms/{room_id}",
                self.change,
                "Change a room's settings; everyone in it is told `room_updated`.",
                {200: Reply("The room.", RoomDetails)},
                body=RoomChange,
                problems={401: WRONG_KEY, 404: "There is no such room."},
                need=Need.HOST,
            ),
            Route(
                "DELETE",
                "/api/rooms/{room_id}",
                self.delete,
                "Close a room; everyone in it is told `room_closed`.",
                {204: Reply("The room is gone.")},
                problems={401: WRONG_KEY, 404: "There is no such room."},
                need=Need.HOST,
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """`POST /api/rooms`."""
        wanted: NewRoom = await json_body(request, _new_room)
        if self._desk.entrance.draining:
            raise ClientError("draining", "this server is about to stop", 2.0)
        shown, room_id = request.get(PASS), wanted.room_id
        if shown is not None:
            room_id = room_id or shown.only_room or ""
            if not (shown.opens(room_id) if room_id else shown.opens_every_room):
                raise ClientError("forbidden", "this token is for other rooms")
        room, host_key = await self._desk.entrance.open_room(
            room_id, wanted.settings, tenant_of(shown)
        )
        told = host_key if shown is None else msgspec.UNSET
        created = CreatedRoom(room.room_id, room.created_at, room.settings, told)
        return json_reply(created, 201, {"Location": f"/api/rooms/{room.room_id}"})

    async def list_all(self, request: web.Request) -> web.Response:
        """`GET /api/rooms`."""
        conference = self._desk.conference
        rooms = await conference.store.rooms()
        if (tenant := request.get(TENANT)) is not None:
            rooms = [room for room in rooms if belongs(room, tenant)]
        return json_reply(
            RoomList(
                [
                    RoomSummary(
                        room.room_id, room.created_at, await conference.count_present(room.room_id)
                    )
                    for room in rooms
                ]
            )
        )

    async def show(self, request: web.Request) -> web.Response:
        """`GET /api/rooms/{room_id}`."""
        return json_reply(await self._details(await self._room(request)))

    async def change(self, request: web.Request) -> web.Response:
        """`PATCH /api/rooms/{room_id}`."""
        room = await self._room(request)
        wanted: RoomChange = await json_body(request, _room_change)
        conference = self._desk.conference
        room = await conference.change_room(room.room_id, wanted.applied_to)
        return json_reply(await self._details(room))

    async def _details(self, room: Room) -> RoomDetails:
        conference = self._desk.conference
        shown = [
            participant_info(
                one,
                speaking=conference.levels.speaking(one.room_id, one.participant_id),
                content=conference.contents.of(one.participant_id),
            )
            for one in await conference.present(room.room_id)
        ]
        return RoomDetails(room.room_id, room.created_at, room.settings, shown)

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /api/rooms/{room_id}`."""
        room = await self._room(request)
        await self._desk.close_room(room)
        return web.Response(status=204)

    async def _room(self, request: web.Request) -> Room:
        return await self._desk.conference.known_room(request.match_info["room_id"])
