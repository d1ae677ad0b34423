"""Requests about what another replica has: they are passed on to it, and its answer back."""

from typing import Final

import aiohttp
from aiohttp import web

from rooms.models import Participant
from rooms.shared_store import SharedRoomStore
from webrtc.errors import ClientError

PASSED_ON: Final = "X-AG06-Passed-On"
"""On a request that has been passed on already: it is not again."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10.0)
_THERE: Final = ("Content-Type", "If-Match", "Authorization")
_BACK: Final = ("ETag", "Accept-Patch", "Cache-Control")


async def passed_on(
    request: web.Request, store: SharedRoomStore | None, participant: Participant
) -> web.Response | None:
    """Return the answer of the replica that serves a participant; None if that is this one.

    Raises:
        ClientError: `worker_unavailable`: that replica cannot be reached.
    """
    if store is None or store.is_own(participant):
        return None
    url = store.url_of(participant)
    away = ClientError("worker_unavailable", "the replica of this session is away", 1.0)
    if not url or PASSED_ON in request.headers:
        raise away
    headers = {name: request.headers[name] for name in _THERE if name in request.headers}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as client,
            client.request(
                request.method,
                url + request.raw_path,
                data=await request.read(),
                headers={**headers, PASSED_ON: "1"},
                # Its certificate names what clients call it. The address comes from Redis, and
                # whoever may write there may do anything anyway.
                ssl=False,
                allow_redirects=False,
            ) as reply,
        ):
            body = await reply.read()
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise away from None
    response = web.Response(status=reply.status, body=body or None)
    if body:
        response.headers["Content-Type"] = reply.headers.get("Content-Type", "")
    for name in _BACK:
        if name in reply.headers:
            response.headers[name] = reply.headers[name]
    return response
