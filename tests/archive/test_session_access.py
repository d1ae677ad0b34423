"""Whose sessions a bearer may see: every kind of bearer, where rooms stand open and where not."""

from collections.abc import Sequence
from typing import Final

import pytest

from archive.memory_store import MemorySessionStore
from rooms import tokens
from rooms.memory_store import MemoryRoomStore
from rooms.models import Role
from tests.archive.store_contract import a_session
from tests.rooms.store_contract import a_participant, a_room
from tests.support.passes import ALL, AUDIENCE, OPERATOR, SECRET, token
from webrtc.access import Access
from webrtc.errors import ClientError
from webrtc.sessions.access import SessionAccess, SessionGrant

KEY: Final = "the-host-key-of-the-studio"
VAULT: Final = tokens.fingerprint(KEY).hex()
HOSTS: Final = SessionGrant(VAULT, may_delete=True, may_play=True)
ENGINEERS: Final = SessionGrant(VAULT, may_delete=False, may_play=True)
GRANTED: Final[dict[str, SessionGrant]] = {"engineer": ENGINEERS, "host": HOSTS, "admin": HOSTS}
"""What a role or a grant opens; all others open nothing."""


class House:
    """Two rooms, one of them with sessions, and sessions of a room that has closed."""

    def __init__(self, secret: str | None = None, operator: str | None = None) -> None:
        self.rooms = MemoryRoomStore()
        self.sessions = MemorySessionStore(clock=lambda: 1000.0)
        access = Access(secret, None, AUDIENCE, operator)
        self._access = SessionAccess(access, self.rooms, self.sessions)

    async def fill(self, tenant: str = "default") -> "House":
        for room_id, key in (("another", "another-key"), ("studio", KEY)):
            room = a_room(room_id, host_key_hash=tokens.fingerprint(key), tenant=tenant)
            await self.rooms.add_room(room, 10)
        await self.sessions.put(a_session(vault=VAULT), 60.0)
        return self

    async def let_in(self, role: Role, grants: Sequence[str] | None = None) -> str:
        """Let Alice in; return her resume token."""
        alice = a_participant(
            role=role,
            grants=None if grants is None else tuple(grants),
            resume_hash=tokens.fingerprint("secret"),
        )
        await self.rooms.add_participant(alice, 10)
        return tokens.resume_token("alice", "secret")

    async def grant(self, shown: str) -> SessionGrant:
        return await self._access.of_token(shown)

    async def refused(self, shown: str) -> str:
        with pytest.raises(ClientError) as refusal:
            await self.grant(shown)
        return refusal.value.reason


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("secret", [None, SECRET])
async def test_who_is_there_may_what_the_role_opens(role: Role, secret: str | None) -> None:
    house = await House(secret).fill()
    shown = await house.let_in(role)
    if role in GRANTED:
        assert await house.grant(shown) == GRANTED[role]
    else:
        assert await house.refused(shown) == "forbidden"


async def test_a_host_whose_token_opens_less_may_less() -> None:
    house = await House(SECRET).fill()
    assert await house.grant(await house.let_in(Role.HOST, ["engineer"])) == ENGINEERS


@pytest.mark.parametrize("shown", ["alice.wrong", "alice.", "alice", ".secret", "bob.secret"])
async def test_a_resume_token_is_looked_at_whole(shown: str) -> None:
    for secret in (None, SECRET):
        house = await House(secret).fill()
        await house.let_in(Role.HOST)
        assert await house.refused(shown) == "unauthorized"


async def test_a_resume_token_is_worth_nothing_once_its_owner_has_gone() -> None:
    house = await House().fill()
    shown = await house.let_in(Role.HOST)
    await house.rooms.remove_participant("alice")
    assert await house.refused(shown) == "unauthorized"


async def test_a_host_key_opens_its_own_room_also_after_it_has_closed() -> None:
    house = await House().fill()
    assert await house.grant(KEY) == HOSTS
    assert (await house.grant("another-key")).vault == tokens.fingerprint("another-key").hex()
    await house.rooms.remove_room("studio")
    kept = SessionGrant(VAULT, may_delete=True, may_play=False)
    assert await house.grant(KEY) == kept, "there is no room to play them into"
    await house.rooms.remove_room("another")
    assert await house.refused("another-key") == "unauthorized", "nothing is left of that one"


async def test_where_tokens_are_wanted_a_host_key_alone_opens_nothing() -> None:
    house = await House(SECRET).fill()
    assert await house.refused(KEY) == "unauthorized"
    await house.rooms.remove_room("studio")
    assert await house.refused(KEY) == "unauthorized"


@pytest.mark.parametrize("secret", [None, SECRET])
async def test_the_operator_sees_foreign_sessions_and_deletes_none(secret: str | None) -> None:
    house = await House(secret, OPERATOR).fill()
    granted = await house.grant(OPERATOR)
    assert granted.is_operator
    assert (granted.may_delete, granted.may_play) == (False, True)
    assert not HOSTS.is_operator
    assert await house.refused(OPERATOR + "x") == "unauthorized"


@pytest.mark.parametrize("grant", ALL)
async def test_a_join_token_opens_what_its_grants_do(grant: str) -> None:
    house = await House(SECRET).fill()
    if grant in GRANTED:
        assert await house.grant(token(grant, room="studio")) == GRANTED[grant]
    else:
        assert await house.refused(token(grant, room="studio")) == "forbidden"


@pytest.mark.parametrize("room", ["*", "studi*", "nowhere"])
async def test_a_join_token_names_one_room_that_is_there(room: str) -> None:
    house = await House(SECRET).fill()
    assert await house.refused(token(*ALL, room=room)) == "forbidden"


async def test_a_join_token_opens_rooms_of_its_own_tenant() -> None:
    house = await House(SECRET).fill(tenant="acme")
    assert await house.refused(token(*ALL, room="studio")) == "forbidden"
    assert await house.grant(token("host", room="studio", tenant="acme")) == HOSTS


@pytest.mark.parametrize("secret", [None, SECRET])
@pytest.mark.parametrize("shown", ["", "x" * 5000, "a.b.c", "\ud800"])
async def test_what_is_no_token_opens_nothing(shown: str, secret: str | None) -> None:
    house = await House(secret, OPERATOR).fill()
    assert await house.refused(shown) == "unauthorized"
