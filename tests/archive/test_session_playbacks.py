"""Who listens to which session: an address of its own for each, for as long as it is read."""

from typing import Any, cast

import pytest

from webrtc.errors import ClientError
from webrtc.sessions.playbacks import Playback, Playbacks


class World:
    """Playbacks of at most two sessions, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.playbacks = Playbacks(2, lambda: self.now)

    def start(self, session_id: str = "ab12") -> Playback:
        """Play ten seconds."""
        return self.playbacks.start(session_id, "feed", -1, 5_000, 15_000)

    def refused(self, session_id: str = "ab12") -> ClientError:
        with pytest.raises(ClientError) as refusal:
            self.start(session_id)
        return refusal.value

    def opens(self, session_id: str, token: str) -> bool:
        try:
            return self.playbacks.find(session_id, token).session_id == session_id
        except ClientError as error:
            return error.reason != "not_found"


@pytest.fixture
def world() -> World:
    return World()


def test_an_address_opens_its_own_session_and_nothing_else(world: World) -> None:
    one, other = world.start("ab12"), world.start("cd34")
    assert one.token != other.token
    assert len(one.token) >= 32
    assert world.playbacks.find("ab12", one.token) is one
    for session_id, token in (
        ("ab12", other.token),
        ("cd34", one.token),
        ("ef56", one.token),
        ("ab12", ""),
        ("ab12", one.token[:-1]),
        ("ab12", one.token + "x"),
        ("ab12", "\ud800ü"),
    ):
        assert not world.opens(session_id, token)


def test_an_address_is_worth_nothing_once_it_is_stopped(world: World) -> None:
    first = world.start()
    assert world.playbacks.stop("ab12") is first
    assert world.playbacks.stop("ab12") is None
    assert not world.opens("ab12", first.token)
    second = world.start()
    assert not world.opens("ab12", first.token)
    assert world.opens("ab12", second.token)


def test_what_is_played_into_a_room_has_no_address(world: World) -> None:
    playback = world.start()
    playback.player = cast(Any, object())
    assert not world.opens("ab12", playback.token)
    world.now += 1e6
    assert world.playbacks.is_playing("ab12"), "it lasts as long as it says"
    world.playbacks.ended(playback)
    assert not world.playbacks.is_playing("ab12")


def test_a_player_that_ends_late_ends_no_other(world: World) -> None:
    former = world.start()
    world.playbacks.stop("ab12")
    world.playbacks.ended(former)
    latter = world.start()
    world.playbacks.ended(former)
    assert world.opens("ab12", latter.token)


def test_a_session_is_played_once_and_so_many_at_the_same_time(world: World) -> None:
    world.start("ab12")
    assert world.refused("ab12").reason == "already_playing"
    world.start("cd34")
    too_many = world.refused("ef56")
    assert too_many.reason == "too_many_playbacks"
    assert too_many.retry_after_s == 10.0
    assert world.refused("ab12").reason == "already_playing"
    world.playbacks.stop("ab12")
    world.start("ef56")


def test_an_address_lasts_its_length_and_half_a_minute(world: World) -> None:
    playback = world.start()
    world.now += 39.995
    assert world.opens("ab12", playback.token)
    world.now += 0.005
    assert not world.opens("ab12", playback.token)


def test_what_is_over_is_in_nobodys_way(world: World) -> None:
    for _ in range(3):
        world.start("ab12")
        world.start("cd34")
        world.now += 40.0
    assert not world.playbacks.is_playing("ab12")


def test_who_reads_keeps_the_address(world: World) -> None:
    playback, other = world.start("ab12"), world.start("cd34")
    playback.readers = 1
    world.now += 1e6
    assert world.opens("ab12", playback.token)
    assert not world.opens("cd34", other.token)
    world.playbacks.touch(playback)
    playback.readers = 0
    world.now += 39.9
    assert world.opens("ab12", playback.token)
    world.now += 0.1
    assert not world.opens("ab12", playback.token)
