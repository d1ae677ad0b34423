import pytest

from rooms.models import Direction, Role
from rooms.rights import (
    Grant,
    Right,
    belongs,
    direction_granted,
    may,
    reaches,
    rights_of,
    role_for,
    role_granted,
    with_role,
)
from rooms.strip import StripSettings
from tests.rooms.store_contract import a_participant, a_room

ALLOWED = {
    Role.LISTENER: {Right.SUBSCRIBE},
    Role.SPEAKER: {Right.SUBSCRIBE, Right.PUBLISH, Right.EDIT_OWN_STRIP},
    Role.ENGINEER: set(Right)
    - {
        Right.SET_ROLES,
        Right.RUN_ARCHIVE,
        Right.CLOSE_ROOM,
        Right.RECORD,
        Right.BROADCAST,
        Right.MODERATE,
    },
    Role.HOST: set(Right),
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("right", list(Right))
def test_the_table_of_rights(role: Role, right: Right) -> None:
    actor = a_participant(role=role)
    assert may(actor, right, a_room()) is (right in ALLOWED[role])


@pytest.mark.parametrize("right", list(Right))
def test_no_role_reaches_into_another_room_or_tenant(right: Right) -> None:
    host = a_participant(role=Role.HOST)
    assert not may(host, right, a_room("another"))
    assert not may(host, right, a_room(tenant="another"))
    theirs = a_participant(role=Role.HOST, tenant="another")
    assert not may(theirs, right, a_room())
    assert may(theirs, right, a_room(tenant="another"))


def test_a_room_is_one_tenants() -> None:
    assert belongs(a_room(), "default")
    assert belongs(a_room(tenant="acme"), "acme")
    assert not belongs(a_room(tenant="acme"), "default")
    assert not belongs(a_room(), "acme")


@pytest.mark.parametrize(
    ("direction", "host", "role"),
    [
        (Direction.SUBSCRIBER, False, Role.LISTENER),
        (Direction.PUBLISHER, False, Role.SPEAKER),
        (Direction.BOTH, False, Role.SPEAKER),
        (Direction.SUBSCRIBER, True, Role.HOST),
        (Direction.BOTH, True, Role.HOST),
    ],
)
def test_the_role_follows_the_direction_unless_one_is_host(
    direction: Direction, host: bool, role: Role
) -> None:
    assert role_for(direction, host=host) is role


@pytest.mark.parametrize("role", list(Role))
def test_what_the_wire_lists_is_what_is_allowed(role: Role) -> None:
    assert rights_of(role) == sorted(right.value for right in ALLOWED[role])


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("role", list(Role))
def test_audio_goes_the_ways_that_a_given_role_allows(direction: Direction, role: Role) -> None:
    given = with_role(a_participant(direction=direction, strip=StripSettings(fader_db=-3)), role)
    assert given.role is role
    assert given.publishes is (Right.PUBLISH in ALLOWED[role])
    assert given.subscribes or direction is Direction.PUBLISHER
    if direction.publishes and given.publishes:
        assert given.direction is direction, "who may go on as before does"
    assert given.strip.fader_db == -3


OPENED = {
    Grant.SUBSCRIBE: {Right.SUBSCRIBE},
    Grant.PUBLISH: {Right.PUBLISH},
    Grant.OWN_STRIP: {Right.EDIT_OWN_STRIP},
    Grant.ENGINEER: ALLOWED[Role.ENGINEER],
    Grant.HOST: set(Right),
    Grant.RECORD: {Right.RECORD},
    Grant.ADMIN: set(Right),
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("grant", list(Grant))
@pytest.mark.parametrize("right", list(Right))
def test_grants_are_a_ceiling_and_recording_a_right_of_its_own(
    role: Role, grant: Grant, right: Right
) -> None:
    actor = a_participant(role=role, grants=(grant.value, "of a later version"))
    expected = right in OPENED[grant] and (right in ALLOWED[role] or right is Right.RECORD)
    assert may(actor, right, a_room()) is expected


@pytest.mark.parametrize("role", list(Role))
def test_a_token_without_grants_opens_nothing(role: Role) -> None:
    actor = a_participant(role=role, grants=())
    assert not any(may(actor, right, a_room()) for right in Right)


@pytest.mark.parametrize(
    ("grants", "role"),
    [
        (["subscribe"], Role.LISTENER),
        (["publish"], Role.SPEAKER),
        (["engineer", "publish"], Role.ENGINEER),
        (["host", "engineer"], Role.HOST),
        (["admin"], Role.HOST),
    ],
)
def test_the_role_follows_the_grants(grants: list[str], role: Role) -> None:
    direction = direction_granted(Direction.BOTH, grants)
    assert direction is not None
    assert role_granted(direction, grants) is role


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("grants", [[], ["record"], ["subscribe"], ["publish"], ["host"]])
def test_audio_goes_no_way_that_a_token_does_not_open(
    direction: Direction, grants: list[str]
) -> None:
    left = direction_granted(direction, grants)
    speaks = direction.publishes and ("publish" in grants or "host" in grants)
    hears = direction.subscribes and ("subscribe" in grants or "host" in grants)
    assert (left is not None and left.publishes) is speaks
    assert (left is not None and left.subscribes) is hears


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("grant", list(Grant))
def test_a_role_beyond_the_token_is_out_of_reach(role: Role, grant: Grant) -> None:
    needed = {
        Role.LISTENER: Right.SUBSCRIBE,
        Role.SPEAKER: Right.PUBLISH,
        Role.ENGINEER: Right.RUN_DESK,
        Role.HOST: Right.SET_ROLES,
    }[role]
    assert reaches(a_participant(grants=(grant.value,)), role) is (needed in OPENED[grant])
    assert reaches(a_participant(), role)


def test_rights_and_grants_are_called_what_the_protocol_calls_them() -> None:
    assert {right.value for right in Right} == {right.name.lower() for right in Right}
    assert {grant.value for grant in Grant} == {grant.name.lower() for grant in Grant}
