"""What a client may send, and what it is answered: the one definition.

A payload is parsed with these types and nothing else checks it; `docs/protocol.md` is printed from
the same types. Unknown fields are errors everywhere.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeVar, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from dsp.genre.labels import Label
from rooms.door import Door
from rooms.models import (
    DEFAULT_ROOM_SETTINGS,
    DEFAULT_SOURCE_MIX,
    ArchiveOn,
    Automix,
    Direction,
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
from rooms.passes import MAX_TOKEN_CHARS
from rooms.strip import StripValue, partial_fields
from webrtc.control.messages import PeerStats
from webrtc.sessions.shapes import WatchedSessions, WatchSessions

PROTOCOL_VERSION: Final = 1
MAX_MESSAGE_BYTES: Final = 128 * 1024
"""A longer websocket message closes the socket."""
MAX_SDP_CHARS: Final = 64 * 1024
MAX_WATCHED: Final = 32
"""Most strips whose meters one page sees."""
TRACKS: Final = "tracks"
"""The capability of clients that can be sent more than one track."""

# `$` would let a trailing newline pass; `(?![\s\S])` is the end in Python and in ECMAScript.
_ROOM_ID_PATTERN: Final = r"^(?:[A-Za-z0-9][A-Za-z0-9._~-]{0,63})?(?![\s\S])"

RoomId = Annotated[
    str,
    Meta(
        pattern=_ROOM_ID_PATTERN,
        max_length=64,
        description="Letters, digits and . _ ~ -, the first one a letter or a digit; or empty.",
    ),
]
Name = Annotated[
    str,
    Meta(
        max_length=64,
        # control characters and those that turn the writing direction
        pattern="^[^\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]*(?![\\s\\S])",
        description="What others see; no control characters.",
    ),
]
SceneName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern="^[^\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]*(?![\\s\\S])",
        description="What the scene is called; no control characters.",
    ),
]
FadeMs = Annotated[
    int,
    Meta(
        ge=0,
        le=10_000,
        description="How long strips take to get to the scene.",
        extra_json_schema={"unit": "ms"},
    ),
]
Secret = Annotated[str, Meta(max_length=256)]
AccessToken = Annotated[str, Meta(max_length=MAX_TOKEN_CHARS, description="See [tokens](#tokens).")]
Capability = Annotated[str, Meta(max_length=64)]
Capabilities = Annotated[list[Capability], Meta(max_length=32)]
ParticipantId = Annotated[str, Meta(min_length=1, max_length=64)]
WatchedStrips = Annotated[list[ParticipantId], Meta(max_length=MAX_WATCHED)]
Sdp = Annotated[str, Meta(min_length=1, max_length=MAX_SDP_CHARS)]
CandidateLine = Annotated[str, Meta(max_length=1024)]
ShortText = Annotated[str, Meta(max_length=256)]
MLineIndex = Annotated[int, Meta(ge=0, le=255)]
RoleName = Literal["publisher", "subscriber", "both"]
GivenRole = Literal["listener", "speaker", "engineer"]


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every payload that is an object."""


class ConnectAuth(msgspec.Struct, frozen=True):
    """What Socket.IO's `auth` may hold when a socket is opened; all else there is ignored."""

    token: AccessToken | None = None


class JoinRoom(_Payload, frozen=True):
    """Who wants in, and as what. With a `resume_token` nothing else is looked at.

    Where [tokens](#tokens) are wanted, `token` is the one to come in with, by default the one that
    the socket was opened with; it decides who is host, and host keys count for nothing.
    A `host_key` that is not the room's is ignored: the `rights` in the answer tell. `mode` and
    `max_speakers` are those of a room that this makes; one that is there keeps its own. Who has the
    capability `tracks` answers the server's `offer`, and hears rooms of mode `forward` on as many
    tracks as people are heard.
    """

    room_id: RoomId | None = None
    name: Name | None = None
    role: RoleName = "both"
    token: AccessToken | None = None
    resume_token: Secret | None = None
    host_key: Secret | None = None
    protocol: Literal[1] = 1
    capabilities: Capabilities = []
    mode: RoomMode = DEFAULT_ROOM_SETTINGS.mode
    max_speakers: MaxSpeakers = DEFAULT_ROOM_SETTINGS.max_speakers

    @property
    def room_settings(self) -> RoomSettings:
        """Of a room that this makes."""
        return RoomSettings(max_speakers=self.max_speakers, mode=self.mode)

    @property
    def direction(self) -> Direction:
        """Which way the audio shall go."""
        return Direction(self.role)


class SessionOffer(_Payload, frozen=True):
    """An SDP offer (RTCSessionDescription)."""

    type: Literal["offer"]
    sdp: Sdp


class SessionAnswer(_Payload, frozen=True):
    """An SDP answer (RTCSessionDescription)."""

    type: Literal["answer"]
    sdp: Sdp


class IceCandidate(_Payload, frozen=True):
    """A trickled candidate (RTCIceCandidateInit); an empty line ends the candidates."""

    candidate: CandidateLine
    sdp_mid: ShortText | None = field(default=None, name="sdpMid")
    sdp_mline_index: MLineIndex | None = field(default=None, name="sdpMLineIndex")
    username_fragment: ShortText | None = field(default=None, name="usernameFragment")


class StripUpdate(_Payload, frozen=True):
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


class ListenerMix(_Payload, frozen=True):
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


class RoomChange(_Payload, frozen=True):
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


class SpeakerChange(_Payload, frozen=True):
    """Whether somebody comes first when more speak than are heard; what is left out stays.

    Who has `priority` is heard whenever there is something to hear. Who is `pinned` comes before
    those; pins beyond `max_speakers` wait for an older one to be taken away.
    """

    participant_id: ParticipantId
    priority: bool | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET


class RoleChange(_Payload, frozen=True):
    """What somebody is in the room from now on, see [rights](#rights)."""

    participant_id: ParticipantId
    role: GivenRole


class NetworkChange(_Payload, frozen=True):
    """What somebody's sound goes through on its way to the server, for trials; `off` for nothing.

    Without `participant_id`, what everybody's goes through who has none of their own; `clean` is a
    network of one's own that does nothing. A new seed begins anew.
    """

    network: NetworkText
    participant_id: ParticipantId | None = None
    seed: NetworkSeed = 0


class DoorChange(_Payload, frozen=True):
    """Who finds the door shut; what is left out stays as it is.

    `locked`: nobody comes in but hosts. `waiting`: who comes in waits until a host lets them, but
    for hosts and engineers. `lift_bans`: those who were banned may come in again.
    """

    locked: bool | UnsetType = UNSET
    waiting: bool | UnsetType = UNSET
    lift_bans: bool = False

    def applied_to(self, door: Door) -> Door:
        """Return `door` with what the client set."""
        return Door(
            locked=door.locked if self.locked is UNSET else self.locked,
            waiting=door.waiting if self.waiting is UNSET else self.waiting,
            bans=() if self.lift_bans else door.bans,
            key=door.key,
        )


class AdmissionChoice(_Payload, frozen=True):
    """Whether somebody who waits is let in."""

    guest_id: ParticipantId
    admit: bool = True


class MutedParticipant(_Payload, frozen=True):
    """Whose microphone to mute."""

    participant_id: ParticipantId


class RemovedParticipant(_Payload, frozen=True):
    """Whom to put out; with `ban` they do not come in again while the room exists."""

    participant_id: ParticipantId
    ban: bool = False


class SceneRequest(_Payload, frozen=True):
    """A scene by its name."""

    name: SceneName


class SceneRecall(_Payload, frozen=True):
    """A scene to bring the room to."""

    name: SceneName
    fade_ms: FadeMs = 500


class WatchedMeters(_Payload, frozen=True):
    """The strips whose meters I want to see, and the one whose spectrum; no others any more."""

    participants: WatchedStrips = []
    spectrum: ParticipantId | None = None


# ---- acknowledgements ------------------------------------------------------------------------


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something was refused."""

    reason: str
    detail: str
    retry_after: float | None = None


class Refused(msgspec.Struct, frozen=True):
    """The acknowledgement of what was not done."""

    error: Problem
    ok: Literal[False] = False


class Done(msgspec.Struct, frozen=True):
    """The acknowledgement that adds nothing."""

    ok: Literal[True] = True


class Track(msgspec.Struct, frozen=True):
    """One medium that a participant sends."""

    kind: Literal["audio"] = "audio"


class ParticipantInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A participant, in every list and event.

    `genre` is what the sound was recognised as when this was sent, null before anything was, and
    `confidence` how likely that is right; `genre_detected` tells of changes. `settings` is the
    effective strip; it is left out for those who publish nothing. `network` is what their sound is
    made to go through, null where that is the room's.
    """

    participant_id: str
    name: str
    role: RoleName
    rights: list[str]
    kind: str
    muted: bool
    deafened: bool
    priority: bool
    pinned: bool
    speaking: bool
    csrc: int
    joined_at: float
    tracks: list[Track]
    genre: Label | None = None
    confidence: float = 0.0
    settings: dict[str, StripValue] | UnsetType = UNSET
    network: SimulatedNetwork | None = None


class SceneInfo(msgspec.Struct, frozen=True):
    """A scene; `saved_at` is seconds since the epoch, `strips` how many it holds."""

    name: str
    saved_at: float
    strips: int


def scene_list(room: Room) -> list[SceneInfo]:
    """Return the scenes of a room as the wire lists them."""
    return [SceneInfo(one.name, one.saved_at, len(one.strips)) for one in room.scenes.values()]


class DoorState(msgspec.Struct, frozen=True):
    """How the door of the room is; `bans` is how many are kept out."""

    locked: bool
    waiting: bool
    bans: int


def door_state(door: Door) -> DoorState:
    """Return a door as the wire shows it."""
    return DoorState(door.locked, door.waiting, len(door.bans))


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


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement of `join_room`.

    `participants` includes the participant itself. `role` and `rights` may be less than what was
    asked for, where a token says so. `host_key` is there for the creator of the room, once, and
    never where tokens are wanted. `listener_mix` holds what I changed, by participant id. `network`
    is what everybody's sound is made to go through, and `simulates` whether the operator lets
    `set_network` change that.
    """

    room_id: str
    participant_id: str
    resume_token: str
    resumed: bool
    role: RoleName
    rights: list[str]
    participants: list[ParticipantInfo]
    settings: dict[str, StripValue]
    listener_mix: dict[str, SourceMix]
    room_settings: RoomSettings
    scenes: list[SceneInfo]
    door: DoorState
    ice_servers: list[dict[str, Any]]
    recording: RecordingInfo | None = None
    network: SimulatedNetwork | None = None
    simulates: bool = False
    host_key: str | UnsetType = UNSET
    protocol: int = PROTOCOL_VERSION
    ok: Literal[True] = True


class Answered(msgspec.Struct, frozen=True):
    """The server's SDP answer."""

    sdp: str
    type: Literal["answer"] = "answer"
    ok: Literal[True] = True


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


class EffectiveMeters(msgspec.Struct, frozen=True):
    """What I see the meters of now."""

    participants: list[str]
    spectrum: str | None
    ok: Literal[True] = True


class EffectiveSpeaker(msgspec.Struct, frozen=True):
    """Whether somebody comes first now."""

    participant_id: str
    priority: bool
    pinned: bool
    ok: Literal[True] = True


class EffectiveRole(msgspec.Struct, frozen=True):
    """What somebody is in the room now, and may do."""

    participant_id: str
    role: GivenRole
    rights: list[str]
    ok: Literal[True] = True


class EffectiveNetwork(msgspec.Struct, frozen=True):
    """What somebody's sound goes through now, or everybody's; null for nothing of their own."""

    participant_id: str | None
    network: SimulatedNetwork | None
    ok: Literal[True] = True


class EffectiveDoor(msgspec.Struct, frozen=True):
    """How the door is now."""

    door: DoorState
    ok: Literal[True] = True


class MyStats(msgspec.Struct, frozen=True):
    """The figures of my media connection, at most a second old; null before there are any."""

    stats: PeerStats | None
    ok: Literal[True] = True


_Figures = TypeVar("_Figures", bound=msgspec.Struct)


def spelled_out(figures: _Figures) -> _Figures:
    """Return `figures` so that JSON shows every field; the control socket leaves zeros out."""
    return cast(_Figures, msgspec.structs.asdict(figures))


Ack = (
    Refused
    | Done
    | Joined
    | Answered
    | EffectiveStrip
    | EffectiveMix
    | EffectiveRoom
    | EffectiveSpeaker
    | EffectiveRole
    | EffectiveMeters
    | EffectiveDoor
    | EffectiveNetwork
    | EffectiveScenes
    | RecalledScene
    | MyStats
    | WatchedSessions
)


# ---- the table -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """One event that a client may send.

    Attributes:
        payload: the type of its one argument; None when there is none.
        ack: the type of a positive acknowledgement.
        cost: tokens that it takes from the connection's rate, see `webrtc.signaling.rate`.
    """

    name: str
    payload: Any
    ack: type[msgspec.Struct]
    meaning: str
    cost: int = 1


CLIENT_EVENTS: Final = {
    event.name: event
    for event in (
        ClientEvent(
            "join_room",
            RoomId | JoinRoom,
            Joined,
            "Enter a room, making it if it is not there, or come back with a resume token.",
            cost=20,
        ),
        ClientEvent("leave_room", None, Done, "Leave for good."),
        ClientEvent(
            "offer",
            SessionOffer,
            Answered,
            "Negotiate, renegotiate or restart ICE. The answer comes only here.",
            cost=20,
        ),
        ClientEvent("answer", SessionAnswer, Done, "Answer the server's `offer`.", cost=20),
        ClientEvent(
            "ice_candidate",
            IceCandidate | None,
            Done,
            "Trickle a candidate; null ends the candidates.",
        ),
        ClientEvent(
            "audio_stream_metadata",
            StripUpdatePayload,
            EffectiveStrip,
            "Change a part of a strip's settings.",
        ),
        ClientEvent(
            "set_listener_mix", ListenerMix, EffectiveMix, "Change how I alone hear someone."
        ),
        ClientEvent(
            "set_room",
            RoomChange,
            EffectiveRoom,
            "Change the room's settings; takes the right `choose_speakers` for `max_speakers`, "
            "`mode` and `speaker_…`, `run_archive` for `archive`, `run_desk` for all else.",
            cost=20,
        ),
        ClientEvent(
            "set_speaker",
            SpeakerChange,
            EffectiveSpeaker,
            "Let somebody come first, or not; takes the right `choose_speakers`.",
        ),
        ClientEvent(
            "set_role",
            RoleChange,
            EffectiveRole,
            "Make somebody listener, speaker or engineer; takes the right `set_roles`. A host "
            "stays host.",
        ),
        ClientEvent(
            "set_door",
            DoorChange,
            EffectiveDoor,
            "Lock the room, let people wait at its door, lift bans; takes the right `moderate`, as "
            "the next three.",
        ),
        ClientEvent(
            "set_network",
            NetworkChange,
            EffectiveNetwork,
            "Make somebody's network worse on purpose, or everybody's; takes the right `run_desk`, "
            "and an operator who allows it.",
            cost=20,
        ),
        ClientEvent("admit", AdmissionChoice, Done, "Let somebody in who waits, or not."),
        ClientEvent(
            "mute_participant",
            MutedParticipant,
            Done,
            "Mute somebody's microphone; they unmute themselves.",
        ),
        ClientEvent(
            "remove_participant",
            RemovedParticipant,
            Done,
            "Put somebody out, and keep them out with `ban`: by the subject of their token, or by "
            "their address where rooms stand open. A host stays.",
        ),
        ClientEvent(
            "store_scene",
            SceneRequest,
            EffectiveScenes,
            "Store the room's settings and everybody's strip under a name, in place of what was "
            "stored there; takes the right `run_desk`, as the other two.",
            cost=20,
        ),
        ClientEvent(
            "recall_scene",
            SceneRecall,
            RecalledScene,
            "Bring the room to a scene, fading over.",
            cost=50,
        ),
        ClientEvent("delete_scene", SceneRequest, EffectiveScenes, "Forget a scene.", cost=20),
        ClientEvent(
            "watch_meters",
            WatchedMeters,
            EffectiveMeters,
            "Show me meters of these strips, those that I may edit, and of no others. A new "
            "socket has to ask again.",
        ),
        ClientEvent("set_muted", bool, Done, "Nobody hears me."),
        ClientEvent("set_deafened", bool, Done, "I hear nobody."),
        ClientEvent(
            "set_visibility",
            bool,
            Done,
            "Whether the page is visible; while it is not, no levels, meters or speakers come.",
        ),
        ClientEvent(
            "watch_sessions",
            WatchSessions,
            WatchedSessions,
            "Tell me of sessions that the archive keeps; needs no seat in a room.",
            cost=20,
        ),
        ClientEvent("get_stats", None, MyStats, "Ask for the figures of my media connection."),
    )
}
