"""Stores of several replicas round one real Redis, for the tests of what they do together."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from rooms.models import Participant, Room
from rooms.redis_connection import RedisAddress
from rooms.replicas import number_of, worker_number
from rooms.shared_store import SharedRoomStore
from rooms.shared_times import SharedTimes
from tests.rooms.store_contract import a_participant
from tests.support.patience import PATIENCE_S
from tests.support.redis_server import RedisServer

TIMES = SharedTimes(beat_s=0.05, lease_s=0.4, keep_s=0.4, start_s=5.0)
PATIENT = SharedTimes(beat_s=0.05, lease_s=0.4, keep_s=60.0, start_s=5.0)
"""Nobody is given up, however long the machine stands still."""
ANNA, BERT = number_of("anna"), number_of("bert")
MakeStore = Callable[..., "asyncio.Future[SharedRoomStore]"]


class Watcher:
    """Notes what it is told, a word for each."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.reasons: list[str] = []
        self.connected: list[bool] = []
        self.lost: set[int] = set()

    def on_room(self, before: Room | None, after: Room) -> None:
        self.told.append(("room", None if before is None else before.room_id, after))

    def on_room_gone(self, room: Room, people: list[Participant]) -> None:
        self.told.append(("room gone", room.room_id, [one.participant_id for one in people]))

    def on_participant(self, before: Participant | None, after: Participant) -> None:
        self.told.append(("person", None if before is None else before.participant_id, after))

    def on_participant_gone(self, participant: Participant, reason: str) -> None:
        self.told.append(("person gone", participant.participant_id))
        self.reasons.append(reason)

    def on_revoked(self, token_id: str) -> None:
        self.told.append(("revoked", token_id))

    def on_replicas(self, lost: set[int], back: set[int]) -> None:
        self.lost = (self.lost | lost) - back

    def on_connected(self, connected: bool) -> None:
        self.connected.append(connected)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


def served_by(replica: int, name: str = "alice", room_id: str = "studio", **values) -> Participant:
    return a_participant(name, room_id, home=worker_number(replica, 0), **values)


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    async with RedisServer() as server:
        yield server


@pytest.fixture
async def make(server: RedisServer) -> AsyncIterator[MakeStore]:
    made = []

    async def make(
        replica: int = ANNA, times: SharedTimes = TIMES, port: int | None = None
    ) -> SharedRoomStore:
        url = server.url if port is None else f"redis://127.0.0.1:{port}"
        store = SharedRoomStore(RedisAddress.parse(url), replica, times=times)
        store.watcher = Watcher()
        await store.start()
        made.append(store)
        return store

    yield make
    for store in made:
        await store.close()
