"""What a room is and who is in it: frozen values that a store keeps and a worker carries.

Both models travel as opaque bytes through the media worker, so that a restarted front process finds
its rooms again: a field may be added with a default, never renamed or removed.
"""

import enum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from mixer.selection_settings import DEFAULT_SPEAKERS, MAX_SPEAKERS, RANGES, SelectionSettings
from rooms.door import OPEN_DOOR, Door
from rooms.strip import DEFAULT_STRIP, StripSettings

DEFAULT_TENANT: Final = "default"
"""Whose rooms are those that nobody's token made, or one that names no tenant: the operator's."""

MUTED_GAIN_DB: Final = -60.0
"""The gain that means silence."""

MAX_PERSONAL_MIX: Final = 256
"""Most others whom one participant hears in a way of their own: the workers carry these, too."""


class Direction(enum.StrEnum):
    """Which way a participant's audio goes; the wire calls it the role."""

    PUBLISHER = "publisher"
    SUBSCRIBER = "subscriber"
    BOTH = "both"

    @property
    def publishes(self) -> bool:
        """Whether audio comes from the participant."""
        return self is not Direction.SUBSCRIBER

    @property
    def subscribes(self) -> bool:
        """Whether a mix goes to the participant."""
        return self is not Direction.PUBLISHER


class Role(enum.StrEnum):
    """What a participant is in the room; each is allowed what `rooms.rights` says."""

    LISTENER = "listener"
    SPEAKER = "speaker"
    ENGINEER = "engineer"
    HOST = "host"


class ParticipantKind(enum.StrEnum):
    """How a participant is connected."""

    WEBRTC = "webrtc"
    UDP = "udp"
    WHIP = "whip"
    """Publishes by one HTTP request, see `webrtc.signaling.http_sessions`."""
    WHEP = "whep"
    """Listens by one."""
    PLAYER = "player"
    """A file or the like that is played into the room, see `webrtc.playback`."""


GainDb = Annotated[
    float,
    Meta(ge=MUTED_GAIN_DB, le=12, description="−60 is silence.", extra_json_schema={"unit": "dB"}),
]
MixPan = Annotated[
    float,
    Meta(
        ge=-1,
        le=1,
        description="−1 left, 0 centre, 1 right.",
        extra_json_schema={"unit": "of a side"},
    ),
]


Solo = Annotated[
    bool, Meta(description="Of all others I hear only those with solo, muted by me or not.")
]


class SourceMix(msgspec.Struct, frozen=True):
    """What one listener alone hears of one source."""

    gain_db: GainDb = 0.0
    pan: MixPan = 0.0
    muted: bool = False
    solo: Solo = False


DEFAULT_SOURCE_MIX: Final = SourceMix()


MaxSpeakers = Annotated[
    int,
    Meta(ge=1, le=MAX_SPEAKERS, description="Most others that anybody hears at the same time."),
]


Automix = Annotated[
    bool, Meta(description="Microphones share one gain: the open-microphone sum stays constant.")
]
DuckingDb = Annotated[
    float,
    Meta(
        ge=0,
        le=40,
        description="How far music goes down while somebody speaks; 0 is off.",
        extra_json_schema={"unit": "dB"},
    ),
]
TargetLufs = Annotated[
    float,
    Meta(
        ge=-36,
        le=-10,
        description="Loudness that the room's mix is slowly brought to; null leaves it alone.",
        extra_json_schema={"unit": "LUFS"},
    ),
]
ArchiveOn = Annotated[
    bool,
    Meta(description="The latest of what everybody says is kept for a while; all can see that."),
]
RoomMode = Literal["mix", "forward"]


def _rule(name: str, unit: str, description: str) -> Meta:
    """Return the range of one of `SelectionSettings`."""
    low, high = RANGES[name]
    return Meta(ge=low, le=high, description=description, extra_json_schema={"unit": unit})


SpeakerOpenDb = Annotated[
    float, _rule("open_db", "dB", "Who is so much above the own background noise speaks.")
]
SpeakerHysteresisDb = Annotated[
    float,
    _rule("hysteresis_db", "dB", "Only who is louder by more than this displaces one who speaks."),
]
SpeakerHoldMs = Annotated[
    float,
    _rule("hold_ms", "ms", "For so long nobody who speaks is displaced after having been chosen."),
]
SpeakerAttackMs = Annotated[
    float, _rule("attack_ms", "ms", "Shorter sounds are coughs: they displace nobody.")
]
SpeakerYieldMs = Annotated[
    float, _rule("yield_ms", "ms", "Who has paused for longer makes way for anybody who speaks.")
]
SpeakerTimeoutMs = Annotated[
    float, _rule("timeout_ms", "ms", "Who has not been audible for longer gives the place up.")
]
SpeakerVoiceWeightDb = Annotated[
    float, _rule("voice_weight_db", "dB", "What sound counts less that is no voice.")
]
_RULES: Final = SelectionSettings()


class RoomSettings(msgspec.Struct, frozen=True):
    """What applies to a whole room.

    In mode `mix` everybody gets one track with the sound of all who are heard. In mode `forward`
    whoever can gets a track for each of them, as they sent it; all others get a mix. `speaker_…`
    are the rules by which those who are heard are chosen, in both modes alike.
    """

    max_speakers: MaxSpeakers = DEFAULT_SPEAKERS
    automix: Automix = False
    ducking_db: DuckingDb = 0.0
    target_lufs: TargetLufs | None = None
    mode: RoomMode = "mix"
    archive: ArchiveOn = False
    speaker_open_db: SpeakerOpenDb = _RULES.open_db
    speaker_hysteresis_db: SpeakerHysteresisDb = _RULES.hysteresis_db
    speaker_hold_ms: SpeakerHoldMs = _RULES.hold_ms
    speaker_attack_ms: SpeakerAttackMs = _RULES.attack_ms
    speaker_yield_ms: SpeakerYieldMs = _RULES.yield_ms
    speaker_timeout_ms: SpeakerTimeoutMs = _RULES.timeout_ms
    speaker_voice_weight_db: SpeakerVoiceWeightDb = _RULES.voice_weight_db

    @property
    def selection(self) -> SelectionSettings:
        """How the room chooses who is heard, in either mode."""
        return SelectionSettings(
            max_speakers=self.max_speakers,
            open_db=self.speaker_open_db,
            hysteresis_db=self.speaker_hysteresis_db,
            hold_ms=self.speaker_hold_ms,
            attack_ms=self.speaker_attack_ms,
            yield_ms=self.speaker_yield_ms,
            timeout_ms=self.speaker_timeout_ms,
            voice_weight_db=self.speaker_voice_weight_db,
        )


DEFAULT_ROOM_SETTINGS: Final = RoomSettings()


NetworkText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="A quality in percent (`50%`), a name (`mobile`), or figures "
        "(`loss=5,burst=3,jitter=20`), see [mixer-cli.md](mixer-cli.md#simulated-networks).",
    ),
]
NetworkSeed = Annotated[
    int, Meta(ge=0, le=2**31 - 1, description="The same one loses the same packets again.")
]


class SimulatedNetwork(msgspec.Struct, frozen=True):
    """A bad network on purpose: what somebody sends takes its way through it."""

    conditions: NetworkText
    seed: NetworkSeed = 0


class SceneStrip(msgspec.Struct, frozen=True, array_like=True):
    """Somebody's strip in a scene."""

    participant_id: str
    name: str
    strip: StripSettings


class Scene(msgspec.Struct, frozen=True):
    """A snapshot of a room, see `rooms.scenes`; `saved_at` is seconds since the epoch."""

    name: str
    saved_at: float
    settings: RoomSettings
    strips: list[SceneStrip]


class Recording(msgspec.Struct, frozen=True):
    """A recording of a room that goes on, or pauses.

    Attributes:
        recording_id: names its folder.
        rings: memory that its process shares with the media workers, by number among all.
        spans: beginning and end of each stretch on the machine's monotonic clock, in seconds.
        tracks: which tracks of everybody are wanted beside the mix.
        started_at: seconds since the epoch.
        home: the worker, by number among all, that records the mix: it serves the room as long as
            that goes on, with people of it or without.
    """

    recording_id: str
    rings: dict[int, str]
    spans: list[tuple[float, float | None]]
    tracks: list[Literal["dry", "processed"]]
    started_at: float
    home: int = 0

    @property
    def keeper(self) -> int:
        """`home`; any worker of its replica where an older version of this program began it."""
        return self.home if self.home in self.rings else min(self.rings)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is recorded at the moment."""
        return self.spans[-1][1] is not None


class Broadcast(msgspec.Struct, frozen=True):
    """A broadcast of a room that goes on.

    Attributes:
        broadcast_id: names it in its address; a secret.
        rings: memory that its process shares with the media workers, by number among all.
        begin_s: its beginning on the machine's monotonic clock.
        started_at: seconds since the epoch.
        home: as in `Recording`.
    """

    broadcast_id: str
    rings: dict[int, str]
    begin_s: float
    started_at: float
    home: int = 0

    @property
    def keeper(self) -> int:
        """As in `Recording`."""
        return self.home if self.home in self.rings else min(self.rings)


class Waiter(msgspec.Struct, frozen=True, array_like=True):
    """A guest at the door of a room, see `webrtc.signaling.far_guests`.

    Attributes:
        name: what they call themselves. Personal: never logged.
        replica: where they wait.
        admitted: what a host elsewhere has answered; None for nothing yet.
    """

    guest_id: str
    name: str
    replica: int
    admitted: bool | None = None


class Room(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A room.

    Attributes:
        created_at: seconds since the epoch.
        host_key_hash: see `rooms.tokens`; the key itself is known to the creator only.
        worker: index of the media worker that mixes this room.
        scenes: by name, in the order of storing.
        door: who finds it shut.
        recording: what is recorded of it, if anything is.
        broadcast: where its mix is broadcast to, if anywhere.
        network: what everybody's sound in it goes through, if it is to be made worse.
        tenant: whose it is; to everybody else it is not there, see `rooms.rights.belongs`.
        guests: who waits at its door, with several replicas.
    """

    room_id: str
    created_at: float
    host_key_hash: bytes
    worker: int
    settings: RoomSettings = DEFAULT_ROOM_SETTINGS
    scenes: dict[str, Scene] = {}
    door: Door = OPEN_DOOR
    recording: Recording | None = None
    broadcast: Broadcast | None = None
    network: SimulatedNetwork | None = None
    tenant: str = DEFAULT_TENANT
    guests: tuple[Waiter, ...] = ()

    @property
    def keepers(self) -> set[int]:
        """The workers, by number among all, that record or broadcast the room."""
        return {one.keeper for one in (self.recording, self.broadcast) if one is not None}


class UdpAccess(msgspec.Struct, frozen=True):
    """How a participant comes through the UDP gateway.

    Attributes:
        client_id: goes before each of its datagrams; a secret.
        payload: what they carry.
        host: IPv4 address that they must come from, as a number; 0 for any.
        plain: whether it is a client of the old kind, which has no control line.
    """

    client_id: str
    payload: Literal["pcm", "opus"] = "pcm"
    host: int = 0
    plain: bool = False


class FeedAccess(msgspec.Struct, frozen=True):
    """Where the sound of a participant comes from that is played into the room by the server.

    Attributes:
        path: of the shared memory.
        plays: whether it plays, or pauses.
    """

    path: str
    plays: bool = True


class Participant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Someone in a room.

    Attributes:
        name: what the participant is called; may be empty. Personal: never logged.
        csrc: 32-bit number of this source in every mix of the room (RFC 3550 section 5.1).
        joined_at: seconds since the epoch.
        resume_hash: see `rooms.tokens`.
        mix: what this participant alone hears, by source participant id; only what differs from
            the shared mix.
        priority: heard before others, whenever there is something to hear.
        pinned: heard before all others, by hand.
        takes_tracks: answers offers of the server, and so can be sent more than one track.
        udp: how it comes, if through the UDP gateway.
        home: number, among all of all replicas, of the media worker that has its connection.
        present: False while neither socket nor media is there, and the others do not see it.
        put_out: why a host puts it out; who serves it follows. "" for everybody else.
        origin: where it comes from, see `rooms.door.hidden`; b"" where a token says who it is, or
            nobody knows.
        feed: where its sound comes from, if the server plays it.
        ice_tag: entity tag of its ICE session, if it comes by WHIP or WHEP.
        grants: what its join token opens, see `rooms.rights`; None where none is wanted.
        subject: whom the token is for.
        token_id: the token's own id, by which it can be revoked.
        network: what its sound goes through, in place of the room's.
        tenant: the room's.
    """

    participant_id: str
    room_id: str
    csrc: int
    joined_at: float
    resume_hash: bytes
    name: str = ""
    direction: Direction = Direction.BOTH
    role: Role = Role.SPEAKER
    kind: ParticipantKind = ParticipantKind.WEBRTC
    muted: bool = False
    deafened: bool = False
    priority: bool = False
    pinned: bool = False
    takes_tracks: bool = False
    strip: StripSettings = DEFAULT_STRIP
    mix: dict[str, SourceMix] = {}
    udp: UdpAccess | None = None
    ice_tag: str = ""
    grants: tuple[str, ...] | None = None
    subject: str = ""
    token_id: str = ""
    feed: FeedAccess | None = None
    network: SimulatedNetwork | None = None
    tenant: str = DEFAULT_TENANT
    home: int = 0
    present: bool = True
    put_out: str = ""
    origin: bytes = b""

    def being_put_out(self, reason: str) -> "Participant":
        """Return one that the others see no more, and that may not come back."""
        return msgspec.structs.replace(self, present=False, put_out=reason)

    @property
    def publishes(self) -> bool:
        """Whether audio comes from this participant."""
        return self.direction.publishes

    @property
    def subscribes(self) -> bool:
        """Whether a mix goes to this participant."""
        return self.direction.subscribes
