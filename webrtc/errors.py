"""What can go wrong, in two roots.

::

    ClientError                the client's mistake, or a state it has to know about: becomes a
                               clear answer with a `reason` code, never a traceback
    Defect                     our own fault: logged with its traceback, counted in a metric
    `-- ControlProtocolError   a peer of the control socket sent what the protocol does not know
"""

from typing import Final


class ClientError(Exception):
    """A refusal that the client is told about.

    Attributes:
        reason: one of `REASONS`; the same code on Socket.IO, REST and in docs/protocol.md.
        detail: one sentence for a human.
        retry_after_s: seconds after which trying again makes sense, or None.
    """

    def __init__(self, reason: str, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        assert reason in REASONS, f"undocumented reason code {reason}"
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s


class Defect(Exception):  # noqa: N818 — the name says whose fault it is
    """A fault of this program; handlers of the edge log it with its traceback."""


class ControlProtocolError(Defect):
    """A frame of the control socket is too long, malformed, or of an unknown type."""


REASONS: Final[dict[str, str]] = {
    "bad_message": "The payload does not match the event's definition; nothing was changed.",
    "too_large": "The payload is larger than the event allows.",
    "rate_limited": "This connection or address sends too much; wait `retry_after` seconds.",
    "unknown_event": "There is no client event of this name.",
    "not_joined": "The socket is in no room: `join_room` comes first.",
    "already_joined": "The socket is in a room: `leave_room` comes first.",
    "room_not_found": "There is no such room, or it is another tenant's.",
    "room_exists": "A room of this id exists already.",
    "room_full": "The room holds as many participants as it may.",
    "server_full": "This server holds as many as it may; `retry_after` says when to ask again.",
    "tenant_full": "The token's tenant has as many rooms or participants as it may.",
    "room_locked": "A host has locked the room: nobody comes in.",
    "waiting": "A host has to let you in; `admission` tells, then ask again on the same socket.",
    "denied": "A host did not let you in.",
    "banned": "A host keeps you out of this room.",
    "participant_not_found": "There is no such participant in the room.",
    "scene_not_found": "The room has no scene of this name.",
    "too_many_scenes": "The room holds as many scenes, or the scene as many strips, as it may.",
    "too_many_mixes": "The participant hears as many others in a way of their own as it may.",
    "resume_failed": "The resume token is unknown or older than 60 s; join afresh without it.",
    "forbidden": "The participant's rights, or the token's grants, do not allow this.",
    "not_installed": "The server lacks an optional package that this takes; `detail` names it.",
    "not_simulating": "The operator of this server lets nobody simulate networks.",
    "busy": "The previous request of this kind has not been answered yet.",
    "glare": "An offer of the server is open: answer it first, then offer again.",
    "no_offer_pending": "There is no open offer of the server to answer.",
    "bad_sdp": "The session description cannot be understood or offers nothing usable.",
    "bad_candidate": "The ICE candidate cannot be understood.",
    "negotiation_failed": "The media worker could not complete the negotiation.",
    "negotiation_timeout": "The media worker did not answer in time.",
    "worker_unavailable": "The room's media worker is restarting; wait `retry_after` seconds.",
    "draining": "This server is shutting down and takes no one new.",
    "not_found": "There is no such resource.",
    "method_not_allowed": "The resource does not know this method.",
    "unsupported_media_type": "The request's body is of a type that the resource does not take.",
    "precondition_required": "The request needs an If-Match header: the session's ETag, or *.",
    "precondition_failed": "The If-Match header names another ICE session than the present one.",
    "unauthorized": "A token is wanted here, and there is none, or a wrong one.",
    "token_expired": "The token's time is over; ask whoever gave it for another one.",
    "token_revoked": "The token has been taken back.",
    "auth_unavailable": "The keys that tokens are signed with cannot be fetched at the moment.",
    "unplayable": "The file cannot be played; `detail` says why.",
    "playback_not_found": "There is no such playback in the room.",
    "too_many_playbacks": "The room, or the server, plays as much at the same time as it may.",
    "session_not_found": "There is no such session, or it is not the bearer's to see.",
    "already_playing": "The session is played already: `stop` it first.",
    "no_sound": "Nothing of the session's sound is kept, or it cannot be read.",
    "archive_unavailable": "The store of sessions cannot be reached; wait `retry_after` seconds.",
    "recording_unavailable": "This server records nothing, or cannot at the moment.",
    "recording_not_found": "There is no such recording, or not the file.",
    "not_recording": "Nothing is recorded of the room.",
    "broadcast_unavailable": "This server broadcasts nothing, or cannot at the moment.",
    "disk_full": "The server has no room for a recording.",
    "internal_error": "The server made a mistake; it has been recorded.",
}
"""Every reason code and what it tells the client."""
