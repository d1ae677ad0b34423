"""Tokens, checked: nothing but a good one passes, and whatever else comes is refused clearly."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rooms.passes import Pass
from tests.support.passes import ALL, AUDIENCE, BAD_TOKENS, OPERATOR, SECRET, token
from webrtc.access import LEEWAY_S, Access, mint
from webrtc.errors import ClientError


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
    shown = await access().enter(mint(claims, SECRET, AUDIENCE, time.time()), "band-1")
    assert shown == claims


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
    alone = Access(operator_token=OPERATOR)
    await alone.operate(OPERATOR)
    assert await reason(alone.operate(None)) == "unauthorized"
    assert await reason(alone.operate(token("admin", room="*"))) == "unauthorized"


async def test_without_settings_everybody_passes() -> None:
    doors = Access()
    assert not doors.wants_tokens
    assert await doors.enter(None, "room") is None
    await doors.operate(None)
