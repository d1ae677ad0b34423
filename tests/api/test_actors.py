"""Who may do by REST what takes a right in a room."""

from pathlib import Path
from typing import Final

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from rooms import tokens
from rooms.models import Role
from rooms.rights import Right
from tests.rooms.store_contract import a_participant, a_room
from tests.support.front import running_front
from tests.support.passes import BAD_TOKENS, OPERATOR, SECRET, token
from webrtc.api.actors import require_right
from webrtc.errors import ClientError
from webrtc.signaling.desk import FrontDesk

KEY: Final = "the-host-key-of-the-room"
PEOPLE: Final = {
    "ada": ("room", "default", Role.HOST),
    "bob": ("room", "default", Role.ENGINEER),
    "eve": ("another", "default", Role.HOST),
    "zoe": ("theirs", "acme", Role.HOST),
}
"""Of each the room, the tenant and the role."""


async def filled(desk: FrontDesk) -> FrontDesk:
    store = desk.conference.store
    for room_id, tenant in (("room", "default"), ("another", "default"), ("theirs", "acme")):
        key = tokens.fingerprint(KEY if room_id == "room" else f"the key of {room_id}")
        await store.add_room(a_room(room_id, tenant=tenant, host_key_hash=key), 10)
    for name, (room_id, tenant, role) in PEOPLE.items():
        resume = tokens.fingerprint(f"secret of {name}")
        one = a_participant(name, room_id, tenant=tenant, role=role, resume_hash=resume)
        await store.add_participant(one, 10)
    return desk


def resume(name: str) -> str:
    return tokens.resume_token(name, f"secret of {name}")


async def says(
    desk: FrontDesk, shown: str | None, right: Right = Right.RUN_DESK, room_id: str = "room"
) -> str:
    """Return which room somebody may do it in, or why not."""
    headers = {} if shown is None else {"Authorization": f"Bearer {shown}"}
    request: web.Request = make_mocked_request(
        "PUT", "/", headers=headers, match_info={"room_id": room_id}
    )
    try:
        return (await require_right(request, desk, right)).room_id
    except ClientError as error:
        return error.reason


@pytest.mark.parametrize("secret", [None, SECRET])
async def test_who_is_there_does_what_the_role_opens(tmp_path: Path, secret: str | None) -> None:
    async with running_front(tmp_path, auth_secret=secret) as front:
        desk = await filled(front.front.desk)
        assert await says(desk, resume("bob")) == "room"
        assert await says(desk, resume("bob"), Right.RECORD) == "forbidden"
        assert await says(desk, resume("ada"), Right.RECORD) == "room"
        assert await says(desk, resume("eve")) == "forbidden", "a host of another room"
        assert await says(desk, resume("zoe")) == "room_not_found", "of another tenant"
        assert await says(desk, resume("zoe"), room_id="theirs") == "theirs"
        assert await says(desk, resume("ada"), room_id="theirs") == "room_not_found"
        assert await says(desk, resume("ada"), room_id="nowhere") == "room_not_found"
        for shown in ("ada.wrong", "ada.", "ada", "bob.secret of ada", "nobody.secret of ada"):
            assert await says(desk, shown) == "unauthorized"


async def test_where_rooms_stand_open_the_host_key_opens_its_own_room(tmp_path: Path) -> None:
    async with running_front(tmp_path, operator_token=OPERATOR) as front:
        desk = await filled(front.front.desk)
        for right in Right:
            assert await says(desk, KEY, right) == "room"
        for shown in (None, "", "wrong", OPERATOR, token("host")):
            assert await says(desk, shown) == "unauthorized"
        assert await says(desk, KEY, room_id="another") == "unauthorized"
        for elsewhere in ("nowhere", "theirs"):
            assert await says(desk, KEY, room_id=elsewhere) == "room_not_found"


async def test_where_tokens_are_wanted_their_grants_open_rights(tmp_path: Path) -> None:
    async with running_front(tmp_path, auth_secret=SECRET, operator_token=OPERATOR) as front:
        desk = await filled(front.front.desk)
        for grant in ("engineer", "host", "admin"):
            assert await says(desk, token(grant)) == "room"
        for grant in ("subscribe", "publish", "own_strip", "record"):
            assert await says(desk, token(grant)) == "forbidden"
        assert await says(desk, token("record"), Right.RECORD) == "room"
        assert await says(desk, token("engineer"), Right.RECORD) == "forbidden"
        assert await says(desk, token("host"), room_id="another") == "forbidden"
        assert await says(desk, token("host", room="*", tenant="acme")) == "room_not_found"
        assert await says(desk, token("host", room="*"), room_id="theirs") == "room_not_found"
        assert await says(desk, token("host", room="*"), room_id="nowhere") == "room_not_found"
        for shown in (KEY, OPERATOR):
            assert await says(desk, shown) == "unauthorized"
        for make, reason in BAD_TOKENS.values():
            assert await says(desk, make()) == reason
