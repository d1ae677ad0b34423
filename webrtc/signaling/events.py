"""What the server sends unasked: the one definition."""

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from dsp.genre.labels import Genre, Label
from dsp.genre.profiles import Profile
from rooms.models import RoomSettings, SimulatedNetwork
from webrtc.control.messages import StripMeters, StripSpectrum
from webrtc.sessions.shapes import SessionInfo, SessionRemoved
from webrtc.signaling.messages_desk import BroadcastInfo, RecordingInfo, SceneInfo
from webrtc.signaling.messages_hosting import DoorState
from webrtc.signaling.messages_joining import ParticipantInfo

Quality = Literal["good", "fair", "poor"]


class ParticipantLeft(msgspec.Struct, frozen=True):
    """Someone is gone.

    `left` on purpose; `lost` when neither socket nor media is there any more, and then
    `participant_joined` with the same id may follow; `timeout` when media went on, but the lost
    socket did not come back in time; `removed`, `banned` and `revoked` as in `room_closed`.
    """

    participant_id: str
    reason: str


class LevelsChanged(msgspec.Struct, frozen=True):
    """Triples of participant id, level in dBov (0 loudest, 127 silent) and speaking (0 or 1)."""

    levels: list[tuple[str, int, int]]


class MetersTaken(msgspec.Struct, frozen=True):
    """What this page asked for with `watch_meters`.

    A strip that falls silent says so at once, and then every second; one of which nothing has come
    for two seconds is silent.
    `spectrum` is null while the strip that was asked for is silent. `limiter_db` is the gain of the
    room's mixes' limiters, of the one that works hardest; 0 or less.
    """

    meters: list[StripMeters]
    spectrum: StripSpectrum | None
    limiter_db: float = 0.0


class GenreDetected(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody's sound is recognised as; also when only the confidence has moved.

    `genre` is a class, `unknown` or `silence`, and `confidence` how likely that is right, 0 to 1.
    `firm` tells whether it is worth acting on, `speech` how likely somebody speaks, alone or over
    music, `probabilities` how likely each class is; what is missing to 1 is noise. `profile` is the
    mixing profile that suits it: strips whose `genre` is `auto` fade over to it. Only those are
    listened to whose strip follows what is heard, or whose meters somebody watches.
    """

    participant_id: str
    genre: Label
    confidence: float
    firm: bool
    speech: float
    probabilities: dict[Genre, float]
    profile: Profile


class ActiveSpeakers(msgspec.Struct, frozen=True):
    """Who speaks, the loudest first."""

    participants: list[str]


class QualitiesChanged(msgspec.Struct, frozen=True):
    """Pairs of participant id and how well that one's connection does.

    `fair` from 2 % lost in either direction, a round trip of 200 ms or 30 ms of jitter on; `poor`
    from 6 %, 400 ms or 60 ms on. It gets better only after five seconds without trouble.
    """

    qualities: list[tuple[str, Quality]]


class AssignedTrack(msgspec.Struct, frozen=True):
    """Who is on a track; null: nobody at the moment."""

    mid: str
    participant_id: str | None


class TrackAssignments(msgspec.Struct, frozen=True):
    """Who is on which of my tracks, all of them; `mid` is that of the track's transceiver."""

    tracks: list[AssignedTrack]


class ServerOffered(msgspec.Struct, frozen=True):
    """An SDP offer of the server; the client sends `answer`."""

    sdp: str
    type: Literal["offer"] = "offer"


class RoomUpdated(msgspec.Struct, frozen=True, omit_defaults=True):
    """What applies to the whole room now.

    What is recorded of it, what everybody's sound is made to go through, and where it is broadcast
    to, if anything is.
    """

    settings: RoomSettings
    recording: RecordingInfo | None = None
    network: SimulatedNetwork | None = None
    broadcast: BroadcastInfo | None = None


class ScenesChanged(msgspec.Struct, frozen=True):
    """Which scenes the room has now, in the order of storing."""

    scenes: list[SceneInfo]


class Guest(msgspec.Struct, frozen=True):
    """Somebody who waits at the door; the name is what they call themselves."""

    guest_id: str
    name: str


class GuestsWaiting(msgspec.Struct, frozen=True):
    """Who waits at the door, all of them, in the order of asking.

    With several replicas those come first who wait at one's own.
    """

    guests: list[Guest]


class Admission(msgspec.Struct, frozen=True):
    """A host has answered: if I am admitted, `join_room` on this socket lets me in now."""

    room_id: str
    admitted: bool


class RoomClosed(msgspec.Struct, frozen=True):
    """The seat is gone, and mostly the room with it.

    `deleted`: a host closed the room; `revoked`: my token was taken back; `removed`
    and `banned`: a host put me out, for now or for good.
    """

    reason: str


class ServerDraining(msgspec.Struct, frozen=True):
    """This server stops soon; come back after so many seconds."""

    retry_after_s: float


class MediaReset(msgspec.Struct, frozen=True):
    """The media worker was restarted: build a new RTCPeerConnection and send a fresh `offer`."""

    reason: str


class ServerState(msgspec.Struct, frozen=True):
    """What does not work at the moment, empty when everything does.

    `replicas`: who is connected with another replica of the server cannot be heard, and is shown
    as they last were.
    """

    degraded: list[Literal["replicas"]]


Event = (
    ParticipantInfo
    | ParticipantLeft
    | LevelsChanged
    | MetersTaken
    | ActiveSpeakers
    | QualitiesChanged
    | GenreDetected
    | TrackAssignments
    | ServerOffered
    | RoomUpdated
    | ScenesChanged
    | DoorState
    | GuestsWaiting
    | Admission
    | RoomClosed
    | ServerDraining
    | ServerState
    | MediaReset
    | SessionInfo
    | SessionRemoved
)


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event that the server may send."""

    name: str
    payload: type[msgspec.Struct]
    meaning: str


SERVER_EVENTS: Final = {
    event.name: event
    for event in (
        ServerEvent("participant_joined", ParticipantInfo, "Someone else came in."),
        ServerEvent(
            "participant_updated",
            ParticipantInfo,
            "Someone changed, oneself included; at most ten times a second for each.",
        ),
        ServerEvent("participant_left", ParticipantLeft, "Someone else is gone."),
        ServerEvent(
            "levels",
            LevelsChanged,
            "Levels that changed: up to 10 a second for those who publish, 3 for listeners, "
            "none while `set_visibility` is false.",
        ),
        ServerEvent(
            "meters",
            MetersTaken,
            "Meters of the strips that `watch_meters` named, 25 a second; none while "
            "`set_visibility` is false.",
        ),
        ServerEvent(
            "active_speakers",
            ActiveSpeakers,
            "Who speaks, whenever that changes; none while `set_visibility` is false.",
        ),
        ServerEvent(
            "qualities",
            QualitiesChanged,
            "How well connections do: of all on joining, then of those where it changed.",
        ),
        ServerEvent(
            "genre_detected",
            GenreDetected,
            "What somebody's sound is recognised as, whenever that changes.",
        ),
        ServerEvent(
            "track_assignments",
            TrackAssignments,
            "Who is on which of my tracks in a room that forwards, whenever that changes.",
        ),
        ServerEvent("offer", ServerOffered, "The server wants to renegotiate."),
        ServerEvent(
            "room_updated",
            RoomUpdated,
            "The room's settings changed, its recording, broadcast, or network.",
        ),
        ServerEvent("scenes_changed", ScenesChanged, "A scene was stored or deleted."),
        ServerEvent("door_changed", DoorState, "A host has locked or unlocked the room."),
        ServerEvent(
            "guests_waiting",
            GuestsWaiting,
            "Who waits at the door changed; only to those with the right `moderate`.",
        ),
        ServerEvent("admission", Admission, "A host lets me in, or does not."),
        ServerEvent("room_closed", RoomClosed, "The room is gone."),
        ServerEvent("server_draining", ServerDraining, "The server is about to stop."),
        ServerEvent("server_state", ServerState, "Something stopped working, or works again."),
        ServerEvent("media_reset", MediaReset, "The media connection is gone."),
        ServerEvent(
            "session_updated", SessionInfo, "A session that I watch began, ended, or is played."
        ),
        ServerEvent("session_removed", SessionRemoved, "A session that I watch was deleted."),
    )
}
