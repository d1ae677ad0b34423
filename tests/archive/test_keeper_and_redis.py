"""A Redis that goes away while sound is kept: counted, waited for by nobody, and gone on with."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from archive.redis_store import RedisSessionStore
from rooms.models import Participant, Room
from rooms.redis_connection import RedisAddress, connect
from tests.archive.store_contract import a_chunk
from tests.support.patience import PATIENCE_S
from tests.support.redis_server import RedisServer
from webrtc.sessions.keeper import Keeper, Keeping, Presence

ROOM = Room(room_id="studio", created_at=0.0, host_key_hash=b"\xfe\xed", worker=0)
ALICE = Participant(
    participant_id="alice", room_id="studio", csrc=1, joined_at=0.0, resume_hash=b""
)


class Stage:
    """Alice publishes all the time."""

    def archived(self) -> Iterable[Presence]:
        return [Presence(ROOM, "alice", sends=True)]

    async def participant(self, _: str) -> Participant | None:
        return ALICE


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    async with RedisServer() as server:
        yield server


async def test_what_redis_misses_is_counted_and_a_new_session_follows(server: RedisServer) -> None:
    store = RedisSessionStore(connect(RedisAddress.parse(server.url)))
    now = [1000.0]
    keeper = Keeper(store, Stage(), Keeping(30, 60), lambda *_: None, lambda: now[0])
    keeper.start()
    counted = keeper.counters

    async def until(**wanted: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not all(counted[name] >= least for name, least in wanted.items()):
                await asyncio.sleep(0.02)

    try:
        await keeper.look()
        (first,) = keeper.open_sessions
        keeper.deliver(first.session_id, a_chunk(0))
        await until(chunks_kept=1)
        await server.kill()
        keeper.deliver(first.session_id, a_chunk(1000))
        await until(chunks_lost=1)
        await server.start()  # empty: it had no disk
        now[0] += 10.0
        async with asyncio.timeout(PATIENCE_S):
            while [one.session_id for one in keeper.open_sessions] in ([], [first.session_id]):
                await keeper.look()
                await asyncio.sleep(0.02)
                now[0] += 10.0
        (second,) = keeper.open_sessions
        keeper.deliver(second.session_id, a_chunk(0))
        await until(chunks_kept=2)
        assert (await store.extent(second.session_id)).chunks == 1
    finally:
        await keeper.close()
        await store.close()
