import pytest

from rooms.models import Direction, Role
from rooms.rights import Right, may, rights_of, role_for, with_role
from rooms.strip import StripSettings
from tests.rooms.store_contract import a_participant, a_room

ALLOWED = {
    Role.LISTENER: {Right.SUBSCRIBE},
    Role.SPEAKER: {Right.SUBSCRIBE, Right.PUBLISH, Right.EDIT_OWN_STRIP},
    Role.ENGINEER: set(Right) - {Right.SET_ROLES, Right.CLOSE_ROOM},
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
