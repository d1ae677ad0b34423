"""Who may come in: the one question that every door asks, and the one place that answers it.

Socket.IO, REST, WHIP, WHEP and the lines of the UDP gateway all call `Access`. While neither a
secret nor a key set is configured, rooms stand open, and `enter` lets everybody pass with None.

Join tokens are JSON Web Tokens (RFC 7519, checked by PyJWT). The algorithm belongs to the key and
never to the token (RFC 8725): HS256 under the secret, RS256 and ES256 under the published keys.
`exp`, `aud`, `sub`, `room` and `grants` have to be there, `tenant` may be; see `rooms.passes`.

A token opens rooms of its own tenant alone. Which those are the doors ask `rooms.rights.belongs`,
once they have looked a room up; to everybody else it is not there.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, Final

import jwt
import msgspec

from rooms.models import DEFAULT_TENANT
from rooms.passes import MAX_TOKEN_CHARS, Pass
from rooms.revocations import MemoryRevocations, RevocationStore
from rooms.rights import Grant
from rooms.store import CapacityError
from webrtc.access_keys import KeySet, fetcher
from webrtc.errors import ClientError
from webrtc.settings import Settings

LEEWAY_S: Final = 10
"""How far the issuer's clock may be off."""
SECRET_ALGORITHM: Final = "HS256"  # noqa: S105 — a name, no secret
_REQUIRED: Final = ["exp", "aud", "sub", "room", "grants"]


class Access:
    """Checks tokens.

    Args:
        secret: of tokens that are signed with HS256, or None.
        keys: of tokens that are signed otherwise, or None.
        audience: whom tokens have to be for.
        operator_token: opens what is the operator's, too, or None.
        revocations: tokens that open nothing any more.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        secret: str | None = None,
        keys: KeySet | None = None,
        audience: str = "",
        operator_token: str | None = None,
        revocations: RevocationStore | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secret = secret
        self._keys = keys
        self._audience = audience
        self._operator = None if operator_token is None else _digest(operator_token)
        self._revocations = revocations or MemoryRevocations()
        self._clock = clock

    @classmethod
    def of(cls, settings: Settings, revocations: RevocationStore | None = None) -> "Access":
        """Return what the settings describe."""
        url = settings.auth_jwks_url
        keys = None if url is None else KeySet(fetcher(url))
        return cls(
            settings.auth_secret,
            keys,
            settings.auth_audience,
            settings.operator_token,
            revocations,
        )

    async def close(self) -> None:
        """Stop fetching keys."""
        if self._keys is not None:
            await self._keys.close()

    @property
    def wants_tokens(self) -> bool:
        """Whether rooms are closed to those without a token."""
        return self._secret is not None or self._keys is not None

    # ---- the questions of the doors -------------------------------------------------------------

    async def enter(self, token: str | None, room_id: str) -> Pass | None:
        """Return what lets somebody into a room; None where rooms stand open.

        Args:
            token: as it came, perhaps none.
            room_id: "" for the one room that the token names, or for a new one if it opens all.

        Raises:
            ClientError: `unauthorized`, `token_expired`, `token_revoked`, `auth_unavailable`;
                `forbidden` when the token is for other rooms.
        """
        if not self.wants_tokens:
            return None
        shown = await self.check(token)
        usable = shown.opens(room_id) if room_id else shown.only_room or shown.opens_every_room
        if not usable:
            raise ClientError("forbidden", "this token is for other rooms")
        return shown

    async def operate(self, token: str | None) -> None:
        """Let those pass who may see and do what concerns the whole server.

        That is everybody while neither tokens nor an operator's token are configured, and else
        whoever shows the operator's token, or a join token of the default tenant for all rooms
        with the grant `admin`.

        Raises:
            ClientError: as `enter`.
        """
        if await self.survey(token) is not None:
            raise ClientError("forbidden", "this is the operator's, and no tenant's")

    async def survey(self, token: str | None) -> str | None:
        """Return of which tenant somebody may list the rooms; None for all of all.

        Whoever may `operate` may list all of them, the admins of a tenant its own.

        Raises:
            ClientError: as `enter`.
        """
        if not self.wants_tokens and self._operator is None:
            return None
        if token and self.names_operator(token):
            return None
        if not self.wants_tokens:
            raise ClientError("unauthorized", "the operator's token is wanted as bearer token")
        shown = await self.check(token)
        if Grant.ADMIN not in shown.grants or not shown.opens_every_room:
            raise ClientError("forbidden", "this takes the grant admin for all rooms")
        return None if shown.tenant == DEFAULT_TENANT else shown.tenant

    def names_operator(self, token: str) -> bool:
        """Return whether this is the operator's token."""
        return self._operator is not None and hmac.compare_digest(_digest(token), self._operator)

    async def check(self, token: str | None) -> Pass:
        """Return what a token says.

        Raises:
            ClientError: `unauthorized`, `token_expired`, `token_revoked`, `auth_unavailable`.
        """
        if not token:
            raise ClientError("unauthorized", "a join token is wanted")
        if len(token) > MAX_TOKEN_CHARS:
            raise ClientError("unauthorized", "this is no join token of this server")
        shown = await self._read(token)
        if await self.is_revoked(shown.jti):
            raise ClientError("token_revoked", "this token has been taken back")
        return shown

    # ---- taking back ----------------------------------------------------------------------------

    async def is_revoked(self, token_id: str) -> bool:
        """Return whether a token has been taken back; one without an id cannot be."""
        return bool(token_id) and await self._revocations.holds(token_id)

    async def revoke(self, token_id: str, until: float) -> None:
        """Let a token open nothing any more.

        Args:
            token_id: its `jti`.
            until: its `exp`, seconds since the epoch.

        Raises:
            ClientError: `server_full`.
        """
        try:
            await self._revocations.add(token_id, until + LEEWAY_S, self._clock())
        except CapacityError:
            raise ClientError("server_full", "too many tokens are revoked already") from None

    # ---- reading --------------------------------------------------------------------------------

    async def _read(self, token: str) -> Pass:
        wrong = ClientError("unauthorized", "this is no join token of this server")
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            key = await self._key(algorithm, header.get("kid"))
            if key is None:
                raise wrong
            claims = jwt.decode(
                token,
                key,
                algorithms=[str(algorithm)],
                audience=self._audience,
                leeway=LEEWAY_S,
                options={"require": _REQUIRED},
            )
            return msgspec.convert(claims, Pass)
        except jwt.ExpiredSignatureError:
            raise ClientError("token_expired", "this token's time is over") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise wrong from None

    async def _key(self, algorithm: object, key_id: object) -> Any:
        """Return the key for a token, or None; a key is good for its own algorithm alone."""
        if algorithm == SECRET_ALGORITHM:
            return self._secret
        if self._keys is None or not isinstance(algorithm, str):
            return None
        return await self._keys.find(algorithm, key_id if isinstance(key_id, str) else None)


def mint(claims: Pass, secret: str, audience: str, now: float) -> str:
    """Return a join token that says `claims`, signed with the server's secret."""
    named = msgspec.to_builtins(claims) | {"exp": int(claims.exp)}
    payload = {**named, "aud": audience, "iat": int(now)}
    return jwt.encode(payload, secret, algorithm=SECRET_ALGORITHM)


def _digest(text: str) -> bytes:
    """Return something of one length, so that comparing it tells nothing about the text's."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
