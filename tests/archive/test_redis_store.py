from collections.abc import AsyncIterator

import pytest

from archive.redis_store import RedisSessionStore
from archive.store import SessionStoreError
from rooms.redis_connection import RedisAddress, connect
from tests.archive.store_contract import SessionStoreContract, a_chunk, a_session
from tests.support.redis_server import RedisServer


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    async with RedisServer() as server:
        yield server


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[RedisSessionStore]:
    store = RedisSessionStore(connect(RedisAddress.parse(server.url)))
    yield store
    await store.close()


class TestRedisSessionStore(SessionStoreContract):
    pass


async def test_nothing_stays_in_redis_for_ever(server: RedisServer, store: RedisSessionStore):
    await store.put(a_session(), 60)
    await store.append("ab12", a_chunk(0), 10, 60)
    for key in ("ag06:session:{ab12}", "ag06:session:{ab12}:sound", "ag06:sessions:feed"):
        assert int((await server.ask(f"TTL {key}")).strip(":\r\n")) > 0, key


async def test_a_session_takes_no_more_memory_than_its_bound(
    server: RedisServer, store: RedisSessionStore
):
    await store.put(a_session(), 60)
    for number in range(300):
        await store.append("ab12", a_chunk(1000 * number, bytes(1000)), 30, 60)
    used = int((await server.ask("MEMORY USAGE ag06:session:{ab12}:sound")).strip(":\r\n"))
    assert used < 2 * 30 * 1000


async def test_a_redis_that_is_away_is_said_to_be(server: RedisServer, store: RedisSessionStore):
    await store.put(a_session(), 60)
    await server.kill()
    with pytest.raises(SessionStoreError):
        await store.append("ab12", a_chunk(0), 10, 60)
    with pytest.raises(SessionStoreError):
        await store.page("feed", None, 10)
    await server.start()
    assert await store.session("ab12") is None  # it had no disk
    await store.put(a_session(), 60)
    assert await store.session("ab12") is not None
