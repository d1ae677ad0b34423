"""`python start_webrtc.py token`: mint a join token with the server's own secret."""

import argparse
import re
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec

from rooms.models import DEFAULT_TENANT
from rooms.passes import Pass
from rooms.rights import Grant
from webrtc.access import mint
from webrtc.settings import Settings, StartError

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MOST_S: Final = 366 * 86_400
_TOKEN_ID_BYTES: Final = 12
_DEFAULT_GRANTS: Final = [Grant.SUBSCRIBE, Grant.PUBLISH, Grant.OWN_STRIP]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="start_webrtc.py token",
        description="Print a join token, signed with WEBRTC_AUTH_SECRET.",
    )
    parser.add_argument("--room", required=True, help="room id; one * stands for any characters")
    parser.add_argument("--identity", required=True, help="whom it is for, as you know them")
    parser.add_argument(
        "--tenant",
        default=DEFAULT_TENANT,
        help="whose room it is, by a short name of yours: a-z, 0-9, - (default: %(default)s)",
    )
    parser.add_argument("--name", help="what others see; without it, the holder may choose")
    parser.add_argument(
        "--grant",
        nargs="+",
        action="extend",
        choices=[grant.value for grant in Grant],
        metavar="GRANT",
        help="what it opens: " + ", ".join(Grant) + f" (default: {' '.join(_DEFAULT_GRANTS)})",
    )
    parser.add_argument("--ttl", default="1h", type=seconds, help="such as 90s, 30m, 1h, 7d")
    parser.add_argument("--link", metavar="URL", help="print a link to this page with it instead")
    return parser


def seconds(text: str) -> int:
    """Parse a duration.

    Raises:
        argparse.ArgumentTypeError: it is none, or longer than a year.
    """
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    duration_s = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not 0 < duration_s <= _MOST_S:
        raise argparse.ArgumentTypeError("a duration such as 90s, 30m, 1h or 7d, up to a year")
    return duration_s


def run(
    arguments: Sequence[str], settings: Settings, clock: Callable[[], float] = time.time
) -> str:
    """Return the token, or the link.

    Raises:
        StartError: no secret is set, or a value is out of range.
    """
    given = _parser().parse_args(arguments)
    if settings.auth_secret is None:
        raise StartError("Set WEBRTC_AUTH_SECRET first: tokens are signed with it.")
    now = clock()
    wanted = {
        "sub": given.identity,
        "exp": now + given.ttl,
        "room": given.room,
        "tenant": given.tenant,
        "grants": given.grant or _DEFAULT_GRANTS,
        "name": given.name,
        "jti": secrets.token_hex(_TOKEN_ID_BYTES),
    }
    try:
        claims = msgspec.convert(wanted, Pass)
    except msgspec.ValidationError as error:
        raise StartError(f"This makes no token: {error}.") from None
    token = mint(claims, settings.auth_secret, settings.auth_audience, now)
    return token if given.link is None else link(given.link, claims.only_room, token)


def link(page: str, room_id: str | None, token: str) -> str:
    """Return a link to the page; the token goes into the fragment, which no server is sent.

    Raises:
        StartError: the page's address is none.
    """
    parts = urlsplit(page)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise StartError("--link takes the page's address, such as https://mixer.example.org/.")
    query = "" if room_id is None else f"room={quote(room_id)}"
    return parts._replace(path=parts.path or "/", query=query, fragment=f"token={token}").geturl()
