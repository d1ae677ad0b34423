"""`/whip/{room_id}` and `/whep/{room_id}`: into a room and out of it by one request.

WHIP is RFC 9725, WHEP is draft-ietf-wish-whep; what they have in common is all that is here.
"""

import time
from typing import Final

import msgspec
from aiohttp import web

from rooms.models import ParticipantKind
from rooms.tokens import split_resume_token
from webrtc.api.bodies import soon
from webrtc.api.guard import Need, bearer
from webrtc.api.problems import problem
from webrtc.api.replica_proxy import passed_on
from webrtc.api.routes import Reply, Route
from webrtc.errors import ClientError
from webrtc.front_addresses import Addresses
from webrtc.settings_texts import IceServer
from webrtc.signaling import sdp_fragments
from webrtc.signaling.http_sessions import HttpKind, HttpSessions
from webrtc.signaling.messages_joining import JoinRoom
from webrtc.signaling.messages_parts import MAX_SDP_CHARS
from webrtc.turn import IceServers

SDP: Final = "application/sdp"
_MAX_KEY_CHARS: Final = 256
_SESSION: Final = "There is no such session."
_PATCH: Final = "Add candidates with the session's ETag in If-Match, or restart ICE with `*` in it."


def http_media_routes(
    sessions: HttpSessions, ice_servers: IceServers, addresses: Addresses
) -> list[Route]:
    """Return the routes of both."""
    return [
        *HttpMediaResource(sessions, ParticipantKind.WHIP, ice_servers, addresses).routes,
        *HttpMediaResource(sessions, ParticipantKind.WHEP, ice_servers, addresses).routes,
    ]


class HttpMediaResource:
    """Answers for one of the two.

    Args:
        sessions: what the requests are about.
        kind: which of the two.
        ice_servers: what clients are told to use (RFC 9725 section 4.6).
        addresses: tells where requests come from.
    """

    def __init__(
        self,
        sessions: HttpSessions,
        kind: HttpKind,
        ice_servers: IceServers,
        addresses: Addresses,
    ) -> None:
        self._sessions = sessions
        self._kind: HttpKind = kind
        self._ice_servers = ice_servers
        self._addresses = addresses
        endpoint = f"/{kind}/{{room_id}}"
        session = f"{endpoint}/{{session}}"
        does = "Publish into a room" if kind is ParticipantKind.WHIP else "Listen to a room"
        offers = {
            401: "A token is wanted, or a wrong one was shown.",
            404: "There is no such room.",
            415: f"The body is not of the type {SDP}.",
            422: "The offer cannot be understood or offers no Opus.",
            503: "The room or the server is full, or restarting.",
        }
        fragments = {
            404: _SESSION,
            412: "The ETag is that of another ICE session.",
            415: f"The body is not of the type {sdp_fragments.CONTENT_TYPE}.",
            422: "The fragment cannot be understood.",
            428: "If-Match is missing.",
            502: "ICE cannot be restarted; the session goes on.",
        }
        self.routes = [
            Route(
                "POST",
                endpoint,
                self.open,
                f"{does}: an offer is answered. A `name` in the query is what others see.",
                {201: Reply("The answer; `Location` is the session.", str, SDP)},
                takes=SDP,
                problems=offers,
                operation=f"{kind}_open",
                need=Need.ENTER,
            ),
            self._options(endpoint, "endpoint", {"Accept-Post": SDP}, "POST, OPTIONS"),
            self._nothing(endpoint, "endpoint", "POST, OPTIONS"),
            Route(
                "PATCH",
                session,
                self.patch,
                _PATCH,
                {
                    200: Reply("ICE restarts.", str, sdp_fragments.CONTENT_TYPE),
                    204: Reply("The candidates are taken."),
                },
                takes=sdp_fragments.CONTENT_TYPE,
                problems=fragments,
                operation=f"{kind}_patch",
                need=Need.OWN,  # whoever knows the session's secret address
            ),
            Route(
                "DELETE",
                session,
                self.end,
                "End the session.",
                {200: Reply("The session is over.")},
                problems={404: _SESSION},
                operation=f"{kind}_end",
                need=Need.OWN,  # whoever knows the session's secret address
            ),
            self._options(
                session,
                "session",
                {"Accept-Patch": sdp_fragments.CONTENT_TYPE},
                "PATCH, DELETE, OPTIONS",
            ),
            self._nothing(session, "session", "PATCH, DELETE, OPTIONS"),
        ]

    async def open(self, request: web.Request) -> web.Response:
        """`POST`: let somebody in."""
        _require_type(request, SDP)
        wanted = self._join_request(request)
        offer = await _text(request, MAX_SDP_CHARS)
        opened = await self._sessions.open(self._kind, wanted, offer, self._addresses.of(request))
        response = _reply(opened.answer, SDP, 201)
        response.headers["Location"] = f"/{self._kind}/{opened.room_id}/{opened.token}"
        response.headers["ETag"] = f'"{opened.tag}"'
        response.headers["Accept-Patch"] = sdp_fragments.CONTENT_TYPE
        participant_id, _ = split_resume_token(opened.token)
        for server in self._ice_servers.of(participant_id, time.time()):
            for link in _links(server):
                response.headers.add("Link", link)
        return response

    async def patch(self, request: web.Request) -> web.StreamResponse:
        """`PATCH`: candidates, or an ICE restart."""
        _require_type(request, sdp_fragments.CONTENT_TYPE)
        named = (self._kind, request.match_info["room_id"], request.match_info["session"])
        participant = await self._sessions.participant(*named)
        answer_elsewhere = await passed_on(request, self._sessions.shared, participant.home)
        if answer_elsewhere is not None:
            return answer_elsewhere
        text = await _text(request, sdp_fragments.MAX_FRAGMENT_BYTES)
        fragment = sdp_fragments.read_fragment(text)
        tags = [tag.value for tag in request.if_match or ()]
        if not tags:
            raise ClientError("precondition_required", "If-Match names the session's ETag, or *")
        if tags == ["*"]:
            if not fragment.ufrag:
                raise ClientError("bad_candidate", "an ICE restart has new credentials")
            answer, tag = await self._sessions.restart(*named, fragment)
            response = _reply(answer, sdp_fragments.CONTENT_TYPE, 200)
            response.headers["ETag"] = f'"{tag}"'
            return response
        if participant.ice_tag not in tags:
            raise ClientError("precondition_failed", "ICE has been restarted since")
        await self._sessions.trickle(*named, fragment)
        return web.Response(status=204)

    async def end(self, request: web.Request) -> web.StreamResponse:
        """`DELETE`: the client leaves."""
        named = (self._kind, request.match_info["room_id"], request.match_info["session"])
        participant = await self._sessions.participant(*named)
        answer_elsewhere = await passed_on(request, self._sessions.shared, participant.home)
        if answer_elsewhere is not None:
            return answer_elsewhere
        await self._sessions.end(*named)
        return web.Response()

    def _join_request(self, request: web.Request) -> JoinRoom:
        """Return what a socket would send; checked by the same definition.

        The bearer token may be a join token or the room's host key.
        """
        token = bearer(request)
        publishes = self._kind is ParticipantKind.WHIP
        wanted = {
            "room_id": request.match_info["room_id"],
            "name": request.query.get("name"),
            "role": "publisher" if publishes else "subscriber",
            "token": token or None,
            "host_key": token if 0 < len(token) <= _MAX_KEY_CHARS else None,
        }
        try:
            given = {key: value for key, value in wanted.items() if value is not None}
            return msgspec.convert(given, JoinRoom)
        except msgspec.ValidationError as error:
            raise ClientError("bad_message", str(error)[:200]) from None

    # ---- what the two kinds of resource have in common ----

    def _options(self, path: str, what: str, headers: dict[str, str], allow: str) -> Route:
        async def options(_: web.Request) -> web.Response:
            return web.Response(status=204, headers={"Allow": allow, **headers})

        replies = {204: Reply("See the headers.")}
        name = f"{self._kind}_{what}_options"
        return Route(
            "OPTIONS",
            path,
            options,
            "What is taken.",
            replies,
            operation=name,
            need=Need.NOBODYS,
        )

    def _nothing(self, path: str, what: str, allow: str) -> Route:
        """Return the route that refuses to be read (RFC 9725 section 4.1)."""

        async def nothing(_: web.Request) -> web.Response:
            error = ClientError("method_not_allowed", "there is nothing to read here")
            return problem(error, {"Allow": allow})

        name = f"{self._kind}_{what}_get"
        return Route(
            "GET",
            path,
            nothing,
            "Refused.",
            {},
            problems={405: "Always."},
            operation=name,
            need=Need.NOBODYS,
        )


def _reply(text: str, content_type: str, status: int) -> web.Response:
    """Return a description; a charset, which `text=` would add, confuses some clients."""
    headers = {"Content-Type": content_type}
    return web.Response(status=status, body=text.encode(), headers=headers)


def _require_type(request: web.Request, wanted: str) -> None:
    if request.content_type != wanted:
        raise ClientError("unsupported_media_type", f"the body has to be {wanted}")


async def _text(request: web.Request, most_bytes: int) -> str:
    body = await soon(_read(request, most_bytes))
    if len(body) > most_bytes:
        raise ClientError("too_large", f"the body is longer than {most_bytes} bytes")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise ClientError("bad_sdp", "the body is no UTF-8 text") from None


async def _read(request: web.Request, most_bytes: int) -> bytes:
    """Return the body, or as much of it as is too much."""
    body = await request.content.read(most_bytes + 1)
    while len(body) <= most_bytes and (more := await request.content.read(most_bytes)):
        body += more
    return body


def _links(server: IceServer) -> list[str]:
    """Return a server as Link headers."""
    extra = ""
    if server.username is not None and server.credential is not None:
        extra = (
            f'; username="{_quoted(server.username)}"; credential="{_quoted(server.credential)}"'
            '; credential-type="password"'
        )
    return [f'<{url}>; rel="ice-server"{extra}' for url in server.urls]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
