"""The page and what it needs, kept in memory, compressed once, revalidated by content.

Everything but versioned vendor files is served with `no-cache` and an ETag over the content: a page
asks each time and gets a 304, so that an update is seen at once and by all replicas alike. A vendor
file asked for with `?v=…` never changes.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CONTENT_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".map": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}
"""What is served at all, and as what."""
_INCOMPRESSIBLE: Final = frozenset({".png", ".ico", ".woff2"})
_MIN_COMPRESSED_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, ready to send; `compressed` (gzip) is None where that would not help."""

    body: bytes
    compressed: bytes | None
    content_type: str
    digest: str

    @property
    def is_page(self) -> bool:
        """Whether a browser shows it as a page."""
        return self.content_type.startswith("text/html")


class VendorMissingError(Exception):
    """A file of an npm package is not there."""


class StaticFiles:
    """Finds assets by URL path.

    Args:
        root: the folder that `/` stands for; nothing outside it is ever served.
        vendor: files of npm packages by URL path.
    """

    def __init__(self, root: Path, vendor: Mapping[str, Path]) -> None:
        self._root = root.resolve()
        self._vendor = vendor
        self._assets: dict[Path, tuple[tuple[int, int], Asset]] = {}

    def find(self, url_path: str) -> Asset | None:
        """Return the asset of a URL path; None if there is none.

        Raises:
            VendorMissingError: it belongs to an npm package that is not installed.
        """
        if url_path in self._vendor:
            asset = self._load(self._vendor[url_path])
            if asset is None:
                raise VendorMissingError(url_path)
            return asset
        parts = (url_path.strip("/") or "index.html").split("/")
        if any(part.startswith(".") or "\x00" in part or "\\" in part for part in parts):
            return None
        path = self._root.joinpath(*parts).resolve()
        return self._load(path) if path.is_relative_to(self._root) else None

    def is_vendor(self, url_path: str) -> bool:
        """Return whether a path belongs to an npm package."""
        return url_path in self._vendor

    def _load(self, path: Path) -> Asset | None:
        content_type = _CONTENT_TYPES.get(path.suffix)
        if content_type is None:
            return None
        try:
            status = path.stat()
            version = (status.st_mtime_ns, status.st_size)
            known = self._assets.get(path)
            if known is not None and known[0] == version:
                return known[1]
            body = path.read_bytes()
        except OSError:
            return None
        compressed = None
        if path.suffix not in _INCOMPRESSIBLE and len(body) >= _MIN_COMPRESSED_BYTES:
            compressed = gzip.compress(body, mtime=0)
        digest = hashlib.sha256(body).hexdigest()[:32]
        asset = Asset(body, compressed, content_type, digest)
        self._assets[path] = (version, asset)
        return asset
