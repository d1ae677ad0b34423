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
    """Seats with a window of 60 s, and who lost theirs when."""

    def __init__(self) -> None:
        self.expired: list[tuple[str, float]] = []
        self.presence = Presence(60, self._expired)

    def _expired(self, seat: Seat) -> None:
        now = asyncio.get_running_loop().time()
        self.expired.append((seat.participant_id, round(now, 3)))
        self.presence.stand_up(seat)

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
