"""What participants change: strips, their own mixes, mutes, who is heard, and who may what."""

from typing import Final

import msgspec

from dsp.denoise_engines import PACKAGES
from rooms.models import DEFAULT_SOURCE_MIX, MAX_PERSONAL_MIX, Participant, Role, SourceMix
from rooms.profiles import chosen
from rooms.rights import Right, held, listed, reaches, with_role
from rooms.strip import to_wire
from webrtc.errors import ClientError
from webrtc.signaling.conference import Conference
from webrtc.signaling.connection import Connection
from webrtc.signaling.messages_desk import (
    EffectiveMix,
    EffectiveRoom,
    EffectiveSpeaker,
    EffectiveStrip,
    ListenerMix,
    RoomChange,
    SpeakerChange,
    StripUpdate,
    strip_changes,
)
from webrtc.signaling.messages_hosting import EffectiveRole, RoleChange
from webrtc.signaling.messages_media import EffectiveMeters, WatchedMeters
from webrtc.signaling.messages_parts import Done

_ABOUT_SPEAKERS: Final = {"max_speakers", "mode"} | {
    name for name in RoomChange.__struct_fields__ if name.startswith("speaker_")
}
_ABOUT_ARCHIVE: Final = {"archive"}


class Changes:
    """Applies a client's changes; each is stored, sent to the worker and shown to the room."""

    def __init__(self, conference: Conference) -> None:
        self._conference = conference

    async def update_strip(self, connection: Connection, update: StripUpdate) -> EffectiveStrip:
        """Change a part of my strip, or of somebody's whom I may engineer.

        Raises:
            ClientError: `not_joined`, `forbidden`, `participant_not_found`, `not_installed`.
        """
        conference = self._conference
        seat = conference.seat_of(connection)
        me = await conference.me(seat)
        target = me.participant_id
        if not isinstance(update.participant_id, msgspec.UnsetType):
            target = update.participant_id
        own = target == me.participant_id
        await conference.require(me, Right.EDIT_OWN_STRIP if own else Right.EDIT_ANY_STRIP)
        if not own:
            await self._neighbour(me, target)
        settings = strip_changes(update)
        welcome = conference.workers.welcome(conference.workers.worker_of(target) or 0)
        for engine, package in PACKAGES.items():
            missing = welcome is not None and engine not in welcome.denoisers
            if settings.get("denoise") == engine and missing:
                raise ClientError("not_installed", f"{engine} needs the package {package}")

        def apply(participant: Participant) -> Participant:
            strip = chosen(participant.strip, settings, conference.contents.profile_of(target))
            return msgspec.structs.replace(participant, strip=strip)

        updated = await conference.change(target, apply)
        conference.announcer.request(target)
        return EffectiveStrip(target, to_wire(updated.strip))

    async def set_listener_mix(self, connection: Connection, change: ListenerMix) -> EffectiveMix:
        """Change how I alone hear someone; nobody else is told.

        Raises:
            ClientError: `not_joined`, `forbidden`, `participant_not_found`, `too_many_mixes`.
        """
        conference = self._conference
        seat = conference.seat_of(connection)
        me = await conference.me(seat)
        await conference.require(me, Right.SUBSCRIBE)
        source = change.participant_id
        if source == me.participant_id:
            raise ClientError("forbidden", "nobody hears oneself")
        await self._neighbour(me, source)
        here = {one.participant_id for one in await conference.store.participants(me.room_id)}

        def apply(participant: Participant) -> Participant:
            # Those who left are forgotten here, so that the map never outgrows the room.
            mix = {key: value for key, value in participant.mix.items() if key in here}
            mix[source] = change.applied_to(mix.get(source, DEFAULT_SOURCE_MIX))
            if mix[source] == DEFAULT_SOURCE_MIX:
                del mix[source]
            if len(mix) > max(MAX_PERSONAL_MIX, len(participant.mix)):
                detail = f"at most {MAX_PERSONAL_MIX} others can be changed; reset one first"
                raise ClientError("too_many_mixes", detail)
            return msgspec.structs.replace(participant, mix=mix)

        updated = await conference.change(me.participant_id, apply)
        return EffectiveMix(source, updated.mix.get(source, SourceMix()))

    async def set_room(self, connection: Connection, change: RoomChange) -> EffectiveRoom:
        """Change what applies to the whole room.

        Raises:
            ClientError: `not_joined`, `forbidden`, `room_not_found`.
        """
        conference = self._conference
        me = await conference.me(conference.seat_of(connection))
        if change.wanted.keys() & _ABOUT_SPEAKERS:
            await conference.require(me, Right.CHOOSE_SPEAKERS)
        if change.wanted.keys() & _ABOUT_ARCHIVE:
            await conference.require(me, Right.RUN_ARCHIVE)
        if change.wanted.keys() - _ABOUT_SPEAKERS - _ABOUT_ARCHIVE:
            await conference.require(me, Right.RUN_DESK)
        room = await conference.change_room(me.room_id, change.applied_to)
        return EffectiveRoom(room.settings)

    async def set_speaker(self, connection: Connection, change: SpeakerChange) -> EffectiveSpeaker:
        """Let somebody come first when more speak than are heard, or not.

        Raises:
            ClientError: `not_joined`, `forbidden`, `participant_not_found`.
        """
        conference = self._conference
        seat = conference.seat_of(connection)
        me = await conference.me(seat)
        await conference.require(me, Right.CHOOSE_SPEAKERS)
        target = change.participant_id
        await self._neighbour(me, target)

        def apply(participant: Participant) -> Participant:
            asked = ((name, getattr(change, name)) for name in ("priority", "pinned"))
            wanted = {name: value for name, value in asked if value is not msgspec.UNSET}
            return msgspec.structs.replace(participant, **wanted)

        updated = await conference.change(target, apply)
        conference.announcer.request(target)
        return EffectiveSpeaker(target, updated.priority, updated.pinned)

    async def set_role(self, connection: Connection, change: RoleChange) -> EffectiveRole:
        """Make somebody listener, speaker or engineer.

        Raises:
            ClientError: `not_joined`, `forbidden`, `participant_not_found`.
        """
        conference = self._conference
        me = await conference.me(conference.seat_of(connection))
        await conference.require(me, Right.SET_ROLES)
        target = change.participant_id
        known = await self._neighbour(me, target)
        if Role(change.role) is not Role.LISTENER and not known.publishes:
            await conference.require_place_to_speak(known.room_id)

        def apply(participant: Participant) -> Participant:
            if participant.role is Role.HOST:
                raise ClientError("forbidden", "a host stays host")
            if not reaches(participant, Role(change.role)):
                raise ClientError("forbidden", "the participant's token does not open this role")
            return with_role(participant, Role(change.role))

        updated = await conference.change(target, apply)
        conference.follow_role(updated)
        conference.announcer.request(target)
        return EffectiveRole(target, change.role, listed(held(updated)))

    async def watch_meters(self, connection: Connection, wanted: WatchedMeters) -> EffectiveMeters:
        """Show a page the meters of some strips, and no others any more.

        Raises:
            ClientError: `not_joined`, `forbidden`, `participant_not_found`.
        """
        conference = self._conference
        seat = conference.seat_of(connection)
        me = await conference.me(seat)
        strips = frozenset(wanted.participants)
        spectrum = wanted.spectrum
        for name in strips if spectrum is None else strips | {spectrum}:
            own = name == me.participant_id
            await conference.require(me, Right.EDIT_OWN_STRIP if own else Right.EDIT_ANY_STRIP)
            await self._neighbour(me, name)
        conference.meters.watch(seat, connection, strips, spectrum)
        return EffectiveMeters(sorted(strips), spectrum)

    async def set_muted(self, connection: Connection, muted: bool) -> Done:
        """Let nobody hear me, or let them again.

        Raises:
            ClientError: `not_joined`.
        """
        return await self._set(connection, muted=muted)

    async def set_deafened(self, connection: Connection, deafened: bool) -> Done:
        """Hear nobody, or hear them again.

        Raises:
            ClientError: `not_joined`.
        """
        return await self._set(connection, deafened=deafened)

    async def set_visibility(self, connection: Connection, visible: bool) -> Done:
        """Note whether the page is looked at; when it is again, it gets levels and speakers.

        Raises:
            ClientError: `not_joined`.
        """
        seat = self._conference.seat_of(connection)
        if visible and not seat.visible:
            self._conference.levels.show_all(seat)
        seat.visible = visible
        self._conference.meters.refresh(seat.room_id)
        return Done()

    async def _set(self, connection: Connection, **values: bool) -> Done:
        seat = self._conference.seat_of(connection)

        def apply(participant: Participant) -> Participant:
            return msgspec.structs.replace(participant, **values)

        await self._conference.change(seat.participant_id, apply)
        self._conference.announcer.request(seat.participant_id)
        return Done()

    async def _neighbour(self, me: Participant, participant_id: str) -> Participant:
        other = await self._conference.store.participant(participant_id)
        if other is None or other.room_id != me.room_id:
            raise ClientError("participant_not_found", "there is nobody of this id in the room")
        return other
