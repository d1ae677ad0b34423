"""An id for each HTTP request, told in its answer and in all log lines that it causes.

A proxy in front of us, or the replica that passes a request on, may have given it one already.
"""

import re
import time
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from webrtc.log_context import about, learn, usable_request_id
from webrtc.request_log import tell

HEADER: Final = "X-Request-Id"
_KEY: Final = web.RequestKey("request_id", str)
_READING: Final = ("GET", "HEAD", "OPTIONS")
_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}\Z")


@web.middleware
async def request_ids(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Name a request, and say in the log what came of it."""
    request_id = request[_KEY] = usable_request_id(request.headers.get(HEADER))
    began, outcome = time.perf_counter(), "broken off"
    with about(request_id):
        try:
            response = await handler(request)
            outcome = str(response.status)
            if response.status < 400:  # else they may be anything
                learn(_named(request, "room_id"), _named(request, "participant_id"))
            return response
        finally:
            changed = request.method not in _READING and outcome < "4"
            resource = request.match_info.route.resource
            template = "" if resource is None else resource.canonical
            tell(f"{_method(request)} {template}".strip(), outcome, began, is_important=changed)


async def add_request_id(request: web.Request, response: web.StreamResponse) -> None:
    """Complete a response before it is sent; a signal handler of aiohttp."""
    response.headers[HEADER] = request[_KEY]


def _named(request: web.Request, name: str) -> str:
    value = request.match_info.get(name, "")
    return value if _ID.match(value) else ""


def _method(request: web.Request) -> str:
    return request.method if request.method in hdrs.METH_ALL else "?"
