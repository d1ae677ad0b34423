"""Who asks by REST: the holder of the room's host key, or a participant by its resume token."""

from aiohttp import web

from rooms import tokens
from rooms.models import Participant, Role, Room
from rooms.rights import Right, may
from webrtc.errors import ClientError
from webrtc.signaling.conference import Conference


async def require_right(request: web.Request, conference: Conference, right: Right) -> Room:
    """Return the room that the request names, if whoever asks may do `right` there.

    Raises:
        ClientError: `room_not_found`, `unauthorized`, `forbidden`.
    """
    room = await conference.known_room(request.match_info["room_id"])
    actor = await _actor(request, conference, room)
    if not may(actor, right, room):
        raise ClientError("forbidden", f"this takes the right {right.value}")
    return room


async def _actor(request: web.Request, conference: Conference, room: Room) -> Participant:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() == "bearer" and token:
        if tokens.matches(token, room.host_key_hash):
            return Participant(
                participant_id="", room_id=room.room_id, csrc=0, joined_at=0.0, resume_hash=b"",
                role=Role.HOST, tenant=room.tenant,
            )  # fmt: skip
        participant_id, secret = tokens.split_resume_token(token)
        found = await conference.store.participant(participant_id)
        if found is not None and tokens.matches(secret, found.resume_hash):
            return found
    detail = "the room's host key or a participant's resume token is wanted as bearer token"
    raise ClientError("unauthorized", detail)
