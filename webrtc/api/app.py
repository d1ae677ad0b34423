"""The HTTP application: REST, Socket.IO and the page, the same on both ports."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from webrtc.api.bodies import soon
from webrtc.api.guard import Guard, Need
from webrtc.api.health import HealthResource
from webrtc.api.metrics import MetricsResource
from webrtc.api.networks import NetworksResource
from webrtc.api.openapi import DOCUMENT, document, openapi_route
from webrtc.api.pages import Pages
from webrtc.api.problems import problems
from webrtc.api.request_ids import add_request_id, request_ids
from webrtc.api.rooms import RoomsResource
from webrtc.api.routes import Handler, Route
from webrtc.api.scenes import ScenesResource
from webrtc.api.security import Security
from webrtc.api.static_files import StaticFiles
from webrtc.api.stats import StatsResource
from webrtc.api.tokens import TokensResource
from webrtc.errors import ClientError
from webrtc.front_addresses import Addresses
from webrtc.front_origins import OriginPolicy
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.dispatch import Dispatcher
from webrtc.signaling.socketio_adapter import SOCKETIO_PATH, SignalingServer

API_VERSION: Final = "0.1.0"
MAX_BODY_BYTES: Final = 64 * 1024


def routes_of(desk: FrontDesk, dispatcher: Dispatcher, signaling: SignalingServer) -> list[Route]:
    """Return every REST route."""
    return [
        *HealthResource(desk).routes,
        *MetricsResource(desk, dispatcher, signaling).routes,
        *StatsResource(desk, dispatcher).routes,
        *RoomsResource(desk).routes,
        *ScenesResource(desk).routes,
        *NetworksResource(desk).routes,
        *TokensResource(desk).routes,
        openapi_route(),
    ]


def build_app(
    desk: FrontDesk,
    dispatcher: Dispatcher,
    signaling: SignalingServer,
    files: StaticFiles,
    origins: OriginPolicy,
    further: Sequence[Route] = (),
    addresses: Addresses | None = None,
) -> web.Application:
    """Return the application, with `further` routes."""
    security = Security(origins)
    app = web.Application(
        middlewares=[request_ids, problems, security.middleware()],
        client_max_size=MAX_BODY_BYTES,
    )
    app.on_response_prepare.append(add_request_id)
    app.on_response_prepare.append(security.add_headers)
    routes = [*routes_of(desk, dispatcher, signaling), *further]
    guard = Guard(desk, addresses or Addresses())
    app[DOCUMENT] = document(routes, API_VERSION)
    for route in routes:
        handler = _guarded(route, guard)
        if route.method == "GET":
            app.router.add_get(route.path, handler)  # answers HEAD, too
        else:
            app.router.add_route(route.method, route.path, handler)

    async def socketio(request: web.Request) -> web.StreamResponse:
        if not security.allows(request):
            raise ClientError("forbidden", "pages of this origin may not use the server")
        return await signaling.answer(request)

    app.router.add_get(SOCKETIO_PATH, socketio)
    app.router.add_get("/{path:.*}", Pages(files, origins).answer)
    return app


def _guarded(route: Route, guard: Guard) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if route.need is not Need.NOBODYS:  # probes must not be hindered by anybody
            guard.count(request)
        if route.body is not None:
            # Before anybody is asked for rights: they might be gone by the time it has come.
            await soon(request.read())
        await guard.let_pass(route.need, request)
        return await route.handler(request)

    return handle
