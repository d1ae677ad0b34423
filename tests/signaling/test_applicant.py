"""What becomes of somebody's wishes under their join token."""

import pytest

from rooms.models import Direction, Role
from rooms.passes import Pass
from webrtc.errors import ClientError
from webrtc.signaling.applicant import Applicant
from webrtc.signaling.messages_joining import JoinRoom


def a_pass(*grants: str, room: str = "studio", **claims: str) -> Pass:
    return Pass(sub="ada", exp=2e9, room=room, grants=list(grants), **claims)  # type: ignore[arg-type]


def test_who_needs_no_token_gets_what_they_ask_for() -> None:
    applicant = Applicant.unknown(JoinRoom("studio", "Eve", "subscriber"))
    assert (applicant.room_id, applicant.name) == ("studio", "Eve")
    assert applicant.direction is Direction.SUBSCRIBER
    assert applicant.tenant == "default"
    assert applicant.grants is None, "nothing is held against them"
    assert (applicant.subject, applicant.token_id) == ("", "")
    assert Applicant.unknown(JoinRoom(), "acme").tenant == "acme"


def test_who_says_nothing_gets_a_new_room_and_no_name() -> None:
    for applicant in (
        Applicant.unknown(JoinRoom()),
        Applicant.with_pass(JoinRoom(), a_pass("publish", room="*")),
    ):
        assert (applicant.room_id, applicant.name) == ("", "")


@pytest.mark.parametrize(
    ("direction", "host", "role"),
    [
        ("both", False, Role.SPEAKER),
        ("publisher", False, Role.SPEAKER),
        ("subscriber", False, Role.LISTENER),
        ("subscriber", True, Role.HOST),
        ("both", True, Role.HOST),
    ],
)
def test_where_rooms_stand_open_the_host_key_makes_the_host(
    direction: str, host: bool, role: Role
) -> None:
    request = JoinRoom(role=direction)  # type: ignore[arg-type]
    assert Applicant.unknown(request).role(host=host) is role


def test_under_a_token_a_host_key_makes_nobody_host() -> None:
    for grant, role in (("subscribe", Role.LISTENER), ("publish", Role.SPEAKER)):
        applicant = Applicant.with_pass(JoinRoom(), a_pass(grant))
        assert applicant.role(host=True) is role
    for grant, role in (("engineer", Role.ENGINEER), ("host", Role.HOST), ("admin", Role.HOST)):
        applicant = Applicant.with_pass(JoinRoom(), a_pass(grant))
        assert applicant.role(host=False) is role


def test_sound_goes_the_ways_that_are_both_wanted_and_granted() -> None:
    both = a_pass("publish", "subscribe")
    for wanted, shown, left in (
        ("both", both, Direction.BOTH),
        ("publisher", both, Direction.PUBLISHER),
        ("both", a_pass("subscribe"), Direction.SUBSCRIBER),
        ("both", a_pass("publish"), Direction.PUBLISHER),
    ):
        request = JoinRoom(role=wanted)  # type: ignore[arg-type]
        assert Applicant.with_pass(request, shown).direction is left
    for wanted, grant in (
        ("publisher", "subscribe"),
        ("subscriber", "publish"),
        ("both", "record"),
    ):
        request = JoinRoom(role=wanted)  # type: ignore[arg-type]
        with pytest.raises(ClientError) as refusal:
            Applicant.with_pass(request, a_pass(grant))
        assert refusal.value.reason == "forbidden"


def test_a_token_for_one_room_names_it_for_who_does_not() -> None:
    assert Applicant.with_pass(JoinRoom(), a_pass("publish")).room_id == "studio"
    everywhere = a_pass("publish", room="*")
    assert Applicant.with_pass(JoinRoom("choir"), everywhere).room_id == "choir"


@pytest.mark.parametrize(("named", "shown"), [(None, "Eve"), ("Ada", "Ada"), ("", "")])
def test_a_token_that_says_a_name_is_believed_and_nobody_else(
    named: str | None, shown: str
) -> None:
    claims = {} if named is None else {"name": named}
    applicant = Applicant.with_pass(JoinRoom(name="Eve"), a_pass("publish", **claims))
    assert applicant.name == shown


def test_what_a_token_says_goes_along_into_the_room() -> None:
    shown = a_pass("subscribe", "publish", "publish", jti="one", tenant="acme")
    applicant = Applicant.with_pass(JoinRoom(), shown)
    assert applicant.grants == ("publish", "subscribe")
    assert (applicant.subject, applicant.token_id, applicant.tenant) == ("ada", "one", "acme")
    assert applicant.shown is shown
