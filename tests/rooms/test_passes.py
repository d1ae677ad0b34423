"""Which rooms a token opens, and what its claims may look like."""

import fnmatch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.passes import Pass, tenant_of

IDS = st.text("ab-", min_size=1, max_size=6).filter(lambda it: it[0] != "-")
PATTERNS = st.builds(
    lambda before, star, after: before + star + after,
    st.text("ab-", max_size=3),
    st.sampled_from(["", "*"]),
    st.text("ab-", max_size=3),
).filter(lambda it: it != "" and it[0] != "-")


def a_pass(**claims: object) -> Pass:
    return msgspec.convert(
        {"sub": "ada", "exp": 10.0, "room": "studio", "grants": ["publish"], **claims}, Pass
    )


@given(pattern=PATTERNS, room_id=IDS)
def test_a_pattern_opens_what_it_opens_in_a_shell(pattern: str, room_id: str) -> None:
    assert a_pass(room=pattern).opens(room_id) is fnmatch.fnmatchcase(room_id, pattern)


@pytest.mark.parametrize(
    ("room", "only", "every"),
    [("studio", "studio", False), ("*", None, True), ("band-*", None, False), ("*-a", None, False)],
)
def test_whether_it_names_one_room_or_all(room: str, only: str | None, every: bool) -> None:
    assert a_pass(room=room).only_room == only
    assert a_pass(room=room).opens_every_room is every


@pytest.mark.parametrize(
    "claims",
    [
        {"room": ""},
        {"room": "a*b*"},
        {"room": "**"},
        {"room": "../x"},
        {"room": "a\n"},
        {"room": "a" * 65},
        {"room": ["studio"]},
        {"sub": ""},
        {"sub": "a\x00"},
        {"sub": "a" * 129},
        {"sub": 7},
        {"grants": "host"},
        {"grants": [7]},
        {"grants": ["publish"] * 33},
        {"name": "\u202eada"},
        {"tenant": ""},
        {"tenant": "Acme"},
        {"tenant": "-acme"},
        {"tenant": "acme-"},
        {"tenant": "acme:1"},
        {"tenant": "acme\n"},
        {"tenant": "a" * 33},
        {"tenant": None},
        {"exp": "soon"},
        {"jti": "x" * 129},
    ],
)
def test_claims_of_another_shape_are_none(claims: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        a_pass(**claims)


def test_further_claims_are_the_issuers_business() -> None:
    assert a_pass(email="ada@example.org", realm={"roles": []}) == a_pass()


@pytest.mark.parametrize("tenant", ["a", "7", "acme", "band-7", "a--b", "x" * 32])
def test_a_tenant_is_a_short_name(tenant: str) -> None:
    assert tenant_of(a_pass(tenant=tenant)) == tenant


def test_who_names_no_tenant_comes_for_the_default_one() -> None:
    assert tenant_of(a_pass()) == tenant_of(None) == "default"
