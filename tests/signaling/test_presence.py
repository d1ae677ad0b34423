import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.support.virtual_time import in_virtual_time
from webrtc.signaling.connection import Connection
from webrtc.signaling.events import RoomClosed
from webrtc.signaling.presence import Presence, Seat
from webrtc.signaling.rate import TokenBucket


class Socket:
    """Keeps the frames."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.hung_up = False

    def write(self, frame: bytes) -> None:
        self.frames.append(frame)

    def write_lossy(self, frame: bytes) -> None:
        self.frames.append(frame)

    def hang_up(self) -> None:
        self.hung_up = True


class House:
    """Seats with a window of 60 s that are shown for 10 s, and what became of them when.

    Attributes:
        media: whether media flows; None while nobody can tell.
        seen: who was lost and returned when.
    """

    def __init__(self) -> None:
        self.media: bool | None = True
        self.expired: list[tuple[str, float]] = []
        self.seen: list[tuple[str, str, float]] = []
        self.presence = Presence(60, 10, self)

    def has_media(self, seat: Seat) -> bool | None:
        return self.media

    def on_lost(self, seat: Seat) -> None:
        self.seen.append(("lost", seat.participant_id, self._now()))

    def on_returned(self, seat: Seat) -> None:
        self.seen.append(("returned", seat.participant_id, self._now()))

    def on_expired(self, seat: Seat) -> None:
        self.expired.append((seat.participant_id, self._now()))
        self.presence.stand_up(seat)

    @staticmethod
    def _now() -> float:
        return round(asyncio.get_running_loop().time(), 3)

    def connection(self) -> tuple[Connection, Socket]:
        socket = Socket()
        return Connection(socket, TokenBucket(1, 1, 0)), socket

    def sit(self, name: str, room_id: str = "room") -> tuple[Seat, Connection, Socket]:
        seat = Seat(name, room_id, 0, publishes=True)
        connection, socket = self.connection()
        self.presence.sit(seat, connection)
        return seat, connection, socket


Story = Callable[[House], Coroutine[Any, Any, None]]


async def back_in_time(house: House) -> None:
    seat, _, _ = house.sit("alice")
    house.presence.detach(seat)
    await asyncio.sleep(59.9)
    connection, _ = house.connection()
    house.presence.attach(seat, connection)
    await asyncio.sleep(1000)
    assert house.expired == []
    assert connection.seat is seat


async def back_too_late(house: House) -> None:
    seat, connection, _ = house.sit("alice")
    await asyncio.sleep(10)
    house.presence.detach(seat)
    assert connection.seat is None
    await asyncio.sleep(1000)
    assert house.expired == [("alice", 70)]
    assert house.presence.seat("alice") is None
    assert list(house.presence.seats_in("room")) == []


async def lost_twice(house: House) -> None:
    seat, _, _ = house.sit("alice")
    house.presence.detach(seat)
    await asyncio.sleep(50)
    house.presence.attach(seat, house.connection()[0])
    house.presence.detach(seat)
    await asyncio.sleep(1000)
    assert house.expired == [("alice", 110)], "each loss has its own window"


async def kept_from_before_a_restart(house: House) -> None:
    house.presence.keep(Seat("alice", "room", 0, publishes=True))
    await asyncio.sleep(1000)
    assert house.expired == [("alice", 60)]


async def left(house: House) -> None:
    seat, connection, _ = house.sit("alice")
    house.presence.detach(seat)
    house.presence.stand_up(seat)
    await asyncio.sleep(1000)
    assert house.expired == []
    assert connection.seat is None


async def closed(house: House) -> None:
    seat, _, _ = house.sit("alice")
    house.presence.detach(seat)
    house.presence.close()
    await asyncio.sleep(1000)
    assert house.expired == []
    assert house.presence.seat("alice") is seat


@pytest.mark.parametrize(
    "story", [back_in_time, back_too_late, lost_twice, kept_from_before_a_restart, left, closed]
)
def test_a_seat_waits_a_minute_for_its_socket(story: Story) -> None:
    async def run() -> None:
        await story(House())

    in_virtual_time(run())


async def while_media_flows_it_is_shown(house: House) -> None:
    seat, _, _ = house.sit("alice")
    house.presence.detach(seat)
    await asyncio.sleep(1000)
    assert (house.seen, house.expired) == ([], [("alice", 60)])


async def without_media_it_is_lost_after_a_moment(house: House) -> None:
    house.media = False
    seat, _, _ = house.sit("alice")
    await asyncio.sleep(5)
    house.presence.detach(seat)
    await asyncio.sleep(9.9)
    assert (seat.shown, house.seen) == (True, [])
    await asyncio.sleep(0.2)
    assert (seat.shown, house.seen) == (False, [("lost", "alice", 15)])
    await asyncio.sleep(1000)
    assert house.seen == [("lost", "alice", 15)]
    assert house.expired == [("alice", 65)]


async def it_is_lost_when_media_ends_later(house: House) -> None:
    seat, _, _ = house.sit("alice")
    house.presence.detach(seat)
    await asyncio.sleep(30.5)
    house.media = False
    await asyncio.sleep(10)
    assert house.seen == [("lost", "alice", 31)]


async def media_alone_brings_it_back(house: House) -> None:
    house.media = False
    seat, _, _ = house.sit("alice")
    house.presence.detach(seat)
    await asyncio.sleep(20.5)
    house.media = True
    await asyncio.sleep(10)
    assert house.seen == [("lost", "alice", 10), ("returned", "alice", 21)]


async def its_socket_brings_it_back(house: House) -> None:
    house.media = False
    seat, _, _ = house.sit("alice")
    house.presence.detach(seat)
    await asyncio.sleep(20)
    house.presence.attach(seat, house.connection()[0])
    assert seat.shown
    await asyncio.sleep(1000)
    assert house.seen == [("lost", "alice", 10), ("returned", "alice", 20)]
    assert house.expired == []


async def a_socket_in_time_changes_nothing(house: House) -> None:
    house.media = False
    seat, _, _ = house.sit("alice")
    house.presence.detach(seat)
    await asyncio.sleep(9)
    house.presence.attach(seat, house.connection()[0])
    await asyncio.sleep(1000)
    assert house.seen == []


async def who_left_is_not_lost_too(house: House) -> None:
    house.media = False
    seat, _, _ = house.sit("alice")
    house.presence.detach(seat)
    house.presence.stand_up(seat)
    await asyncio.sleep(1000)
    assert house.seen == []


async def while_nobody_can_tell_nothing_changes(house: House) -> None:
    house.media = None
    seat, _, _ = house.sit("alice")
    house.presence.detach(seat)
    await asyncio.sleep(20.5)
    house.media = False
    await asyncio.sleep(10)
    house.media = None
    await asyncio.sleep(10)
    assert house.seen == [("lost", "alice", 21)]


@pytest.mark.parametrize(
    "story",
    [
        while_media_flows_it_is_shown,
        without_media_it_is_lost_after_a_moment,
        it_is_lost_when_media_ends_later,
        media_alone_brings_it_back,
        its_socket_brings_it_back,
        a_socket_in_time_changes_nothing,
        who_left_is_not_lost_too,
        while_nobody_can_tell_nothing_changes,
    ],
)
def test_the_others_see_whoever_has_a_socket_or_media(story: Story) -> None:
    async def run() -> None:
        await story(House())

    in_virtual_time(run())


def test_the_newer_socket_holds_the_seat() -> None:
    house = House()
    seat, older, socket = house.sit("alice")
    newer, other = house.connection()
    house.presence.attach(seat, newer)
    assert (older.seat, newer.seat) == (None, seat)
    assert (socket.hung_up, other.hung_up) == (True, False)


def test_everyone_in_the_room_gets_the_same_frame_once() -> None:
    house = House()
    _, _, alice = house.sit("alice")
    bob_seat, _, bob = house.sit("bob")
    _, _, elsewhere = house.sit("carol", "another")
    house.presence.broadcast("room", "room_closed", RoomClosed("deleted"), skip=bob_seat)
    house.presence.broadcast("room", "room_closed", RoomClosed("deleted"))
    assert len(alice.frames) == 2
    assert len(bob.frames) == 1
    assert elsewhere.frames == []
    assert alice.frames[1] is bob.frames[0]
