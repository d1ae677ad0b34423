"""What hosts do: the door of the room, and the people in it."""

from collections.abc import Callable

import msgspec

from rooms.door import Door
from rooms.models import Participant, Role, Room
from rooms.rights import Right
from rooms.store import RoomMissingError
from webrtc.errors import ClientError
from webrtc.signaling.conference import Conference
from webrtc.signaling.connection import Connection
from webrtc.signaling.entrance import Entrance
from webrtc.signaling.messages_hosting import (
    AdmissionChoice,
    DoorChange,
    EffectiveDoor,
    MutedParticipant,
    RemovedParticipant,
    door_state,
)
from webrtc.signaling.messages_parts import Done


class Hosting:
    """Does what takes the right `moderate`."""

    def __init__(self, conference: Conference, entrance: Entrance) -> None:
        self._conference = conference
        self._entrance = entrance

    async def set_door(self, connection: Connection, change: DoorChange) -> EffectiveDoor:
        """Lock or unlock the room, let people wait or not, forget bans.

        Raises:
            ClientError: `not_joined`, `forbidden`, `room_not_found`.
        """
        room = await self._room(connection)
        updated = await self._change_door(room, change.applied_to)
        self._entrance.follow_door(updated)
        return EffectiveDoor(door_state(updated.door))

    async def admit(self, connection: Connection, choice: AdmissionChoice) -> Done:
        """Let a guest in, or send it away.

        Raises:
            ClientError: `not_joined`, `forbidden`, `participant_not_found`.
        """
        room = await self._room(connection)
        await self._entrance.waiting.answer(room.room_id, choice.guest_id, admit=choice.admit)
        return Done()

    async def mute(self, connection: Connection, wanted: MutedParticipant) -> Done:
        """Mute somebody's microphone; they let it go themselves.

        Raises:
            ClientError: `not_joined`, `forbidden`, `participant_not_found`.
        """
        room = await self._room(connection)
        target = await self._somebody(room, wanted.participant_id)

        def apply(participant: Participant) -> Participant:
            return msgspec.structs.replace(participant, muted=True)

        await self._conference.change(target.participant_id, apply)
        self._conference.announcer.request(target.participant_id)
        return Done()

    async def remove(self, connection: Connection, wanted: RemovedParticipant) -> Done:
        """Put somebody out, for now or for as long as the room exists.

        Raises:
            ClientError: `not_joined`, `participant_not_found`; `forbidden` for hosts, too.
        """
        room = await self._room(connection)
        target = await self._somebody(room, wanted.participant_id)
        if target.role is Role.HOST:
            raise ClientError("forbidden", "a host stays host")
        if wanted.ban:
            await self._change_door(room, lambda door: door.barring(target.subject, target.origin))
        reason = "banned" if wanted.ban else "removed"
        seat = self._conference.presence.seat(target.participant_id)
        if seat is not None:
            await self._entrance.put_out(seat, reason)
        else:
            await self._entrance.put_out_elsewhere(target, reason)
        return Done()

    async def _room(self, connection: Connection) -> Room:
        me = await self._conference.me(self._conference.seat_of(connection))
        return await self._conference.require(me, Right.MODERATE)

    async def _somebody(self, room: Room, participant_id: str) -> Participant:
        other = await self._conference.store.participant(participant_id)
        if other is None or other.room_id != room.room_id or other.put_out:
            raise ClientError("participant_not_found", "there is nobody of this id in the room")
        return other

    async def _change_door(self, room: Room, change: Callable[[Door], Door]) -> Room:
        def apply(now: Room) -> Room:
            return msgspec.structs.replace(now, door=change(now.door))

        try:
            updated = await self._conference.store.update_room(room.room_id, apply)
        except RoomMissingError:
            raise ClientError("room_not_found", "this room is gone") from None
        self._conference.workers.put_room(updated)
        return updated
