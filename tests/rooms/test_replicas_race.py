"""Two replicas race for everything: what comes out is what one store would have made of it.

Both do something at the same time, again and again. There must always be an order of what they did,
each replica's own steps in theirs, in which a store in memory gives the same answers and ends up
with the same rooms and people; and a replica that comes later must find the same.
"""

import asyncio
import copy
import itertools
import threading
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from rooms.memory_store import MemoryRoomStore
from rooms.models import Participant, Room, RoomSettings
from rooms.redis_connection import RedisAddress
from rooms.replicas import number_of, worker_number
from rooms.shared_store import SharedRoomStore
from rooms.store import RoomStore, StoreError
from tests.rooms.shared_world import ANNA, BERT
from tests.rooms.store_contract import a_participant, a_room
from tests.support.patience import PATIENCE_S
from tests.support.redis_server import RedisServer

REPLICAS = (ANNA, BERT)
ROOMS, PEOPLE, TENANTS = ("a", "b", "c"), ("p", "q", "r", "s"), ("default", "default", "acme")


class Loop:
    """An event loop that goes on while hypothesis thinks, so that Redis gets its answers."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what something results in."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def end(self) -> None:
        """End it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Step(NamedTuple):
    """What a replica does: the name of a method here, and what it is given."""

    name: str
    room: str
    person: str
    tenant: str
    number: int

    async def take(self, store: RoomStore, replica: int) -> object:
        """Do it; return what came of it, in words that are the same for all stores."""
        try:
            return await getattr(self, f"_{self.name}")(store, replica)
        except StoreError as error:
            return type(error).__name__

    async def _add_room(self, store: RoomStore, _: int) -> None:
        await store.add_room(a_room(self.room, tenant=self.tenant), 2 + self.number % 2, 2)

    async def _update_room(self, store: RoomStore, _: int) -> Room:
        def other(room: Room) -> Room:
            return msgspec.structs.replace(room, settings=RoomSettings(max_speakers=self.number))

        return await store.update_room(self.room, other)

    async def _remove_room(self, store: RoomStore, _: int) -> None:
        await store.remove_room(self.room)

    async def _remove_empty_room(self, store: RoomStore, _: int) -> bool:
        return await store.remove_empty_room(self.room)

    async def _come(self, store: RoomStore, replica: int) -> None:
        home = worker_number(replica, 0)
        person = a_participant(
            self.person, self.room, csrc=self.number, home=home, tenant=self.tenant
        )
        await store.add_participant(person, 2, 3)

    async def _change(self, store: RoomStore, _: int) -> Participant:
        def later(one: Participant) -> Participant:
            return msgspec.structs.replace(one, joined_at=one.joined_at + self.number)

        return await store.update_participant(self.person, later)

    async def _resume(self, store: RoomStore, replica: int) -> Participant:
        def ours(one: Participant) -> Participant:
            return msgspec.structs.replace(one, home=worker_number(replica, 0))

        return await store.update_participant(self.person, ours)

    async def _go(self, store: RoomStore, _: int) -> None:
        await store.remove_participant(self.person)


NAMES = ["add_room", "update_room", "remove_room", "remove_empty_room"]
NAMES += ["come", "come", "come", "change", "resume", "go"]
NUMBERS = st.integers(1, 4)
STEP = st.builds(
    Step,
    st.sampled_from(NAMES),
    st.sampled_from(ROOMS),
    st.sampled_from(PEOPLE),
    st.sampled_from(TENANTS),
    NUMBERS,
)
STEPS = st.lists(STEP, min_size=1, max_size=2)


async def everything(store: RoomStore) -> list[tuple[Room, list[Participant]]]:
    """Return all rooms with all who are in them, in order."""
    return [(room, await store.participants(room.room_id)) for room in await store.rooms()]


async def in_turn(store: RoomStore, replica: int, steps: Sequence[Step]) -> list[object]:
    return [await step.take(store, replica) for step in steps]


class Race(RuleBasedStateMachine):
    """Two replicas, and the store that they have to be like."""

    loop: Loop
    server: RedisServer

    def __init__(self) -> None:
        super().__init__()
        self.model = MemoryRoomStore()
        self.stores: list[SharedRoomStore] = []

    @initialize()
    def begin(self) -> None:
        self.loop.run(self._begin())

    async def _begin(self) -> None:
        await self.server.ask("FLUSHALL")
        self.stores = [await self._started(number) for number in REPLICAS]

    async def _started(self, number: int) -> SharedRoomStore:
        store = SharedRoomStore(RedisAddress.parse(self.server.url), number)
        await store.start()
        assert store.is_there
        return store

    @rule(first=STEPS, second=STEPS)
    def race(self, first: list[Step], second: list[Step]) -> None:
        self.loop.run(self._race([first, second]))

    @rule(data=st.data(), number=NUMBERS, then=STEPS)
    def race_for_one(self, data: st.DataObject, number: int, then: list[Step]) -> None:
        """Both change the same, one of what is there."""
        rooms = self.loop.run(everything(self.model))
        room, people = data.draw(st.sampled_from(rooms or [(a_room("a"), [])]))
        named = [one.participant_id for one in people] or list(PEOPLE)
        names = ["update_room", "come", "change", "resume", "go"]
        step = data.draw(STEP)._replace(
            name=data.draw(st.sampled_from(names)),
            room=room.room_id,
            person=data.draw(st.sampled_from(named)),
            tenant=room.tenant,
        )
        self.loop.run(self._race([[step], [step._replace(number=number), *then[:1]]]))

    async def _race(self, steps: list[list[Step]]) -> None:
        both = list(zip(self.stores, REPLICAS, steps, strict=True))
        answers = await asyncio.gather(*(in_turn(*one) for one in both))
        possible = [model async for model in self._orders(steps, answers)]
        assert possible, f"in no order: {answers}"
        async with asyncio.timeout(PATIENCE_S):
            while True:  # each hears of the other's last step in its own time
                first, second = [await everything(store) for store in self.stores]
                found = [one for one in possible if await everything(one) == first]
                if first == second and found:
                    self.model = found[0]
                    return
                await asyncio.sleep(0.001)

    async def _orders(self, steps: list[list[Step]], answers: list[list[object]]) -> Any:
        """Give the stores in memory that have answered the same."""
        turns = [number for number, taken in enumerate(steps) for _ in taken]
        for order in sorted(set(itertools.permutations(turns))):
            model = copy.deepcopy(self.model)
            left = [iter(taken) for taken in steps]
            said: list[list[object]] = [[], []]
            for number in order:
                said[number].append(await next(left[number]).take(model, REPLICAS[number]))
            if said == answers:
                yield model

    def teardown(self) -> None:
        if self.stores:
            self.loop.run(self._end())

    async def _end(self) -> None:
        late = await self._started(number_of("carol"))
        found = await everything(late)
        for store in (*self.stores, late):
            await store.close()
        assert found == await everything(self.model)


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.end()


def test_two_replicas_are_as_one_store_whatever_they_race_for(loop: Loop) -> None:
    Race.loop, Race.server = loop, RedisServer()
    loop.run(Race.server.start())
    try:
        run_state_machine_as_test(
            Race,
            settings=settings(
                max_examples=40,
                stateful_step_count=15,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    finally:
        loop.run(Race.server.__aexit__())
