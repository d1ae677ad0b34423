"""What a REST resource is: one table that the router and the OpenAPI document are made from."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from webrtc.api.bodies import soon
from webrtc.api.guard import Need
from webrtc.errors import ClientError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer that a resource may give; `body` None has none, `str` is plain text."""

    meaning: str
    body: Any = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one resource.

    Attributes:
        replies: by status; errors only where the resource has its own.
        body: type of the request's JSON body, None without one.
        takes: content type of the request's body where that is not JSON.
        operation: its name in the OpenAPI document; without one, the handler's.
        query: types of the parameters that may stand behind the path.
        need: what the caller has to have, see `webrtc.api.guard`. Named for every route.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    replies: Mapping[int, Reply]
    body: Any = None
    takes: str = ""
    problems: Mapping[int, str] = field(default_factory=dict)
    operation: str = ""
    query: Mapping[str, type] = field(default_factory=dict)
    need: Need = field(kw_only=True)


def json_reply(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return `value` as JSON."""
    return web.Response(
        status=status,
        body=_encoder.encode(value),
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


async def json_body(request: web.Request, decoder: msgspec.json.Decoder[Any]) -> Any:
    """Return the request's JSON body, an empty one as an empty object.

    Raises:
        ClientError: `bad_message`.
        HTTPRequestEntityTooLarge: the body is longer than the application allows.
        HTTPRequestTimeout: it does not come.
    """
    try:
        return decoder.decode(await soon(request.read()) or b"{}")
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise ClientError("bad_message", str(error)[:200]) from None
