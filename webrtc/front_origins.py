"""Which web pages may talk to this server from a browser.

Nothing here protects by cookies, so an origin is no proof of anything; the check keeps other
people's pages from using the server as theirs unless the operator lists them. Programs that are no
browsers send no `Origin` and are not concerned.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from webrtc.settings import Settings

# The header ends up in a policy, so nothing passes that could end a source or a directive.
_HOST: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class OriginPolicy:
    """Our own two ports under whatever host name the request came by, and what is listed.

    Attributes:
        listed: origins such as `https://example.org`; `*` means any.
        own_ports: TCP ports of the page and of signaling.
    """

    listed: frozenset[str]
    own_ports: tuple[int, ...]

    @classmethod
    def of(cls, settings: Settings) -> "OriginPolicy":
        """Return the policy that the settings describe."""
        ports = (settings.signaling_port, settings.static_port)
        return cls(frozenset(settings.cors_origins), ports)

    def allows(self, origin: str, host_header: str) -> bool:
        """Return whether a page of `origin` may use the server that it reached as `host_header`."""
        if "*" in self.listed or origin in self.listed:
            return True
        try:
            page, server = urlsplit(origin), urlsplit(f"//{host_header}")
            if page.netloc == server.netloc:
                return True  # the same origin, also behind a proxy that maps the ports
            return page.hostname == server.hostname and page.port in self.own_ports
        except ValueError:
            return False

    def signaling_sources(self, host_header: str) -> list[str]:
        """Return the CSP sources under which a page may reach either port of this server."""
        match = _HOST.fullmatch(host_header)
        if match is None:
            return []
        own = [f"{match['name']}:{port}" for port in self.own_ports]
        hosts = list(dict.fromkeys([host_header, *own]))
        return [f"{scheme}://{one}" for one in hosts for scheme in ("http", "https", "ws", "wss")]
