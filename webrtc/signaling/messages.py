"""What a client may send, and what it is answered: the table of all events.

This and the modules `messages_…` beside it are the one definition: a payload is parsed with these
types and nothing else checks it; `docs/protocol.md` is printed from the same types. Unknown fields
are errors everywhere.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from webrtc.sessions.shapes import WatchedSessions, WatchSessions
from webrtc.signaling.messages_desk import (
    EffectiveMix,
    EffectiveNetwork,
    EffectiveRoom,
    EffectiveScenes,
    EffectiveSpeaker,
    EffectiveStrip,
    ListenerMix,
    NetworkChange,
    RecalledScene,
    RoomChange,
    SceneRecall,
    SceneRequest,
    SpeakerChange,
    StripUpdatePayload,
)
from webrtc.signaling.messages_hosting import (
    AdmissionChoice,
    DoorChange,
    EffectiveDoor,
    EffectiveRole,
    MutedParticipant,
    RemovedParticipant,
    RoleChange,
)
from webrtc.signaling.messages_joining import Joined, JoinRoom
from webrtc.signaling.messages_media import (
    Answered,
    EffectiveMeters,
    IceCandidate,
    MyStats,
    SessionAnswer,
    SessionOffer,
    WatchedMeters,
)
from webrtc.signaling.messages_parts import Done, Refused, RoomId

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
