"""Who may call what: the table at the top of `webrtc.api.guard`, row by row."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from rooms import tokens
from tests.rooms.store_contract import a_room
from tests.support.front import running_front
from tests.support.passes import ALL, BAD_TOKENS, OPERATOR, SECRET, token
from webrtc.api.guard import PASS, TENANT, Guard, Need, bearer
from webrtc.api.replica_proxy import PASSED_ON
from webrtc.errors import ClientError
from webrtc.front_addresses import Addresses
from webrtc.front_limits import FrontLimits

KEY: Final = "the-host-key-of-the-room"
PASSES: Final = "passes"
HOSTING: Final = {"host", "admin"}


def asked(shown: str | None, room_id: str = "room", **headers: str) -> web.Request:
    if shown is not None:
        headers["Authorization"] = f"Bearer {shown}"
    return make_mocked_request("GET", "/", headers=headers, match_info={"room_id": room_id})


class House:
    """A guard, and a room each of the default tenant and of `acme`."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def says(self, need: Need, shown: str | None, room_id: str = "room") -> str:
        """Return why a request is refused, or that it passes."""
        return (await self.asks(need, shown, room_id))[0]

    async def asks(
        self, need: Need, shown: str | None, room_id: str = "room"
    ) -> tuple[str, web.Request]:
        request = asked(shown, room_id)
        try:
            await self._guard.let_pass(need, request)
        except ClientError as error:
            return error.reason, request
        return PASSES, request


@asynccontextmanager
async def a_house(tmp_path: Path, **settings: Any) -> AsyncIterator[House]:
    async with running_front(tmp_path, **settings) as front:
        desk = front.front.desk
        for room_id, tenant in (("room", "default"), ("theirs", "acme")):
            room = a_room(room_id, tenant=tenant, host_key_hash=tokens.fingerprint(KEY))
            await desk.conference.store.add_room(room, 10)
        yield House(Guard(desk, Addresses()))


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path) as house:
        yield house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, auth_secret=SECRET, operator_token=OPERATOR) as house:
        yield house


# ---- where rooms stand open -----------------------------------------------------------------


async def test_where_rooms_stand_open_all_but_the_hosts_is_anybodys(open_house: House) -> None:
    for need in set(Need) - {Need.HOST}:
        for shown in (None, "whatever", KEY):
            said, request = await open_house.asks(need, shown)
            assert said == PASSES, need
            assert PASS not in request
            assert TENANT not in request
        assert await open_house.says(need, None, "nowhere") == PASSES, "the handler says so"


async def test_where_rooms_stand_open_the_host_shows_the_rooms_key(open_house: House) -> None:
    assert await open_house.says(Need.HOST, KEY) == PASSES
    for shown in (None, "", "wrong", KEY + "x", token("host")):
        assert await open_house.says(Need.HOST, shown) == "unauthorized"
    assert await open_house.says(Need.HOST, KEY, "nowhere") == "room_not_found"


async def test_rooms_of_tenants_are_not_there_for_those_without_a_token(open_house: House) -> None:
    for need in (Need.LOOK, Need.HOST):
        assert await open_house.says(need, KEY, "theirs") == "room_not_found"


async def test_an_operators_token_closes_what_is_the_operators_alone(tmp_path: Path) -> None:
    async with a_house(tmp_path, operator_token=OPERATOR) as house:
        for need in (Need.OPERATOR, Need.LIST):
            assert await house.says(need, OPERATOR) == PASSES
            for shown in (None, "wrong", token("admin", room="*")):
                assert await house.says(need, shown) == "unauthorized"
        for need in (Need.MAKE, Need.ENTER, Need.LOOK):
            assert await house.says(need, None) == PASSES


# ---- where tokens are wanted ----------------------------------------------------------------


async def test_a_bad_token_opens_nothing(house: House) -> None:
    for bad, (make, reason) in BAD_TOKENS.items():
        names_it = reason == "forbidden" and bad != "for another room"
        for need in Need:
            if need is Need.MAKE and bad == "for another room":
                continue  # which room it is to be, the body says
            passes = need in {Need.NOBODYS, Need.OWN}
            passes |= names_it and need in {Need.ENTER, Need.LOOK}
            said = await house.says(need, make())
            assert said == (PASSES if passes else reason), (bad, need)


async def test_each_grant_opens_what_the_table_says(house: House) -> None:
    for grant in ALL:
        here, everywhere = token(grant), token(grant, room="*")
        for need, shown, passes in (
            (Need.ENTER, here, True),
            (Need.LOOK, here, True),
            (Need.HOST, here, grant in HOSTING),
            (Need.MAKE, here, grant in HOSTING),
            (Need.LIST, here, False),
            (Need.LIST, everywhere, grant == "admin"),
            (Need.OPERATOR, here, False),
            (Need.OPERATOR, everywhere, grant == "admin"),
        ):
            said = await house.says(need, shown)
            assert said == (PASSES if passes else "forbidden"), (grant, need)


async def test_neither_the_host_key_nor_the_operators_token_opens_a_room(house: House) -> None:
    for shown in (KEY, OPERATOR):
        for need in (Need.MAKE, Need.ENTER, Need.LOOK, Need.HOST):
            assert await house.says(need, shown) == "unauthorized"
    for need in (Need.LIST, Need.OPERATOR):
        assert await house.says(need, OPERATOR) == PASSES
        assert await house.says(need, KEY) == "unauthorized"


async def test_a_stranger_does_not_learn_which_rooms_there_are(house: House) -> None:
    for need in (Need.ENTER, Need.LOOK, Need.HOST):
        for room_id in ("room", "theirs", "nowhere"):
            assert await house.says(need, None, room_id) == "unauthorized"
            assert await house.says(need, token(*ALL, room="mine"), room_id) == "forbidden"


async def test_a_tenants_token_opens_its_own_rooms(house: House) -> None:
    theirs = token(*ALL, room="*", tenant="acme")
    for need in (Need.LOOK, Need.HOST):
        assert await house.says(need, theirs, "theirs") == PASSES
        assert await house.says(need, theirs, "room") == "room_not_found"
        assert await house.says(need, token(*ALL, room="*"), "theirs") == "room_not_found"
    assert await house.says(Need.OPERATOR, theirs) == "forbidden"


async def test_handlers_are_told_what_else_they_have_to_ask(house: House) -> None:
    _, request = await house.asks(Need.MAKE, token("host", tenant="acme", sub="grace"))
    assert (request[PASS].sub, request[PASS].tenant) == ("grace", "acme")
    _, request = await house.asks(Need.LIST, token("admin", room="*", tenant="acme"))
    assert request[TENANT] == "acme"
    _, request = await house.asks(Need.LIST, token("admin", room="*"))
    assert TENANT not in request, "all rooms of all tenants"


# ---- what is a bearer token -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER   abc ", "abc"),
        ("Bearer a b", "a b"),
        ("Bearer", ""),
        ("Basic abc", ""),
        ("abc", ""),
        ("", ""),
    ],
)
def test_a_bearer_token_is_what_follows_the_scheme(header: str, expected: str) -> None:
    assert bearer(make_mocked_request("GET", "/", headers={"Authorization": header})) == expected


def test_without_a_header_there_is_no_bearer_token() -> None:
    assert bearer(asked(None)) == ""


# ---- how often ------------------------------------------------------------------------------


class Gate:
    """A guard that lets each address ask once in three seconds, and a clock that stands."""

    def __init__(self, *replicas: str, alone: bool = False) -> None:
        limits = FrontLimits(request_rate_per_s=1 / 3, request_burst=1)
        leases = SimpleNamespace(others=lambda: list(replicas))
        desk: Any = SimpleNamespace(
            conference=SimpleNamespace(limits=limits),
            shared=None if alone else SimpleNamespace(leases=leases),
        )
        self._guard = Guard(desk, Addresses(["10.0.0.1"]))

    def waits_s(self, remote: str, **headers: str) -> float | None:
        """Ask; return how long one has to wait, None if that is not said."""
        request = make_mocked_request(
            "GET", "/", headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        try:
            self._guard.count(request.clone(remote=remote))
        except ClientError as error:
            return error.retry_after_s if error.reason == "rate_limited" else None
        return 0.0


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock.now)
    return clock


PASSED: Final = {PASSED_ON.replace("-", "_"): "1"}


async def test_who_asks_too_often_is_told_how_long_to_wait(clock: Any) -> None:
    gate = Gate(alone=True)
    assert gate.waits_s("192.0.2.1") == 0.0
    clock.now += 2.0 - 0.00044
    assert gate.waits_s("192.0.2.1") == 1.0, "in milliseconds"
    assert gate.waits_s("192.0.2.2") == 0.0
    clock.now += 1.1
    assert gate.waits_s("192.0.2.1") == 0.0


@pytest.mark.parametrize("url", ["http://192.0.2.1:8080", "https://[2001:db8::1]:8080"])
async def test_what_another_replica_passes_on_has_been_counted_there(clock: Any, url: str) -> None:
    address = "2001:db8::1" if "[" in url else "192.0.2.1"
    gate = Gate("http://192.0.2.9:8080", url)
    for _ in range(3):
        assert gate.waits_s(address, **PASSED) == 0.0
    assert gate.waits_s(address) == 0.0, "nothing was counted"
    assert gate.waits_s(address) == 3.0, "what it asks by itself is"


async def test_nobody_else_is_believed_to_have_been_counted(clock: Any) -> None:
    for gate, address in (
        (Gate("http://192.0.2.1:8080"), "192.0.2.2"),
        (Gate("http://192.0.2.1:8080", alone=True), "192.0.2.1"),
        (Gate(), "192.0.2.1"),
    ):
        assert gate.waits_s(address, **PASSED) == 0.0
        assert gate.waits_s(address, **PASSED) == 3.0


async def test_a_client_behind_a_replicas_proxy_is_itself(clock: Any) -> None:
    gate = Gate("http://10.0.0.1:8080")
    client = {"X_Forwarded_For": "192.0.2.1", **PASSED}
    assert gate.waits_s("10.0.0.1", **client) == 0.0
    assert gate.waits_s("10.0.0.1", **client) == 3.0
