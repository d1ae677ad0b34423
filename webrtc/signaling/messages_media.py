"""Messages of clients about their media connection: negotiation, meters, figures."""

from typing import Literal, TypeVar, cast

import msgspec
from msgspec import field

from webrtc.control.messages import PeerStats
from webrtc.signaling.messages_parts import (
    CandidateLine,
    MLineIndex,
    ParticipantId,
    Payload,
    Sdp,
    ShortText,
    WatchedStrips,
)


class SessionOffer(Payload, frozen=True):
    """An SDP offer (RTCSessionDescription)."""

    type: Literal["offer"]
    sdp: Sdp


class SessionAnswer(Payload, frozen=True):
    """An SDP answer (RTCSessionDescription)."""

    type: Literal["answer"]
    sdp: Sdp


class IceCandidate(Payload, frozen=True):
    """A trickled candidate (RTCIceCandidateInit); an empty line ends the candidates."""

    candidate: CandidateLine
    sdp_mid: ShortText | None = field(default=None, name="sdpMid")
    sdp_mline_index: MLineIndex | None = field(default=None, name="sdpMLineIndex")
    username_fragment: ShortText | None = field(default=None, name="usernameFragment")


class WatchedMeters(Payload, frozen=True):
    """The strips whose meters I want to see, and the one whose spectrum; no others any more."""

    participants: WatchedStrips = field(default_factory=list)
    spectrum: ParticipantId | None = None


class Answered(msgspec.Struct, frozen=True):
    """The server's SDP answer."""

    sdp: str
    type: Literal["answer"] = "answer"
    ok: Literal[True] = True


class EffectiveMeters(msgspec.Struct, frozen=True):
    """What I see the meters of now."""

    participants: list[str]
    spectrum: str | None
    ok: Literal[True] = True


class MyStats(msgspec.Struct, frozen=True):
    """The figures of my media connection, at most a second old; null before there are any."""

    stats: PeerStats | None
    ok: Literal[True] = True


_Figures = TypeVar("_Figures", bound=msgspec.Struct)


def spelled_out(figures: _Figures) -> _Figures:
    """Return `figures` so that JSON shows every field; the control socket leaves zeros out.

    What the schema names besides, the tag, is shown, too.
    """
    config = figures.__struct_config__
    tag = {} if config.tag_field is None else {config.tag_field: config.tag}
    return cast(_Figures, tag | msgspec.structs.asdict(figures))
