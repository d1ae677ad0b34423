"""The door of a room: who finds it shut, who has to wait, and who is kept out for good.

Addresses are kept as a keyed hash only, each under a key that is drawn for it and kept with it; of
IPv6 addresses the first 64 bits count, because that is what one household has. Two hashes do not
tell whether they are of one address; only who has an address can ask whether it is that one.
"""

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
    """Somebody who is kept out: by the subject of their token, or by where they come from.

    Attributes:
        subject: of the token; "" where none is wanted.
        address: as `hidden` gives it; the hash alone, under the door's key, where an older version
            of this program has kept it.
    """

    subject: str = ""
    address: bytes = b""


class Door(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of one room.

    Attributes:
        locked: nobody comes in but hosts.
        waiting: who comes in waits until a host lets them, but for hosts and engineers.
        bans: who is kept out, the oldest first.
        key: of the hashes that an older version of this program has kept.
    """

    locked: bool = False
    waiting: bool = False
    bans: tuple[Ban, ...] = ()
    key: bytes = b""

    def bars(self, subject: str, address: str) -> bool:
        """Return whether somebody is kept out."""
        place = _place(address)
        return any(
            (ban.subject and ban.subject == subject) or _is_at(ban.address, place, self.key)
            for ban in self.bans
        )

    def names(self, subject: str, origin: bytes) -> bool:
        """Return whether somebody was banned under this subject, or when they came from there."""
        return any(
            ban.subject == subject if ban.subject else ban.address == origin for ban in self.bans
        )

    def barring(self, subject: str, origin: bytes) -> "Door":
        """Return this door with somebody kept out: by their subject, else by where they come from.

        Args:
            subject: of their token, "" without one.
            origin: their address as `hidden` gives it, b"" where nobody knows it.
        """
        if not subject and not origin:
            return self
        ban = Ban(subject) if subject else Ban(address=origin)
        others = tuple(one for one in self.bans if one != ban)
        return msgspec.structs.replace(self, bans=(*others, ban)[-MAX_BANS:])

    def healed(self, theirs: "Door", base: "Door") -> "Door":
        """Return what this door and another one become that was changed elsewhere meanwhile.

        What was changed in both places is as it is here, but that nobody comes in whom either has
        banned since.

        Args:
            theirs: the other one.
            base: what both were before.
        """
        lifted = set(base.bans) - set(self.bans)
        new = tuple(ban for ban in self.bans if ban not in base.bans and ban not in theirs.bans)
        bans = (*(ban for ban in theirs.bans if ban not in lifted), *new)
        return Door(
            locked=self.locked if self.locked is not base.locked else theirs.locked,
            waiting=self.waiting if self.waiting is not base.waiting else theirs.waiting,
            bans=bans[-MAX_BANS:],
            key=theirs.key or self.key,
        )


OPEN_DOOR: Final = Door()


def hidden(address: str) -> bytes:
    """Return an address as it may be kept: a key and a hash; b"" for what is no address."""
    place = _place(address)
    key = secrets.token_bytes(_KEY_BYTES)
    return key + _digest(key, place) if place else b""


def is_of(kept: bytes, address: str) -> bool:
    """Return whether an address is the one that `hidden` gave `kept` for."""
    return _is_at(kept, _place(address), b"")


def _is_at(kept: bytes, place: bytes, key: bytes) -> bool:
    """Return whether a place is the one that is kept; `key` is of a hash that comes alone."""
    key, digest = kept[:-_DIGEST_BYTES] or key, kept[-_DIGEST_BYTES:]
    return bool(place and digest) and hmac.compare_digest(digest, _digest(key, place))


def _place(address: str) -> bytes:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return b""
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return parsed.packed[:8] if parsed.version == 6 else parsed.packed


def _digest(key: bytes, place: bytes) -> bytes:
    return hmac.digest(key, place, "sha256")[:_DIGEST_BYTES]
