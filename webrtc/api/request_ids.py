"""An id for each HTTP request, told in its answer and in all log lines that it causes.

A proxy in front of us, or the replica that passes a request on, may have given it one already.
"""

import re
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from webrtc.log_context import about, learn, usable_request_id
from webrtc.request_log import tell
from webrtc.tracing import Span, span

HEADER: Final = "X-Request-Id"
_KEY: Final = web.RequestKey("request_id", str)
_READING: Final = ("GET", "HEAD", "OPTIONS")
_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}\Z")


@web.middleware
async def request_ids(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Name a request, and say in the log what came of it."""
    request_id = request[_KEY] = usable_request_id(request.headers.get(HEADER))
    resource = request.match_info.route.resource
    template = "" if resource is None else resource.canonical
    name, began, outcome = f"{_method(request)} {template}".strip(), time.perf_counter(), ""
    # A websocket is no request that takes an hour: its events are traced one by one.
    traced = nullcontext(Span()) if "Upgrade" in request.headers else _span(name, request)
    with about(request_id), traced as span:
        try:
            response = await handler(request)
            outcome = str(response.status)
            span.tell(http__response__status_code=response.status)
            if response.status < 400:  # else they may be anything
                named = [_named(request, one) for one in ("room_id", "participant_id")]
                learn(*named)
                span.tell(ag06__room_id=named[0], ag06__participant_id=named[1])
            if response.status >= 500:
                span.fail(outcome)
            return response
        finally:
            changed = request.method not in _READING and "" < outcome < "4"
            tell(name, outcome or "broken off", began, is_important=changed)


def _span(name: str, request: web.Request) -> AbstractContextManager[Span]:
    return span(name, "server", request.headers)


async def add_request_id(request: web.Request, response: web.StreamResponse) -> None:
    """Complete a response before it is sent; a signal handler of aiohttp."""
    if _KEY in request:  # not yet where what a client expects is refused (RFC 9110, 10.1.1)
        response.headers[HEADER] = request[_KEY]


def _named(request: web.Request, name: str) -> str:
    value = request.match_info.get(name, "")
    return value if _ID.match(value) else ""


def _method(request: web.Request) -> str:
    return request.method if request.method in hdrs.METH_ALL else "?"
