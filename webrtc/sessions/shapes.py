"""What clients see of sessions: the one definition, for REST and Socket.IO alike."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from archive.analysis import Analysis
from archive.sessions import Extent, Session

LIVE_FOR_S = 20.0
"""A session that was not seen for longer has lost the process that kept it."""

Bearer = Annotated[str, Meta(max_length=4096)]


class WatchSessions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose sessions I want to hear of: any token that REST takes for sessions."""

    token: Bearer


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A session in a list.

    `state` is `live` while it goes on. Times are seconds since the epoch; `duration_s` is how long
    it went on so far. `kind` is how the participant was connected, or `foreign` for sessions of
    other programs, which have no room.
    """

    session_id: str
    kind: str
    state: Literal["live", "ended"]
    name: str
    room_id: str | None
    participant_id: str | None
    started_at: float | None
    ended_at: float | None
    duration_s: float | None
    playing: bool


class SessionPage(msgspec.Struct, frozen=True):
    """Sessions, the latest first; `cursor` asks for more, null at the end."""

    sessions: list[SessionInfo]
    cursor: str | None
    may_delete: bool


class KeptSound(msgspec.Struct, frozen=True):
    """What is kept, in seconds of the session's own time; before that it has given way."""

    from_s: float
    to_s: float


class SoundFormat(msgspec.Struct, frozen=True):
    """What the sound is: `encoding` as FFmpeg names it (s16le, f32be, u8), or a file's kind."""

    encoding: str
    sample_rate_hz: int
    channels: int


class FormatCandidate(msgspec.Struct, frozen=True):
    """What raw samples may be; `confidence` from 0 to 1, of all of it or of the encoding alone.

    `choice` is its number: `?choice=` of info, download and play takes it.
    """

    choice: int
    format: SoundFormat
    confidence: float
    encoding_confidence: float


class Guessed(msgspec.Struct, frozen=True):
    """What a foreign session's sound is, by its header or by its looks."""

    container: str | None
    garbage: bool
    candidates: list[FormatCandidate]


class SessionDetails(msgspec.Struct, frozen=True):
    """A session, its sound, and what that is like; null for sound that is not there."""

    session: SessionInfo
    kept: KeptSound | None
    format: SoundFormat | None
    guess: Guessed | None
    analysis: Analysis | None


class PlayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to begin, in seconds of what is kept, and which candidate of an unknown format.

    With a `room_id` the session is played into that room, as a participant with a strip of its
    own; it must be the session's own room, unless the operator plays a foreign one.
    """

    room_id: Annotated[str, Meta(max_length=64)] | None = None
    position_s: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    choice: Annotated[int, Meta(ge=-1, le=99)] = -1


class PlaybackStarted(msgspec.Struct, frozen=True):
    """The address of a WAV file for a player of one's own, good until `stop` or a while after.

    Of a playback into a room there is no address, but the participant that it is.
    """

    url: str | None
    participant_id: str | None
    position_s: float
    duration_s: float


class WatchedSessions(msgspec.Struct, frozen=True):
    """Updates of these sessions come from now on."""

    may_delete: bool
    ok: Literal[True] = True


class SessionRemoved(msgspec.Struct, frozen=True):
    """A session was deleted."""

    session_id: str


def session_info(session: Session, now: float, playing: bool) -> SessionInfo:
    """Return what clients see of a session of a room."""
    is_live = session.ended_at is None and now - session.seen_at < LIVE_FOR_S
    ended_at = session.ended_at
    if not is_live and ended_at is None:
        ended_at = session.seen_at
    return SessionInfo(
        session_id=session.session_id,
        kind=session.kind,
        state="live" if is_live else "ended",
        name=session.name,
        room_id=session.room_id,
        participant_id=session.participant_id,
        started_at=session.started_at,
        ended_at=ended_at,
        duration_s=round((ended_at or now) - session.started_at, 3),
        playing=playing,
    )


def kept_sound(extent: Extent) -> KeptSound | None:
    """Return what clients see of an extent."""
    if not extent.chunks:
        return None
    return KeptSound(extent.first_ms / 1000, extent.end_ms / 1000)
