"""Tokens, checked: nothing but a good one passes, and whatever else comes is refused clearly."""

import asyncio
import time

import jwt
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rooms.passes import MAX_TOKEN_CHARS, Pass
from rooms.revocations import MemoryRevocations
from tests.support.passes import ALL, AUDIENCE, BAD_TOKENS, OPERATOR, SECRET, token
from webrtc.access import LEEWAY_S, Access, mint
from webrtc.access_keys import KeySet
from webrtc.errors import ClientError
from webrtc.settings import Settings


def access(**given: object) -> Access:
    return Access(**{"secret": SECRET, "audience": AUDIENCE, **given})  # type: ignore[arg-type]


async def reason(work: object) -> str:
    with pytest.raises(ClientError) as caught:
        await work  # type: ignore[misc]
    return caught.value.reason


async def test_what_was_minted_is_what_is_read() -> None:
    claims = Pass(
        sub="ada", exp=int(time.time()) + 60, room="band-*", grants=["host"], name="A", jti="x"
    )
    for made in (claims, msgspec.structs.replace(claims, tenant="acme")):
        shown = await access().enter(mint(made, SECRET, AUDIENCE, time.time()), "band-1")
        assert shown == made


@pytest.mark.parametrize("bad", [bad for bad in BAD_TOKENS if BAD_TOKENS[bad][1] != "forbidden"])
async def test_a_bad_token_is_refused_for_its_reason(bad: str) -> None:
    make, why = BAD_TOKENS[bad]
    assert await reason(access().check(make())) == why
    assert await reason(access().operate(make())) == why


@given(text=st.text(max_size=200))
@example("a." + "é" * 30 + ".b")
@example("\ud800.\ud800.\ud800")
@example("eyJhbGciOiJIUzI1NiJ9." + "W" * 3000 + ".x")
async def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    assert await reason(access().check(text)) == "unauthorized"


@given(position=st.integers(0), replacement=st.characters())
async def test_no_changed_token_passes(position: int, replacement: str) -> None:
    good = token("host")
    # The last character of a signature of 32 bytes holds two bits that mean nothing.
    index = position % (len(good) - 1)
    if good[index] != replacement:
        changed = good[:index] + replacement + good[index + 1 :]
        assert await reason(access().check(changed)) == "unauthorized"


async def test_a_token_too_long_is_not_even_read() -> None:
    assert await reason(access().check(token("host", filler="x" * 4096))) == "unauthorized"


async def test_clocks_may_differ_a_little() -> None:
    just_over = token("publish", exp=int(time.time()) - LEEWAY_S + 5)
    assert await access().enter(just_over, "room") is not None
    assert await reason(access().check(token("publish", exp=int(time.time()) - LEEWAY_S - 5)))


async def test_a_revoked_token_opens_nothing() -> None:
    doors = access()
    await doors.revoke("mine", time.time() + 60)
    assert await reason(doors.check(token("host", jti="mine"))) == "token_revoked"
    assert await doors.check(token("host", jti="another"))
    assert await doors.check(token("host"))


async def test_operators() -> None:
    both = access(operator_token=OPERATOR)
    await both.operate(OPERATOR)
    await both.operate(token("admin", room="*"))
    assert await reason(both.operate(OPERATOR + "x")) == "unauthorized"
    assert await reason(both.operate(token("admin"))) == "forbidden"
    everything_else = [grant for grant in ALL if grant != "admin"]
    assert await reason(both.operate(token(*everything_else, room="*"))) == "forbidden"
    assert await both.survey(OPERATOR) is None
    assert await both.survey(token("admin", room="*")) is None
    alone = Access(operator_token=OPERATOR)
    await alone.operate(OPERATOR)
    assert await reason(alone.operate(None)) == "unauthorized"
    assert await reason(alone.operate(token("admin", room="*"))) == "unauthorized"


async def test_a_tenants_admin_is_no_operator() -> None:
    doors = access(operator_token=OPERATOR)
    theirs = token("admin", room="*", tenant="acme")
    assert await reason(doors.operate(theirs)) == "forbidden"
    assert await doors.survey(theirs) == "acme"
    assert await reason(doors.survey(token("admin", tenant="acme"))) == "forbidden"
    everything_else = [grant for grant in ALL if grant != "admin"]
    host = token(*everything_else, room="*", tenant="acme")
    assert await reason(doors.survey(host)) == "forbidden"


async def test_without_settings_everybody_passes() -> None:
    doors = Access()
    assert not doors.wants_tokens
    assert await doors.enter(None, "room") is None
    await doors.operate(None)
    assert await doors.survey(None) is None


async def test_a_token_opens_the_rooms_that_it_names() -> None:
    doors = access()
    one, some, every = (token("host", room=room) for room in ("room", "band-*", "*"))
    assert await doors.enter(one, "room")
    assert await doors.enter(one, ""), "the only one that it can mean"
    assert await doors.enter(some, "band-1")
    assert await doors.enter(every, "anything")
    assert await doors.enter(every, ""), "a new one"
    for shown, room in ((one, "another"), (some, "bandit"), (some, "")):
        assert await reason(doors.enter(shown, room)) == "forbidden"


async def test_settings_describe_the_doors() -> None:
    doors = Access.of(Settings(auth_secret=SECRET, operator_token=OPERATOR))
    assert await doors.check(token("host"))
    assert doors.names_operator(OPERATOR)
    assert not Access.of(Settings()).wants_tokens
    assert not Access.of(Settings(operator_token=OPERATOR)).wants_tokens
    published = Access.of(Settings(auth_jwks_url="https://127.0.0.1:9/keys"))
    assert published.wants_tokens
    assert await reason(published.check(token("host"))) == "unauthorized", "of no published key"
    await published.close()
    await doors.close()


async def test_closing_gives_up_a_fetch() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def fetch() -> bytes:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return b""

    doors = access(keys=KeySet(fetch))
    waiting = asyncio.create_task(doors._key("ES256", "e"))
    await begun.wait()
    await doors.close()
    assert ended.is_set()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_a_token_may_be_as_long_as_is_said() -> None:
    longest = token("host", sub="a" * 128, filler="")
    filled = token("host", sub="a" * 128, filler="x" * ((MAX_TOKEN_CHARS - len(longest)) * 3 // 4))
    assert MAX_TOKEN_CHARS - 4 < len(filled) <= MAX_TOKEN_CHARS
    assert await access().check(filled)


async def test_what_is_revoked_stays_so_until_nobody_takes_the_token_any_more() -> None:
    held = MemoryRevocations(most=1)
    doors = access(revocations=held, clock=lambda: 1000.0)
    await doors.revoke("mine", 1001.0 - LEEWAY_S)
    assert await doors.is_revoked("mine")
    assert await reason(doors.revoke("another", 2000.0)) == "server_full"
    assert not await doors.is_revoked("")


async def test_a_token_that_opens_nothing_can_be_minted_and_says_when() -> None:
    claims = Pass(sub="ada", exp=int(time.time()) + 60, room="room", grants=[])
    minted = mint(claims, SECRET, AUDIENCE, now=1000.9)
    assert await access().check(minted) == claims
    said = jwt.decode(minted, options={"verify_signature": False})
    assert said["iat"] == 1000
    assert set(said) == {"sub", "exp", "room", "grants", "aud", "iat"}


async def test_text_that_is_no_text_is_no_operators_token() -> None:
    assert not access(operator_token=OPERATOR).names_operator("\ud800")
