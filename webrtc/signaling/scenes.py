"""Storing, recalling and deleting a room's scenes, for sockets and for REST."""

from collections.abc import Callable

import msgspec

from rooms.models import Participant, Room, RoomSettings, Scene
from rooms.rights import Right
from rooms.scenes import SceneLimitError, snapshot, strips_of, with_scene
from rooms.store import RoomMissingError
from webrtc.errors import ClientError
from webrtc.signaling.conference import Conference
from webrtc.signaling.connection import Connection
from webrtc.signaling.events import ScenesChanged
from webrtc.signaling.messages_desk import (
    EffectiveScenes,
    RecalledScene,
    SceneInfo,
    SceneRecall,
    SceneRequest,
    scene_list,
)
from webrtc.signaling.messages_parts import SceneName


class Scenes:
    """Changes scenes; everyone in the room is told which there are.

    Args:
        conference: the shared state.
        clock: seconds since the epoch.
    """

    def __init__(self, conference: Conference, clock: Callable[[], float]) -> None:
        self._conference = conference
        self._clock = clock

    # ---- for sockets -----------------------------------------------------------------------

    async def on_store(self, connection: Connection, request: SceneRequest) -> EffectiveScenes:
        """Store the room as it is, in place of a scene of that name.

        Raises:
            ClientError: `not_joined`, `forbidden`, `room_not_found`, `too_many_scenes`.
        """
        return EffectiveScenes(await self.store(await self._room(connection), request.name))

    async def on_recall(self, connection: Connection, request: SceneRecall) -> RecalledScene:
        """Bring the room to a scene.

        Raises:
            ClientError: `not_joined`, `forbidden`, `room_not_found`, `scene_not_found`.
        """
        return await self.recall(await self._room(connection), request)

    async def on_delete(self, connection: Connection, request: SceneRequest) -> EffectiveScenes:
        """Forget a scene.

        Raises:
            ClientError: `not_joined`, `forbidden`, `room_not_found`, `scene_not_found`.
        """
        return EffectiveScenes(await self.delete(await self._room(connection), request.name))

    async def _room(self, connection: Connection) -> Room:
        me = await self._conference.me(self._conference.seat_of(connection))
        return await self._conference.require(me, Right.RUN_DESK)

    # ---- for both --------------------------------------------------------------------------

    async def store(self, room: Room, name: SceneName) -> list[SceneInfo]:
        """Store a room as it is and return which scenes it has; the caller may."""
        participants = await self._conference.store.participants(room.room_id)
        saved_at = self._clock()

        def change(now: Room) -> dict[str, Scene]:
            return with_scene(now.scenes, snapshot(name, saved_at, now, participants))

        try:
            return await self._change(room, change)
        except SceneLimitError as error:
            raise ClientError("too_many_scenes", str(error)) from None

    async def delete(self, room: Room, name: SceneName) -> list[SceneInfo]:
        """Forget a scene of a room and return which are left; the caller may."""
        _scene(room, name)
        return await self._change(
            room, lambda now: {key: one for key, one in now.scenes.items() if key != name}
        )

    async def recall(self, room: Room, request: SceneRecall) -> RecalledScene:
        """Bring a room to a scene, fading over from how it is; the caller may."""
        conference = self._conference
        scene = _scene(room, request.name)
        participants = await conference.store.participants(room.room_id)
        strips = strips_of(scene, participants)
        for participant_id, strip in strips.items():

            def apply(participant: Participant, strip: object = strip) -> Participant:
                return msgspec.structs.replace(participant, strip=strip)

            try:
                await conference.change(participant_id, apply, ramp_ms=request.fade_ms)
            except ClientError:  # it left meanwhile
                continue
            conference.announcer.request(participant_id)

        def settings(now: RoomSettings) -> RoomSettings:
            # Who may recall scenes need not be allowed to switch the archive.
            return msgspec.structs.replace(scene.settings, archive=now.archive)

        changed = await conference.change_room(room.room_id, settings)
        return RecalledScene(scene.name, changed.settings, sorted(strips))

    async def _change(
        self, room: Room, change: Callable[[Room], dict[str, Scene]]
    ) -> list[SceneInfo]:
        def apply(now: Room) -> Room:
            return msgspec.structs.replace(now, scenes=change(now))

        try:
            updated = await self._conference.store.update_room(room.room_id, apply)
        except RoomMissingError:
            raise ClientError("room_not_found", "this room is gone") from None
        self._conference.workers.put_room(updated)
        scenes = scene_list(updated)
        self._conference.presence.broadcast(room.room_id, "scenes_changed", ScenesChanged(scenes))
        return scenes


def _scene(room: Room, name: str) -> Scene:
    scene = room.scenes.get(name)
    if scene is None:
        raise ClientError("scene_not_found", "the room has no scene of this name")
    return scene
