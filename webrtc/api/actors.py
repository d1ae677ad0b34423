"""Who asks by REST for what takes a right in a room.

As bearer token comes a participant's resume token, or what opens the room to its host: the host key
where rooms stand open, else a join token whose grants open the right.
"""

from aiohttp import web

from rooms import tokens
from rooms.models import Room
from rooms.passes import tenant_of
from rooms.rights import Right, may, opened_by
from webrtc.api.guard import bearer
from webrtc.errors import ClientError
from webrtc.signaling.desk import FrontDesk


async def require_right(request: web.Request, desk: FrontDesk, right: Right) -> Room:
    """Return the room that the request names, if whoever asks may do `right` there.

    Raises:
        ClientError: `unauthorized`, `forbidden`, `room_not_found`, or what `Access` refuses with.
    """
    room_id, token = request.match_info["room_id"], bearer(request)
    refused = ClientError("forbidden", f"this takes the right {right.value}")
    participant_id, secret = tokens.split_resume_token(token)
    asking = await desk.conference.store.participant(participant_id)
    if asking is not None and tokens.matches(secret, asking.resume_hash):
        room = await desk.conference.room_for(asking.tenant, room_id)
        if not may(asking, right, room):
            raise refused
        return room
    shown = await desk.access.enter(token, room_id)
    room = await desk.conference.room_for(tenant_of(shown), room_id)
    if shown is not None:
        if right not in opened_by(shown.grants):
            raise refused
    elif not tokens.matches(token, room.host_key_hash):
        raise ClientError("unauthorized", "the host key or a resume token is wanted")
    return room
