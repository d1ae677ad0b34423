"""Messages of clients about how a room sounds: strips, mixes, settings, scenes, networks."""

from typing import Any, Final, Literal, cast

import msgspec
from msgspec import UNSET, UnsetType

from rooms.models import (
    DEFAULT_SOURCE_MIX,
    ArchiveOn,
    Automix,
    DuckingDb,
    GainDb,
    MaxSpeakers,
    MixPan,
    NetworkSeed,
    NetworkText,
    Room,
    RoomMode,
    RoomSettings,
    SimulatedNetwork,
    Solo,
    SourceMix,
    SpeakerAttackMs,
    SpeakerHoldMs,
    SpeakerHysteresisDb,
    SpeakerOpenDb,
    SpeakerTimeoutMs,
    SpeakerVoiceWeightDb,
    SpeakerYieldMs,
    TargetLufs,
)
from rooms.strip import StripValue, partial_fields
from webrtc.signaling.messages_parts import FadeMs, ParticipantId, Payload, SceneName


class StripUpdate(Payload, frozen=True):
    """The part of a strip update that names whose strip; see `StripUpdatePayload`."""

    participant_id: ParticipantId | UnsetType = UNSET


StripUpdatePayload: Final = cast(
    type[StripUpdate],
    msgspec.defstruct(
        "StripUpdatePayload",
        partial_fields(),
        bases=(StripUpdate,),
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    ),
)
StripUpdatePayload.__doc__ = (
    "Any of the strip's settings, and `participant_id` for somebody else's strip."
)


def strip_changes(update: StripUpdate) -> dict[str, StripValue]:
    """Return what the client set, by wire name."""
    changes: dict[str, StripValue] = msgspec.to_builtins(update)
    changes.pop("participant_id", None)
    return changes


class ListenerMix(Payload, frozen=True):
    """How I alone hear someone; what is left out stays as it is."""

    participant_id: ParticipantId
    gain_db: GainDb | UnsetType = UNSET
    pan: MixPan | UnsetType = UNSET
    muted: bool | UnsetType = UNSET
    solo: Solo | UnsetType = UNSET

    def applied_to(self, mix: SourceMix = DEFAULT_SOURCE_MIX) -> SourceMix:
        """Return `mix` with what the client set."""
        return SourceMix(
            gain_db=mix.gain_db if self.gain_db is UNSET else self.gain_db,
            pan=mix.pan if self.pan is UNSET else self.pan,
            muted=mix.muted if self.muted is UNSET else self.muted,
            solo=mix.solo if self.solo is UNSET else self.solo,
        )


class RoomChange(Payload, frozen=True):
    """What applies to the whole room; what is left out stays as it is."""

    max_speakers: MaxSpeakers | UnsetType = UNSET
    automix: Automix | UnsetType = UNSET
    ducking_db: DuckingDb | UnsetType = UNSET
    target_lufs: TargetLufs | UnsetType | None = UNSET
    mode: RoomMode | UnsetType = UNSET
    archive: ArchiveOn | UnsetType = UNSET
    speaker_open_db: SpeakerOpenDb | UnsetType = UNSET
    speaker_hysteresis_db: SpeakerHysteresisDb | UnsetType = UNSET
    speaker_hold_ms: SpeakerHoldMs | UnsetType = UNSET
    speaker_attack_ms: SpeakerAttackMs | UnsetType = UNSET
    speaker_yield_ms: SpeakerYieldMs | UnsetType = UNSET
    speaker_timeout_ms: SpeakerTimeoutMs | UnsetType = UNSET
    speaker_voice_weight_db: SpeakerVoiceWeightDb | UnsetType = UNSET

    @property
    def wanted(self) -> dict[str, Any]:
        """What the client set, by name."""
        names = self.__struct_fields__
        return {name: value for name in names if (value := getattr(self, name)) is not UNSET}

    def applied_to(self, settings: RoomSettings) -> RoomSettings:
        """Return `settings` with what the client set."""
        return msgspec.structs.replace(settings, **self.wanted)


class SpeakerChange(Payload, frozen=True):
    """Whether somebody comes first when more speak than are heard; what is left out stays.

    Who has `priority` is heard whenever there is something to hear. Who is `pinned` comes before
    those; pins beyond `max_speakers` wait for an older one to be taken away.
    """

    participant_id: ParticipantId
    priority: bool | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET


class NetworkChange(Payload, frozen=True):
    """What somebody's sound goes through on its way to the server, for trials; `off` for nothing.

    Without `participant_id`, what everybody's goes through who has none of their own; `clean` is a
    network of one's own that does nothing. A new seed begins anew.
    """

    network: NetworkText
    participant_id: ParticipantId | None = None
    seed: NetworkSeed = 0


class SceneRequest(Payload, frozen=True):
    """A scene by its name."""

    name: SceneName


class SceneRecall(Payload, frozen=True):
    """A scene to bring the room to."""

    name: SceneName
    fade_ms: FadeMs = 500


class SceneInfo(msgspec.Struct, frozen=True):
    """A scene; `saved_at` is seconds since the epoch, `strips` how many it holds."""

    name: str
    saved_at: float
    strips: int


def scene_list(room: Room) -> list[SceneInfo]:
    """Return the scenes of a room as the wire lists them."""
    return [SceneInfo(one.name, one.saved_at, len(one.strips)) for one in room.scenes.values()]


class RecordingInfo(msgspec.Struct, frozen=True):
    """What is recorded of the room; `tracks` are those of everybody, beside the mix."""

    recording_id: str
    state: Literal["recording", "paused"]
    tracks: list[Literal["dry", "processed"]]
    started_at: float


def recording_info(room: Room) -> RecordingInfo | None:
    """Return what everybody in a room is told about its recording; None while there is none."""
    one = room.recording
    if one is None:
        return None
    state: Literal["recording", "paused"] = "paused" if one.is_paused else "recording"
    return RecordingInfo(one.recording_id, state, one.tracks, one.started_at)


class BroadcastInfo(msgspec.Struct, frozen=True):
    """Where the room's mix can be heard by everybody who is told: the path of an HLS playlist."""

    url: str
    started_at: float


def broadcast_info(room: Room) -> BroadcastInfo | None:
    """Return what everybody in a room is told about its broadcast; None while there is none."""
    one = room.broadcast
    if one is None:
        return None
    return BroadcastInfo(f"/hls/{one.broadcast_id}/index.m3u8", one.started_at)


class EffectiveStrip(msgspec.Struct, frozen=True):
    """A strip as it is now."""

    participant_id: str
    settings: dict[str, StripValue]
    ok: Literal[True] = True


class EffectiveMix(msgspec.Struct, frozen=True):
    """How I hear someone now."""

    participant_id: str
    mix: SourceMix
    ok: Literal[True] = True


class EffectiveRoom(msgspec.Struct, frozen=True):
    """The room's settings as they are now."""

    settings: RoomSettings
    ok: Literal[True] = True


class EffectiveScenes(msgspec.Struct, frozen=True):
    """The room's scenes as they are now."""

    scenes: list[SceneInfo]
    ok: Literal[True] = True


class RecalledScene(msgspec.Struct, frozen=True):
    """The scene that the room goes to: its settings, and whose strips change."""

    name: str
    settings: RoomSettings
    participants: list[str]
    ok: Literal[True] = True


class EffectiveSpeaker(msgspec.Struct, frozen=True):
    """Whether somebody comes first now."""

    participant_id: str
    priority: bool
    pinned: bool
    ok: Literal[True] = True


class EffectiveNetwork(msgspec.Struct, frozen=True):
    """What somebody's sound goes through now, or everybody's; null for nothing of their own."""

    participant_id: str | None
    network: SimulatedNetwork | None
    ok: Literal[True] = True
