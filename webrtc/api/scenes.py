"""`/api/rooms/{room_id}/scenes`: the scenes of a room."""

import msgspec
from aiohttp import web

from webrtc.api.guard import Need
from webrtc.api.rooms import WRONG_KEY
from webrtc.api.routes import Reply, Route, json_body, json_reply
from webrtc.errors import ClientError
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.messages_desk import RecalledScene, SceneInfo, SceneRecall, scene_list
from webrtc.signaling.messages_parts import FadeMs, SceneName

_MISSING_ROOM = "There is no such room."
_MISSING_SCENE = "There is no such room or scene."


class SceneList(msgspec.Struct, frozen=True):
    """The scenes of a room, in the order in which they were stored."""

    scenes: list[SceneInfo]


class Fade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the room takes to get to the scene."""

    fade_ms: FadeMs = 500


_fade = msgspec.json.Decoder(Fade)


class ScenesResource:
    """Answers for scenes."""

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        scenes = "/api/rooms/{room_id}/scenes"
        self.routes = [
            Route(
                "GET",
                scenes,
                self.list_all,
                "List the scenes of a room.",
                {200: Reply("The scenes.", SceneList)},
                problems={404: _MISSING_ROOM},
                need=Need.LOOK,
            ),
            Route(
                "PUT",
                scenes + "/{name}",
                self.store,
                "Store the room as it is; a scene of this name is replaced.",
                {200: Reply("The scenes.", SceneList)},
                need=Need.HOST,
                problems={401: WRONG_KEY, 404: _MISSING_ROOM, 409: "There are too many scenes."},
            ),
            Route(
                "POST",
                scenes + "/{name}/recall",
                self.recall,
                "Bring the room to a scene.",
                {200: Reply("What changed.", RecalledScene)},
                body=Fade,
                need=Need.HOST,
                problems={401: WRONG_KEY, 404: _MISSING_SCENE},
            ),
            Route(
                "DELETE",
                scenes + "/{name}",
                self.delete,
                "Forget a scene.",
                {204: Reply("The scene is gone.")},
                need=Need.HOST,
                problems={401: WRONG_KEY, 404: _MISSING_SCENE},
            ),
        ]

    async def list_all(self, request: web.Request) -> web.Response:
        """`GET /api/rooms/{room_id}/scenes`."""
        room = await self._desk.conference.known_room(request.match_info["room_id"])
        return json_reply(SceneList(scene_list(room)))

    async def store(self, request: web.Request) -> web.Response:
        """`PUT /api/rooms/{room_id}/scenes/{name}`."""
        room = await self._desk.conference.known_room(request.match_info["room_id"])
        return json_reply(SceneList(await self._desk.scenes.store(room, _name(request))))

    async def recall(self, request: web.Request) -> web.Response:
        """`POST /api/rooms/{room_id}/scenes/{name}/recall`."""
        room = await self._desk.conference.known_room(request.match_info["room_id"])
        fade: Fade = await json_body(request, _fade)
        wanted = SceneRecall(_name(request), fade.fade_ms)
        return json_reply(await self._desk.scenes.recall(room, wanted))

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /api/rooms/{room_id}/scenes/{name}`."""
        room = await self._desk.conference.known_room(request.match_info["room_id"])
        await self._desk.scenes.delete(room, _name(request))
        return web.Response(status=204)


def _name(request: web.Request) -> str:
    try:
        name: str = msgspec.convert(request.match_info["name"], SceneName)
    except msgspec.ValidationError as error:
        raise ClientError("bad_message", str(error)) from None
    return name
