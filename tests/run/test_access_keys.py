"""Keys of those who sign tokens: which are taken, when they are fetched, what a failure does."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.support.passes import AUDIENCE, SECRET, token
from tests.support.patience import PATIENCE_S
from webrtc import access_keys
from webrtc.access import Access
from webrtc.access_keys import RENEW_AFTER_S, RETRY_AFTER_S, USABLE_FOR_S, KeySet, read_keys
from webrtc.errors import ClientError

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def published(key: Any, **more: Any) -> dict[str, Any]:
    kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(kind.to_jwk(key.public_key())), **more}


def key_set(*entries: Any) -> bytes:
    return json.dumps({"keys": list(entries)}).encode()


BOTH = key_set(published(RSA, kid="r"), published(EC, kid="e"))


def signed(key: Any, algorithm: str, kid: str | None = None) -> str:
    payload = jwt.decode(token("host"), options={"verify_signature": False})
    return jwt.encode(payload, key, algorithm, {"kid": kid} if kid else None)


class Source:
    """Stands for the address, and for the clock."""

    def __init__(self, answer: bytes) -> None:
        self.answer: bytes | Exception = answer
        self.asked = 0
        self.now = 1000.0
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self) -> bytes:
        self.asked += 1
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def keys(self) -> KeySet:
        return KeySet(self.fetch, lambda: self.now)


def doors(source: Source, secret: str | None = None) -> Access:
    return Access(secret, source.keys(), AUDIENCE)


async def refusal(work: Any) -> str:
    with pytest.raises(ClientError) as caught:
        await work
    return caught.value.reason


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA, "RS256", "r"), (EC, "ES256", "e"), (RSA, "RS256", None), (EC, "ES256", None)],
)
async def test_tokens_of_the_published_keys_pass(key: Any, algorithm: str, kid: str | None) -> None:
    assert await doors(Source(BOTH)).enter(signed(key, algorithm, kid), "room")


async def test_a_key_is_good_for_its_own_algorithm_alone() -> None:
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    # The classic: a token "signed" with the public key as if that were a shared secret.
    payload = jwt.decode(token("host"), options={"verify_signature": False})
    body = f"{part({'alg': 'HS256', 'kid': 'r'})}.{part(payload)}"
    digest = hmac.new(public, body.encode(), hashlib.sha256).digest()
    forged = f"{body}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
    assert await refusal(doors(Source(BOTH)).check(forged)) == "unauthorized"
    assert await refusal(doors(Source(BOTH), SECRET).check(forged)) == "unauthorized"
    assert await refusal(doors(Source(BOTH)).check(signed(EC, "ES256", "r"))) == "unauthorized"
    longer = signed(RSA, "RS512", "r")
    assert await refusal(doors(Source(BOTH)).check(longer)) == "unauthorized"


async def test_secret_and_keys_may_be_used_side_by_side() -> None:
    both = doors(Source(BOTH), SECRET)
    assert await both.enter(token("host"), "room")
    assert await both.enter(signed(EC, "ES256"), "room")


BAD_KEYS = {
    "short": published(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
    "of another curve": published(ec.generate_private_key(ec.SECP384R1())),
    "for encryption": published(RSA, use="enc"),
    "for another algorithm": published(RSA, alg="PS256"),
    "private": {**published(EC), "d": "AQ"},
    "a secret": {"kty": "oct", "k": "c2VjcmV0"},
    "without exponent": {"kty": "RSA", "n": "x"},
    "off the curve": {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"},
    "empty": {},
    "a number": 7,
}


@pytest.mark.parametrize("entry", BAD_KEYS.values(), ids=BAD_KEYS)
def test_weak_foreign_and_broken_keys_are_not_taken(entry: Any) -> None:
    assert read_keys(key_set(entry)) == []
    assert len(read_keys(key_set(entry, published(EC)))) == 1


@given(st.binary(max_size=200))
def test_anything_is_a_key_set_or_none(answer: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(read_keys(answer), list)


async def test_one_fetch_serves_all_who_wait() -> None:
    source = Source(BOTH)
    keys = source.keys()
    found = await asyncio.gather(*(keys.find("ES256", "e") for _ in range(20)))
    assert None not in found
    assert source.asked == 1


async def test_keys_are_renewed_behind_the_back_of_those_who_have_them() -> None:
    source = Source(BOTH)
    keys = source.keys()
    await keys.find("ES256", "e")
    source.now += RENEW_AFTER_S + 1
    source.gate.clear()
    async with asyncio.timeout(PATIENCE_S):
        assert await keys.find("ES256", "e"), "nobody waits for the fetch"
    await asyncio.sleep(0)
    assert source.asked == 2
    await keys.close()
    source.gate.set()
    await asyncio.sleep(0)
    source.now += USABLE_FOR_S - RENEW_AFTER_S - 1
    source.answer = OSError("gone")
    assert await refusal(keys.find("ES256", "e")) == "auth_unavailable", "the fetch was given up"


async def test_young_keys_are_not_fetched_again() -> None:
    source = Source(BOTH)
    keys = source.keys()
    for _ in range(3):
        assert await keys.find("ES256", "e")
        await asyncio.sleep(0)
        source.now += RENEW_AFTER_S / 2 - 1
    assert source.asked == 1


async def test_a_new_key_is_looked_for_but_not_at_everybodys_wish() -> None:
    source = Source(key_set(published(RSA, kid="r")))
    keys = source.keys()
    assert await keys.find("ES256", "e") is None
    source.answer = BOTH
    for _ in range(50):
        assert await keys.find("ES256", "e") is None
    assert source.asked == 1
    source.now += RETRY_AFTER_S
    assert await keys.find("ES256", "e")
    assert source.asked == 2


@pytest.mark.parametrize(
    "failure",
    [OSError("gone"), socket.gaierror("no such name"), b"<html>", b'{"keys": 7}', TimeoutError()],
    ids=str,
)
async def test_a_failed_fetch_leaves_the_former_keys_for_a_day(
    failure: Any, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source(BOTH)
    keys = source.keys()
    await keys.find("ES256", "e")
    source.answer = failure
    source.now += USABLE_FOR_S - 1
    assert await keys.find("ES256", "e")
    await asyncio.sleep(0)
    source.now += RETRY_AFTER_S + 1
    assert await refusal(keys.find("ES256", "e")) == "auth_unavailable"
    assert "could not be fetched" in caplog.text
    await keys.close()


async def fetched(handler: Callable[[web.Request], Any]) -> bytes:
    app = web.Application()
    app.router.add_get("/keys", handler)

    async def elsewhere(_: web.Request) -> web.Response:
        return web.Response(body=BOTH)

    app.router.add_get("/elsewhere", elsewhere)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        return await access_keys.fetcher(f"http://127.0.0.1:{port}/keys")()
    finally:
        await runner.cleanup()


async def test_the_fetch_is_bounded_and_goes_nowhere_else() -> None:
    async def good(_: web.Request) -> web.Response:
        return web.Response(body=BOTH)

    async def endless(_: web.Request) -> web.Response:
        return web.Response(body=b" " * (access_keys.MAX_ANSWER_BYTES + 1))

    async def moved(_: web.Request) -> web.Response:
        raise web.HTTPFound("/elsewhere")

    assert await fetched(good) == BOTH
    for handler in (endless, moved):
        with pytest.raises(ValueError, match=r"too long|status 302"):
            await fetched(handler)


async def test_a_fetch_under_way_ends_with_the_server() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def fetch() -> bytes:
        begun.set()
        try:
            return await asyncio.Event().wait() and b""
        finally:
            ended.set()

    keys = KeySet(fetch)
    asking = asyncio.create_task(keys.find("RS256", None))
    await begun.wait()
    await keys.close()
    assert ended.is_set()
    with pytest.raises(asyncio.CancelledError):
        await asking
