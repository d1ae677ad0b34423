"""`/api/tokens/revoked`: take join tokens back."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from rooms.passes import MAX_TOKEN_ID_CHARS
from webrtc.api.guard import Need
from webrtc.api.routes import Reply, Route, json_body, json_reply
from webrtc.signaling.desk import FrontDesk

_MAX_INSTANT = 1 << 40


class Revocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token to take back, by its `jti`; `exp` is its own, until which this is remembered."""

    jti: Annotated[str, Meta(min_length=1, max_length=MAX_TOKEN_ID_CHARS)]
    exp: Annotated[float, Meta(ge=0, le=_MAX_INSTANT)]


class Revoked(msgspec.Struct, frozen=True):
    """How many had come in with the token, and were put out."""

    put_out: int


_revocation = msgspec.json.Decoder(Revocation)


class TokensResource:
    """Answers for join tokens."""

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        self.routes = [
            Route(
                "POST",
                "/api/tokens/revoked",
                self.revoke,
                "Take a join token back; whoever came in with it is put out.",
                {200: Reply("It opens nothing any more.", Revoked)},
                body=Revocation,
                problems={503: "Too many are taken back already."},
                need=Need.OPERATOR,
            )
        ]

    async def revoke(self, request: web.Request) -> web.Response:
        """`POST /api/tokens/revoked`."""
        wanted: Revocation = await json_body(request, _revocation)
        return json_reply(Revoked(await self._desk.revoke(wanted.jti, wanted.exp)))
