"""Texts of the environment to values.

Each parser raises a ValueError that completes the sentence "NAME must be …".
"""

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from mixer.netsim_settings import parse_conditions
from rooms.redis_connection import RedisAddress


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server that clients are told to use (RTCIceServer)."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return the dictionary that a browser's RTCPeerConnection takes."""
        shown: dict[str, Any] = {"urls": list(self.urls)}
        if self.username is not None:
            shown["username"] = self.username
        if self.credential is not None:
            shown["credential"] = self.credential
        return shown


def integer(lowest: int, highest: int, what: str) -> Callable[[str], int]:
    """Return a parser of decimal whole numbers; `what` names them in the error."""

    def parse(text: str) -> int:
        # int() alone would take "1_0", " 7" and digits of other scripts.
        value = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
        if not lowest <= value <= highest:
            raise ValueError(f"{what} from {lowest} to {highest}")
        return value

    return parse


def gateway_port(text: str) -> int | None:
    """Parse a port number, or "off"."""
    if text == "off":
        return None
    try:
        return integer(0, 65535, "")(text)
    except ValueError:
        raise ValueError("off or a port number from 0 to 65535") from None


def plain_room(text: str) -> str:
    """Parse a room id, or "off"."""
    if text == "off":
        return ""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}", text):
        raise ValueError("off or a room id: letters, digits and . _ ~ -, at most 64")
    return text


def folder(text: str) -> str | None:
    """Parse an absolute path, or "off"."""
    if text == "off":
        return None
    if not text.startswith("/") or "\x00" in text:
        raise ValueError("off or an absolute path")
    return text


def simulated_network(text: str) -> str:
    """Parse the conditions of a simulated network, or "off"; return them as they are."""
    if text == "off":
        return ""
    try:
        parse_conditions(text)
    except ValueError as error:
        raise ValueError(f"off or a network ({error})") from None
    return text


MIN_SECRET_CHARS: Final = 32


def secret(text: str) -> str | None:
    """Parse a secret that nobody guesses, as far as its length tells."""
    if not text:
        return None
    if len(text) < MIN_SECRET_CHARS or not text.isascii() or not text.isprintable():
        raise ValueError(f"at least {MIN_SECRET_CHARS} printable ASCII characters")
    return text


def jwks_url(text: str) -> str | None:
    """Parse the address of signers' keys: HTTPS, or HTTP on this very machine."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        is_own = parts.hostname in ("localhost", "127.0.0.1")
        usable = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable or not (parts.scheme == "https" or (parts.scheme == "http" and is_own)):
        raise ValueError("an https address such as https://id.example/jwks.json")
    return text


def audience(text: str) -> str:
    """Parse the name of those whom join tokens are for."""
    if not re.fullmatch(r"[\x21-\x7e]{1,200}", text):
        raise ValueError("up to 200 printable ASCII characters without spaces")
    return text


def redis_url(text: str) -> str:
    """Parse where Redis is; return it as it is."""
    if text:
        RedisAddress.parse(text)
    return text


def word(text: str) -> str:
    """Parse a name of letters, digits and . _ : -, or nothing."""
    if not re.fullmatch(r"[A-Za-z0-9._:-]{0,253}", text):
        raise ValueError("a name of letters, digits and . _ : -")
    return text


def path(text: str) -> str:
    """Parse the path of a file; whether it is there is seen when it is read."""
    if "\x00" in text:
        raise ValueError("a path")
    return text


def networks(text: str) -> tuple[str, ...]:
    """Parse addresses and networks separated by commas; may be empty."""
    try:
        parsed = [ipaddress.ip_network(part) for part in _parts(text)]
    except ValueError:
        raise ValueError("addresses or networks such as 127.0.0.1,10.0.0.0/8") from None
    return tuple(dict.fromkeys(str(one) for one in parsed))


def turn_urls(text: str) -> tuple[str, ...]:
    """Parse TURN servers separated by commas; may be empty."""
    urls = tuple(dict.fromkeys(_parts(text)))
    if not all(re.fullmatch(r"turns?:[^\s\x00,]+", url) for url in urls):
        raise ValueError("servers such as turn:turn.example.org:3478, separated by commas")
    return urls


def choice(*allowed: str) -> Callable[[str], str]:
    """Return a parser that takes these words and no others."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(" or ".join([", ".join(allowed[:-1]), allowed[-1]]))
        return text

    return parse


def address(text: str) -> str:
    """Parse one IPv4 address."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise ValueError("an IPv4 address such as 0.0.0.0 or 192.168.1.20") from None


def announced(text: str) -> tuple[str, ...]:
    """Parse addresses that clients can send to, separated by commas; at least one."""
    addresses = []
    for part in _parts(text):
        parsed = ipaddress.IPv4Address(address(part))
        if parsed.is_unspecified or parsed.is_multicast:
            raise ValueError("IPv4 addresses that clients can send to, separated by commas")
        addresses.append(str(parsed))
    if not addresses:
        raise ValueError("at least one IPv4 address that clients can send to")
    return tuple(dict.fromkeys(addresses))


def ptime(text: str) -> int | None:
    """Parse a packet length in ms; None for auto."""
    return None if choice("auto", "10", "20")(text) == "auto" else int(text)


def realtime(text: str) -> bool:
    """Parse auto (True) or off (False)."""
    return choice("auto", "off")(text) == "auto"


def origins(text: str) -> tuple[str, ...]:
    """Parse web origins separated by commas; may be empty."""
    return tuple(dict.fromkeys(_origin(part) for part in _parts(text)))


def _origin(text: str) -> str:
    if text == "*":
        return text
    # The serialisation of a browser's Origin header (RFC 6454, section 6.2).
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or text != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("origins such as https://studio.example:8443 or *, separated by commas")
    if not re.fullmatch(r"[a-z0-9._-]+(:[0-9]{1,5})?", parts.netloc):
        raise ValueError("origins of a host in small letters and perhaps a port")
    return text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def ice_servers(text: str) -> tuple[IceServer, ...]:
    """Parse a JSON list of RTCIceServer dictionaries."""
    error = ValueError(
        'a JSON list of ICE servers such as [{"urls": "stun:stun.example:3478"}], '
        "each with urls (stun:, stuns:, turn: or turns:) and perhaps username and credential"
    )
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        raise error from None
    if not isinstance(entries, list):
        raise error
    try:
        return tuple(_ice_server(entry) for entry in entries)
    except ValueError:
        raise error from None


def _ice_server(entry: object) -> IceServer:
    if not isinstance(entry, dict) or entry.keys() - {"urls", "username", "credential"}:
        raise ValueError
    urls = entry.get("urls")
    urls = [urls] if isinstance(urls, str) else urls
    if not isinstance(urls, list) or not urls:
        raise ValueError
    for url in urls:
        if not isinstance(url, str) or not re.fullmatch(r"(stun|turn)s?:[^\s\x00]+", url):
            raise ValueError
    username, credential = entry.get("username"), entry.get("credential")
    if not all(value is None or isinstance(value, str) for value in (username, credential)):
        raise ValueError
    return IceServer(tuple(urls), username, credential)
