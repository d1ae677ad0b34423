"""Serving the page: caching, compression, and the content security policy."""

from pathlib import Path
from typing import Final

from aiohttp import web

import webrtc
from webrtc.api.static_files import Asset, StaticFiles, VendorMissingError
from webrtc.errors import ClientError
from webrtc.front_origins import OriginPolicy

_PACKAGE: Final = Path(webrtc.__file__).parent
_SOCKETIO_CLIENT: Final = Path("socket.io-client/dist")
_LIBOPUS: Final = Path("libopus-wasm/dist/generated/libopus.generated.mjs")

_PERMISSIONS: Final = "microphone=(self), speaker-selection=(self), midi=(self)"

VENDOR_FILES: Final = {
    "/vendor/libopus.js": _LIBOPUS,
    "/vendor/socket.io.esm.min.js": _SOCKETIO_CLIENT / "socket.io.esm.min.js",
    "/vendor/socket.io.esm.min.js.map": _SOCKETIO_CLIENT / "socket.io.esm.min.js.map",
}
"""What is served of the npm packages: this and nothing else."""


def page_files(packages: Path | None = None) -> StaticFiles:
    """Return the files of the page; `packages` is where npm put its packages."""
    packages = packages or _PACKAGE.parent / "node_modules"
    vendor = {url: packages / path for url, path in VENDOR_FILES.items()}
    return StaticFiles(_PACKAGE / "static", vendor)


class Pages:
    """Answers every path that no resource has."""

    def __init__(self, files: StaticFiles, origins: OriginPolicy) -> None:
        self._files = files
        self._origins = origins

    async def answer(self, request: web.Request) -> web.Response:
        """Send an asset, or 304 if the browser has it.

        Raises:
            ClientError: `not_found`.
        """
        try:
            asset = self._files.find(request.path)
        except VendorMissingError:
            text = "The npm packages are missing: run `make run`, or `npm ci`, then reload.\n"
            return web.Response(status=503, text=text, headers={"Retry-After": "10"})
        if asset is None:
            raise ClientError("not_found", "there is no such resource")
        return self._send(request, asset)

    def _send(self, request: web.Request, asset: Asset) -> web.Response:
        compressed = asset.compressed if _takes_gzip(request) else None
        etag = asset.digest if compressed is None else f"{asset.digest}-gzip"
        headers = {
            "ETag": f'"{etag}"',
            "Cache-Control": self._caching(request),
            "Vary": "Accept-Encoding",
            "Cross-Origin-Resource-Policy": "cross-origin",
            # With the opener policy below this isolates our page, whose threads may then share
            # memory. Workers need it as their page does; pages of others are left as they are.
            "Cross-Origin-Embedder-Policy": "require-corp",
        }
        if asset.is_page:
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers["Content-Security-Policy"] = self._policy(request.host)
            headers["Permissions-Policy"] = _PERMISSIONS
            headers["Vary"] = "Accept-Encoding, Host"
        known = request.if_none_match or ()
        if any(one.value in (etag, "*") for one in known):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = asset.content_type
        if compressed is not None:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=compressed or asset.body, headers=headers)

    def _caching(self, request: web.Request) -> str:
        if self._files.is_vendor(request.path) and "v" in request.query:
            return "public, max-age=31536000, immutable"
        return "no-cache"

    def _policy(self, host_header: str) -> str:
        """Only our own files run; the page may talk to both ports of the host it came from.

        WebAssembly may be compiled, for the Opus decoder of the page's own playout path; that
        opens no way to `eval`.
        Workers may come from a blob, because a script of another origin cannot start one from
        our files where the page embeds the client elsewhere.
        """
        connect = " ".join(["'self'", *self._origins.signaling_sources(host_header)])
        return "; ".join(
            [
                "default-src 'none'",
                "script-src 'self' 'wasm-unsafe-eval'",
                "style-src 'self'",
                "img-src 'self' data:",
                "font-src 'self'",
                "media-src 'self' blob:",
                "manifest-src 'self'",
                "worker-src 'self' blob:",
                f"connect-src {connect}",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'self'",
            ]
        )


def _takes_gzip(request: web.Request) -> bool:
    offered = request.headers.get("Accept-Encoding", "")
    codings = [item.partition(";") for item in offered.replace(" ", "").lower().split(",")]
    return any(
        name == "gzip" and parameters not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
        for name, _, parameters in codings
    )
