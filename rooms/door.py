"""The door of a room: who finds it shut, who has to wait, and who is kept out for good.

Addresses are kept as a keyed hash only, under a key that each room draws for itself; of IPv6
addresses the first 64 bits count, because that is what one household has.
"""

import hashlib
import hmac
import ipaddress
import secrets
from typing import Final

import msgspec

MAX_BANS: Final = 256
"""Of a room; the oldest makes room for a new one."""
_KEY_BYTES: Final = 16
_DIGEST_BYTES: Final = 16


class Ban(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """Somebody who is kept out: by the subject of their token, or by where they come from."""

    subject: str = ""
    address: bytes = b""


class Door(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of one room.

    Attributes:
        locked: nobody comes in but hosts.
        waiting: who comes in waits until a host lets them, but for hosts and engineers.
        bans: who is kept out, the oldest first.
        key: of the addresses' hashes; drawn for the first ban.
    """

    locked: bool = False
    waiting: bool = False
    bans: tuple[Ban, ...] = ()
    key: bytes = b""

    def bars(self, subject: str, address: str) -> bool:
        """Return whether somebody is kept out."""
        if not self.bans:
            return False
        digest = _digest(self.key, address)
        return any(
            (ban.subject and ban.subject == subject)
            or (ban.address and hmac.compare_digest(ban.address, digest))
            for ban in self.bans
        )

    def barring(self, subject: str, address: str) -> "Door":
        """Return this door with somebody kept out: by their subject, else by their address."""
        if not subject and not address:
            return self
        key = self.key or secrets.token_bytes(_KEY_BYTES)
        ban = Ban(subject) if subject else Ban(address=_digest(key, address))
        others = tuple(one for one in self.bans if one != ban)
        return msgspec.structs.replace(self, bans=(*others, ban)[-MAX_BANS:], key=key)


OPEN_DOOR: Final = Door()


def _digest(key: bytes, address: str) -> bytes:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return b""
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    prefix = parsed.packed[:8] if parsed.version == 6 else parsed.packed
    return hmac.new(key, prefix, hashlib.sha256).digest()[:_DIGEST_BYTES]
