"""Two replicas do whatever comes to mind, with Redis and without: in the end they agree."""

import asyncio
import contextlib
import random
from collections.abc import Callable

import msgspec
import pytest

from rooms.models import Participant, RoomSettings
from rooms.redis_connection import RedisAddress, connect
from rooms.replicas import number_of, replica_of, worker_number
from rooms.shared_store import SharedRoomStore
from rooms.shared_times import SharedTimes
from rooms.store import StoreError
from tests.rooms.store_contract import a_participant, a_room
from tests.support.patience import PATIENCE_S
from tests.support.redis_server import RedisServer

TIMES = SharedTimes(beat_s=0.05, lease_s=0.5, start_s=5.0)
REPLICAS = [number_of("anna"), number_of("bert")]
ROOMS = ["a", "b", "c"]
STEPS = 120


class Schedule:
    """What happens, and what is known of it."""

    def __init__(self, stores: list[SharedRoomStore], server: RedisServer, seed: int) -> None:
        self.random = random.Random(seed)
        self.stores = stores
        self.server = server
        self.people = 0

    async def step(self) -> None:
        act = self.random.choice([self.come] * 4 + [self.change] * 4 + [self.go] * 2 + [self.cut])
        with contextlib.suppress(StoreError):  # somebody else was quicker
            await act()

    async def come(self) -> None:
        number = self.random.randrange(2)
        store, room_id = self.stores[number], self.random.choice(ROOMS)
        if await store.room(room_id) is None:
            await store.add_room(a_room(room_id), 10)
        self.people += 1
        home = worker_number(REPLICAS[number], 0)
        person = a_participant(f"p{self.people}", room_id, csrc=self.people, home=home)
        await store.add_participant(person, 100)

    async def change(self) -> None:
        store, room_id = self.random.choice(self.stores), self.random.choice(ROOMS)
        most = self.random.randrange(1, 15)
        await store.update_room(
            room_id, lambda room: msgspec.structs.replace(room, settings=RoomSettings(most))
        )
        for person in self.random.sample(
            store.members(room_id), k=min(1, len(store.members(room_id)))
        ):
            await store.update_participant(person.participant_id, flipped)

    async def go(self) -> None:
        number = self.random.randrange(2)
        store, room_id = self.stores[number], self.random.choice(ROOMS)
        ours = [one for one in store.members(room_id) if replica_of(one.home) == REPLICAS[number]]
        if ours:
            await store.remove_participant(self.random.choice(ours).participant_id)
        await store.remove_empty_room(room_id)

    async def cut(self) -> None:
        kind = self.random.randrange(3)
        if kind == 0:  # one loses its connection, and goes on meanwhile
            self.random.choice(self.stores)._log._line.reconnect()
        elif kind == 1:
            await self.server.kill()
            for _ in range(self.random.randrange(6)):
                with contextlib.suppress(StoreError):
                    await self.random.choice([self.come, self.change, self.go])()
            await self.server.start()


def flipped(one: Participant) -> Participant:
    return msgspec.structs.replace(one, muted=not one.muted)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


def said(store: SharedRoomStore) -> dict[str, object]:
    return {
        room_id: (room.raw, {name: one.raw for name, one in room.people.items()})
        for room_id, room in store._view.rooms.items()
    }


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_both_and_redis_agree_in_the_end(seed: int) -> None:
    async with RedisServer() as server:
        stores = [
            SharedRoomStore(RedisAddress.parse(server.url), number, times=TIMES)
            for number in REPLICAS
        ]
        for store in stores:
            await store.start()
        schedule = Schedule(stores, server, seed)
        for _ in range(STEPS):
            await schedule.step()
        await until(lambda: all(store.is_there for store in stores))
        await until(lambda: said(stores[0]) == said(stores[1]))
        third = SharedRoomStore(RedisAddress.parse(server.url), number_of("carol"), times=TIMES)
        await third.start()
        assert said(third) == said(stores[0])
        client = connect(RedisAddress.parse(server.url))
        where = await client.hgetall("{ag06}:1:where")
        people = {one.participant_id for room in ROOMS for one in third.members(room)}
        assert {name.decode() for name in where} == people
        for number in REPLICAS:
            owned = await client.smembers(f"{{ag06}}:1:owned:{number}")
            ours = {
                one.participant_id
                for room in ROOMS
                for one in third.members(room)
                if replica_of(one.home) == number
            }
            assert {name.decode() for name in owned} == ours
        await client.aclose()
        for store in (*stores, third):
            await store.close()
