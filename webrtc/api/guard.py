"""Who may call which REST resource: every route names one of these needs, and this asks for it.

| need      | where rooms stand open   | where tokens are wanted                       |
|-----------|--------------------------|-----------------------------------------------|
| nobody's  | anybody                  | anybody                                       |
| own       | the handler asks itself  | the handler asks itself                       |
| operator  | anybody, or the operator | the operator, or `admin` for all rooms        |
| list      | anybody, or the operator | the same; a tenant's `admin` for its own      |
| make      | anybody                  | a token for the new room, with `host`         |
| enter     | anybody                  | a token for the room; the entrance asks more  |
| look      | anybody                  | a token for the room                          |
| host      | the room's host key      | a token for the room, with `host`             |

Tokens and keys come as bearer tokens (RFC 6750). A stranger is refused before anything is looked
up, so that nobody learns which rooms there are. A room of another tenant is answered like one that
is not there.
"""

import asyncio
import enum
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from rooms import tokens
from rooms.passes import Pass, tenant_of
from rooms.rights import Right, opened_by
from webrtc.api.replica_proxy import PASSED_ON
from webrtc.errors import ClientError
from webrtc.front_addresses import Addresses, Crowd
from webrtc.signaling.desk import FrontDesk


class Need(enum.Enum):
    """What a route wants of its caller."""

    NOBODYS = "nobody's"
    OWN = "own"
    OPERATOR = "operator"
    LIST = "list"
    MAKE = "make"
    ENTER = "enter"
    LOOK = "look"
    HOST = "host"


PASS: Final = web.RequestKey("pass", Pass)
"""What the caller's token says, for handlers that ask further."""
TENANT: Final = web.RequestKey("tenant", str)
"""Whose rooms the caller may list; not there for everybody's."""


class Guard:
    """Lets requests pass, or not."""

    def __init__(self, desk: FrontDesk, addresses: Addresses) -> None:
        self._desk = desk
        self._addresses = addresses
        limits = desk.conference.limits
        self._crowd = Crowd(limits.request_rate_per_s, limits.request_burst)

    def count(self, request: web.Request) -> None:
        """Return if the caller does not ask too often.

        Raises:
            ClientError: `rate_limited`.
        """
        now, address = asyncio.get_running_loop().time(), self._addresses.of(request)
        wait_s = 0.0 if self._is_passed_on(request, address) else self._crowd.take(address, now)
        if wait_s:
            raise ClientError("rate_limited", "too many requests", round(wait_s, 3))

    async def let_pass(self, need: Need, request: web.Request) -> None:
        """Return if the caller has what is needed.

        Raises:
            ClientError: `room_not_found`, `unauthorized`, `forbidden` and others of `Access`.
        """
        token, access = bearer(request), self._desk.access
        match need:
            case Need.NOBODYS | Need.OWN:
                return
            case Need.OPERATOR:
                await access.operate(token)
            case Need.LIST:
                tenant = await access.survey(token)
                if tenant is not None:
                    request[TENANT] = tenant
            case Need.MAKE:
                shown = await access.check(token) if access.wants_tokens else None
                _require_host_grant(shown)
                if shown is not None:
                    request[PASS] = shown
            case Need.ENTER:
                await access.enter(token, request.match_info["room_id"])
            case Need.LOOK:
                shown = await access.enter(token, request.match_info["room_id"])
                await self._require_no_others(request, shown)
            case Need.HOST:
                shown = await access.enter(token, request.match_info["room_id"])
                _require_host_grant(shown)
                await self._require_no_others(request, shown)
                if shown is None:
                    await self._require_host_key(request, token)

    def _is_passed_on(self, request: web.Request, address: str) -> bool:
        """Return whether another replica passes a request on: it has counted it."""
        shared = self._desk.shared
        if shared is None or PASSED_ON not in request.headers:
            return False
        return any(urlsplit(url).hostname == address for url in shared.leases.others())

    async def _require_no_others(self, request: web.Request, shown: Pass | None) -> None:
        conference = self._desk.conference
        room = await conference.store.room(request.match_info["room_id"])
        if room is not None:  # else the handler says so, in the same words
            conference.seen_by(tenant_of(shown), room)

    async def _require_host_key(self, request: web.Request, key: str) -> None:
        room = await self._desk.conference.known_room(request.match_info["room_id"])
        if not tokens.matches(key, room.host_key_hash):
            raise ClientError("unauthorized", "the room's host key is wanted as bearer token")


def bearer(request: web.Request) -> str:
    """Return the bearer token of a request, "" without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _require_host_grant(shown: Pass | None) -> None:
    if shown is not None and Right.CLOSE_ROOM not in opened_by(shown.grants):
        raise ClientError("forbidden", "this takes the grant host")
