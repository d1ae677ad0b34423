"""Headers that every answer carries, and what pages of other origins may do (CORS).

A browser lets any page send simple requests, whose answers it keeps from it. Reading changes
nothing; whatever else comes from a foreign page is refused before it is looked at.
"""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from webrtc.errors import ClientError
from webrtc.front_origins import OriginPolicy

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_REQUEST_HEADERS = "Authorization, Content-Type, If-Match, If-Range, Range"
_READING = ("GET", "HEAD", "OPTIONS")
_FOR_ALL = ("/webrtc_client.js", "/client/", "/vendor/", "/hls/")


class Security:
    """Adds the headers and answers preflight requests."""

    def __init__(self, origins: OriginPolicy) -> None:
        self._origins = origins

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Complete a response before it is sent; a signal handler of aiohttp."""
        headers = response.headers
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers.pop("Server", None)
        if request.path.startswith(_FOR_ALL):
            # Broadcasts and the client are meant for other people's pages. Loading them is free;
            # what the client may do here is decided where it connects.
            headers["Access-Control-Allow-Origin"] = "*"
            return
        origin = request.headers.get("Origin")
        if origin is None:
            return
        headers.add("Vary", "Origin")
        if self.allows(request):
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = (
                "Location, ETag, Retry-After, Link, Accept-Patch, Content-Range, "
                "Content-Disposition, X-Request-Id"
            )

    def allows(self, request: web.Request) -> bool:
        """Return whether the page that sent the request, if it was one, may use the server."""
        origin = request.headers.get("Origin")
        return origin is None or self._origins.allows(origin, request.host)

    def middleware(self) -> Middleware:
        """Return the middleware that refuses foreign pages, and answers preflight requests."""

        @web.middleware  # marks a function, which a bound method does not allow
        async def foreign(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.method not in _READING and not self.allows(request):
                raise ClientError("forbidden", "pages of this origin may not use the server")
            return await self._preflight(request, handler)

        return foreign

    async def _preflight(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a preflight request (Fetch standard), or let the handler answer."""
        asked = request.headers.get("Access-Control-Request-Method")
        if request.method != "OPTIONS" or asked is None or not self.allows(request):
            return await handler(request)
        return web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": _METHODS,
                "Access-Control-Allow-Headers": _REQUEST_HEADERS,
                "Access-Control-Max-Age": "600",
            },
        )
