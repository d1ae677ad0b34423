"""Messages of clients about coming into a room, and what they find there."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType, field

from dsp.genre.labels import Label
from rooms.models import (
    DEFAULT_ROOM_SETTINGS,
    Direction,
    MaxSpeakers,
    RoomMode,
    RoomSettings,
    SimulatedNetwork,
    SourceMix,
)
from rooms.strip import StripValue
from webrtc.signaling.messages_desk import BroadcastInfo, RecordingInfo, SceneInfo
from webrtc.signaling.messages_hosting import DoorState
from webrtc.signaling.messages_parts import (
    PROTOCOL_VERSION,
    AccessToken,
    Capabilities,
    Name,
    Payload,
    RoleName,
    RoomId,
    Secret,
)


class ConnectAuth(msgspec.Struct, frozen=True):
    """What Socket.IO's `auth` may hold when a socket is opened; all else there is ignored."""

    token: AccessToken | None = None


class JoinRoom(Payload, frozen=True):
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
    capabilities: Capabilities = field(default_factory=list)
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
    broadcast: BroadcastInfo | None = None
    network: SimulatedNetwork | None = None
    simulates: bool = False
    host_key: str | UnsetType = UNSET
    protocol: int = PROTOCOL_VERSION
    ok: Literal[True] = True
