"""The published keys of those who sign join tokens (JWKS, RFC 7517), fetched and kept.

| what is known               | what is asked for | what happens                               |
|-----------------------------|-------------------|--------------------------------------------|
| nothing, or too old to use  | any key           | a fetch is waited for                      |
| keys that should be renewed | a known key       | it is given; a fetch goes on in background |
| keys                        | an unknown key    | a fetch is waited for, seldom              |

One fetch runs at a time, whoever asks; a failed one leaves the former keys. Answers are bounded in
time and size, redirects are not followed, and keys are read in a thread.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from webrtc.errors import ClientError

logger = logging.getLogger(__name__)

RENEW_AFTER_S: Final = 600.0
USABLE_FOR_S: Final = 24 * 3600.0
RETRY_AFTER_S: Final = 30.0
"""Shortest time between two fetches."""
FETCH_TIMEOUT_S: Final = 5.0
MAX_ANSWER_BYTES: Final = 64 * 1024
MAX_KEYS: Final = 32
MIN_RSA_BITS: Final = 2048

Fetch = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key and the one algorithm that it is good for."""

    key_id: str | None
    algorithm: str
    key: Any


class KeySet:
    """Finds keys.

    Args:
        fetch: returns the key set's JSON; what it raises is a failed fetch.
        clock: monotonic seconds.
    """

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: list[PublicKey] = []
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Stop fetching."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    async def find(self, algorithm: str, key_id: str | None) -> Any:
        """Return the key of a token; None if there is none.

        Raises:
            ClientError: `auth_unavailable` while no keys are known.
        """
        age_s = self._age_s()
        usable = age_s is not None and age_s < USABLE_FOR_S
        known = self._known(algorithm, key_id) if usable else None
        if known is not None:
            if age_s is not None and age_s > RENEW_AFTER_S and self._may_try():
                self._start()
            return known
        if self._fetching is not None or self._may_try():
            # Whoever gives up waiting does not take the fetch away from the others.
            await asyncio.shield(self._start())
        age_s = self._age_s()
        if age_s is None or age_s >= USABLE_FOR_S:
            raise ClientError("auth_unavailable", "try again a little later", RETRY_AFTER_S)
        return self._known(algorithm, key_id)

    def _known(self, algorithm: str, key_id: str | None) -> Any:
        """Return a key by its id; a token without one gets the only key of its algorithm."""
        fitting = [one for one in self._keys if one.algorithm == algorithm]
        if key_id is not None:
            fitting = [one for one in fitting if one.key_id == key_id]
        return fitting[0].key if len(fitting) == 1 else None

    def _age_s(self) -> float | None:
        return None if self._fetched_at is None else self._clock() - self._fetched_at

    def _may_try(self) -> bool:
        return self._tried_at is None or self._clock() - self._tried_at >= RETRY_AFTER_S

    def _start(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._renew(), name="signers' keys")
        return self._fetching

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                answer = await self._fetch()
                self._keys = await asyncio.to_thread(read_keys, answer)
            self._fetched_at = self._clock()
        except (OSError, ValueError, TimeoutError, aiohttp.ClientError) as error:
            logger.warning("the keys of join tokens could not be fetched: %s", type(error).__name__)
        finally:
            self._fetching = None


def read_keys(answer: bytes) -> list[PublicKey]:
    """Return the usable keys of a key set.

    Raises:
        ValueError: it is none.
    """
    try:
        found = json.loads(answer)["keys"]
        entries = [entry for entry in found if isinstance(entry, dict)][:MAX_KEYS]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError("this is no key set") from None
    return [key for entry in entries if (key := _key(entry)) is not None]


def _key(entry: dict[str, Any]) -> PublicKey | None:
    if entry.get("use", "sig") != "sig" or "d" in entry:
        return None  # for encryption; or a private key, which nobody should trust any more
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(entry.get("kty")))
    key_id = entry.get("kid")
    if algorithm is None or entry.get("alg", algorithm) != algorithm:
        return None
    try:
        key = jwt.PyJWK(entry, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    is_strong = isinstance(key, RSAPublicKey) and key.key_size >= MIN_RSA_BITS
    is_strong |= isinstance(key, EllipticCurvePublicKey) and key.curve.name == "secp256r1"
    return (
        PublicKey(key_id if isinstance(key_id, str) else None, algorithm, key)
        if is_strong
        else None
    )


def fetcher(url: str) -> Fetch:
    """Return what fetches the key set at an address."""

    async def fetch() -> bytes:
        timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            answer = b""
            async for chunk in response.content.iter_chunked(8192):
                answer += chunk
                if len(answer) > MAX_ANSWER_BYTES:
                    raise ValueError("the key set is too long")
            return answer

    return fetch
